"""Who stands at the door: found out from the connection, the token and the cookie, before anything else happens.

    a token         Authorization: Bearer …: that of the key file (the machine's administrator), or one that was made here
    a session       the cookie of a browser that signed in
    here            nobody signed in, but the connection comes from this machine: the board is open to it, to read

"Here" means: the connection comes from a loopback address, it was addressed to one (a foreign site that points its name here
sends its own name), and no proxy says that it speaks for somebody else.
"""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from gateway.console.access import Visitor, name_in
from gateway.console.accounts import Accounts
from gateway.runtime.access import Role

COOKIE, SECURE_COOKIE = "dripwatch-session", "__Host-dripwatch-session"
KEY_FILE, TOKEN, SESSION, HERE = "key file", "token", "session", "here"
ONLY_SIGNED_IN = "/api/v1"  # a program on this machine shows its token; only pages are open to whoever sits here

_SPEAKS_FOR_OTHERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class Callers:
    """Whom the door believes.

    `here`: what somebody on this machine may do without a sign-in (None: nothing). `proxies`: the addresses whose X-Forwarded-For
    and X-Forwarded-Proto are believed.
    """

    here: Role | None = Role.READ
    proxies: frozenset[str] = frozenset()


class Door:
    """Finds out who asks. `token` is the key file's; an empty one is a mistake, because it would let everybody in."""

    def __init__(self, token: str, accounts: Accounts, callers: Callers | None = None) -> None:
        if not token:
            raise ValueError("the API needs a token")
        self._token = token.encode()
        self._accounts = accounts
        self._callers = callers or Callers()

    def visitor(self, scope: Scope, headers: Headers) -> Visitor | None:
        """Who asks; None for nobody that is known. A token that opens nothing makes nobody of whoever shows it."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(given.strip(), headers.get("x-dripwatch-user", ""))
        cookie = cookie_of(headers)
        found = self._accounts.session(cookie) if cookie else None
        if found is not None:
            session, user = found
            self._accounts.sessions.seen(session, self._accounts.now())
            return Visitor(user.name, user.role, SESSION, session.digest)
        role = self._callers.here
        if role is None or scope["path"].startswith(ONLY_SIGNED_IN) or not is_here(scope, headers, self._callers.proxies):
            return None
        return Visitor("visitor" if role is not Role.READ else "here", role, HERE)

    def still(self, visitor: Visitor) -> bool:
        """Whether somebody whose answer takes long (a live page) would still be let in."""
        if visitor.via == SESSION:
            found = self._accounts.lasting(visitor.session)
            return found is not None and found[1].role is visitor.role
        return visitor.via != TOKEN or self._accounts.token_lasts(visitor.name)

    def behind_proxy(self, scope: Scope, headers: Headers) -> tuple[str, str]:
        """(address, scheme) of whoever asks, as far as the ward's proxies tell; else of the connection."""
        client = scope.get("client")
        peer, scheme = str(client[0]) if client else "", str(scope.get("scheme", "http"))
        if peer not in self._callers.proxies:
            return peer, scheme
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        address = next((hop for hop in reversed(hops) if hop and hop not in self._callers.proxies), peer)
        told = headers.get("x-forwarded-proto", "").strip().lower()
        return address, told if told in ("http", "https") else scheme

    def _bearer(self, given: str, who: str) -> Visitor | None:
        """Compared in constant time; as bytes, because a header may hold any. Only with the key file `who` is believed."""
        if hmac.compare_digest(given.encode("latin-1"), self._token):
            return Visitor(name_in(who) or "api", Role.ADMIN, KEY_FILE)
        token = self._accounts.token(given)
        return Visitor(token.name, token.role, TOKEN) if token is not None else None


def cookie_of(headers: Headers) -> str:
    """The session's cookie, whichever of its two names it has; empty where there is none.

    Read as browsers write: others on the same host or domain may have cookies that the standard library refuses, with all others.
    """
    cookies = cookie_parser("; ".join(headers.getlist("cookie")))
    return cookies.get(SECURE_COOKIE) or cookies.get(COOKIE, "")


def is_here(scope: Scope, headers: Headers, proxies: frozenset[str] = frozenset()) -> bool:
    """Whether the request comes from this machine, for this machine, and for nobody else."""
    client = scope.get("client")
    if client is None or str(client[0]) in proxies or any(name in headers for name in _SPEAKS_FOR_OTHERS):
        return False
    return is_loopback(str(client[0])) and is_loopback(host_of(headers.get("host", "")))


def host_of(text: str) -> str:
    """The host of a Host header: `127.0.0.1:8080`, `[::1]:8080`, `localhost`."""
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
