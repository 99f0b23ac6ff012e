"""What the shell needs to reach the world: typed, checked, frozen. Lengths in ms, sizes in bytes.

Secrets never stand in a repr; neither do URLs, which may hold some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.config.calendar_files import CalendarFile
from gateway.domain.instants import DAY_MS, HOUR_MS
from gateway.domain.ward import Ward
from rules.yaml_lines import Located


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificates; without `ca` the system's authorities are trusted; `cert` and `key` come together or not at all."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker. `protocol` 3.1.1 costs half of what 5 costs."""

    host: str
    port: int
    client_id: str
    protocol: Literal["3.1.1", "5"]
    keepalive_ms: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class MllpSettings:
    """Where senders of HL7 connect. `devices`: pump by each name by which senders call it, spelt as `normal` does."""

    host: str
    port: int
    devices: Mapping[str, str]
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Where the journal is and how long and how large it may grow."""

    path: Path
    keep_ms: int
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxV1Settings:
    """InfluxDB 1.x: line protocol to `{url}/write?db={database}`."""

    url: str = field(repr=False)
    database: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxV2Settings:
    """InfluxDB 2.x, 3.x, VictoriaMetrics: line protocol to `{url}/api/v2/write`."""

    url: str = field(repr=False)
    org: str
    bucket: str
    token: str | None = field(default=None, repr=False)


InfluxSettings = InfluxV1Settings | InfluxV2Settings


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where the console listens, and the address under which people reach it (no slash at its end).

    `links`: the ward file gives that address, so pages carry links to it. `here`: what somebody on the gateway's machine may do
    without a sign-in (`triage` only in the demo). `trusted_proxies`: addresses that may say for whom they speak. Sessions end
    when unused for `session_idle_ms`, and `session_most_ms` after the sign-in; those of a kiosk `kiosk_session_ms` after it.
    """

    host: str
    port: int
    base_url: str
    links: bool = False
    here: Literal["none", "read", "triage"] = "read"
    trusted_proxies: tuple[str, ...] = ()
    session_idle_ms: int = 12 * HOUR_MS
    session_most_ms: int = 7 * DAY_MS
    kiosk_session_ms: int = 365 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class KannelSettings:
    """An SMS gateway's sendsms interface.

    `token` opens our own address for its reports and for replies; `callback_url` is where it finds us, if not at the console's.
    """

    name: str
    url: str = field(repr=False)
    username: str
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    callback_url: str | None = None
    sender: str
    receipts: bool
    receipt_deadline_ms: int
    kind: Literal["kannel"] = "kannel"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """An SMS centre, spoken to in SMPP 3.4."""

    name: str
    host: str
    port: int
    system_id: str
    password: str | None = field(default=None, repr=False)
    system_type: str
    sender: str
    receipts: bool
    receipt_deadline_ms: int
    kind: Literal["smpp"] = "smpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnppSettings:
    """A paging terminal, spoken to in SNPP (RFC 1861)."""

    name: str
    host: str
    port: int
    kind: Literal["snpp"] = "snpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseSettings:
    """One Apprise URL; `{address}` in it stands for the contact's address. The whole URL may be a secret.

    `auth_token` is what Twilio signs with, where this is Twilio and brings back what people write or press.
    """

    name: str
    url: str = field(repr=False)
    auth_token: str | None = field(default=None, repr=False)
    kind: Literal["apprise"] = "apprise"


TransportSettings = KannelSettings | SmppSettings | SnppSettings | AppriseSettings


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file with a secret: which key named it, and its permission bits."""

    key: tuple[str | int, ...]
    path: Path
    permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWard:
    """A ward file that has passed every check.

    `text_for_journal` is the file's content without secrets; it loads again (with `base_dir=None`) to an equal `ward`.
    `protocols` are as written; `protocols.read_protocols` finds them.
    `ping` is the outside dead man's switch: who knows the address can tell it that all is well.
    `located` finds the lines; None for a ward that was not a file.
    """

    ward: Ward
    mqtt: MqttSettings
    journal: JournalSettings
    influx: InfluxSettings | None
    console: ConsoleSettings
    transports: Mapping[str, TransportSettings]
    protocols: tuple[str, ...]
    rule_overrides: Mapping[str, Mapping[str, object]]
    text_for_journal: str
    secret_files: tuple[SecretFile, ...]
    source: str
    calendar_files: tuple[CalendarFile, ...] = ()
    ping: str | None = field(default=None, repr=False)
    mllp: MllpSettings | None = None
    located: Located | None = field(default=None, repr=False, compare=False)
