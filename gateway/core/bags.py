"""Bags as people record them: what cannot be is refused in words."""

from gateway.core.care import BAGS_MAX, PastBag
from gateway.core.context import Context
from gateway.core.done import length, moment
from gateway.core.state import Bag, Course
from gateway.domain.care import NextCycle
from gateway.domain.commands import Enrol, HangBag
from gateway.domain.instants import DAY_MS, MINUTE_MS, Instant
from gateway.domain.sentences import Sentence, sentence
from rules.model import BagKind, Protocol

HUNG_AGO_MAX_MS = 14 * DAY_MS
AHEAD_MAX_MS = 2 * MINUTE_MS  # two clocks in one ward may differ by so much
PLANNED_MAX_MS = 30 * DAY_MS
RATE_TOLERANCE_ML_H = 0.0005  # two ways to write the same rate

AnyBag = Enrol | HangBag | NextCycle


def refusal(command: AnyBag, protocol: Protocol, now: Context) -> Sentence | None:
    """Why this bag cannot hang; None when it can."""
    kind = protocol.bags.get(command.bag)
    hung_at = command.hung_at if command.hung_at is not None else now.at
    if kind is None:
        return no_such(command.bag, protocol)
    if not 0 <= command.primed_ml < kind.fill_ml:
        return sentence("primed volume must lie between 0 and the bag's {fill_ml:g} mL", fill_ml=kind.fill_ml)
    if hung_at > now.at + AHEAD_MAX_MS:
        return sentence("a bag cannot have been hung in the future")
    if hung_at < now.at - HUNG_AGO_MAX_MS:
        return sentence("that is more than 14 days ago; no bag keeps that long")
    if command.planned_change_ms is not None and not 0 < command.planned_change_ms <= PLANNED_MAX_MS:
        return sentence("the planned change must come after the hanging, within 30 days")
    if command.rate_ml_h is not None and abs(command.rate_ml_h - kind.rate_ml_h) > RATE_TOLERANCE_ML_H:
        return sentence(
            "a {kind} bag runs at {right:g} mL/h by protocol {protocol}, not at {wrong:g}: "
            "check the bag's label and its kind; call the pharmacy before it hangs",
            kind=kind.name,
            right=kind.rate_ml_h,
            protocol=protocol.name,
            wrong=command.rate_ml_h,
        )
    return _age_refusal(command, kind, hung_at, now)


def no_such(kind: str, protocol: Protocol) -> Sentence:
    """The protocol has no bag of this kind."""
    known = tuple(protocol.bags)
    return sentence("protocol {protocol} has no bag {kind!r}; it has: {known}", protocol=protocol.name, kind=kind, known=known)


def _age_refusal(command: AnyBag, kind: BagKind, hung_at: int, now: Context) -> Sentence | None:
    if command.prepared_at is None:
        return None
    if command.prepared_at > hung_at:
        return sentence("a bag cannot hang before it is prepared: check both times")
    expires_at = command.prepared_at + kind.shelf_life_ms
    if expires_at <= hung_at:
        return sentence(
            "this {kind} bag expired at {at}, {age} after its preparation: it must not hang; order a new one",
            kind=kind.name,
            at=moment(expires_at, now),
            age=length(kind.shelf_life_ms),
        )
    return None


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


def words(bag: Bag, now: Context) -> Sentence:
    """`7-day bag at 0.6 mL/h, planned change Mon 08:00`; and when it expires first."""
    kind, rate_ml_h, change = bag.kind, bag.rate_ml_h, moment(bag.planned_change_at, now)
    if bag.expires_at is not None and bag.expires_at < bag.planned_change_at:
        return sentence(
            "{kind} bag at {rate_ml_h:g} mL/h, planned change {change}; it EXPIRES before, at {at}: plan the change earlier",
            kind=kind,
            rate_ml_h=rate_ml_h,
            change=change,
            at=moment(bag.expires_at, now),
        )
    return sentence("{kind} bag at {rate_ml_h:g} mL/h, planned change {change}", kind=kind, rate_ml_h=rate_ml_h, change=change)
