"""In front of everything: who may come in, how much they may bring, and which headers every answer carries.

What is in `OPEN` sees to its own admission, or tells nothing about anybody. Everything else is for visitors that the door knows:
browsers without a sign-in are led to the sign-in, programs get a 401. What a visitor may do there, each route says (`access`).
"""

import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.access import Visitor
from gateway.console.door import ONLY_SIGNED_IN, Door, is_here
from gateway.console.problems import NO_TOKEN, TOO_LONG, problem
from gateway.console.refusals import mistake, to_asker
from gateway.console.words import message

BODY_MAX_BYTES = 65_536  # more: 413, unread
REFERENCE_BYTES = 4  # of a mistake: eight hexadecimal digits, to be told over the telephone and found in the log

NOT_KNOWN = message("You are not signed in any more, so nothing was changed. Sign in, and press the button again.")

# The beginning of a path (the whole of it where it has no slash at its end): why nobody need be known there.
OPEN: Mapping[str, str] = {
    "/login": "where one signs in",
    "/language/": "a cookie with a language; it tells nothing",
    "/static/": "style, script and icon",
    "/api/docs": "the description of the API",
    "/api/openapi.json": "the same for programs",
    "/a/": "a page's private link: its token is its admission",
    "/d/": "a home's private link: its token is its admission",
    "/inbound/": "providers of messages: a token or a signature each",
}

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers hide from us, too, which page a form stood on
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SECRET_END = re.compile(r"(/[ad]/).+", re.DOTALL)  # what follows opens somebody's page

log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware. `form_key` makes the mark that every form of ours carries."""

    def __init__(self, app: ASGIApp, *, door: Door, form_key: bytes) -> None:
        self._app = app
        self._door = door
        self._form_key = form_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visitor = self._door.visitor(scope, headers)
        scope.setdefault("state", {}).update(visitor=visitor, csrf=self._mark(visitor))
        scope["state"]["plain_loopback"] = is_here(scope, headers)
        address, scope["scheme"] = self._door.behind_proxy(scope, headers)
        if scope.get("client"):
            scope["client"] = (address, scope["client"][1])
        answering = _Answer(send, scope["path"], lambda: visitor is None or self._door.still(visitor))
        refusal = _refusal(scope, headers, visitor)
        await self._pass_on(self._app if refusal is None else to_asker(refusal), scope, receive, answering)

    async def _pass_on(self, to: ASGIApp, scope: Scope, receive: Receive, answering: "_Answer") -> None:
        try:
            await to(scope, _limited(receive), answering.send)
        except ClientDisconnect:
            return  # whoever asked has hung up: nobody waits for an answer, and nothing here is wrong
        except Exception:
            if answering.ended:
                return  # the sign-in was taken away in the middle of a long answer
            reference = secrets.token_hex(REFERENCE_BYTES)
            log.exception("%s %s failed (reference %s)", scope["method"], _place(scope), reference)
            if answering.started:
                raise
            await mistake(scope, reference)(scope, receive, answering.send)

    def _mark(self, visitor: Visitor | None) -> str:
        """The hidden field of every form for this visitor: nobody else's fits, and it ends with the session."""
        owner = (visitor.session or f"{visitor.via}:{visitor.name}") if visitor else "nobody"
        return hmac.digest(self._form_key, f"form\0{owner}".encode(), "sha256").hex()


def is_open(path: str) -> bool:
    """Whether this path is for everybody."""
    return any(path.startswith(begins) if begins.endswith("/") else path == begins for begins in OPEN)


def _refusal(scope: Scope, headers: Headers, visitor: Visitor | None) -> Response | None:
    path: str = scope["path"]
    if visitor is None and not is_open(path):
        return _not_signed_in(scope, headers)
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_MAX_BYTES:
        return problem(413, f"a body has at most {BODY_MAX_BYTES} bytes", on_page=TOO_LONG)
    return None


def _not_signed_in(scope: Scope, headers: Headers) -> Response:
    """A browser is led to the sign-in and back; a program is told what is missing."""
    path: str = scope["path"]
    if path.startswith(ONLY_SIGNED_IN):
        words = "the API needs a token: Authorization: Bearer …; dripwatch token add makes one, or take the file api-token's"
        return problem(401, words, kind=NO_TOKEN, headers={"WWW-Authenticate": "Bearer"})
    if scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", ""):
        query = scope.get("query_string", b"").decode("latin-1")
        return RedirectResponse(f"/login?next={quote(path + (f'?{query}' if query else ''), safe='/')}", 303)
    words = "this page needs a sign-in (/login) or a token; without either it is open on the gateway's own machine only"
    return problem(401, words, kind=NO_TOKEN, headers={"WWW-Authenticate": "Bearer"}, on_page=NOT_KNOWN)


def _place(scope: Scope) -> str:
    """What may be logged of a request's address: its route, as `/a/{token}`; without one, the path with its secret masked."""
    template: str | None = getattr(scope.get("route"), "path", None)
    return template or _SECRET_END.sub(r"\1…", scope["path"])


def _limited(receive: Receive) -> Receive:
    """`receive` that refuses a body which grows beyond the limit without having said so."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_MAX_BYTES:
            raise HTTPException(413, f"a body has at most {BODY_MAX_BYTES} bytes")
        return message

    return limited


class _Ended(Exception):
    """Whoever gets this answer is not let in any more."""


class _Answer:
    """`send` that adds our headers, remembers whether the answer has begun, and ends it when its visitor is let in no more."""

    def __init__(self, send: Send, path: str, still: Callable[[], bool]) -> None:
        self._send = send
        self._path = path
        self._still = still
        self.started = False
        self.ended = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._ours():
                headers.setdefault(name, value)
        elif message.get("more_body") and not self._still():
            self.ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            raise _Ended
        await self._send(message)

    def _ours(self) -> Iterator[tuple[str, str]]:
        yield from _HEADERS.items()
        # What is shown is about now; a style sheet may be kept as long as it is asked for again.
        yield "Cache-Control", "no-cache" if self._path.startswith("/static/") else "no-store"
