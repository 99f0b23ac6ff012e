"""Bags as people record them: what cannot be is refused in words."""

from gateway.core.care import BAGS_MAX, PastBag
from gateway.core.context import Context
from gateway.core.state import Bag, Course
from gateway.core.texts import clock_time
from gateway.domain.care import NextCycle
from gateway.domain.commands import Enrol, HangBag
from gateway.domain.instants import DAY_MS, MINUTE_MS, Instant
from rules.durations import say_ms
from rules.model import BagKind, Protocol

HUNG_AGO_MAX_MS = 14 * DAY_MS
AHEAD_MAX_MS = 2 * MINUTE_MS  # two clocks in one ward may differ by so much
PLANNED_MAX_MS = 30 * DAY_MS
RATE_TOLERANCE_ML_H = 0.0005  # two ways to write the same rate

AnyBag = Enrol | HangBag | NextCycle


def refusal(command: AnyBag, protocol: Protocol, now: Context) -> str:
    """Why this bag cannot hang; empty when it can."""
    kind = protocol.bags.get(command.bag)
    hung_at = command.hung_at if command.hung_at is not None else now.at
    if kind is None:
        return f"protocol {protocol.name} has no bag {command.bag!r}; it has: {', '.join(protocol.bags)}"
    if not 0 <= command.primed_ml < kind.fill_ml:
        return f"primed volume must lie between 0 and the bag's {kind.fill_ml:g} mL"
    if hung_at > now.at + AHEAD_MAX_MS:
        return "a bag cannot have been hung in the future"
    if hung_at < now.at - HUNG_AGO_MAX_MS:
        return "that is more than 14 days ago; no bag keeps that long"
    if command.planned_change_ms is not None and not 0 < command.planned_change_ms <= PLANNED_MAX_MS:
        return "the planned change must come after the hanging, within 30 days"
    if command.rate_ml_h is not None and abs(command.rate_ml_h - kind.rate_ml_h) > RATE_TOLERANCE_ML_H:
        return (
            f"a {kind.name} bag runs at {kind.rate_ml_h:g} mL/h by protocol {protocol.name}, not at {command.rate_ml_h:g}: "
            "check the bag's label and its kind; call the pharmacy before it hangs"
        )
    return _age_refusal(command, kind, hung_at, now)


def _age_refusal(command: AnyBag, kind: BagKind, hung_at: int, now: Context) -> str:
    if command.prepared_at is None:
        return ""
    if command.prepared_at > hung_at:
        return "a bag cannot hang before it is prepared: check both times"
    expires_at = command.prepared_at + kind.shelf_life_ms
    if expires_at <= hung_at:
        return (
            f"this {kind.name} bag expired at {clock_time(expires_at, now)}, {say_ms(kind.shelf_life_ms)} after its preparation: "
            "it must not hang; order a new one"
        )
    return ""


def hung(command: AnyBag, kind: BagKind, now: Context) -> Bag:
    """The bag that hangs now. It must be changed before it expires, whatever was planned."""
    hung_at = command.hung_at if command.hung_at is not None else now.at
    change_ms = command.planned_change_ms if command.planned_change_ms is not None else kind.duration_ms
    return Bag(
        kind=kind.name,
        hung_at=hung_at,
        rate_ml_h=kind.rate_ml_h,
        fill_ml=kind.fill_ml,
        primed_ml=command.primed_ml,
        planned_change_at=hung_at + change_ms,
        prepared_at=command.prepared_at,
        expires_at=None if command.prepared_at is None else command.prepared_at + kind.shelf_life_ms,
    )


def put_away(course: Course, until_at: Instant) -> None:
    """The bag that hung is history from `until_at` on; the oldest of many are forgotten."""
    bag = course.bag
    if bag is not None:
        past = PastBag(bag.kind, bag.hung_at, until_at, bag.primed_ml, bag.told_by)
        course.care.bags = (*course.care.bags, past)[-BAGS_MAX:]


def words(bag: Bag, now: Context) -> str:
    """`7-day bag at 0.6 mL/h, planned change Mon 08:00`; and when it expires first."""
    expiry = ""
    if bag.expires_at is not None and bag.expires_at < bag.planned_change_at:
        expiry = f"; it EXPIRES before, at {clock_time(bag.expires_at, now)}: plan the change earlier"
    return f"{bag.kind} bag at {bag.rate_ml_h:g} mL/h, planned change {clock_time(bag.planned_change_at, now)}{expiry}"
