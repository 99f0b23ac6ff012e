"""Does the broker let us in? One CONNECT by hand, as a stranger with a clean session: the gateway's own session stays untouched.

    10 LL 00 04 M Q T T 04 FF KK KK ‖ client id ‖ [user] ‖ [password]      CONNECT, MQTT 3.1.1
    20 02 SP RR                                                            CONNACK

    L remaining length   F flags: 02 clean session, 40 password, 80 user   K keep-alive, s
    S session present    R return code: 0 accepted, 4 bad user or password, 5 not authorised

Source: MQTT 3.1.1 (OASIS), sections 3.1 and 3.2.
"""

import socket
import ssl
import struct

from gateway.config.settings import MqttSettings
from gateway.outside.tls import TlsFileRefused, client_context

TIMEOUT_S = 5.0

_CLEAN, _PASSWORD, _USER = 0x02, 0x40, 0x80
_KEEPALIVE_S = 10
_DISCONNECT = b"\xe0\x00"
_REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses the client id",
    3: "the broker says that it is unavailable",
    4: "the broker refuses the user or password; check mqtt.username and mqtt.password_file",
    5: "the broker does not let this user in; check its ACL and mqtt.username",
}


def probe(settings: MqttSettings, timeout_s: float = TIMEOUT_S) -> str:
    """What is wrong with the broker, with the mend; empty when it lets us in. Blocks for `timeout_s` at most each way."""
    place = f"{settings.host}:{settings.port}"
    try:
        with socket.create_connection((settings.host, settings.port), timeout_s) as bare, _secured(bare, settings) as wire:
            wire.sendall(connect_packet(f"{settings.client_id}-doctor", settings.username, settings.password))
            answer = _exactly(wire, 4)
            wire.sendall(_DISCONNECT)
    except TlsFileRefused as error:
        return f"{place}: {error}; check mqtt.tls"
    except ssl.SSLError as error:
        return f"{place}: TLS fails ({error.reason or error}); check mqtt.tls and the broker's certificate"
    except (OSError, UnicodeError) as error:
        return f"{place}: {error}; is the broker running, and are mqtt.host and mqtt.port right?"
    if len(answer) < 4 or answer[:2] != b"\x20\x02":
        return f"{place}: what answers there is no MQTT broker (or expects TLS: mqtt.tls)"
    code = answer[3]
    return f"{place}: {_REFUSALS.get(code, f'the broker refuses us with code {code}')}" if code else ""


def connect_packet(client_id: str, username: str | None, password: str | None) -> bytes:
    """The CONNECT packet."""
    flags = _CLEAN | (_USER if username else 0) | (_PASSWORD if username and password else 0)
    given = [client_id, *([username] if username else []), *([password] if username and password else [])]
    rest = b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, _KEEPALIVE_S)
    for text in given:
        rest += struct.pack(">H", len(text.encode())) + text.encode()
    return b"\x10" + _length(len(rest)) + rest


def _length(count: int) -> bytes:
    """A remaining length: seven bits a byte, the highest bit says that more follow."""
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(out)


def _secured(bare: socket.socket, settings: MqttSettings) -> socket.socket:
    tls = settings.tls
    return bare if tls is None else client_context(tls.ca, tls.cert, tls.key).wrap_socket(bare, server_hostname=settings.host)


def _exactly(wire: socket.socket, count: int) -> bytes:
    """So many bytes, or what came before the other side hung up."""
    taken = b""
    while len(taken) < count and (more := wire.recv(count - len(taken))):
        taken += more
    return taken
