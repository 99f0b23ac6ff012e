"""What the API says, as JSON. Each shape takes the fields that it names from the value of the same name in the gateway.

Instants are RFC 3339 texts in UTC; lengths of time are whole milliseconds and end in `_ms`.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from gateway.console.times import rfc3339
from gateway.domain.care import Seen
from gateway.domain.words import DeliveryState, IncidentState, Outcome, Priority, WhyPaged

When = Annotated[
    int,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T08:00:00.000Z"]}),
]
Counts = Annotated[dict[str, int], BeforeValidator(dict)]
Numbers = Annotated[dict[str, float], BeforeValidator(dict)]


class Shape(BaseModel):
    """What all answers share: built from the gateway's own frozen values."""

    model_config = ConfigDict(from_attributes=True, frozen=True, extra="ignore")


class AlertShape(Shape):
    """A firing alert: which rule, about what (`kind`), since when, what to do first.

    `muted_by` a silence or a window until `muted_until`; nothing while it speaks.
    """

    rule: str
    kind: str
    priority: Priority
    since: When
    first: str
    muted_until: When | None
    muted_by: str


class HistoryShape(Shape):
    """One line of an incident's history."""

    at: When
    what: str
    who: str
    text: str


class IncidentShape(Shape):
    """An incident. `holder` has it until `held_until`; `next_step_at` is when the next people are paged."""

    key: str
    subject: str
    route: str
    state: IncidentState
    priority: Priority
    opened_at: When
    closed_at: When | None
    holder: str
    held_until: When | None
    next_step_at: When | None
    paged: list[str]
    alerts: list[AlertShape]
    history: list[HistoryShape]


class SupplyShape(Shape):
    """What will run out when: forecasts, never measured, but for `delivered_percent` of the last 2 h.

    `battery_learnt`: the time left rests on this pump's own fall, else on the maker's figure; no time on mains.
    """

    bag_early_at: When | None
    bag_central_at: When | None
    bag_late_at: When | None
    bag_expires_at: When | None
    bag_ordered: bool
    battery_left_ms: int | None
    battery_learnt: bool
    delivered_percent: int | None


class SilenceShape(Shape):
    """A silence that runs: its rules (all when empty), its end, who made it and why."""

    id: str
    rules: list[str]
    until_at: When
    who: str
    reason: str


class OrderShape(Shape):
    """A bag that the pharmacy makes."""

    bag: str
    by: str
    ordered_at: When
    ready_at: When


class CallShape(Shape):
    """A call to the home: who called whom, what was seen at the pump, what was said."""

    at: When
    who: str
    called: str
    seen: Seen
    advice: str
    until_at: When


class CareShape(Shape):
    """What people recorded about a course besides its bag.

    `window` is the kind of the one that is open, or empty. `infusion_days` were delivered in this cycle as far as anybody knows,
    of `planned_days`; in a break: since `break_at`, by the protocol until `break_until`. `caregiver` are the transports of its
    contacts, never their addresses; `override_reason` says why the course began with an incomplete checklist.
    """

    window: str
    window_until: When | None
    window_who: str
    silences: list[SilenceShape]
    order: OrderShape | None
    calls: list[CallShape]
    dose_mcg_per_day: float | None
    infusion_days: float
    planned_days: int | None
    break_at: When | None
    break_until: When | None
    caregiver: list[str]
    ward_contact: str
    travel_minutes: int | None
    override_reason: str


class CourseShape(CareShape):
    """A course with our judgement of its delivery, its pump's last words, its bag and its open incidents.

    `current_ms` is the present interruption, `worst_ms` the worst that it can be (interruption and unknown together);
    `limit_at` is when the worst case reaches the protocol's limit, `past_limit` what the protocol wants from then on.
    `scale_falls`: whether a scale sees the bag get lighter as it should; null where none can tell. What is said of a course that
    ended at `ended_at` is as of then.
    """

    course: str
    pump: str
    protocol: str
    cycle: int
    state: DeliveryState
    since: When
    cause: str
    estimated: bool
    current_ms: int
    worst_ms: int
    limit_at: When | None
    past_limit: str
    scale_falls: bool | None
    interrupted_ms: int
    heard_at: When | None
    silent: bool
    bag: str
    hung_at: When | None
    planned_change_at: When | None
    remaining_ml: float | None
    rate_ml_h: float | None
    battery_percent: float | None
    on_battery: bool | None
    conditions: list[str]
    incidents: list[IncidentShape]
    supplies: SupplyShape
    ended_at: When | None = None


class BridgeShape(Shape):
    """What a bridge says of itself, as of its newest `status`; null is what it cannot know (docs/bridge.md)."""

    findings: list[str]
    silent: list[str]
    waiting: int | None
    spool_percent: float | None
    dropped: int | None
    garbled: int | None
    holdover_s: int | None
    disk_free_mib: int | None
    temperature_c: float | None
    under_voltage: bool | None


class PumpShape(Shape):
    """A device as technicians see it. `refusals` counts by named reason; `missing` are messages that never arrived.

    `bridge`: it is a bridge, and says this of itself. On the bench of `bench_who` until `bench_until`: nobody is called for it.
    """

    device: str
    course: str
    heard_at: When | None
    online: bool | None
    boot: str
    missing: int
    repeats: int
    restarts: int
    clock_offset_ms: int
    clock_doubtful: bool
    refusals: Counts
    bridge: BridgeShape | None = None
    bench_until: When | None = None
    bench_who: str = ""


class BoardShape(Shape):
    """Everything at one instant, the course with the least time left first. `deaf`: what is shown is not news."""

    at: When
    site: str
    timezone: str
    connected: bool
    deaf: bool
    courses: list[CourseShape]
    site_incidents: list[IncidentShape]
    pumps: list[PumpShape]


class PageShape(Shape):
    """A page and what became of it last; `by` is the transport, `reason` what that transport said when it failed."""

    key: str
    incident: str
    course: str
    to: str
    by: str
    priority: Priority
    why: WhyPaged
    about: list[str]
    text: str
    decided_at: When
    outcome: Outcome | None
    reason: str
    at: When


class DoneShape(Shape):
    """A command that was journalled (record `seq`) and carried out; `message` says in words what it did.

    `incident` is the one that it was about, `silence` the id of the silence that it made; empty where there is none.
    """

    seq: int
    message: str
    incident: str
    silence: str = ""


class LiveShape(Shape):
    """The process answers."""

    alive: bool


class HealthShape(Shape):
    """The gateway's own state: `ready` means that it hears, stores, judges and can page."""

    ready: bool
    findings: list[str]
    numbers: Numbers
