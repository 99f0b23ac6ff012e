"""What predicates see of a subject at one instant; what costs anything is worked out when it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core import delivery, diary, history, scale, twin
from gateway.core.bench_state import is_on_bench
from gateway.core.context import Context
from gateway.core.forecast import BagForecast, bag_forecast, battery_forecast, slope_percent_h
from gateway.core.intake import is_silent
from gateway.core.state import Bag, Course, Pump, PumpCondition
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.domain.outlook import BagOutlook, BatteryOutlook, BrokerDrops, FoundInterruption, Rates, SettingChange, SilentPumps
from gateway.domain.view import ActiveCondition, Judgement
from gateway.domain.words import Condition, DeliveryState, Priority
from rules.model import Protocol

REMAINING_SETTLES_MS = 30 * MINUTE_MS  # a pump that was not told of the new bag counts the old one down: not believed so long
LAST_BAG_MS = 4 * HOUR_MS  # a bag that lasts up to this close to the end of the infusion days is the last: sums hold estimates

NONE_SILENT = SilentPumps()
_NOWHERE = Judgement(DeliveryState.NOT_EXPECTED, 0, 0)


@dataclass(slots=True)
class View:
    """What predicates see (`gateway.domain.view.CourseView`); `course` and `pump` are what it is a view of."""

    at: Instant
    judgement: Judgement = _NOWHERE
    conditions: list[ActiveCondition] = field(default_factory=list)
    enrolled_at: Instant = 0
    heard: bool = True
    messages: tuple[int, int] = (0, 0)
    unassigned: str = ""
    deaf_since: Instant | None = None
    inhibitions: frozenset[str] = frozenset()
    silent_pumps: SilentPumps = NONE_SILENT
    watchdog_due_at: Instant | None = None
    broker_drops: BrokerDrops | None = None
    flows_unassigned_since: Instant | None = None
    course: Course | None = None
    pump: Pump | None = None
    protocol: Protocol | None = None
    timezone: str = "UTC"

    @property
    def starts(self) -> Mapping[Condition, Sequence[Instant]]:
        """When each pump condition began, of the last 60 minutes; what is information only is nobody's trouble."""
        pump, protocol = self.pump, self.protocol
        if pump is None or protocol is None or self.course is None or not self._is_watched:
            return {}
        found: dict[Condition, list[Instant]] = {}
        for condition, at in pump.starts:
            if at >= self.enrolled_at and protocol.conditions[condition] is not Priority.INFORMATION:
                found.setdefault(condition, []).append(at)
        return found

    @property
    def found(self) -> Sequence[FoundInterruption]:
        """Interruptions that were over before we learnt of them, the longest first."""
        stretches = self.course.delivery.interruptions if self.course is not None else ()
        found = [FoundInterruption(one.since, one.until, one.noted_at, one.cause) for one in stretches if one.found]
        return sorted(found, key=lambda one: one.since - one.until)

    @property
    def bag(self) -> BagOutlook | None:
        """The bag that hangs and what comes of it."""
        if self.course is None or self.pump is None or self.course.bag is None or not self._is_watched:
            return None
        return outlook_of_bag(self.course, self.course.bag, self.pump, self.protocol, self.at)

    @property
    def battery(self) -> BatteryOutlook | None:
        """The battery, where the pump runs on it."""
        if self.pump is None or not self._is_watched:
            return None
        return outlook_of_battery(self.pump, self.protocol)

    @property
    def rates(self) -> Rates | None:
        """Rates, while the pump delivers; what it said of its present rate before it began to deliver does not count."""
        course, pump = self.course, self.pump
        if course is None or pump is None or course.bag is None or self.judgement.state is not DeliveryState.DELIVERING:
            return None
        current_ml_h = pump.rate_ml_h if pump.measured_at >= self.judgement.since else None
        return Rates(course.bag.rate_ml_h, pump.set_rate_ml_h, current_ml_h)

    @property
    def delivered_percent(self) -> int | None:
        """Delivered of prescribed volume over the last 2 h judged delivering; of counter and scale the one that says less."""
        if self.course is None or self.pump is None or not self._is_watched:
            return None
        by_weight = scale.delivered_percent(self.pump) if self.judgement.state is DeliveryState.DELIVERING else None
        told = (history.delivered_percent(self.course.volume), by_weight)
        return min((percent for percent in told if percent is not None), default=None)

    @property
    def settings(self) -> Sequence[SettingChange]:
        """What was done to the pump's settings since it serves this course."""
        changes = self.pump.settings if self.pump is not None and self._is_watched else ()
        return [change for change in changes if change.noted_at > self.enrolled_at]

    @property
    def diary(self) -> Sequence[DiaryLine]:
        """What the home wrote down, oldest first."""
        return self.course.diary if self.course is not None and self.course.ended_at is None else ()

    def wall(self, days: int, minute_of_day: int) -> Instant:
        """The instant of a local wall time, so many days after today."""
        return diary.wall_from(self.at, days, minute_of_day, self.timezone)

    @property
    def _is_watched(self) -> bool:
        """Whether this pump's words are about the course now."""
        course = self.course
        return course is not None and delivery.is_served(course) and course.delivery.cause != delivery.IN_HOSPITAL


def view_of_course(course: Course, pump: Pump, protocol: Protocol, inhibitions: frozenset[str], now: Context) -> View:
    """The view of a course with its pump."""
    served_at = max(course.enrolled_at, course.care.paired_at)
    view = View(
        now.at,
        judgement=delivery.judgement_of(course),
        enrolled_at=served_at,
        inhibitions=inhibitions,
        course=course,
        pump=pump,
        protocol=protocol,
        timezone=now.ward.timezone,
    )
    watched = view._is_watched  # noqa: SLF001 - its own
    view.conditions = _active(pump, protocol) if watched else []
    view.heard = not watched or pump.heard_at >= served_at or scale.proven_until(pump) >= served_at
    view.messages = twin.messages_of(pump, now.at) if watched else (0, 0)
    return view


def view_of_stranger(pump: Pump, protocol: Protocol | None, now: Context) -> View:
    """The view of a pump that serves no course (any more, or no longer no course: then nothing is to be said of it).

    Nor is anything to be said of one on the bench: whoever works on it knows.
    """
    if pump.course or is_on_bench(pump.bench, now.at):
        return View(now.at, unassigned=pump.device)
    flows = pump.flow.delivering and not is_silent(pump, protocol, now.at)
    return View(
        now.at,
        conditions=_active(pump, protocol) if protocol is not None else [],
        messages=twin.messages_of(pump, now.at),
        unassigned=pump.device,
        flows_unassigned_since=max(pump.flow.since, pump.stray_at) if flows else None,
    )


def outlook_of_bag(course: Course, bag: Bag, pump: Pump, protocol: Protocol | None, at: Instant) -> BagOutlook:
    """The bag's forecast as an interval, beside its plan."""
    forecast = _forecast(course, bag, pump, at)
    order = course.care.order
    change_at = bag.planned_change_at if bag.expires_at is None else min(bag.planned_change_at, bag.expires_at)
    last = protocol is not None and change_at >= infusion_ends_at(course, protocol, at) - LAST_BAG_MS
    return BagOutlook(
        planned_change_at=bag.planned_change_at,
        early_at=forecast.early_at if forecast else None,
        central_at=forecast.central_at if forecast else None,
        late_at=forecast.late_at if forecast else None,
        expires_at=bag.expires_at,
        needed_at=None if last else change_at,
        ordered=order is not None and order.ordered_at >= bag.hung_at,
    )


def outlook_of_battery(pump: Pump, protocol: Protocol | None) -> BatteryOutlook | None:
    """The battery's forecast; None on mains, or where the pump says nothing of it."""
    if not pump.on_battery or pump.battery_percent is None:
        return None
    slope = slope_percent_h(pump.battery_points)
    learnt = slope if slope is not None else pump.learnt_percent_h
    vendor = protocol.battery_percent_h if protocol is not None else 0.0
    forecast = battery_forecast(pump.battery_percent, learnt_percent_h=learnt, vendor_percent_h=vendor)
    return BatteryOutlook(forecast.percent, pump.battery_at + forecast.left_ms, forecast.learnt)


def _forecast(course: Course, bag: Bag, pump: Pump, at: Instant) -> BagForecast | None:
    """As of the pump's last count of what remains, where that is about this bag; else by rate and time since hanging."""
    counted = pump.remaining_ml is not None and pump.remaining_at >= bag.hung_at
    counted = counted and (pump.refilled_at >= bag.hung_at - REMAINING_SETTLES_MS or at >= bag.hung_at + REMAINING_SETTLES_MS)
    stands = course.delivery.state is DeliveryState.INTERRUPTED
    from_at = pump.remaining_at if counted and not stands else at
    return bag_forecast(
        bag,
        from_at,
        rate_ml_h=pump.set_rate_ml_h or bag.rate_ml_h,
        remaining_ml=pump.remaining_ml if counted else None,
        stopped_ms=delivery.interrupted_between(course, bag.hung_at, from_at),
    )


def infusion_ends_at(course: Course, protocol: Protocol, at: Instant) -> Instant:
    """When this cycle's infusion days will be complete, if nothing stops delivery from now on."""
    return at + max(0, protocol.infusion_days * DAY_MS - delivery.infused_ms(course, at))


def _active(pump: Pump, protocol: Protocol) -> list[ActiveCondition]:
    return [
        ActiveCondition(
            known.condition,
            known.started_at,
            known.device_priority,
            _priority(known, protocol),
            known.stops_delivery,
            known.text,
        )
        for known in pump.conditions.values()
        if known.active
    ]


def _priority(known: PumpCondition, protocol: Protocol) -> Priority:
    """Our priority of a condition; an unknown one keeps the device's own, and counts as high when it sent none."""
    ours = protocol.conditions[known.condition]
    if known.condition is Condition.OTHER and known.device_priority is not None:
        return known.device_priority
    return ours
