"""What the weight of the bag proves: the only witness of delivery that does not come from the pump (ADR 0011).

Grams in, a verdict out; a gram counts as a millilitre. A scale under the bag is the bridge's: while its pump is silent it goes on
speaking, and a pump that says it delivers may be wrong about it. At 0.6 mL/h a bag loses a gram in 100 minutes, so a verdict
rests on the shortest stretch in which a standstill must show beyond the scale's tolerance, and it proves the flow only up to
the moment since which a standstill might still hide in that tolerance.
"""

from gateway.core.scale_state import Scale
from gateway.core.state import Bag, Pump
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.readings import Observation
from gateway.domain.view import Facet

SPACING_MS = 15 * MINUTE_MS
KEPT_MS = 2 * HOUR_MS  # no more than 9 points
DECIDES_AT = 2.5  # a stretch decides once so many tolerances should have left the bag
SLACK = 0.1  # of what is expected: the pump's own accuracy (6 %) and the scale's
HANDLED_G = 5.0  # more than expected by so much, or a rise beyond the tolerance: a hand at the bag, not a flow

_OTHER_MEASURES = (
    "delivery_status",
    "rate_ml_h",
    "set_rate_ml_h",
    "infused_ml",
    "remaining_ml",
    "battery_percent",
    "power",
    "pressure_mmhg",
    "locked",
)


def is_alone(reading: Observation) -> bool:
    """Whether nothing but the scale spoke: then the pump was not heard."""
    return all(getattr(reading, name) is None for name in _OTHER_MEASURES)


def weigh(pump: Pump, bag: Bag | None, weight_g: float, observed: Instant, *, tolerance_g: float) -> int:
    """Take a weight in; returns the facets that it changes. Older words than the newest prove nothing more."""
    scale = pump.scale = pump.scale or Scale()
    if observed <= scale.weighed_at:
        return 0
    rate_ml_h = (pump.set_rate_ml_h or bag.rate_ml_h) if bag is not None else 0.0
    fell_g = scale.weight_g - weight_g
    expected_g = rate_ml_h * (observed - scale.weighed_at) / HOUR_MS
    handled = fell_g < -2 * tolerance_g or fell_g > expected_g + HANDLED_G
    before, before_percent = scale.falls, scale.percent
    scale.weighed_at, scale.weight_g = observed, weight_g
    stood = pump.flow.delivering is False or (scale.points and pump.flow.since > scale.points[0][0])
    if rate_ml_h <= 0 or stood or handled:
        begin_anew(scale)
    _keep(scale)
    _decide(scale, rate_ml_h, tolerance_g)
    changed = Facet.DELIVERY if scale.falls is not before else 0
    return changed | (Facet.VOLUME if scale.percent != before_percent else 0)


def begin_anew(scale: Scale) -> None:
    """Another bag, a hand at it, or a pump that stands: earlier weights say nothing about what comes."""
    scale.points, scale.falls, scale.percent = (), None, -1


def vouches_until(pump: Pump, promise_ms: int) -> Instant:
    """Until when the bag's weight alone may be taken for delivery by a silent pump; 0 where it may not."""
    scale = pump.scale
    return scale.weighed_at + promise_ms if scale is not None and scale.falls else 0


def proven_until(pump: Pump) -> Instant:
    """Until when the weight proves that it flowed; 0 where there is no scale."""
    return pump.scale.proven_until if pump.scale is not None else 0


def stands(pump: Pump) -> bool:
    """Whether the bag does not get lighter although it should."""
    return pump.scale is not None and pump.scale.falls is False


def delivered_percent(pump: Pump) -> int | None:
    """Delivered of prescribed volume over two hours, by the weight; None where nobody can tell."""
    return pump.scale.percent if pump.scale is not None and pump.scale.percent >= 0 else None


def _keep(scale: Scale) -> None:
    at = scale.weighed_at
    if scale.points and at - scale.points[-1][0] < SPACING_MS:
        return
    points = (*scale.points, (at, scale.weight_g))
    while len(points) > 1 and at - points[1][0] >= KEPT_MS:
        points = points[1:]
    scale.points = points


def _decide(scale: Scale, rate_ml_h: float, tolerance_g: float) -> None:
    at = scale.weighed_at
    if not scale.points or rate_ml_h <= 0:
        return
    decides_ms = DECIDES_AT * tolerance_g / rate_ml_h * HOUR_MS
    point = next((point for point in reversed(scale.points) if at - point[0] >= max(SPACING_MS, decides_ms)), None)
    if point is None:
        return
    expected_g = rate_ml_h * (at - point[0]) / HOUR_MS
    hidden_g = tolerance_g + expected_g * SLACK
    scale.falls = point[1] - scale.weight_g >= expected_g - hidden_g
    if scale.falls:
        scale.proven_until = max(scale.proven_until, at - round(hidden_g / rate_ml_h * HOUR_MS))
    oldest_at, oldest_g = scale.points[0]
    if at - oldest_at >= KEPT_MS:
        share = (oldest_g - scale.weight_g + tolerance_g) / (rate_ml_h * (at - oldest_at) / HOUR_MS)
        scale.percent = round(100 * min(1.0, max(0.0, share)))
