"""Who may use the console: people with passwords, programs with tokens, sessions of browsers; and where these are kept."""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from gateway.domain.instants import Instant


def digest_of(secret: str) -> str:
    """What is kept of a token or a cookie. They are random and long: a fast digest is enough."""
    return sha256(secret.encode()).hexdigest()


class Role(StrEnum):
    """What somebody is to the console. `gateway.console.roles` says what each may do."""

    KIOSK = "kiosk"
    READ = "read"
    TRIAGE = "triage"
    TECHNICIAN = "technician"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with a password, or a screen on a wall. `password` is its argon2 hash, never the password."""

    name: str
    role: Role
    password: str = field(repr=False)
    created_at: Instant
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What a program shows instead of a password. `digest` is the SHA-256 of the token, in hex. `until_at`: None is for ever."""

    name: str
    role: Role
    digest: str = field(repr=False)
    created_at: Instant
    created_by: str
    until_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that signed in as `user`. `digest`: the SHA-256 of its cookie in hex; `browser` and `address` are for people."""

    digest: str = field(repr=False)
    user: str
    began_at: Instant
    seen_at: Instant
    browser: str = ""
    address: str = ""

    @property
    def id(self) -> str:
        """What the session is called where people read: the beginning of its digest, which opens nothing."""
        return self.digest[:12]


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a store holds."""

    users: tuple[User, ...] = ()
    tokens: tuple[ApiToken, ...] = ()
    sessions: tuple[Session, ...] = ()


class AccessStoreFailed(Exception):
    """Nothing was stored; the text says why."""


class AccessStore(Protocol):
    """Where users, tokens and sessions outlive the process. Each call is durable when it returns, or raises `AccessStoreFailed`.

    Calls may block for a disk: they are made in another thread, one at a time.
    """

    def load(self) -> Kept:
        """Everything that was put and not dropped."""
        ...

    def put_user(self, user: User) -> None:
        """Add it, or put it in the place of the one with its name."""
        ...

    def put_token(self, token: ApiToken) -> None:
        """Add it."""
        ...

    def drop_token(self, name: str) -> None:
        """Forget it, if it is there."""
        ...

    def put_session(self, session: Session) -> None:
        """Add it, or put it in the place of the one with its digest."""
        ...

    def drop_sessions(self, digests: tuple[str, ...]) -> None:
        """Forget those that are there."""
        ...


class KeepsNothing:
    """The store of a console without a disk: what was put ends with the process."""

    def load(self) -> Kept:
        """Nothing."""
        return Kept()

    def put_user(self, user: User) -> None:
        """Keep nothing."""

    def put_token(self, token: ApiToken) -> None:
        """Keep nothing."""

    def drop_token(self, name: str) -> None:
        """There is none."""

    def put_session(self, session: Session) -> None:
        """Keep nothing."""

    def drop_sessions(self, digests: tuple[str, ...]) -> None:
        """There are none."""
