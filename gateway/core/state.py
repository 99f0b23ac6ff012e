"""The monitor's memory: plain dataclasses, one cell a pump, a course, a site, so that each can be saved by itself.

Everything here is a fold over the journal. Nothing here decides anything.
"""

from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.ward import Policy
from gateway.domain.words import Condition, DeliveryState, IncidentState, Priority
from rules.engine import Alert

HOLES_MAX = 256  # ranges of missing numbers kept a boot; beyond it the oldest are forgotten and late ones taken again
BOOTS_MAX = 4
CLOSED_MAX = 20
INTERRUPTIONS_MAX = 50
HISTORY_MAX = 200


@dataclass(slots=True)
class Numbering:
    """Which numbers of one boot arrived: all up to `high` but for `holes` (inclusive ranges); up to `floor` nobody remembers.

    `low` is the number that was heard first: what lies below it may still come, and is not counted as missing.
    """

    low: int
    high: int
    holes: list[tuple[int, int]] = field(default_factory=list)
    floor: int = 0


@dataclass(slots=True)
class PumpCondition:
    """An alarm condition on a pump as last told. `changed_at` is the observed time of the newest word about it."""

    condition: Condition
    started_at: Instant
    changed_at: Instant
    active: bool
    stops_delivery: bool | None = None
    device_priority: Priority | None = None
    text: str = ""


@dataclass(slots=True)
class Flow:
    """The newest evidence of whether the pump delivers. `delivering` None: none yet. Times are observed times.

    `at` is when it was last said, `since` when it was first said, `before_at` the newest word to the contrary before that.
    """

    delivering: bool | None = None
    at: Instant = 0
    seq: int = 0
    since: Instant = 0
    before_at: Instant = 0
    reason: str = ""


@dataclass(slots=True)
class Pump:
    """Our last knowledge of one device (the twin)."""

    site: str
    device: str
    course: str = ""
    heard_at: Instant = 0
    observed_at: Instant = 0
    interval_ms: int = 0
    online: bool | None = None
    boot: str = ""
    boots: dict[str, Numbering] = field(default_factory=dict)
    repeats: int = 0
    restarts: int = 0
    clock_offset_ms: int = 0
    clock_doubtful: bool = False
    flow: Flow = field(default_factory=Flow)
    measured_at: Instant = 0
    rate_ml_h: float | None = None
    set_rate_ml_h: float | None = None
    infused_ml: float | None = None
    infused_at: Instant = 0
    remaining_ml: float | None = None
    battery_percent: float | None = None
    on_battery: bool | None = None
    pressure_mmhg: float | None = None
    locked: bool | None = None
    conditions: dict[Condition, PumpCondition] = field(default_factory=dict)
    returned_at: Instant = 0
    judged_from: Instant = 0
    minutes: list[tuple[Instant, int, int]] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)


@dataclass(slots=True)
class Bag:
    """The bag that hangs. Volumes in mL, rate in mL/h."""

    kind: str
    hung_at: Instant
    rate_ml_h: float
    fill_ml: float
    primed_ml: float
    planned_change_at: Instant


@dataclass(slots=True)
class Interruption:
    """A stretch without delivery while delivery was expected. `found`: proved by volume afterwards, its place unknown."""

    since: Instant
    until: Instant
    cause: str
    estimated: bool
    found: bool = False


@dataclass(slots=True)
class Delivery:
    """Our judgement of a course, with what it rests on."""

    state: DeliveryState = DeliveryState.NOT_EXPECTED
    since: Instant = 0
    evidence_at: Instant = 0
    cause: str = ""
    estimated: bool = False
    flowed_until: Instant = 0
    interruption_ended_at: Instant = 0
    interrupted_ms: int = 0
    unknown_ms: int = 0
    interruptions: list[Interruption] = field(default_factory=list)
    confirmed_by_volume_at: Instant = 0


@dataclass(slots=True)
class Note:
    """One alert as its incident carries it: enough to write a page about it, also after the rules changed."""

    rule: str
    kind: str
    family: str
    priority: Priority
    since: Instant
    detail: str
    say: str
    first: str


@dataclass(slots=True)
class Ack:
    """A lease: `who` has it until `until_at`, at this priority and for these families of alerts."""

    who: str
    at: Instant
    until_at: Instant
    priority: Priority
    families: list[str]


@dataclass(slots=True)
class Attempt:
    """A contact of a person that is tried at `due_at` unless somebody has the incident by then."""

    person: str
    contact: int
    round: int
    due_at: Instant
    why: str


@dataclass(slots=True)
class Reached:
    """What one round did for one person: contacts that failed for good.

    From earlier rounds too: contacts that took a page, and whether anything may have reached the person (`perhaps`).
    """

    round: int
    contacts: int
    failed: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    perhaps: bool = False


@dataclass(slots=True)
class Outstanding:
    """A page whose outcome is not known yet."""

    transport: str
    why: str
    decided_at: Instant


@dataclass(slots=True)
class Happening:
    """One line of an incident's history."""

    at: Instant
    what: str
    who: str = ""
    text: str = ""


@dataclass(slots=True)
class Incident:
    """What people own. `step` is the index of the step that was paged last; `peak` never falls while it is open.

    `spared` are contacts whose overdue page was merged into another one of the same person: tried only if that one fails.
    """

    key: str
    subject: str
    route: str
    opened_at: Instant
    peak: Priority
    policies: dict[str, Policy]
    state: IncidentState = IncidentState.TRIGGERED
    alerts: dict[str, Note] = field(default_factory=dict)
    last_alerts: list[Note] = field(default_factory=list)
    round: int = 0
    step: int = -1
    step_round: int = 0
    next_step_at: Instant | None = None
    cycle_at: Instant | None = None
    attempts: list[Attempt] = field(default_factory=list)
    spared: list[Attempt] = field(default_factory=list)
    reached: dict[str, Reached] = field(default_factory=dict)
    ack: Ack | None = None
    restart_at: Instant | None = None
    quiet_at: Instant | None = None
    closed_at: Instant | None = None
    gap_paged: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    outstanding: dict[str, Outstanding] = field(default_factory=dict)
    history: list[Happening] = field(default_factory=list)


@dataclass(slots=True)
class Subject:
    """What incidents are about: a course, or a site."""

    id: str
    open: dict[str, Incident] = field(default_factory=dict)
    closed: list[Incident] = field(default_factory=list)


@dataclass(slots=True)
class Site(Subject):
    """The ward itself: the gateway's own hearing, and pumps that serve no course."""

    alerts: dict[str, Alert] = field(default_factory=dict)


@dataclass(slots=True)
class Course(Subject):
    """One patient's treatment under a protocol; the id is a pseudonym, never a name."""

    site: str = ""
    protocol: str = ""
    pump: str = ""
    cycle: int = 1
    enrolled_at: Instant = 0
    ended_at: Instant | None = None
    bag: Bag | None = None
    delivery: Delivery = field(default_factory=Delivery)
    alerts: dict[str, Alert] = field(default_factory=dict)


@dataclass(slots=True)
class Issued:
    """A reply code in use: which incident and whom it is for."""

    incident: str
    subject: str
    person: str
    at: Instant


@dataclass(slots=True)
class Desk:
    """What belongs to no single course: the gateway's own hearing, reply codes, answers given."""

    now_at: Instant = 0
    connected: bool = False
    lost_at: Instant = 0
    started_at: Instant = 0
    deaf_until: Instant | None = None
    linked_at: Instant = 0
    codes: dict[str, dict[str, Issued]] = field(default_factory=dict)
    code_count: int = 0
    corrections: dict[str, list[Instant]] = field(default_factory=dict)
