"""Signing in: by name and password, so often and no more, and never saying which of the two was wrong."""

import contextlib
import logging
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from gateway.console.accounts import Accounts
from gateway.console.diary_links import Pace
from gateway.console.passwords import CHARS_MAX, PasswordsBusy
from gateway.console.tries import Tries
from gateway.domain.instants import HOUR_MS, Instant
from gateway.runtime.access import AccessStoreFailed, User
from gateway.runtime.ports import JournalFull

NAME_TRIES, ADDRESS_TRIES = 5, 20  # within 15 min; then the name, or the address, is locked for 15 min
LOCKS_TOLD_AN_HOUR = 20  # the journal never forgets: more locks than these stand in the log only
WHO = "sign-in"

log = logging.getLogger(__name__)


class Why(StrEnum):
    """Why nobody was signed in."""

    WRONG = "wrong"
    LOCKED = "locked"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who, and the cookie that says so for `lasts_ms` at the most."""

    name: str
    cookie: str
    lasts_ms: int


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Why, and for a lock until when."""

    why: Why
    until_at: Instant | None = None


class SignIn:
    """The door's bell. One for the whole console: it remembers who tried how often."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._names, self._addresses = Tries(NAME_TRIES), Tries(ADDRESS_TRIES)
        self._told = Pace(LOCKS_TOLD_AN_HOUR, HOUR_MS)

    async def __call__(self, name: str, password: str, *, browser: str, address: str) -> SignedIn | NotSignedIn:
        """Try once. A name that nobody has, a wrong password and a disabled user are answered alike, after the same work."""
        proved = await self._tried(name, password, place_of(address))
        return await self._begin(proved, browser, address) if isinstance(proved, User) else proved

    async def prove(self, user: User, password: str, *, address: str) -> User | NotSignedIn:
        """Whether it is really this user who sits there; wrong tries count as at the door."""
        return await self._tried(user.name, password, place_of(address))

    async def _tried(self, name: str, password: str, place: str) -> User | NotSignedIn:
        at, key = self._accounts.now(), name.casefold()
        until_at = self._names.locked_until(key, at) or self._addresses.locked_until(place, at)
        if until_at is not None:
            return NotSignedIn(Why.LOCKED, until_at)
        locks = (self._names.count(key, at), self._addresses.count(place, at))
        user = self._accounts.user(name)
        usable = user if user is not None and not user.disabled else None
        try:
            fit = await self._accounts.hashing.fit(usable.password if usable else None, password[: CHARS_MAX + 1])
        except PasswordsBusy:
            self._names.take_back(key)
            self._addresses.take_back(place)
            return NotSignedIn(Why.BUSY)
        if usable is None or not fit.fits or self._accounts.user(name) != usable:  # changed in the meantime
            await self._tell_of_lock(user, place, locks)
            return NotSignedIn(Why.WRONG)
        self._names.forget(key)
        if fit.renewed:
            with contextlib.suppress(AccessStoreFailed):  # the next sign-in tries again
                await self._accounts.renew_hash(usable, fit.renewed)
        return usable

    def locked_until(self, name: str) -> Instant | None:
        """Until when nobody signs in by this name."""
        return self._names.locked_until(name.casefold(), self._accounts.now())

    async def unlock(self, who: str, user: User) -> None:
        """Open a name before its time. Raises `JournalFull`."""
        await self._accounts.note(who, "unlock", user.name)
        self._names.forget(user.name.casefold())

    async def _begin(self, user: User, browser: str, address: str) -> SignedIn:
        with contextlib.suppress(AccessStoreFailed):
            await self._accounts.sweep()
        now = self._accounts.now()
        cookie, lasts_ms = await self._accounts.sessions.begin(user.name, user.role, now, browser=browser, address=address)
        log.info("%s signed in from %s", user.name, address)
        return SignedIn(user.name, cookie, lasts_ms)

    async def _tell_of_lock(self, user: User | None, place: str, locks: tuple[bool, bool]) -> None:
        """Of a name that nobody has only that: people type their password there by mistake."""
        name_locked, address_locked = locks
        about = (user.name if user else "a name that nobody here has") if name_locked else f"everybody at {place}"
        if not name_locked and not address_locked:
            return
        tries = NAME_TRIES if name_locked else ADDRESS_TRIES
        detail = f"{tries} wrong sign-ins, the last from {place}; for 15 min"
        log.warning("sign-in locked: %s (%s)", about, detail)
        if self._told.allows("", self._accounts.now()):
            with contextlib.suppress(JournalFull):  # the log has it
                await self._accounts.note(WHO, "lock", f"the sign-in of {about}" if name_locked else about, detail)


def place_of(address: str) -> str:
    """The address as tries are counted: of IPv6 the /64, because one machine has as many of these as it likes."""
    try:
        known = ip_address(address)
    except ValueError:
        return "an unknown address"
    return f"{IPv6Address(int(known) >> 64 << 64)}/64" if isinstance(known, IPv6Address) else str(known)
