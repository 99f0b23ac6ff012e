"""Why there is no broker session, in words for an operator who has only the ward file and a shell."""

import socket
import ssl
from dataclasses import dataclass

from gateway.outside.tls import TlsFileRefused

LOST = 128
SESSION_TAKEN_OVER = 142

# MQTT 5 reason codes; paho translates those of 3.1.1 into them. Mosquitto says 135 for a wrong password, others 134.
_REASONS = {
    LOST: "the connection was lost",
    132: "the broker does not speak this protocol version",
    133: "the broker refused the client id",
    134: "the broker refused the user name or password",
    135: "the broker refused the user name or password, or does not admit this client",
    136: "the broker says that it is not available",
    141: "the broker stopped answering",
    SESSION_TAKEN_OVER: "another client took over the client id",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a connection ended with: the broker's reason code, the exception below, the library's text; what there is of it."""

    code: int | None = None
    cause: BaseException | None = None
    text: str = ""


def finding(host: str, port: int, failure: Failure) -> str:
    """One line: what is wrong and where. Never holds a password."""
    if failure.code in _REASONS:
        return f"{_REASONS[failure.code]} ({host}:{port})"
    return f"{_cause(failure)} ({host}:{port})"


def _cause(failure: Failure) -> str:
    match failure.cause:
        case TlsFileRefused() as exc:
            words = str(exc)
        case ssl.SSLCertVerificationError() as exc:
            words = f"the broker's certificate is not trusted: {exc.verify_message}"
        case ssl.SSLError() as exc:
            words = f"TLS failed: {exc.strerror or exc}"
        case socket.gaierror() | UnicodeError():
            words = "the broker's name does not resolve"
        case ConnectionRefusedError():
            words = "nothing listens at the broker's address"
        case TimeoutError():
            words = "the broker does not answer"
        case _:
            words = failure.text or "the connection failed"
    return words
