"""What the board says of a course's bag and battery."""

from dataclasses import dataclass

from gateway.core import delivery, history
from gateway.core.state import Course, Pump
from gateway.core.views import outlook_of_bag, outlook_of_battery
from gateway.domain.instants import Instant
from rules.model import Protocol


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """What will run out when. All of it is forecast, nothing measured, but for `delivered_percent`: over the last 2 h.

    The bag will be empty between `bag_early_at` and `bag_late_at`. `battery_left_ms` rests on this pump's own fall
    (`battery_learnt`) or on the maker's figure; None on mains.
    """

    bag_early_at: Instant | None = None
    bag_central_at: Instant | None = None
    bag_late_at: Instant | None = None
    bag_expires_at: Instant | None = None
    bag_ordered: bool = False
    battery_left_ms: int | None = None
    battery_learnt: bool = False
    delivered_percent: int | None = None


def supply_line(course: Course, pump: Pump, protocol: Protocol | None, at: Instant) -> SupplyLine:
    """The forecasts of a course at `at`."""
    battery = outlook_of_battery(pump, protocol)
    bag = outlook_of_bag(course, course.bag, pump, protocol, at) if course.bag and delivery.is_served(course) else None
    return SupplyLine(
        bag_early_at=bag.early_at if bag else None,
        bag_central_at=bag.central_at if bag else None,
        bag_late_at=bag.late_at if bag else None,
        bag_expires_at=bag.expires_at if bag else None,
        bag_ordered=bag is not None and bag.ordered,
        battery_left_ms=max(0, battery.empty_at - at) if battery else None,
        battery_learnt=battery is not None and battery.learnt,
        delivered_percent=history.delivered_percent(course.volume),
    )
