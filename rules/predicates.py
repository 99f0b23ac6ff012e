"""The questions that rules may ask. The grammar is closed: a new question is a new tested function here."""

from collections.abc import Mapping

from gateway.domain.instants import MINUTE_MS
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import Condition, DeliveryState, Priority
from rules.model import Finding
from rules.predicate import Predicate
from rules.predicates_diary import DIARY_PREDICATES
from rules.predicates_flows import FLOWS
from rules.predicates_sites import SITES
from rules.predicates_supplies import SUPPLIES

_CONDITIONS = frozenset(Condition)


def _delivery_interrupted(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    judged = view.judgement
    if judged.state is not DeliveryState.INTERRUPTED:
        return ()
    family = judged.cause if judged.cause in _CONDITIONS else ""
    return (Finding(since=judged.since, evidence_at=judged.evidence_at, family=family, detail=judged.cause),)


def _delivery_unknown(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    judged = view.judgement
    if judged.state is not DeliveryState.UNKNOWN:
        return ()
    return (Finding(since=judged.since, evidence_at=judged.evidence_at, detail=judged.cause),)


def _alarm_active(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            since=active.started_at,
            evidence_at=active.started_at,
            kind=active.condition,
            family=active.condition,
            priority=active.priority,
            detail=active.text,
        )
        for active in view.conditions
        if active.priority is not Priority.INFORMATION  # shown, nobody's trouble
    )


def _never_heard(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    if view.heard:
        return ()
    return (Finding(since=view.enrolled_at, evidence_at=view.enrolled_at),)


def _mostly_refused(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    refused, total = view.messages
    if total < params["min_messages"] or refused * 100 < total * params["percent"]:
        return ()
    return (
        Finding(
            since=view.at,
            evidence_at=view.at,
            recheck_at=view.at + MINUTE_MS,
            standing=True,
            kind=view.unassigned,
            detail=f"{refused} of {total} messages" + (f" of {view.unassigned}" if view.unassigned else ""),
        ),
    )


PREDICATES: Mapping[str, Predicate] = {
    "delivery_interrupted": Predicate(_delivery_interrupted, Facet.DELIVERY, {}, "delivery is interrupted"),
    "delivery_unknown": Predicate(
        _delivery_unknown,
        Facet.DELIVERY,
        {},
        "the pump is not heard, or does not say whether it delivers, while delivery is expected",
    ),
    "alarm_active": Predicate(
        _alarm_active,
        Facet.CONDITIONS,
        {},
        "a pump alarm condition stays active",
        priorities="as urgent as this protocol ranks the condition",
    ),
    "never_heard": Predicate(_never_heard, Facet.HEARD, {}, "a pump was enrolled and has never been heard"),
    "mostly_refused": Predicate(
        _mostly_refused,
        Facet.REFUSALS,
        {"percent": 50, "min_messages": 3},
        "at least {percent:g} % (and no fewer than {min_messages:g}) of a device's messages of 5 minutes could not be read",
        frozenset({"course", "pump"}),
    ),
    **SUPPLIES,
    **FLOWS,
    **SITES,
    **DIARY_PREDICATES,
}
