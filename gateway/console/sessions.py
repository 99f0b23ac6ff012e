"""Sessions of browsers: a random cookie, of which only a digest is kept; they end by themselves, and can be ended."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.runtime.access import AccessStore, AccessStoreFailed, Role, Session, digest_of

OF_ONE_USER_MAX = 20  # more: the one that was seen least lately ends
SEEN_EVERY_MS = MINUTE_MS  # how exactly it is kept when a session was last seen
TEXT_MAX = 120  # characters of what the browser says of itself

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """When sessions end: unseen for `idle_ms`, or `most_ms` after the sign-in; those of a kiosk only `kiosk_ms` after it."""

    idle_ms: int = 12 * HOUR_MS
    most_ms: int = 7 * DAY_MS
    kiosk_ms: int = 365 * DAY_MS

    def most(self, role: Role) -> int:
        """How long a session of this role lasts at the most."""
        return self.kiosk_ms if role is Role.KIOSK else self.most_ms


class Sessions:
    """All open ones, by digest. `stored` carries out what is to be stored, in another thread and in turn."""

    def __init__(
        self,
        store: AccessStore,
        stored: Callable[[Callable[[], None]], Awaitable[None]],
        lengths: Lengths,
        kept: Sequence[Session],
    ) -> None:
        self._store, self._stored, self._lengths = store, stored, lengths
        self._open = {session.digest: session for session in kept}
        self._noting: set[asyncio.Task[None]] = set()

    def all(self) -> Sequence[Session]:
        """Those that were seen last first."""
        return sorted(self._open.values(), key=lambda session: -session.seen_at)

    def of(self, user: str) -> Sequence[Session]:
        """One user's."""
        return [session for session in self.all() if session.user == user]

    def named(self, session_id: str) -> Session | None:
        """By its id."""
        return next((session for session in self._open.values() if session.id == session_id), None)

    def get(self, digest: str) -> Session | None:
        """By its digest, whatever its age."""
        return self._open.get(digest)

    def lasts(self, session: Session, role: Role, at: Instant) -> bool:
        """Whether it has not ended by itself."""
        idle_ms = self._lengths.kiosk_ms if role is Role.KIOSK else self._lengths.idle_ms
        return session.digest in self._open and at < min(
            session.began_at + self._lengths.most(role), self._open[session.digest].seen_at + idle_ms
        )

    async def begin(self, user: str, role: Role, at: Instant, *, browser: str, address: str) -> tuple[str, int]:
        """A new one; its cookie, and how many ms it lasts at the most.

        Where the disk does not play it lasts until the gateway ends: whoever is on call must be able to look.
        """
        cookie = secrets.token_urlsafe(32)
        told = "".join(char if char.isprintable() else " " for char in browser)[:TEXT_MAX]
        digest = digest_of(cookie)
        session = Session(digest=digest, user=user, began_at=at, seen_at=at, browser=told, address=address)
        self._open[digest] = session
        try:
            await self._stored(lambda: self._store.put_session(session))
            await self.end(self.of(user)[OF_ONE_USER_MAX:])
        except AccessStoreFailed as failed:
            log.warning("a session is not kept beyond the next start of the gateway: %s", failed)
        return cookie, self._lengths.most(role)

    def seen(self, session: Session, at: Instant) -> None:
        """It was used; kept about once a minute, without anybody waiting for the disk."""
        if at - session.seen_at < SEEN_EVERY_MS:
            return
        renewed = replace(session, seen_at=at)
        self._open[session.digest] = renewed
        task = asyncio.get_running_loop().create_task(self._keep(renewed))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def end(self, sessions: Sequence[Session]) -> None:
        """They open nothing from now on, even where the disk does not play: then they come back with the next start."""
        digests = tuple(session.digest for session in sessions)
        for digest in digests:
            self._open.pop(digest, None)
        if digests:
            await self._stored(lambda: self._store.drop_sessions(digests))

    async def _keep(self, session: Session) -> None:
        try:
            await self._stored(lambda: self._store.put_session(session) if session.digest in self._open else None)
        except AccessStoreFailed as failed:  # worth no more: it would end a little early after a restart
            log.warning("when a session was seen could not be kept: %s", failed)
