"""What will run out when: the bag as an interval, the battery as hours. Forecasts, never measurements."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.state import Bag
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant

ACCURACY_PERCENT = 6.0  # nominal accuracy of an ambulatory pump: ±10 h on a 7-day bag
SLOPE_SPAN_MIN_MS = 20 * MINUTE_MS  # a shorter stretch on battery says nothing about its slope
SLOPE_DROP_MIN_PERCENT = 2.0
POINTS_MAX = 16  # full: every second one is dropped, so that the whole stretch stays covered


Point = tuple[Instant, float]  # when, percent


@dataclass(frozen=True, slots=True)
class BagForecast:
    """When the bag will be empty: as early as `early_at`, most likely `central_at`, as late as `late_at`."""

    early_at: Instant
    central_at: Instant
    late_at: Instant


@dataclass(frozen=True, slots=True)
class BatteryForecast:
    """Time left on battery. `learnt`: from this pump's own fall; else from the vendor's figure."""

    left_ms: int
    percent: float
    learnt: bool


def bag_forecast(bag: Bag, at: Instant, *, rate_ml_h: float, remaining_ml: float | None, stopped_ms: int) -> BagForecast | None:
    """When `bag` runs empty at `rate_ml_h`, as of `at`.

    The pump's own count of what remains is used where it sends one; otherwise fill less primed less what should have flowed since
    hanging, `stopped_ms` apart. Its count may be off by the pump's accuracy of all that has flowed so far, and so may the rest of
    the way: the interval is that of the whole bag. None at rate 0: then nothing runs out.
    """
    if rate_ml_h <= 0:
        return None
    usable_ml = max(0.0, bag.fill_ml - bag.primed_ml)
    flowed_ml = max(0.0, (at - bag.hung_at - stopped_ms) / HOUR_MS * bag.rate_ml_h)
    left_ml = max(0.0, min(remaining_ml, usable_ml) if remaining_ml is not None else usable_ml - flowed_ml)
    central_ms = left_ml / rate_ml_h * HOUR_MS
    whole_ms = usable_ml / rate_ml_h * HOUR_MS
    spread_ms = whole_ms * ACCURACY_PERCENT / 100
    early_at = round(at + max(0.0, central_ms - spread_ms))
    return BagForecast(early_at, round(at + central_ms), round(at + central_ms + spread_ms))


def with_point(points: Sequence[Point], at: Instant, percent: float) -> tuple[Point, ...]:
    """`points` with a battery reading of this stretch on battery, where it is newer and the percentage changed."""
    if points and (at <= points[-1][0] or percent == points[-1][1]):
        return tuple(points)
    more = [*points, (at, percent)]
    if len(more) > POINTS_MAX:
        del more[1:-1:2]
    return tuple(more)


def slope_percent_h(points: Sequence[Point]) -> float | None:
    """The fall in percent an hour: the median of all pairs' slopes (Theil and Sen), which a few odd readings cannot move.

    None while the stretch is too short or too flat to tell. Positive when the battery empties.
    """
    if len(points) < 2:
        return None
    (first_at, first), (last_at, last) = points[0], points[-1]
    if last_at - first_at < SLOPE_SPAN_MIN_MS or first - last < SLOPE_DROP_MIN_PERCENT:
        return None
    slopes = sorted(
        (before - after) / (after_at - before_at) * HOUR_MS
        for index, (before_at, before) in enumerate(points)
        for after_at, after in points[index + 1 :]
    )
    middle = slopes[len(slopes) // 2]
    return middle if middle > 0 else None


def battery_forecast(percent: float, *, learnt_percent_h: float | None, vendor_percent_h: float) -> BatteryForecast:
    """Time left at this fall."""
    fall = learnt_percent_h if learnt_percent_h is not None else vendor_percent_h
    left_ms = round(percent / fall * HOUR_MS) if fall > 0 else 0
    return BatteryForecast(left_ms, percent, learnt_percent_h is not None)
