"""The monitor's memory: plain dataclasses, one cell a pump, a course, a site, so that each can be saved by itself.

Everything here is a fold over the journal. Nothing here decides anything.
"""

from dataclasses import dataclass, field

from gateway.core.bench_state import Bench, Commissioning
from gateway.core.care import Care
from gateway.core.incident_state import Incident
from gateway.core.scale_state import Scale
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import Instant
from gateway.domain.outlook import SettingChange
from gateway.domain.readings import BridgeHealth
from gateway.domain.words import Condition, DeliveryState, Priority
from rules.engine import Alert

HOLES_MAX = 256  # ranges of missing numbers kept a boot; beyond it the oldest are forgotten and late ones taken again
BOOTS_MAX = 4
CLOSED_MAX = 20
INTERRUPTIONS_MAX = 50
HISTORY_MAX = 200


@dataclass(slots=True)
class Numbering:
    """Which numbers of one boot arrived: all up to `high` but for `holes` (inclusive ranges); up to `floor` nobody remembers.

    `low` is the number that was heard first: what lies below it may still come, and is not counted as missing. `high_at` is when
    the word with the number `high` was observed.
    """

    low: int
    high: int
    holes: list[tuple[int, int]] = field(default_factory=list)
    floor: int = 0
    high_at: Instant = 0


@dataclass(slots=True)
class PumpCondition:
    """An alarm condition on a pump as last told: `changed_at`, `seq` and `boot` are of its newest word.

    `was_clear`: a device that tells all its conditions in every answer has told that this one is not active.
    """

    condition: Condition
    started_at: Instant
    changed_at: Instant
    active: bool
    stops_delivery: bool | None = None
    device_priority: Priority | None = None
    text: str = ""
    seq: int = 0
    boot: str = ""
    was_clear: bool = False


@dataclass(slots=True)
class Stretch:
    """Words of one kind, the first at `from_at`, the newest at `at`, with no message missing between them.

    `first_seq` and `seq` are their numbers in `boot`; 0 where the pump numbers nothing.
    """

    delivering: bool
    from_at: Instant
    at: Instant
    first_seq: int = 0
    seq: int = 0
    boot: str = ""
    reason: str = ""


@dataclass(slots=True)
class Flow:
    """The newest evidence of whether the pump delivers. `delivering` None: none yet. Times are observed times.

    `at` is when it was last said, `since` when it was first said, `before_at` the newest word to the contrary before that.
    `from_at`, `from_reason`, `first_seq`, `seq` and `boot` are of the newest unbroken stretch of words; `past` came before it.
    """

    delivering: bool | None = None
    at: Instant = 0
    seq: int = 0
    since: Instant = 0
    before_at: Instant = 0
    reason: str = ""
    from_at: Instant = 0
    from_reason: str = ""
    first_seq: int = 0
    boot: str = ""
    past: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class Pump:
    """Our last knowledge of one device (the twin).

    `starts` of conditions are those of the last hour, oldest first; `remaining_ml` is as of `remaining_at`, jumped up at
    `refilled_at` and was last judged to end at `empty_noted_at`; `battery_points` belong to the present stretch on battery,
    `learnt_percent_h` to those before; `stray_at` is since when it has had no course. The newest telemetry is of `measured_at`,
    the newest that the pump itself sent of `reported_at`. Empty tuples cost no memory, nor does a scale where there is none.
    """

    site: str
    device: str
    course: str = ""
    heard_at: Instant = 0
    observed_at: Instant = 0
    interval_ms: int = 0
    online: bool | None = None
    bridge: BridgeHealth | None = None
    boot: str = ""
    boots: dict[str, Numbering] = field(default_factory=dict)
    repeats: int = 0
    restarts: int = 0
    clock_offset_ms: int = 0
    clock_doubtful: bool = False
    flow: Flow = field(default_factory=Flow)
    measured_at: Instant = 0
    reported_at: Instant = 0
    rate_ml_h: float | None = None
    set_rate_ml_h: float | None = None
    infused_ml: float | None = None
    infused_at: Instant = 0
    infused_boot: str = ""
    remaining_ml: float | None = None
    battery_percent: float | None = None
    on_battery: bool | None = None
    pressure_mmhg: float | None = None
    locked: bool | None = None
    conditions: dict[Condition, PumpCondition] = field(default_factory=dict)
    starts: tuple[tuple[Condition, Instant], ...] = ()
    remaining_at: Instant = 0
    refilled_at: Instant = 0
    empty_noted_at: Instant = 0
    battery_at: Instant = 0
    battery_points: tuple[tuple[Instant, float], ...] = ()
    learnt_percent_h: float | None = None
    settings: tuple[SettingChange, ...] = ()
    scale: Scale | None = None
    stray_at: Instant = 0
    returned_at: Instant = 0
    judged_from: Instant = 0
    minutes: list[tuple[Instant, int, int]] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    bench: Bench | None = None
    commissioned: tuple[Commissioning, ...] = ()


@dataclass(slots=True)
class Bag:
    """The bag that hangs. Volumes in mL, rate in mL/h. `expires_at` only where its label was read.

    `told_by`: a `person`, the `pump`, or `both` where the pump's word and the person's mean the same bag.
    """

    kind: str
    hung_at: Instant
    rate_ml_h: float
    fill_ml: float
    primed_ml: float
    planned_change_at: Instant
    prepared_at: Instant | None = None
    expires_at: Instant | None = None
    told_by: str = "person"


@dataclass(slots=True)
class Interruption:
    """A stretch without delivery while delivery was expected. `found`: proved afterwards; `noted_at` is when we learnt of it."""

    since: Instant
    until: Instant
    cause: str
    estimated: bool
    found: bool = False
    noted_at: Instant = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence over which the pump's counter rose by less than it should have, in the pump's time; `missing_ms` of delivery."""

    from_at: Instant
    until: Instant
    missing_ms: int


@dataclass(slots=True)
class Delivery:
    """Our judgement of a course, with what it rests on.

    `expected_ms` sums the times in which delivery was expected, up to `expected_since`, the beginning of the present one.
    `explained_at`: until then the pump's volume says what flowed. `gaps` are the last silences with missing volume, `unknowns`
    the last stretches in `unknown_ms`: words that come late may yet explain them.
    """

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
    explained_at: Instant = 0
    gaps: tuple[Gap, ...] = ()
    unknowns: tuple[tuple[Instant, Instant], ...] = ()
    expected_ms: int = 0
    expected_since: Instant | None = None


@dataclass(slots=True)
class Volume:
    """Delivered against prescribed volume, in full 5-minute buckets of time judged delivering (`percents`, the newest last).

    `ms` and `ml` are the bucket that fills; `mean` is the mean that the rules saw last, -1 before there are 2 h of it.
    """

    ms: int = 0
    ml: float = 0.0
    percents: tuple[int, ...] = ()
    mean: int = -1


@dataclass(slots=True)
class Subject:
    """What incidents are about: a course, or a site. `settled`: by alert key, until when its evidence was taken note of."""

    id: str
    open: dict[str, Incident] = field(default_factory=dict)
    closed: list[Incident] = field(default_factory=list)
    settled: dict[str, Instant] | None = None


@dataclass(slots=True)
class Site(Subject):
    """The ward itself: the gateway's own hearing, and pumps that serve no course.

    `inhibits`: the whole site is silent, or was until so lately (`lingers_until`) that its pumps are still coming back. At
    `look_at` its pumps are looked at, because some fell silent or came back.
    """

    alerts: dict[str, Alert] = field(default_factory=dict)
    inhibits: bool = False
    lingers_until: Instant = 0
    look_at: Instant = 0


@dataclass(slots=True)
class Course(Subject):
    """One patient's treatment under a protocol; the id is a pseudonym, never a name.

    `hung` are the last bag changes of which the pump told, `primed` the last primings (mL). `enrolment` counts how often this
    pseudonym was enrolled. `diary` stands in the order of time; `diary_due_at` is when the home must be looked after for what is
    missing in it, `diary_reminded_at` the hour of the last reminder. `rates_noted`: how many whole percent set and current rate
    were off when the rules last looked.
    """

    site: str = ""
    protocol: str = ""
    pump: str = ""
    cycle: int = 1
    enrolled_at: Instant = 0
    ended_at: Instant | None = None
    bag: Bag | None = None
    hung: tuple[Instant, ...] = ()
    primed: tuple[tuple[Instant, float], ...] = ()
    care: Care = field(default_factory=Care)
    enrolment: int = 1
    diary: tuple[DiaryLine, ...] = ()
    diary_due_at: Instant = 0
    diary_reminded_at: Instant = 0
    delivery: Delivery = field(default_factory=Delivery)
    volume: Volume | None = None
    rates_noted: tuple[int, int] = (0, 0)
    alerts: dict[str, Alert] = field(default_factory=dict)
