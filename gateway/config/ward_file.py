"""The shape of the ward file, key by key. What belongs together across keys is checked in `references`.

No unknown keys, nothing converted silently (`port: "1883"` is refused). `docs/ward-file.md` explains each key; a test compares.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.config.durations import parse_size
from gateway.config.mllp_file import MllpFile
from gateway.config.parse import (
    apprise_url,
    as_text,
    known_zone,
    parse_address,
    parse_date,
    parse_date_time,
    parse_day,
    parse_handover,
    parse_hours,
    parse_listen,
    public_url,
)
from gateway.config.ward_types import (
    STRICT,
    Duration,
    Host,
    HttpUrl,
    Language,
    Name,
    Names,
    Port,
    PositiveDuration,
    Session,
    Site,
    Text,
    at_least,
)
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.locale import Locale


class Strict(BaseModel):
    """No unknown keys, no silent conversion, no change afterwards."""

    model_config = STRICT


class TlsFile(Strict):
    """Certificates for the broker; an empty mapping trusts the system's authorities."""

    ca: Text | None = None
    cert: Text | None = None
    key: Text | None = None


class MqttFile(Strict):
    """The broker."""

    host: Host = "127.0.0.1"
    port: Port | None = None
    client_id: Text | None = None
    protocol: Annotated[Literal["3.1.1", "5"], BeforeValidator(as_text)] = "3.1.1"
    keepalive: PositiveDuration = MINUTE_MS
    username: Text | None = None
    password: Text | None = None
    password_file: Text | None = None
    tls: TlsFile | None = None


class JournalFile(Strict):
    """The durable log of everything."""

    path: Text = "data/dripwatch.db"
    keep: Annotated[Duration, at_least(DAY_MS)] = 60 * DAY_MS
    max_bytes: Annotated[int, BeforeValidator(parse_size), Field(ge=1 << 20)] = 20 << 30


class InfluxV1File(Strict):
    """InfluxDB 1.x."""

    api: Literal["v1"]
    url: HttpUrl
    database: Text = "dripwatch"
    username: Text | None = None
    password: Text | None = None
    password_file: Text | None = None


class InfluxV2File(Strict):
    """InfluxDB 2.x, 3.x, VictoriaMetrics."""

    api: Literal["v2"]
    url: HttpUrl
    org: Text | None = None
    bucket: Text = "dripwatch"
    token: Text | None = None
    token_file: Text | None = None


class ConsoleFile(Strict):
    """The web console and API."""

    listen: Annotated[str, AfterValidator(parse_listen)] = "127.0.0.1:8080"
    base_url: Annotated[str, AfterValidator(public_url)] | None = None
    here: Literal["none", "read"] = "read"
    trusted_proxies: list[Annotated[str, AfterValidator(parse_address)]] = []
    session_idle: Session = 12 * HOUR_MS
    session_longest: Session = 7 * DAY_MS
    kiosk_session: Session = 365 * DAY_MS


class TransportFile(Strict):
    """What every transport may say."""

    voice: bool | None = None


class KannelFile(TransportFile):
    """SMS through a Kannel gateway."""

    kind: Literal["kannel"]
    url: HttpUrl
    username: Text
    password: Text | None = None
    password_file: Text | None = None
    token: Text | None = None
    token_file: Text | None = None
    callback_url: HttpUrl | None = None
    sender: Text
    receipts: bool = False
    receipt_deadline: PositiveDuration = MINUTE_MS


class SmppFile(TransportFile):
    """SMS through an SMPP 3.4 centre."""

    kind: Literal["smpp"]
    host: Text
    port: Port = 2775
    system_id: Text
    password: Text | None = None
    password_file: Text | None = None
    system_type: str = ""
    sender: Text
    receipts: bool = False
    receipt_deadline: PositiveDuration = MINUTE_MS


class SnppFile(TransportFile):
    """Hospital pagers by SNPP."""

    kind: Literal["snpp"]
    host: Text
    port: Port = 444


class TwilioFile(Strict):
    """What Twilio signs with: the file that holds the account's auth token."""

    auth_token_file: Text


class AppriseFile(TransportFile):
    """Any service that Apprise knows."""

    kind: Literal["apprise"]
    url: Annotated[str, AfterValidator(apprise_url)]
    twilio: TwilioFile | None = None


class ContactFile(BaseModel):
    """`{sms: "85290000001", after: 2m}`: one key names the transport; `references` checks that there is exactly one."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Text] = Field(init=False)
    after: Duration = 0


class PersonFile(Strict):
    """Somebody who can be paged."""

    contacts: Annotated[list[ContactFile], Field(min_length=1)]
    locale: Language | None = None


class RotationFile(Strict):
    """People who take turns."""

    every: Duration
    handover: Annotated[str, AfterValidator(parse_handover)]
    people: Names
    starts: Annotated[date, BeforeValidator(parse_date)]


class LayerFile(RotationFile):
    """A rotation that counts in some hours of some days only."""

    hours: Annotated[str, AfterValidator(parse_hours)] = "00:00-24:00"
    days: Annotated[list[Annotated[int, BeforeValidator(parse_day)]], Field(min_length=1)] = [0, 1, 2, 3, 4, 5, 6]


class OverrideFile(Strict):
    """Somebody else for a while: [from, until)."""

    from_: Annotated[datetime, BeforeValidator(parse_date_time)] = Field(alias="from")
    until: Annotated[datetime, BeforeValidator(parse_date_time)]
    person: str


class ScheduleFile(Strict):
    """Who is on call when."""

    rotation: RotationFile | None = None
    layers: list[LayerFile] = []
    overrides: list[OverrideFile] = []
    ical_file: Text | None = None
    ical: Annotated[str, Field(min_length=1)] | None = None
    ical_names: dict[Annotated[str, Field(min_length=1)], str] = {}


class StepFile(Strict):
    """Whom to page, and how long to wait."""

    page: Names
    wait: Duration


class RepeatFile(Strict):
    """Where a policy starts again."""

    from_step: Annotated[int, Field(ge=1)]
    every: PositiveDuration


class PolicyFile(Strict):
    """An escalation policy; without steps it is board-only."""

    steps: list[StepFile] = []
    repeat: RepeatFile | None = None
    ack_lease: PositiveDuration | None = None
    milestones_page: list[str] = []


class PoliciesFile(BaseModel):
    """Policies by name beside `fallback`, which is a list of targets."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[Name, PolicyFile] = Field(init=False)
    fallback: Names


class RouteFile(Strict):
    """Alerts of a rule that go to another policy."""

    rule: str
    policy: str


class WatchdogFile(Strict):
    """The watchdog on another host, whose heartbeats the gateway listens for."""

    device: Site = "watchdog"
    silent_after: Annotated[Duration, at_least(MINUTE_MS)] = 5 * MINUTE_MS


class SyntheticFile(Strict):
    """The gateway's own test, from a pump's alarm to a person's answer."""

    pump: Site
    page: str
    every: Annotated[Duration, at_least(10 * MINUTE_MS)] | None = None
    within: PositiveDuration = 2 * MINUTE_MS
    ping: HttpUrl | None = None


class WardFile(Strict):
    """The whole file."""

    site: Site
    timezone: Annotated[str, AfterValidator(known_zone)]
    locale: Language = Locale.EN
    home_locale: Language | None = None
    mqtt: MqttFile = MqttFile()
    mllp: MllpFile | None = None
    journal: JournalFile = JournalFile()
    influx: Annotated[InfluxV1File | InfluxV2File, Field(discriminator="api")] | None = None
    console: ConsoleFile = ConsoleFile()
    transports: dict[Name, Annotated[KannelFile | SmppFile | SnppFile | AppriseFile, Field(discriminator="kind")]] = {}
    people: Annotated[dict[Name, PersonFile], Field(min_length=1)]
    teams: dict[Name, Names] = {}
    schedules: dict[Name, ScheduleFile] = {}
    policies: PoliciesFile
    routes: list[RouteFile] = []
    protocols: Names = ["blinatumomab_home"]
    rules: dict[str, dict[str, object]] = {}
    watchdog: WatchdogFile | None = None
    synthetic: SyntheticFile | None = None
