"""What the board says of what people recorded about a course: windows, silences, orders, calls, dose and cycle, contacts."""

from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.core import delivery
from gateway.core.care import Call, Care
from gateway.core.state import Course
from gateway.domain.care import Seen
from gateway.domain.instants import DAY_MS, Instant
from rules.model import Protocol

CALLS_SHOWN = 5  # the newest; the journal keeps them all


@dataclass(frozen=True, slots=True)
class SilenceLine:
    """A silence that runs: its rules (all when empty), its end, who made it and why."""

    id: str
    rules: tuple[str, ...]
    until_at: Instant
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A bag that the pharmacy makes: ordered by whom and when, ready when."""

    bag: str
    by: str
    ordered_at: Instant
    ready_at: Instant


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call to the home: who called whom, what was seen at the pump and said. A pump seen running is trusted until then."""

    at: Instant
    who: str
    called: str
    seen: Seen
    advice: str
    until_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CareLine:
    """What people recorded about a course besides its bag; part of `board.CourseLine`.

    `window` is the kind of the one that is open, or empty. `infusion_days` were delivered in this cycle as far as anybody knows,
    of the protocol's `planned_days`. In a break: since `break_at`, by the protocol until `break_until`. `caregiver` are the
    transports of its contacts, never their addresses. `override_reason`: why the course began with an incomplete checklist.
    Calls: the newest first.
    """

    window: str = ""
    window_until: Instant | None = None
    window_who: str = ""
    silences: tuple[SilenceLine, ...] = ()
    order: OrderLine | None = None
    calls: tuple[CallLine, ...] = ()
    dose_mcg_per_day: float | None = None
    infusion_days: float = 0.0
    planned_days: int | None = None
    break_at: Instant | None = None
    break_until: Instant | None = None
    caregiver: tuple[str, ...] = ()
    ward_contact: str = ""
    travel_minutes: int | None = None
    override_reason: str = ""


Line = TypeVar("Line", bound=CareLine)


def with_care(line: Line, course: Course, protocol: Protocol | None, at: Instant) -> Line:
    """`line` with what is recorded about its course, as of `at`; what is over by then is left out."""
    care = course.care
    window = care.window if care.window is not None and at < care.window.until_at else None
    return replace(
        line,
        window=window.kind.value if window else "",
        window_until=window.until_at if window else None,
        window_who=window.who if window else "",
        silences=tuple(
            SilenceLine(each.id, each.rules, each.until_at, each.who, each.reason) for each in care.silences if each.until_at > at
        ),
        order=_order(care),
        calls=tuple(call_line(call) for call in reversed(care.calls[-CALLS_SHOWN:])),
        dose_mcg_per_day=care.dose_mcg_per_day,
        infusion_days=delivery.infusion_days(course, at),
        planned_days=protocol.infusion_days if protocol else None,
        break_at=care.break_at,
        break_until=care.break_at + protocol.break_days * DAY_MS if protocol and care.break_at is not None else None,
        caregiver=tuple(contact.transport for contact in care.caregiver),
        ward_contact=care.ward_contact,
        travel_minutes=care.travel_minutes,
        override_reason=care.override_reason,
    )


def call_line(call: Call) -> CallLine:
    """One call, as it is shown."""
    return CallLine(call.at, call.who, call.called, call.seen, call.advice, call.until_at)


def _order(care: Care) -> OrderLine | None:
    order = care.order
    return None if order is None else OrderLine(order.bag, order.by, order.ordered_at, order.ready_at)
