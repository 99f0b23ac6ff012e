"""One course in full, as its page and its printed sheet show it: frozen, read from the state, deciding nothing."""

from dataclasses import dataclass

from gateway.core import delivery
from gateway.core.board import CourseLine, course_line
from gateway.core.care import Cycle, PastBag
from gateway.core.care_lines import CallLine, call_line
from gateway.core.plan import PlanLine, plan_of
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.care import Signed
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.ward import Contact
from gateway.domain.words import DeliveryState, Priority
from rules.model import BagKind, DoseStep


@dataclass(frozen=True, slots=True)
class CourseEntry:
    """A course in the list of all that are remembered. `priority` is the highest of its open incidents."""

    course: str
    pump: str
    state: DeliveryState
    since: Instant
    cycle: int
    infusion_days: float
    enrolled_at: Instant
    ended_at: Instant | None
    break_at: Instant | None
    priority: Priority | None


@dataclass(frozen=True, slots=True)
class InterruptionLine:
    """A stretch without delivery that is over. `estimated`: its beginning is dated back; `found`: proved afterwards.

    `noted_at` is when the gateway learnt that it is over; 0 where that is not known.
    """

    since: Instant
    until: Instant
    cause: str
    estimated: bool
    found: bool
    noted_at: Instant


@dataclass(frozen=True, slots=True)
class BagLine:
    """The bag that hangs. Volumes in mL, rate in mL/h; `told_by` a person, the pump, or both."""

    kind: str
    hung_at: Instant
    rate_ml_h: float
    fill_ml: float
    primed_ml: float
    told_by: str


@dataclass(frozen=True, slots=True)
class ProgrammeLine:
    """What the course's protocol says: days, limit, kinds of bags, dose steps, rules, and the items of its checklist."""

    infusion_days: int
    break_days: int
    limit_ms: int
    bags: tuple[BagKind, ...]
    doses: tuple[DoseStep, ...]
    rules: tuple[str, ...]
    checklist: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CourseSheet:
    """A course in full. `line` is what the board says of it; `programme` is None where its protocol is not loaded any more.

    `evidence_at` proved the present judgement; `unknown_ms` of this cycle nobody can vouch for, the newest such stretches in
    `unknowns`. Bags, cycles, calls and interruptions: the newest first. `caregiver` has the addresses.
    """

    line: CourseLine
    enrolled_at: Instant
    ended_at: Instant | None
    cycle_at: Instant
    evidence_at: Instant
    proven_by_volume_at: Instant
    unknown_ms: int
    unknowns: tuple[tuple[Instant, Instant], ...]
    interruptions: tuple[InterruptionLine, ...]
    bag: BagLine | None
    bags: tuple[PastBag, ...]
    cycles: tuple[Cycle, ...]
    calls: tuple[CallLine, ...]
    plan: tuple[PlanLine, ...]
    caregiver: tuple[Contact, ...]
    checklist: tuple[Signed, ...]
    programme: ProgrammeLine | None


def course_entries(state: State, at: Instant) -> list[CourseEntry]:
    """All courses that are remembered, by their names; those that ended after those that run, the newest end first."""
    entries = [_entry(course, at) for course in state.courses.values() if course.id != SYNTHETIC]
    return sorted(entries, key=lambda entry: (entry.ended_at is not None, -(entry.ended_at or 0), entry.course))


def _entry(course: Course, at: Instant) -> CourseEntry:
    open_ = [note.priority for incident in course.open.values() for note in incident.alerts.values()]
    return CourseEntry(
        course=course.id,
        pump=course.pump,
        state=course.delivery.state,
        since=course.delivery.since,
        cycle=course.cycle,
        infusion_days=delivery.infusion_days(course, course.ended_at or at),
        enrolled_at=course.enrolled_at,
        ended_at=course.ended_at,
        break_at=course.care.break_at,
        priority=max(open_, key=lambda priority: priority.rank, default=None),
    )


def course_sheet(state: State, name: str, at: Instant) -> CourseSheet | None:
    """The course of that name, running or ended; None where none is remembered."""
    course = state.courses.get(name)
    if course is None or name == SYNTHETIC:
        return None
    judged, care = course.delivery, course.care
    return CourseSheet(
        line=course_line(state, course, at if course.ended_at is None else course.ended_at),
        enrolled_at=course.enrolled_at,
        ended_at=course.ended_at,
        cycle_at=care.cycle_started_at or course.enrolled_at,
        evidence_at=judged.evidence_at,
        proven_by_volume_at=judged.confirmed_by_volume_at,
        unknown_ms=judged.unknown_ms,
        unknowns=tuple(one for one in reversed(judged.unknowns) if one[1] - one[0] >= SECOND_MS),
        interruptions=tuple(
            InterruptionLine(one.since, one.until, one.cause, one.estimated, one.found, one.noted_at)
            for one in sorted(judged.interruptions, key=lambda one: -one.since)
        ),
        bag=_bag(course),
        bags=care.bags[::-1],
        cycles=care.cycles[::-1],
        calls=tuple(call_line(call) for call in reversed(care.calls)),
        plan=plan_of(state, course, at),
        caregiver=care.caregiver,
        checklist=care.checklist,
        programme=_programme(state, course),
    )


def _bag(course: Course) -> BagLine | None:
    bag = course.bag
    return None if bag is None else BagLine(bag.kind, bag.hung_at, bag.rate_ml_h, bag.fill_ml, bag.primed_ml, bag.told_by)


def _programme(state: State, course: Course) -> ProgrammeLine | None:
    protocol = state.protocols.get(course.protocol)
    if protocol is None:
        return None
    return ProgrammeLine(
        infusion_days=protocol.infusion_days,
        break_days=protocol.break_days,
        limit_ms=protocol.interruption_limit_ms,
        bags=tuple(protocol.bags.values()),
        doses=protocol.dose_steps,
        rules=tuple(rule.name for rule in protocol.rules),
        checklist=protocol.checklist,
    )
