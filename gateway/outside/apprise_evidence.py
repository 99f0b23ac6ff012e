"""Why a send through Apprise failed.

Apprise's plugins swallow their exceptions, answer False and write a line to the logger `apprise`. Two things survive there: the
HTTP status (`error=503`), and, while the line is written, the exception that the plugin is just handling. Both are collected for
the thread that sends, judged, and forgotten: the lines may hold addresses and tokens, so none of them goes on to other logs, and
the reasons below are made of our own words, codes and exception names only.
"""

import contextlib
import logging
import re
import smtplib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.runtime.ports import Rejected, Unknown

LINES_MAX = 100  # of one send; later ones are not looked at

_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")

# "Later" among the 4xx: request time-out, too early, too many requests.
_HTTP_LATER = frozenset({408, 425, 429})

# Exception names, of whatever library, after which the message certainly is still here …
_NEVER_LEFT = frozenset(
    {
        "ConnectionRefusedError",
        "ConnectTimeout",
        "ConnectTimeoutError",
        "NameResolutionError",
        "NewConnectionError",
        "SMTPConnectError",
        "SMTPHeloError",
        "SSLCertVerificationError",
        "gaierror",
    }
)

# … and those after which nobody knows.
_MAY_HAVE_LEFT = frozenset(
    {
        "BrokenPipeError",
        "ConnectionAbortedError",
        "ConnectionError",
        "ConnectionResetError",
        "IncompleteRead",
        "ProtocolError",
        "ReadTimeout",
        "ReadTimeoutError",
        "RemoteDisconnected",
        "SMTPServerDisconnected",
        "TimeoutError",
    }
)


@dataclass(slots=True)
class Evidence:
    """What one send left behind: log lines, and the exceptions that the plugin swallowed, in order."""

    lines: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


_here = threading.local()


@contextlib.contextmanager
def collecting() -> Iterator[Evidence]:
    """Collect what Apprise logs in this thread until the block ends; of nested blocks the inner one has it."""
    before = getattr(_here, "evidence", None)
    _here.evidence = evidence = Evidence()
    try:
        yield evidence
    finally:
        _here.evidence = before


class _Collector(logging.Handler):
    """Takes Apprise's log lines, and the exception that is being handled while each is written."""

    def emit(self, record: logging.LogRecord) -> None:
        evidence: Evidence | None = getattr(_here, "evidence", None)
        if evidence is None or len(evidence.lines) >= LINES_MAX:
            return
        error = sys.exc_info()[1]
        if error is not None and error not in evidence.errors:
            evidence.errors.append(error)
        with contextlib.suppress(Exception):  # a plugin's faulty log call must not become a failed page
            evidence.lines.append(record.getMessage())


def _is_not_ours(_: logging.LogRecord) -> bool:
    return getattr(_here, "evidence", None) is None


def watch() -> None:
    """Take over the logger `apprise` for this process, and keep what urllib3 logs of its requests (whole paths) to ourselves."""
    logger = logging.getLogger("apprise")
    if any(isinstance(handler, _Collector) for handler in logger.handlers):
        return
    logger.addHandler(_Collector())
    logger.setLevel(logging.DEBUG)  # mailto says what happened at this depth only
    logger.propagate = False
    logging.getLogger("urllib3.connectionpool").addFilter(_is_not_ours)


def verdict(evidence: Evidence) -> Rejected | Unknown:
    """What a failed send means. In doubt it is temporary: a page must be tried again, not given up."""
    chain = list(_chain(evidence.errors))
    names = {type(error).__name__ for error in chain}
    if status := _http_status(evidence.lines):
        permanent = 400 <= status < 500 and status not in _HTTP_LATER
        return Rejected(f"the service answered HTTP {status}", temporary=not permanent)
    if hit := sorted(names & _NEVER_LEFT):
        return Rejected(f"cannot connect ({hit[0]})", temporary=True)
    if code := _smtp_code(chain):
        return Rejected(f"the mail server answered {code}", temporary=not 500 <= code < 600)
    if hit := sorted(names & _MAY_HAVE_LEFT):
        return Unknown(f"the connection failed while sending ({hit[0]})")
    if "AppriseImproperlyConfigured" in names:
        return Rejected("apprise cannot send this with this URL")
    known = f" ({type(chain[0]).__name__})" if chain else ", and no reason"
    return Rejected(f"apprise reports a failure{known}", temporary=True)


def _http_status(lines: list[str]) -> int:
    """The last HTTP status that a plugin reported; 0 without one."""
    found = [int(hit[1]) for line in lines if (hit := _HTTP_STATUS.search(line))]
    return found[-1] if found else 0


def _smtp_code(chain: list[BaseException]) -> int:
    """The mail server's reply code of the first refusal; 0 without one."""
    for error in chain:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes: list[int] = [code for code, _ in error.recipients.values()]
            # One recipient a URL; should there be more, the mildest decides, so that a page is tried again.
            return min(codes, default=0)
        if isinstance(error, smtplib.SMTPResponseException):
            return error.smtp_code
    return 0


def _chain(errors: list[BaseException]) -> Iterator[BaseException]:
    """The errors and all that they were made from, each once (requests keeps urllib3's in `args`, urllib3 in `reason`)."""
    seen: set[int] = set()
    waiting: list[object] = list(errors)
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseException) and id(error) not in seen:
            seen.add(id(error))
            yield error
            waiting += [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
