"""`Idempotency-Key`: a change that is asked for twice with the same key, by the same visitor, happens once.

Two memories keep what was answered. The one here has the very answers of all changes under /api/v1, and is empty after a restart.
The gateway's own, part of its fold (`gateway.core.answered`), knows every command by its key as long as it knows what came of it:
after a restart, and where two requests race. `asked` carries the key to it. A request that failed is not remembered: it may be
tried again with the same key.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.problems import INVALID, problem
from gateway.core.answered import KEPT_MS, MISUSED
from gateway.domain.commands import Once
from gateway.domain.instants import Instant

HEADER = "Idempotency-Key"
KEY_MAX = 128
ANSWERS_MAX = 1_000  # the oldest are forgotten first
ANSWER_MAX_BYTES = 65_536  # a longer answer is not kept; no change has one
KEY_MISUSED = "urn:dripwatch:key-misused"
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_KEY = re.compile(rf"[\x21-\x7e]{{1,{KEY_MAX}}}")
_WITH_SECRETS = ("/api/v1/tokens",)  # what these answer is shown once
_FINAL = frozenset({409, *range(200, 300)})  # done, or refused by the gateway; anything else had no effect and may be tried again

asked: ContextVar[Once | None] = ContextVar("asked", default=None)
"""The key of the request that is being handled; None where it came without one."""


@dataclass(slots=True)
class _Answer:
    """What was answered, when, to which request. Status 0: it held a secret, and nothing of it is kept."""

    digest: str
    at: Instant
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class OnceOnly:
    """ASGI middleware, behind the guard, which has found out who asks. `now` is the gateway's time."""

    def __init__(self, app: ASGIApp, *, now: Callable[[], Instant]) -> None:
        self._app = app
        self._now = now
        self._answers: dict[tuple[str, str], _Answer] = {}
        self._under_way: dict[tuple[str, str], asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        key = Headers(scope=scope).get(HEADER) if is_change(scope) else None
        if key is None:
            await self._app(scope, receive, send)
            return
        if _KEY.fullmatch(key) is None:
            refusal = problem(422, f"{HEADER}: 1 to {KEY_MAX} printable ASCII characters without spaces", kind=INVALID)
            await refusal(scope, receive, send)
            return
        try:
            body = await _whole(receive)
        except HTTPException as too_long:
            await problem(too_long.status_code, str(too_long.detail))(scope, receive, send)
            return
        await self._once(Once(key, _digest(scope, body)), body, scope, receive, send)

    async def _once(self, once: Once, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        name = (who_asks(scope), once.key)
        while (busy := self._under_way.get(name)) is not None:
            await busy.wait()  # the same request is being answered: this one gets its answer
        known = self._known(name)
        if known is not None:
            await self._again(known, once, scope, receive, send)
            return
        done = self._under_way[name] = asyncio.Event()
        answer, was = _Answer(once.digest, self._now()), asked.set(once)
        try:
            await self._app(scope, _given_again(body, receive), _kept(answer, send))
        finally:
            asked.reset(was)
            del self._under_way[name]
            if answer.status in _FINAL and len(answer.body) <= ANSWER_MAX_BYTES:
                self._keep(name, answer, secret=scope["path"].startswith(_WITH_SECRETS))
            done.set()

    async def _again(self, known: _Answer, once: Once, scope: Scope, receive: Receive, send: Send) -> None:
        if known.digest != once.digest:
            await problem(422, MISUSED, kind=KEY_MISUSED)(scope, receive, send)
        elif not known.status:
            await problem(409, "this was done already; its answer held a secret, and was shown once")(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": known.status, "headers": [*known.headers]})
            await send({"type": "http.response.body", "body": known.body})

    def _known(self, name: tuple[str, str]) -> _Answer | None:
        known = self._answers.get(name)
        return known if known is not None and self._now() < known.at + KEPT_MS else None

    def _keep(self, name: tuple[str, str], answer: _Answer, *, secret: bool) -> None:
        if secret and answer.body:
            answer.status, answer.body = 0, b""
        self._answers.pop(name, None)
        self._answers[name] = answer
        while len(self._answers) > ANSWERS_MAX:
            del self._answers[next(iter(self._answers))]


def is_change(scope: Scope) -> bool:
    """Whether this asks the API for a change."""
    return scope["type"] == "http" and scope["method"] in CHANGES and scope["path"].startswith("/api/v1/")


def who_asks(scope: Scope) -> str:
    """The visitor by name and way, as the door knows them, whatever a header says; keys and paces are each visitor's own."""
    visitor = scope.get("state", {}).get("visitor")
    return f"{visitor.via}:{visitor.name}" if visitor is not None else ""


def _digest(scope: Scope, body: bytes) -> str:
    """A fingerprint of what is asked for: verb, address, body."""
    asked_for = f"{scope['method']} {scope['path']}?".encode() + scope.get("query_string", b"")
    return hashlib.sha256(asked_for + b"\0" + body).hexdigest()


async def _whole(receive: Receive) -> bytes:
    """The whole body; the guard limits it, by an HTTPException of 413."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _given_again(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives the body that was read already."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _kept(answer: _Answer, send: Send) -> Send:
    """`send` that remembers what it sends."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], [*message.get("headers", ())]
        elif message["type"] == "http.response.body" and len(answer.body) <= ANSWER_MAX_BYTES:
            answer.body += message.get("body", b"")
        await send(message)

    return sent
