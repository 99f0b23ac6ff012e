"""Where an MQTT broker is, and who we are there."""

import ssl
from dataclasses import dataclass
from typing import Literal

from gateway.outside.tls import client_context

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is and who we are. `client_id` names the persistent session: never two gateways with the same.

    `tls` or `tls_ca` turns TLS on (without the latter the system's authorities are trusted); `tls_cert` and `tls_key` are our
    own, where the broker asks for them. These are paths of PEM files.
    `persistent`: the broker keeps what comes while we are away. `last_will`: what it then publishes for us, retained, and where.
    `dropped_topic` is where the broker counts what it dropped; empty for one that has no such topic (some hang up when asked).
    """

    host: str
    port: int = 1883
    client_id: str = "dripwatch"
    username: str | None = None
    password: str | None = None
    tls: bool = False
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    topics: tuple[str, ...] = ("dw/v1/#",)
    persistent: bool = True
    last_will: tuple[str, bytes] | None = None
    dropped_topic: str = DROPPED_TOPIC
    keepalive_s: int = 30
    backoff_min_s: float = 0.5
    backoff_max_s: float = 15.0

    @property
    def speaks_tls(self) -> bool:
        """Whether TLS is spoken."""
        return self.tls or self.tls_ca is not None


def tls_of(settings: MqttSettings) -> ssl.SSLContext | None:
    """How TLS is spoken with this broker; None: not at all. Raises `TlsFileRefused`."""
    return client_context(settings.tls_ca, settings.tls_cert, settings.tls_key) if settings.speaks_tls else None
