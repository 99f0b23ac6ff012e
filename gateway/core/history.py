"""What a pump told lately, as far as rules ask for it: everything bounded, and noted when it is told, in the pump's own time.

Each function returns the facets that it changes: rules are asked only when an answer may have changed.
"""

from gateway.core.forecast import slope_percent_h, with_point
from gateway.core.state import Course, Pump, Volume
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.outlook import SettingChange
from gateway.domain.readings import Observation, PumpEvent
from gateway.domain.view import Facet
from gateway.domain.words import Condition, DeliveryState, DeliveryStatus, Power, PumpEventKind

STARTS_MAX = 32  # of all conditions; the oldest goes: three of one are enough to call somebody
RECENT_MS = HOUR_MS
BUCKET_MS = 5 * MINUTE_MS
BUCKETS = 24
PRIMED_MAX = 4  # of which the word of the bag that they belong to may still come
REFILLED_ML = 1.0  # a count of what remains that jumps up so much means a new bag
EMPTY_MOVED_MS = 10 * MINUTE_MS  # the rules look at the bag again when its end has moved so much
RECHARGED_PERCENT = 2.0  # a rise while on battery: another battery
LEARNING = 0.5  # weight of the newest stretch on battery

UNLOCKED, SETTINGS, TIME_CHANGED = "unlocked", "settings", "time-changed"

_SETTINGS = {
    PumpEventKind.UNLOCKED: UNLOCKED,
    PumpEventKind.SETTINGS_CHANGED: SETTINGS,
    PumpEventKind.TIME_CHANGED: TIME_CHANGED,
}


def note_start(pump: Pump, condition: Condition, observed: Instant) -> None:
    """A condition begins. Those of more than an hour before go."""
    recent = {start for start in pump.starts if start[1] >= observed - RECENT_MS} | {(condition, observed)}
    pump.starts = tuple(sorted(recent, key=lambda start: (start[1], start[0]))[-STARTS_MAX:])


def note_event(pump: Pump, course: Course | None, reading: PumpEvent, observed: Instant, at: Instant) -> int:
    """What was done at the pump, but for its delivery."""
    if reading.event is PumpEventKind.BATTERY_CHANGED:
        end_stretch(pump)
        return Facet.BATTERY
    if reading.event is PumpEventKind.PRIMED:
        return _note_priming(pump, course, reading.primed_ml or 0.0, observed)
    kind = _SETTINGS.get(reading.event)
    if kind is None or (kind == SETTINGS and (reading.setting or "").startswith("rate")):
        return 0
    return _note_setting(pump, SettingChange(kind, observed, at, reading.setting or "", reading.shift_s))


def note_lock(pump: Pump, observed: Instant, at: Instant) -> int:
    """Telemetry says that the pump is unlocked, before that is copied: where no event tells of it, it is seen here alone."""
    known = _known(pump, UNLOCKED)
    if pump.locked is not True or (known is not None and known.observed_at >= observed - MINUTE_MS):
        return 0
    return _note_setting(pump, SettingChange(UNLOCKED, observed, at))


def note_battery(pump: Pump, reading: Observation, observed: Instant) -> int:
    """A word about the battery, before it is copied: whole percent make the points of the present stretch on battery."""
    on_battery = pump.on_battery if reading.power is None else reading.power is Power.BATTERY
    if not on_battery:
        if not pump.on_battery:
            return 0
        end_stretch(pump)
        return Facet.BATTERY
    before, percent = pump.battery_percent, reading.battery_percent
    if percent is None:
        return 0 if pump.on_battery else Facet.BATTERY
    if before is not None and percent > before + RECHARGED_PERCENT:
        end_stretch(pump)
    pump.battery_at = observed
    if pump.on_battery and before is not None and int(percent) == int(before):
        return 0
    pump.battery_points = with_point(pump.battery_points, observed, percent)
    return Facet.BATTERY


def end_stretch(pump: Pump) -> None:
    """The stretch on battery is over: what it taught about this pump's fall is kept."""
    slope = slope_percent_h(pump.battery_points)
    if slope is not None:
        known = pump.learnt_percent_h
        pump.learnt_percent_h = slope if known is None else known + (slope - known) * LEARNING
    pump.battery_points = ()


def note_remaining(pump: Pump, remaining_ml: float, observed: Instant) -> int:
    """What is left in the bag, before it is copied."""
    if pump.remaining_ml is None or remaining_ml > pump.remaining_ml + REFILLED_ML:
        pump.refilled_at = observed
    pump.remaining_at = observed
    rate_ml_h = pump.set_rate_ml_h or pump.rate_ml_h or 0.0
    if rate_ml_h <= 0:
        return 0
    empty_at = observed + round(remaining_ml / rate_ml_h * HOUR_MS)
    if abs(empty_at - pump.empty_noted_at) < EMPTY_MOVED_MS:
        return 0
    pump.empty_noted_at = empty_at
    return Facet.BAG


def note_rates(course: Course, pump: Pump) -> int:
    """The rates, after they were copied: the rules look when one is another whole percent off than before."""
    bag = course.bag
    if bag is None or bag.rate_ml_h <= 0:
        return 0
    set_ml_h, current_ml_h = pump.set_rate_ml_h, pump.rate_ml_h
    off = (
        0 if set_ml_h is None else int((set_ml_h / bag.rate_ml_h - 1) * 100),
        0 if current_ml_h is None else int((current_ml_h / bag.rate_ml_h - 1) * 100),
    )
    if off == course.rates_noted:
        return 0
    course.rates_noted = off
    return Facet.RATES


def note_volume(course: Course, pump: Pump, reading: Observation, observed: Instant, promise_ms: int) -> int:
    """The volume counter, before it is copied: what flowed since its last word, where all of that time is judged delivering.

    A counter that went back, belongs to another boot or was silent in between proves nothing here.
    """
    before_ml, infused_ml, delivery, bag = pump.infused_ml, reading.infused_ml, course.delivery, course.bag
    if before_ml is None or infused_ml is None or bag is None or delivery.state is not DeliveryState.DELIVERING:
        return 0
    gap_ms = observed - pump.infused_at
    if not 0 < gap_ms < promise_ms or infused_ml < before_ml or pump.infused_at < delivery.since:
        return 0
    if (reading.boot or "") != pump.infused_boot or reading.delivery_status not in (None, DeliveryStatus.DELIVERING):
        return 0
    volume = course.volume = course.volume or Volume()
    volume.ms += gap_ms
    volume.ml += infused_ml - before_ml
    return _fill(volume, bag.rate_ml_h) if volume.ms >= BUCKET_MS else 0


def delivered_percent(volume: Volume | None) -> int | None:
    """Of the last 2 h judged delivering; None before there are 2 h."""
    return sum(volume.percents) // BUCKETS if volume is not None and len(volume.percents) >= BUCKETS else None


def _fill(volume: Volume, rate_ml_h: float) -> int:
    """Close the full buckets; what is beyond them begins the next one."""
    full = volume.ms // BUCKET_MS
    share = full * BUCKET_MS / volume.ms
    prescribed_ml = rate_ml_h * full * BUCKET_MS / HOUR_MS
    percent = round(volume.ml * share / prescribed_ml * 100) if prescribed_ml > 0 else 100
    volume.percents = (*volume.percents, *[percent] * min(full, BUCKETS))[-BUCKETS:]
    volume.ms, volume.ml = volume.ms - full * BUCKET_MS, volume.ml * (1 - share)
    mean = delivered_percent(volume)
    if mean is None or mean == volume.mean:
        return 0
    volume.mean = mean
    return Facet.VOLUME


def _note_priming(pump: Pump, course: Course | None, primed_ml: float, observed: Instant) -> int:
    """The line was primed again: that volume reaches nobody. The pump's own count is corrected until it tells a newer one."""
    if course is None or course.bag is None or observed < course.bag.hung_at or primed_ml <= 0:
        return 0
    course.primed = (*course.primed, (observed, primed_ml))[-PRIMED_MAX:]
    course.bag.primed_ml = min(course.bag.fill_ml, course.bag.primed_ml + primed_ml)
    if pump.remaining_ml is not None and pump.remaining_at <= observed:
        pump.remaining_ml = max(0.0, pump.remaining_ml - primed_ml)
    return Facet.BAG


def _note_setting(pump: Pump, change: SettingChange) -> int:
    known = _known(pump, change.kind)
    if known is not None and known.observed_at > change.observed_at:
        return 0
    if known is not None and change.observed_at - known.observed_at < SECOND_MS:
        return 0  # the event and the telemetry tell of one act
    pump.settings = (*(other for other in pump.settings if other.kind != change.kind), change)
    return Facet.SETTINGS


def _known(pump: Pump, kind: str) -> SettingChange | None:
    return next((change for change in pump.settings if change.kind == kind), None)
