"""Questions about the site as a whole, and about pumps that serve nobody."""

from collections.abc import Mapping

from gateway.domain.instants import MINUTE_MS
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import Priority
from rules.model import Finding
from rules.predicate import PUMP, SITE, Predicate


def _gateway_deaf(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    if view.deaf_since is None:
        return ()
    return (Finding(since=view.deaf_since, evidence_at=view.deaf_since),)


def _site_silent(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    silent = view.silent_pumps
    needed = max(params["pumps"], silent.watched * params["percent"] / 100)
    within_ms = params["within_min"] * MINUTE_MS
    for first, since in enumerate(silent.since):
        together = [one for one in silent.since[first:] if one - since <= within_ms]
        if len(together) >= needed:
            detail = f"{len(silent.since)} of {silent.watched}"
            return (Finding(since=since, evidence_at=together[-1], standing=True, detail=detail),)
    return ()


def _pump_unassigned(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    if not view.unassigned:
        return ()
    high = [active for active in view.conditions if active.priority is Priority.HIGH]
    if high:
        since, detail = high[0].started_at, f"alarm {high[0].condition.replace('-', ' ')}"
        return (Finding(since=since, evidence_at=since, kind=view.unassigned, priority=Priority.MEDIUM, detail=detail),)
    began_at = view.flows_unassigned_since
    if began_at is None:
        return ()
    enough_at = began_at + round(params["flows_min"] * MINUTE_MS)
    return (
        Finding(
            since=began_at,
            evidence_at=began_at,
            kind=view.unassigned,
            priority=Priority.MEDIUM if view.at >= enough_at else None,
            recheck_at=max(enough_at, view.at + MINUTE_MS),
            detail="delivers",
        ),
    )


def _watchdog_silent(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    due_at = view.watchdog_due_at  # ahead of us while all is well: the finding will be true from then on unless one comes
    return () if due_at is None else (Finding(since=due_at, evidence_at=due_at),)


def _broker_dropped(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    drops = view.broker_drops
    if drops is None:
        return ()
    return (Finding(since=drops.since, evidence_at=drops.at, detail=str(drops.count)),)


SITES: Mapping[str, Predicate] = {
    "gateway_deaf": Predicate(
        _gateway_deaf,
        Facet.INHIBITION,
        {},
        "Dripwatch itself hears no pump, for it has no connection to the message broker,",
        SITE,
    ),
    "site_silent": Predicate(
        _site_silent,
        Facet.SITE | Facet.INHIBITION,
        {"pumps": 3, "percent": 50, "within_min": 5},
        "at least {pumps:g} pumps and {percent:g} % of a site's fell silent within {within_min:g} min of one another",
        SITE,
    ),
    "watchdog_silent": Predicate(
        _watchdog_silent, Facet.WATCHDOG, {}, "the watchdog on the other host has not been heard within its time", SITE
    ),
    "broker_dropped": Predicate(
        _broker_dropped, Facet.BROKER, {}, "the message broker says that it dropped messages that nobody had read", SITE
    ),
    "pump_unassigned": Predicate(
        _pump_unassigned,
        Facet.DELIVERY | Facet.CONDITIONS | Facet.HEARD,
        {"flows_min": 10},
        "a pump without a course shows a condition of high priority, or has delivered for {flows_min:g} min",
        PUMP,
        "medium",
    ),
}
