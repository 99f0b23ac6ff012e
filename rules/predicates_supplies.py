"""Questions about what runs out: the battery, the bag, and the bag after it. Forecasts, each with its edges."""

from collections.abc import Mapping

from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import Condition, Priority
from rules.durations import say_ms
from rules.model import Finding
from rules.predicate import Predicate

KEEPS = 1.25  # an alert ends a quarter beyond the threshold that began it: a forecast wavers


def _battery_running_out(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    battery = view.battery
    if battery is None:
        return ()
    left_ms, percent = battery.empty_at - view.at, battery.percent
    soon_ms, sooner_ms = round(params["medium_h"] * HOUR_MS), round(params["high_min"] * MINUTE_MS)
    priority = None
    if left_ms <= sooner_ms or percent < params["high_percent"]:
        priority = Priority.HIGH
    elif left_ms <= soon_ms or percent < params["medium_percent"]:
        priority = Priority.MEDIUM
    elif left_ms >= soon_ms * KEEPS and percent >= params["medium_percent"] + 2:
        return (_waiting(view.at, battery.empty_at - soon_ms),)
    by = "its own fall" if battery.learnt else "the maker's figure"
    return (
        Finding(
            since=view.at,
            evidence_at=view.at,
            family=Condition.BATTERY_LOW,
            priority=priority,
            recheck_at=_next(view.at, battery.empty_at - soon_ms, battery.empty_at - sooner_ms),
            standing=True,
            detail=f"{int(percent)} %, by {by} {say_ms(max(0, left_ms))} left",
        ),
    )


def _bag_ending_early(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    bag = view.bag
    if bag is None or bag.early_at is None or bag.central_at is None:
        return ()
    at, change_at = view.at, bag.planned_change_at
    margin_ms = round(params["margin_h"] * HOUR_MS)
    early_soon_ms, central_soon_ms = round(params["early_within_h"] * HOUR_MS), round(params["high_within_h"] * HOUR_MS)
    central_early_ms, edge_early_ms = change_at - bag.central_at, change_at - bag.early_at
    central_left_ms, edge_left_ms = bag.central_at - at, bag.early_at - at
    recheck_at = _next(at, bag.early_at - early_soon_ms, bag.central_at - central_soon_ms)
    priority = None
    if central_early_ms > 0 and central_left_ms <= central_soon_ms:
        priority = Priority.HIGH
    elif central_early_ms > margin_ms or (edge_early_ms > margin_ms and edge_left_ms <= early_soon_ms):
        priority = Priority.MEDIUM
    elif edge_early_ms <= margin_ms / KEEPS:
        return ()
    elif central_early_ms <= margin_ms / KEEPS and edge_left_ms > early_soon_ms * KEEPS:  # another bag hangs, or it was far off
        return (_waiting(at, bag.early_at - early_soon_ms),)
    return (Finding(since=at, evidence_at=at, priority=priority, recheck_at=recheck_at, standing=True, by_at=bag.central_at),)


def _bag_change_overdue(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    bag = view.bag
    if bag is None:
        return ()
    at, change_at, expires_at = view.at, bag.planned_change_at, bag.expires_at
    medium_at, high_at = change_at + round(params["medium_min"] * MINUTE_MS), change_at + round(params["high_min"] * MINUTE_MS)
    expired = expires_at is not None and at >= expires_at
    priority = Priority.HIGH if expired or at >= high_at else Priority.MEDIUM if at >= medium_at else None
    since = change_at if expires_at is None else min(change_at, expires_at)
    edges = [medium_at, high_at] if expires_at is None else [medium_at, high_at, expires_at]
    return (
        Finding(
            since=since,
            evidence_at=since,
            priority=priority,
            recheck_at=min((edge for edge in edges if edge > at), default=None),
            detail="past its expiry" if expired else "change due",
        ),
    )


def _bag_order_due(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    bag = view.bag
    if bag is None or bag.needed_at is None or bag.ordered:
        return ()
    since = bag.needed_at - round(params["lead_h"] * HOUR_MS)
    return (Finding(since=since, evidence_at=since, by_at=bag.needed_at),)


def _waiting(at: Instant, until: Instant) -> Finding:
    """Nothing yet; ask again at that instant."""
    return Finding(since=until, evidence_at=until, recheck_at=until if until > at else None)


def _next(at: Instant, *edges: Instant) -> Instant | None:
    """The first of these instants that is still to come."""
    return min((edge for edge in edges if edge > at), default=None)


SUPPLIES: Mapping[str, Predicate] = {
    "battery_running_out": Predicate(
        _battery_running_out,
        Facet.BATTERY | Facet.HEARD,
        {"medium_h": 2, "medium_percent": 20, "high_min": 30, "high_percent": 10},
        "a pump runs on its battery and that is forecast to be empty soon",
        priorities="medium when {medium_h:g} h or less, or less than {medium_percent:g} %, are left, high when {high_min:g} min "
        "or less, or less than {high_percent:g} %, are left",
    ),
    "bag_ending_early": Predicate(
        _bag_ending_early,
        Facet.BAG | Facet.DELIVERY,
        {"margin_h": 1, "early_within_h": 6, "high_within_h": 2},
        "the bag is forecast to be empty before its planned change",
        priorities="medium when the likely end lies more than {margin_h:g} h before the change, or the earliest possible end "
        "does and is {early_within_h:g} h away or less, high when the likely end lies before the change and is "
        "{high_within_h:g} h away or less",
    ),
    "bag_change_overdue": Predicate(
        _bag_change_overdue,
        Facet.BAG | Facet.DELIVERY,
        {"medium_min": 30, "high_min": 120},
        "the planned bag change has passed, or the bag is past its expiry",
        priorities="medium when the change is {medium_min:g} min late, high when it is {high_min:g} min late or the bag has "
        "expired",
    ),
    "bag_order_due": Predicate(
        _bag_order_due,
        Facet.BAG | Facet.DELIVERY,
        {"lead_h": 24},
        "the next bag is needed within the pharmacy's lead time of {lead_h:g} h and none is ordered",
    ),
}
