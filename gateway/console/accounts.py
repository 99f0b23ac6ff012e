"""Users and tokens: who may use the console. All of them are in memory; every change is journalled first, then stored.

So a change may stand in the audit without having happened (a crash in between, a full disk), never the other way round.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from gateway.console import passwords
from gateway.console.passwords import Passwords
from gateway.console.sessions import Lengths, Sessions
from gateway.domain.commands import AccessChanged
from gateway.domain.instants import Instant
from gateway.domain.sentences import Sentence, sentence
from gateway.runtime.access import AccessStore, ApiToken, KeepsNothing, Role, Session, User, digest_of
from gateway.runtime.service import Service

USERS_MAX = 1_000  # more are refused
TOKENS_MAX = 200  # more are refused
TOKEN_BEGINS = "dw_"  # noqa: S105 - how every token of ours begins, so that a scanner of leaked secrets finds it

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_TAKEN = ("api", "diary-page", "here", "sign-in", "visitor")  # who stands in the record for something else

NO_NAME = sentence("a name has 1 to 63 letters, digits, '.', '_', '-', and begins with a letter or a digit")

T = TypeVar("T")


class AccessRefused(Exception):
    """Nothing was changed; what is said tells why, and the mend."""

    def __init__(self, said: Sentence) -> None:
        super().__init__(str(said))
        self.said = said


class Accounts:
    """Users, tokens and sessions of one gateway. Changes raise `AccessRefused`, `JournalFull`, `AccessStoreFailed`."""

    def __init__(
        self,
        service: Service,
        store: AccessStore | None = None,
        *,
        hashing: Passwords | None = None,
        lengths: Lengths | None = None,
    ) -> None:
        self._service = service
        self._store = store or KeepsNothing()
        self._one_at_a_time = asyncio.Lock()
        self.hashing = hashing or Passwords()
        kept = self._store.load()
        self._users = {user.name.casefold(): user for user in kept.users}
        self._tokens = {token.digest: token for token in kept.tokens}
        self.sessions = Sessions(self._store, self.stored, lengths or Lengths(), kept.sessions)

    # ---- looking -------------------------------------------------------------------------------------------------

    def now(self) -> Instant:
        """The gateway's time."""
        return self._service.now()

    def users(self) -> Sequence[User]:
        """All, by name."""
        return [self._users[key] for key in sorted(self._users)]

    def tokens(self) -> Sequence[ApiToken]:
        """All, by name, also those that are over."""
        return sorted(self._tokens.values(), key=lambda token: token.name.casefold())

    def user(self, name: str) -> User | None:
        """The user of this name, however its letters are cased: telephones like to begin with a large one."""
        return self._users.get(name.casefold())

    def token(self, text: str) -> ApiToken | None:
        """The token of this text, while it lasts."""
        token = self._tokens.get(digest_of(text)) if text.startswith(TOKEN_BEGINS) else None
        return token if token is not None and (token.until_at is None or self.now() < token.until_at) else None

    def token_lasts(self, name: str) -> bool:
        """Whether the token of this name still opens something."""
        return any(
            token.name == name and (token.until_at is None or self.now() < token.until_at) for token in self._tokens.values()
        )

    def session(self, cookie: str) -> tuple[Session, User] | None:
        """The session of this cookie and its user, while both may be used."""
        return self.lasting(digest_of(cookie))

    def lasting(self, digest: str) -> tuple[Session, User] | None:
        """The session of this digest and its user, while both may be used."""
        session = self.sessions.get(digest)
        user = self.user(session.user) if session is not None else None
        if session is None or user is None or user.disabled or not self.sessions.lasts(session, user.role, self.now()):
            return None
        return session, user

    def open_sessions(self, name: str = "") -> Sequence[Session]:
        """Those that may be used, of one user or of all; seen last first."""
        sessions = self.sessions.of(name) if name else self.sessions.all()
        return [session for session in sessions if self.lasting(session.digest) is not None]

    async def sweep(self) -> None:
        """Forget the sessions that have ended by themselves."""
        await self.sessions.end([session for session in self.sessions.all() if self.lasting(session.digest) is None])

    # ---- users ---------------------------------------------------------------------------------------------------

    async def add_user(self, who: str, name: str, role: Role, password: str) -> User:
        """Somebody more who can sign in."""
        self._check_name(name)
        if len(self._users) >= USERS_MAX:
            raise AccessRefused(sentence("there are {n} users already; no more fit", n=USERS_MAX))
        hashed = await self._hashed(name, password)
        async with self._one_at_a_time:
            self._check_name(name)
            user = User(name=name, role=role, password=hashed, created_at=self.now())
            await self._change(who, "add-user", name, role.value, lambda: self._store.put_user(user))
            self._users[name.casefold()] = user
        return user

    async def change_role(self, who: str, name: str, role: Role) -> User:
        """From now on, for the sessions too that are open."""
        return await self._changed(who, "change-role", name, f"{self._known(name).role.value}, now {role.value}", role=role)

    async def set_password(self, who: str, name: str, password: str, *, keep: str = "") -> User:
        """Another password; every session of the user ends, but for the one of the digest `keep`."""
        hashed = await self._hashed(self._known(name).name, password)
        user = await self._changed(who, "set-password", name, "", password=hashed)
        await self.sessions.end([one for one in self.sessions.of(user.name) if one.digest != keep])
        return user

    async def disable(self, who: str, name: str) -> User:
        """Nobody signs in by this name any more; its sessions end."""
        user = await self._changed(who, "disable-user", name, "", disabled=True)
        await self.sessions.end(self.sessions.of(user.name))
        return user

    async def enable(self, who: str, name: str) -> User:
        """The name may be signed in with again."""
        return await self._changed(who, "enable-user", name, "", disabled=False)

    async def renew_hash(self, user: User, hashed: str) -> None:
        """The same password, hashed by today's parameters: nothing that anybody need know."""
        async with self._one_at_a_time:
            if self.user(user.name) == user:
                renewed = replace(user, password=hashed)
                await asyncio.to_thread(self._store.put_user, renewed)
                self._users[user.name.casefold()] = renewed

    # ---- tokens --------------------------------------------------------------------------------------------------

    async def make_token(self, who: str, name: str, role: Role, *, for_ms: int | None = None) -> tuple[ApiToken, str]:
        """A token for a program, and its text: the only time that it can be seen."""
        self._check_name(name)
        if len(self._tokens) >= TOKENS_MAX:
            raise AccessRefused(sentence("there are {n} tokens already; revoke one that nobody uses", n=TOKENS_MAX))
        text = TOKEN_BEGINS + secrets.token_urlsafe(32)
        async with self._one_at_a_time:
            self._check_name(name)
            at = self.now()
            until_at = None if for_ms is None else at + for_ms
            token = ApiToken(name=name, role=role, digest=digest_of(text), created_at=at, created_by=who, until_at=until_at)
            await self._change(who, "make-token", name, role.value, lambda: self._store.put_token(token))
            self._tokens[token.digest] = token
        return token, text

    async def revoke_token(self, who: str, name: str) -> ApiToken:
        """It opens nothing from now on."""
        async with self._one_at_a_time:
            token = next((token for token in self._tokens.values() if token.name.casefold() == name.casefold()), None)
            if token is None:
                raise AccessRefused(sentence("there is no token {name!r}", name=name))
            await self._change(who, "revoke-token", token.name, "", lambda: self._store.drop_token(token.name))
            del self._tokens[token.digest]
        return token

    # ---- sessions ------------------------------------------------------------------------------------------------

    async def end_session(self, who: str, session_id: str) -> str:
        """The browser must sign in again. Returns whose it was."""
        session = self.sessions.named(session_id)
        if session is None:
            raise AccessRefused(sentence("there is no session {id!r}; it may have ended by itself", id=session_id))
        await self.note(who, "end-session", session.user, session.id)
        await self.sessions.end([session])
        return session.user

    # ---- within --------------------------------------------------------------------------------------------------

    async def note(self, who: str, what: str, about: str, detail: str = "") -> None:
        """Write a change into the journal. Raises `JournalFull`."""
        await self._service.command(who, AccessChanged(what=what, about=about, detail=detail))

    async def stored(self, store: Callable[[], T]) -> T:
        """Do this to the store, in another thread and alone."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(store)

    async def _change(self, who: str, what: str, about: str, detail: str, store: Callable[[], None]) -> None:
        await self.note(who, what, about, detail)
        await asyncio.to_thread(store)

    async def _changed(self, who: str, what: str, name: str, detail: str, **changes: object) -> User:
        async with self._one_at_a_time:
            user = replace(self._known(name), **changes)  # type: ignore[arg-type]  # fields by name, from this file only
            await self._change(who, what, user.name, detail, lambda: self._store.put_user(user))
            self._users[user.name.casefold()] = user
        return user

    async def _hashed(self, name: str, password: str) -> str:
        if refused := passwords.refusal(password, name):
            raise AccessRefused(refused)
        return await self.hashing.hashed(password)

    def _known(self, name: str) -> User:
        user = self.user(name)
        if user is None:
            raise AccessRefused(sentence("there is no user {name!r}", name=name))
        return user

    def _check_name(self, name: str) -> None:
        """A user and a token never share a name: the record says who did it by name alone."""
        if not _NAME.fullmatch(name) or name.casefold() in _TAKEN:
            raise AccessRefused(NO_NAME)
        if self.user(name) is not None:
            raise AccessRefused(sentence("there is a user {name} already", name=name))
        if any(token.name.casefold() == name.casefold() for token in self._tokens.values()):
            raise AccessRefused(sentence("there is a token {name} already", name=name))
