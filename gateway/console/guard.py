"""In front of everything: who may come in, how much they may bring, and which headers every answer carries.

    /api/v1/…                      the token, for reads too
    /  /live  /health/…            open on this machine; from elsewhere with the token
    /static/…  /api/docs  others   open: they tell nothing about anybody, or see to it themselves

"On this machine" means: the connection comes from a loopback address, it was addressed to one (a foreign site that points its
name here sends its own name), and no proxy says that it speaks for somebody else.
"""

import logging
import re
import secrets
from collections.abc import Iterator
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.problems import INTERNAL, NO_TOKEN, problem

BODY_MAX_BYTES = 65_536  # more: 413, unread

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OPEN_HERE = ("/", "/live", "/health/live", "/health/ready")
_SPEAKS_FOR_OTHERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_SECRET_END = re.compile(r"(/[ad]/).+", re.DOTALL)  # what follows opens somebody's page

log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware. `token` opens the API; an empty one is a mistake, because it would let everybody in."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        if not token:
            raise ValueError("the API needs a token")
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = _Answer(send, scope["path"])
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, answering.send)
            return
        try:
            await self._app(scope, _limited(receive), answering.send)
        except ClientDisconnect:
            return  # whoever asked has hung up: nobody waits for an answer, and nothing here is wrong
        except Exception:
            log.exception("%s %s failed", scope["method"], _place(scope))
            if answering.started:
                raise
            failed = problem(500, "the gateway made a mistake; its log says which", kind=INTERNAL)
            await failed(scope, receive, answering.send)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        path: str = scope["path"]
        if path.startswith("/api/v1") and not self._has_token(headers):
            return _no_token("the API needs the token: Authorization: Bearer …; it is in the file api-token beside the journal")
        if path in _OPEN_HERE and not is_here(scope, headers) and not self._has_token(headers):
            return _no_token("this page is open on the gateway's own machine; from elsewhere send the token")
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > BODY_MAX_BYTES:
            return problem(413, f"a body has at most {BODY_MAX_BYTES} bytes")
        return None

    def _has_token(self, headers: Headers) -> bool:
        """Compared in constant time; as bytes, because a header may hold any."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode("latin-1"), self._token)


def _place(scope: Scope) -> str:
    """What may be logged of a request's address: its route, as `/a/{token}`; without one, the path with its secret masked."""
    template: str | None = getattr(scope.get("route"), "path", None)
    return template or _SECRET_END.sub(r"\1…", scope["path"])


def is_here(scope: Scope, headers: Headers) -> bool:
    """Whether the request comes from this machine, for this machine, and for nobody else."""
    client = scope.get("client")
    if client is None or any(name in headers for name in _SPEAKS_FOR_OTHERS):
        return False
    return _is_loopback(client[0]) and _is_loopback(_host_of(headers.get("host", "")))


def _host_of(text: str) -> str:
    """The host of a Host header: `127.0.0.1:8080`, `[::1]:8080`, `localhost`."""
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _no_token(detail: str) -> JSONResponse:
    return problem(401, detail, kind=NO_TOKEN, headers={"WWW-Authenticate": "Bearer"})


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


class _Answer:
    """`send` that adds our headers and remembers whether the answer has begun."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._path = path
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._ours():
                headers.setdefault(name, value)
        await self._send(message)

    def _ours(self) -> Iterator[tuple[str, str]]:
        yield from _HEADERS.items()
        # What is shown is about now; a style sheet may be kept as long as it is asked for again.
        yield "Cache-Control", "no-cache" if self._path.startswith("/static/") else "no-store"
