"""What is to come for a course, as far as anybody knows: what people planned, and what follows if nothing stops delivery."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.core import delivery
from gateway.core.state import Bag, Course
from gateway.core.store import State
from gateway.core.views import infusion_ends_at
from gateway.domain.instants import DAY_MS, Instant
from rules.model import Protocol

AHEAD_MS = 7 * DAY_MS  # of bag changes beyond the planned one; what has one date only is shown however far it is
CHANGES_MAX = 14


class PlanKind(StrEnum):
    """What will happen."""

    BAG_CHANGE = "bag-change"
    BAG_EXPIRES = "bag-expires"
    ORDER_READY = "order-ready"
    DOSE_STEP = "dose-step"
    INFUSION_ENDS = "infusion-ends"
    BREAK_ENDS = "break-ends"
    WINDOW_ENDS = "window-ends"


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing to come, at `at`, about a bag, a dose or a window. `forecast`: it follows from the plan; nobody set this time."""

    at: Instant
    kind: PlanKind
    about: str = ""
    forecast: bool = False


def plan_of(state: State, course: Course, at: Instant) -> tuple[PlanLine, ...]:
    """What is to come, the soonest first; a planned change that was missed stays in it. Nothing for a course that has ended."""
    protocol = state.protocols.get(course.protocol)
    if course.ended_at is not None or protocol is None:
        return ()
    return tuple(sorted(_lines(course, protocol, at), key=lambda line: (line.at, line.kind)))


def _lines(course: Course, protocol: Protocol, at: Instant) -> Iterator[PlanLine]:
    care, bag = course.care, course.bag
    if care.window is not None and care.window.until_at > at:
        yield PlanLine(care.window.until_at, PlanKind.WINDOW_ENDS, care.window.kind.value)
    if care.order is not None:
        yield PlanLine(care.order.ready_at, PlanKind.ORDER_READY, care.order.bag)
    if care.break_at is not None:
        yield PlanLine(care.break_at + protocol.break_days * DAY_MS, PlanKind.BREAK_ENDS, forecast=True)
        return
    ends_at = infusion_ends_at(course, protocol, at)
    yield PlanLine(ends_at, PlanKind.INFUSION_ENDS, forecast=True)
    if bag is not None:
        yield from _bag_lines(bag, protocol, ends_at, at)
    yield from _dose_lines(course, protocol, at)


def _bag_lines(bag: Bag, protocol: Protocol, ends_at: Instant, at: Instant) -> Iterator[PlanLine]:
    """The planned change, and the changes after it if bags of this kind go on hanging."""
    if bag.expires_at is not None and bag.expires_at < bag.planned_change_at:
        yield PlanLine(bag.expires_at, PlanKind.BAG_EXPIRES, bag.kind)
    yield PlanLine(bag.planned_change_at, PlanKind.BAG_CHANGE, bag.kind)
    kind = protocol.bags.get(bag.kind)
    if kind is None:
        return
    for number in range(1, CHANGES_MAX + 1):
        next_at = max(bag.planned_change_at, at) + number * kind.duration_ms
        if next_at >= min(ends_at, at + AHEAD_MS):
            return
        yield PlanLine(next_at, PlanKind.BAG_CHANGE, bag.kind, forecast=True)


def _dose_lines(course: Course, protocol: Protocol, at: Instant) -> Iterator[PlanLine]:
    """The next dose step of a first cycle; later cycles have one dose."""
    dose = course.care.dose_mcg_per_day
    if course.cycle != 1 or dose is None:
        return
    step = next((step for step in protocol.dose_steps if step.mcg_per_day > dose and not step.mcg_per_m2_day), None)
    if step is not None:
        due_at = at + max(0, (step.from_day - 1) * DAY_MS - delivery.infused_ms(course, at))
        yield PlanLine(due_at, PlanKind.DOSE_STEP, f"{step.mcg_per_day:g}", forecast=True)
