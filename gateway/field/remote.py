"""The running gateway as commands reach it: by its HTTP API, at the address and with the token that the ward file leads to."""

import functools
import getpass
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

import click
import httpx

from gateway.config.load import load_ward_file
from gateway.config.problems import ConfigError
from gateway.config.settings import ConsoleSettings, LoadedWard
from gateway.console.token import TokenRefused, is_token, read_token, token_file
from gateway.field.speaking import No, Wrong, printable
from gateway.outside.tls import TlsFileRefused, client_context

DEFAULT_WARD = "ward.yaml"
TIMEOUT_S = 10.0
LONG_TIMEOUT_S = 600.0  # between two pieces of a long answer: what is chosen may stand late in a long journal

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and where that is reached
_ANSWERS_NO = (403, 404, 409, 503)

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the gateway is, and who asks it for what. The token stands in no repr."""

    url: str
    token: str
    who: str
    ca: str | None = None  # PEM file of the authority that signed the certificate of an https:// address; else the usual ones

    def __repr__(self) -> str:
        return f"Remote({self.url!r}, who={self.who!r})"

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer; of a list all its pages. Raises `No` or `Wrong`."""
        answer = self.answer("GET", path, params=query)
        said = self._said(answer)
        while following := answer.links.get("next", {}).get("url"):
            answer = self.answer("GET", following)
            said += self._said(answer)
        return said

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask for a change; keys without a value are left out. Raises `No` when the gateway refuses, `Wrong` otherwise."""
        return self._ask("POST", path, json=_given(body))

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Ask for other values; keys without a value stay as they are. Raises as `post` does."""
        return self._ask("PATCH", path, json=_given(body))

    def delete(self, path: str) -> Any:
        """Ask for something to be over. Raises as `post` does."""
        return self._ask("DELETE", path)

    def pieces(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        """The answer's text as it comes, however long it is. Raises as `get` does, and `No` where it ends before its time."""
        try:
            with (
                httpx.Client(base_url=self.url, timeout=LONG_TIMEOUT_S, trust_env=False, verify=self._trusted()) as client,
                client.stream("GET", path, params=query, headers=self._headers) as answer,
            ):
                if not answer.is_success:
                    answer.read()
                    self._said(answer)
                yield from answer.iter_text()
        except httpx.RemoteProtocolError:
            raise No("the answer ended before its time; the gateway's log says why") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._nobody(error) from None

    def answer(self, verb: str, path: str, **parts: Any) -> httpx.Response:
        """The bare answer, whatever its status. Raises `Wrong` when nobody answers."""
        try:
            with httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False, verify=self._trusted()) as client:
                return client.request(verb, path, headers=self._headers, **parts)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._nobody(error) from None

    @property
    def _headers(self) -> dict[bytes, bytes]:
        """As bytes, because a name may have any characters."""
        return {b"Authorization": f"Bearer {self.token}".encode(), b"X-Dripwatch-User": self.who.encode()}

    def _trusted(self) -> ssl.SSLContext | bool:
        try:
            return client_context(self.ca) if self.ca is not None else True
        except TlsFileRefused as refused:
            raise Wrong(f"--gateway-ca: {refused}") from None

    def _nobody(self, error: Exception) -> Wrong:
        why = str(error) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in why:
            return Wrong(f"the certificate of {self.url} is not trusted ({why}); give the CA that signed it with --gateway-ca")
        return Wrong(f"no gateway answers at {self.url} ({why}); start it with dripwatch run, or give --url")

    def _ask(self, verb: str, path: str, **parts: Any) -> Any:
        return self._said(self.answer(verb, path, **parts))

    def _said(self, answer: httpx.Response) -> Any:
        """The JSON of an answer. Raises `No` or `Wrong` for one that is an error."""
        try:
            said = answer.json()
        except ValueError:
            raise Wrong(f"{self.url} answers, but it is no Dripwatch gateway; check --url") from None
        if answer.is_success:
            return said
        detail = printable(str(said.get("detail", answer.status_code)) if isinstance(said, dict) else str(said))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Wrong(f"{self.url} refuses the token; give the file api-token beside its journal with --token-file")
        raise No(detail) if answer.status_code in _ANSWERS_NO else Wrong(detail)


def _given(body: dict[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (body or {}).items() if value is not None}


def course_path(course: str, part: str) -> str:
    """The API's path of a part of a course."""
    return f"/api/v1/courses/{quote(course, safe='')}/{part}"


def incident_path(key: str, verb: str = "") -> str:
    """The API's path of an incident, or of what is done to it."""
    return f"/api/v1/incidents/{quote(key, safe='')}" + (f"/{verb}" if verb else "")


_FINDS = (
    click.option("--url", envvar="DRIPWATCH_URL", help="The gateway's address, like http://127.0.0.1:8080 [DRIPWATCH_URL]."),
    click.option("--token-file", help="The file with its token; else DRIPWATCH_TOKEN, else api-token beside the journal."),
    click.option("--gateway-ca", envvar="DRIPWATCH_CA", help="The CA of an https:// address, a PEM file [DRIPWATCH_CA]."),
    click.option("--ward", envvar="DRIPWATCH_WARD", help="The ward file that leads to both [DRIPWATCH_WARD; ./ward.yaml]."),
    click.option("--as", "who", envvar="DRIPWATCH_USER", help="Who asks, for the record [DRIPWATCH_USER; your login name]."),
)


def gateway_options(command: Callable[P, int]) -> Callable[P, int]:
    """The options that find the gateway: `url`, `token_file`, `gateway_ca`, `ward`, `who`, for `find`."""
    for option in reversed(_FINDS):
        command = option(command)
    return command


def with_gateway(command: Callable[Concatenate[Remote, P], int]) -> Callable[P, int]:
    """Give a command the options that find the gateway, and the gateway as its first argument."""

    @gateway_options
    @functools.wraps(command)
    def found(*args: P.args, **kwargs: P.kwargs) -> int:
        words = (_text(kwargs.pop(name)) for name in ("url", "token_file", "ward", "who", "gateway_ca"))
        return command(find(*words), *args, **kwargs)

    return found


def find(url: str | None, token_path: str | None, ward: str | None, who: str | None, ca: str | None = None) -> Remote:
    """Where the gateway is: what was given first, then the environment, then the ward file. Raises `Wrong`."""
    token = _given_token(token_path)
    loaded = None if url and token else load_named(ward)
    if loaded is None and not url:
        raise Wrong("which gateway? Give --url or --ward, or go where ward.yaml is")
    if loaded is None and not token:
        raise Wrong("the gateway's token is missing; give --token-file or --ward, or set DRIPWATCH_TOKEN")
    if loaded is not None:
        url = url or address(loaded.console)
        token = token or _token_in(token_file(loaded.journal.path))
    name = (who or _login()).strip() or "cli"
    if not name.isprintable():
        raise Wrong("--as: a name of printable characters")
    return Remote((url or "").rstrip("/"), token or "", name, ca)


def load_named(ward: str | None) -> LoadedWard | None:
    """The ward file that was named, or `ward.yaml` here; None where neither is. Raises `Wrong` for one with errors."""
    path = Path(ward or DEFAULT_WARD)
    if not ward and not path.is_file():
        return None
    try:
        return load_ward_file(path)
    except ConfigError as error:
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        raise Wrong(f"{error.problems[0]}{more}; see dripwatch check-config {path}") from None


def address(console: ConsoleSettings) -> str:
    """Where a console that listens there is reached from this machine."""
    host = _EVERYWHERE.get(console.host, console.host)
    return f"http://[{host}]:{console.port}" if ":" in host else f"http://{host}:{console.port}"


def _given_token(token_path: str | None) -> str | None:
    if token_path:
        return _token_in(Path(token_path))
    token = os.environ.get("DRIPWATCH_TOKEN", "").strip()
    if token and not is_token(token):
        raise Wrong("DRIPWATCH_TOKEN holds no token; it is the text in the file api-token beside the journal")
    return token or None


def _token_in(path: Path) -> str:
    try:
        return read_token(path)
    except TokenRefused as error:
        raise Wrong(str(error)) from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "cli"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
