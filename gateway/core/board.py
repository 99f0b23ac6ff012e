"""The board: what console, API and terminal show. Frozen, built from the state, never from the time-series store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core import delivery, twin
from gateway.core.advice import firsts
from gateway.core.bench_state import is_on_bench
from gateway.core.care_lines import CareLine, with_care
from gateway.core.escalation import lease_of
from gateway.core.incident_state import Happening, Incident, Note
from gateway.core.incidents import priority_of
from gateway.core.intake import is_silent
from gateway.core.state import Course, Pump
from gateway.core.store import State
from gateway.core.supplies import SupplyLine, supply_line
from gateway.core.synthetic import SYNTHETIC
from gateway.core.urgency import urgency
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.readings import BridgeHealth
from gateway.domain.words import DeliveryState, IncidentState, Priority


@dataclass(frozen=True, slots=True)
class AlertLine:
    """A firing alert: which rule, about what, how urgent, since when, what to do first.

    `muted_by` a silence or a window until `muted_until`; None while it speaks. `translated` is what to do first by the tag of
    another language.
    """

    rule: str
    kind: str
    priority: Priority
    since: Instant
    first: str
    muted_until: Instant | None = None
    muted_by: str = ""
    translated: Mapping[str, str] = field(default_factory=dict)


HistoryLine = Happening  # what the state remembers is frozen, and is shown as it is


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident. `holder` has it until `held_until`, for `lease_ms` when taken; the next people are paged at `next_step_at`.

    While everything in it is muted no step is due.
    """

    key: str
    subject: str
    route: str
    state: IncidentState
    priority: Priority
    opened_at: Instant
    closed_at: Instant | None
    holder: str
    held_until: Instant | None
    next_step_at: Instant | None
    paged: tuple[str, ...]
    alerts: tuple[AlertLine, ...]
    history: tuple[HistoryLine, ...]
    lease_ms: int = 0


@dataclass(frozen=True, slots=True)
class CourseLine(CareLine):
    """A course. Lengths in ms: the current interruption, and the worst case (interruption and unknown together).

    `limit_at` is when the protocol's limit is reached in the worst case; None while delivery is known. `past_limit` is what the
    protocol wants from then on, `past_limit_translated` the same by another language's tag. `scale_falls`: whether a scale sees
    the bag get lighter as it should; None where none can tell.
    """

    course: str
    pump: str
    protocol: str
    cycle: int
    state: DeliveryState
    since: Instant
    cause: str
    estimated: bool
    current_ms: int
    worst_ms: int
    limit_at: Instant | None
    interrupted_ms: int
    heard_at: Instant | None
    silent: bool
    bag: str
    hung_at: Instant | None
    planned_change_at: Instant | None
    remaining_ml: float | None
    rate_ml_h: float | None
    battery_percent: float | None
    on_battery: bool | None
    conditions: tuple[str, ...]
    incidents: tuple[IncidentLine, ...]
    supplies: SupplyLine = field(default_factory=SupplyLine)
    enrolment: int = 1
    diary: tuple[DiaryLine, ...] = ()
    past_limit: str = ""
    scale_falls: bool | None = None
    past_limit_translated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PumpLine:
    """A device as technicians see it. `refusals` by name, most frequent first; counts since it was first heard.

    On the bench of `bench_who` until `bench_until`: nobody is called for what it shows.
    """

    device: str
    course: str
    heard_at: Instant | None
    online: bool | None
    boot: str
    missing: int
    repeats: int
    restarts: int
    clock_offset_ms: int
    clock_doubtful: bool
    refusals: tuple[tuple[str, int], ...]
    bridge: BridgeHealth | None = None
    bench_until: Instant | None = None
    bench_who: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one instant: courses with the least time left first."""

    at: Instant
    site: str
    timezone: str
    connected: bool
    deaf: bool
    courses: tuple[CourseLine, ...]
    site_incidents: tuple[IncidentLine, ...]
    pumps: tuple[PumpLine, ...]


def build_board(state: State, at: Instant) -> Board:
    """The board at `at`."""
    running = [course for course in state.courses.values() if course.ended_at is None and course.id != SYNTHETIC]
    lines = sorted((course_line(state, course, at) for course in running), key=lambda line: urgency(line, at))
    site = state.sites.get(state.ward.site)
    desk = state.desk
    deaf = at < desk.deaf_until if desk.deaf_until is not None else not desk.connected
    return Board(
        at=at,
        site=state.ward.site,
        timezone=state.ward.timezone,
        connected=desk.connected,
        deaf=deaf,
        courses=tuple(lines),
        site_incidents=tuple(_lines_of(site.open.values(), state)) if site else (),
        pumps=tuple(pump_line(state.pumps[key], at) for key in sorted(state.pumps) if state.pumps[key].course != SYNTHETIC),
    )


def incident_lines(
    state: State, wanted: IncidentState | None = None, *, about: str = "", first: int = 0, most: int | None = None
) -> list[IncidentLine]:
    """The incidents that are remembered, newest first: of the state `wanted`, `about` a course or site (its name, or a key).

    Of these at most `most` from place `first` on. Lines take time, and ten thousand incidents may be remembered: ask for what is
    shown.
    """
    subjects = [state.peek_at(about)] if about else [*state.courses.values(), *state.sites.values()]
    known = [
        incident
        for subject in subjects
        if subject is not None and subject.id != SYNTHETIC
        for incident in (*subject.open.values(), *subject.closed)
        if wanted is None or incident.state is wanted
    ]
    known.sort(key=lambda incident: (-incident.opened_at, incident.key))
    return _lines_of(known[first : None if most is None else first + most], state)


def pump_line(pump: Pump, at: Instant) -> PumpLine:
    """One device."""
    bench = pump.bench if is_on_bench(pump.bench, at) else None
    refusals = sorted(pump.refusals.items(), key=lambda item: (-item[1], item[0]))
    return PumpLine(
        device=pump.device,
        course=pump.course,
        heard_at=pump.heard_at or None,
        online=pump.online,
        boot=pump.boot,
        missing=twin.missing(pump),
        repeats=pump.repeats,
        restarts=pump.restarts,
        clock_offset_ms=pump.clock_offset_ms,
        clock_doubtful=pump.clock_doubtful,
        refusals=tuple(refusals),
        bridge=pump.bridge,
        bench_until=bench.until_at if bench is not None else None,
        bench_who=bench.who if bench is not None else "",
    )


def _lines_of(incidents: Iterable[Incident], state: State) -> list[IncidentLine]:
    return [incident_line(incident, state) for incident in incidents]


def incident_line(incident: Incident, state: State) -> IncidentLine:
    """One incident."""
    subject = state.peek(incident.subject)
    held = incident.ack if incident.state is IncidentState.ACKNOWLEDGED else None
    return IncidentLine(
        key=incident.key,
        subject=incident.subject,
        route=incident.route,
        state=incident.state,
        priority=priority_of(incident),
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        holder=held.who if held else "",
        held_until=held.until_at if held else None,
        next_step_at=incident.next_step_at if incident.state is IncidentState.TRIGGERED and not incident.muted else None,
        paged=tuple(sorted(incident.reached)),
        alerts=tuple(
            _alert_line(note, firsts(note, subject, state))
            for note in sorted(incident.alerts.values(), key=lambda note: -note.priority.rank)
        ),
        history=tuple(incident.history),
        lease_ms=lease_of(incident),
    )


def _alert_line(note: Note, first: Mapping[Locale, str]) -> AlertLine:
    translated = {locale.value: words for locale, words in first.items() if locale is not Locale.EN}
    english = first[Locale.EN]
    return AlertLine(note.rule, note.kind, note.priority, note.since, english, note.muted_until, note.muted_by, translated)


def course_line(state: State, course: Course, at: Instant) -> CourseLine:
    """One course, also one that has ended."""
    pump = _pump_of(state, course)
    protocol = state.protocols.get(course.protocol)
    now, bag = course.delivery, course.bag
    worst_ms = delivery.worst_ms(course, pump, at)
    line = CourseLine(
        course=course.id,
        pump=course.pump,
        protocol=course.protocol,
        cycle=course.cycle,
        state=now.state,
        since=now.since,
        cause=now.cause,
        estimated=now.estimated,
        current_ms=delivery.current_ms(course, at),
        worst_ms=worst_ms,
        limit_at=at - worst_ms + protocol.interruption_limit_ms if worst_ms and protocol else None,
        interrupted_ms=now.interrupted_ms,
        heard_at=pump.heard_at or None,
        silent=is_silent(pump, protocol, at),
        bag=bag.kind if bag else "",
        hung_at=bag.hung_at if bag else None,
        planned_change_at=bag.planned_change_at if bag else None,
        remaining_ml=pump.remaining_ml,
        rate_ml_h=pump.rate_ml_h,
        battery_percent=pump.battery_percent,
        on_battery=pump.on_battery,
        conditions=tuple(known.condition.value for known in pump.conditions.values() if known.active),
        incidents=tuple(_lines_of(course.open.values(), state)),
        supplies=supply_line(course, pump, protocol, at),
        enrolment=course.enrolment,
        diary=course.diary,
        past_limit=protocol.past_limit if protocol else "",
        past_limit_translated={locale.value: said.long for locale, said in protocol.limit_words.items()} if protocol else {},
        scale_falls=pump.scale.falls if pump.scale is not None else None,
    )
    return with_care(line, course, protocol, at)


def _pump_of(state: State, course: Course) -> Pump:
    """The pump that serves the course; one that says nothing where none does."""
    served = state.pumps.get(f"{course.site}/{course.pump}") if delivery.is_served(course) else None
    return served or Pump(course.site, course.pump)
