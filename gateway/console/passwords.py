"""Passwords: what may be one, and whether one fits. The only place that knows argon2.

The work is the same whether the name is known or not, and never more than `AT_ONCE` are worked on at a time: each takes 64 MiB
and a tenth of a second of a core, and pages must go out meanwhile.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.console.words import message
from gateway.domain.sentences import Sentence, sentence

CHARS_MIN, CHARS_MAX = 12, 128
AT_ONCE = 2
WAITING_MAX = 32  # more who wait for their turn: told to come again

BUSY = message("too many sign in at this moment; try again in a few seconds")

_ANY = re.compile(r"[^\x00-\x1f\x7f]*")

T = TypeVar("T")


class PasswordsBusy(Exception):
    """Too many sign-ins wait already."""

    def __init__(self) -> None:
        super().__init__(BUSY)


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether the password fits; `renewed` is its hash by today's parameters where the kept one is by older ones."""

    fits: bool
    renewed: str = ""


def refusal(password: str, name: str) -> Sentence | None:
    """Why this cannot be the password of `name`; None when it can."""
    if not CHARS_MIN <= len(password) <= CHARS_MAX or not _ANY.fullmatch(password):
        return sentence(
            "a password has {least} to {most} characters; a few words with spaces are good", least=CHARS_MIN, most=CHARS_MAX
        )
    if len(set(password)) < 5:  # "aaaaaaaaaaaa" and its like
        return sentence("this password is too simple; a few words with spaces are good")
    if name.casefold() in password.casefold() and len(password) < len(name) + CHARS_MIN // 2:
        return sentence("this password is little more than the name; a few words with spaces are good")
    return None


class Passwords:
    """Hashes and compares, in other threads. `hasher` has the parameters of today (RFC 9106, 64 MiB)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = ""

    async def hashed(self, password: str) -> str:
        """The hash to keep. Raises `PasswordsBusy`."""
        return await self._in_turn(self._hash, password)

    async def fit(self, kept: str | None, password: str) -> Fit:
        """Whether the password fits the kept hash; None (nobody has that name) costs the same and never fits."""
        return await self._in_turn(self._fit, kept or "", password)

    async def _in_turn(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= WAITING_MAX:
            raise PasswordsBusy
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *args)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_typed(password))

    def _fit(self, kept: str, password: str) -> Fit:
        self._nobodys = self._nobodys or self._hasher.hash("nobody has this one")
        try:
            self._hasher.verify(kept or self._nobodys, _typed(password))
        except (VerificationError, InvalidHashError):  # wrong; or a damaged hash, which opens nothing
            return Fit(fits=False)
        if not kept:
            return Fit(fits=False)
        return Fit(fits=True, renewed=self._hash(password) if self._hasher.check_needs_rehash(kept) else "")


def _typed(password: str) -> str:
    """The same characters, whichever keyboard typed them; forms lose the spaces around."""
    return normalize("NFKC", password).strip()
