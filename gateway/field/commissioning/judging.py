"""What decides about each step but the alarms: each judge sees the evidence since its step began. Passed, failed, or wait.

Limits: set rate within 1 % (as the rule `rate-mismatch`), volume within 6 % (the accuracy that makers of such pumps state).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Power
from gateway.field.commissioning.evidence import Counted, GatewayWord, Line, Plan
from gateway.field.commissioning.steps import Act, Step

RATE_PERCENT_MAX: Final = 1.0
VOLUME_PERCENT_MAX: Final = 6.0
SETTLED_MS: Final = 3 * SECOND_MS  # nothing has been missing for so long: the backlog is in
LAG_MS: Final = 15 * SECOND_MS  # a word older than that when it came is still backlog

PATIENCE_MS: Final[Mapping[Step, int]] = MappingProxyType(
    {Step.POWER: 3 * MINUTE_MS, Step.PAIRING: 3 * MINUTE_MS, Step.RATE: 10 * MINUTE_MS}
)  # then the step is judged by what there is; the others wait for the technician


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a step, in words; `facts` stand in the record."""

    act: Act
    words: str
    facts: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(slots=True)
class Watch:
    """What a step under way has seen since `began_at`: the first count, the time on battery, the cut."""

    began_at: Instant
    first: Counted | None = None
    stopped: bool = False
    battery_at: Instant | None = None
    battery_ms: int = 0
    stopped_on_battery: bool = False
    heard: str = ""
    news: bool = False
    heard_changed_at: Instant = 0
    missing: int = 0
    cut_ms: int = 0
    whole_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a judge sees at `at`. `final`: the technician, or the time that is over, wants an answer now."""

    plan: Plan
    line: Line
    gateway: GatewayWord | None
    watch: Watch
    at: Instant
    final: bool


Judge = Callable[[Scene], Judged | None]


def power(scene: Scene) -> Judged | None:
    """The pump says that it runs on mains."""
    line, watch = scene.line, scene.watch
    heard = line.heard_at >= watch.began_at
    if heard and _never_tells(scene, "power", line.power):
        return Judged(Act.PASS, "heard; pumps of this family do not say what feeds them")
    if line.power is Power.MAINS and line.power_at >= watch.began_at:
        return Judged(Act.PASS, "it says that it runs on mains")
    if not scene.final:
        return None
    if heard:
        return Judged(
            Act.FAIL, "heard, but it does not say that it runs on mains: is the plug in, and does the socket have power?"
        )
    refused = ", ".join(f"{reason} {count}" for reason, count in line.refused.most_common(3))
    return Judged(Act.FAIL, f"nothing readable came ({refused or 'no message at all'}): check cable, line speed and adapter")


def pairing(scene: Scene) -> Judged | None:
    """The gateway hears the device under this name."""
    plan, gateway, watch = scene.plan, scene.gateway, scene.watch
    if not plan.asks_gateway:
        return Judged(Act.LEAVE, "there is no gateway to ask; give --url or --ward")
    if gateway is not None and gateway.course:
        return Judged(Act.FAIL, f"{plan.device} serves {gateway.course}: a pump that serves somebody is never commissioned")
    if gateway is not None and watch.news:
        facts: dict[str, float | int | str] = {"clock_offset_ms": gateway.clock_offset_ms, "course": plan.course}
        if gateway.clock_doubtful:
            return Judged(Act.FAIL, "the gateway hears it, but cannot believe its clock: does the bridge have NTP?", facts)
        return Judged(Act.PASS, f"the gateway hears it; clock {gateway.clock_offset_ms / 1000:+.1f} s", facts)
    return (
        Judged(Act.FAIL, f"the gateway hears nothing of {plan.device}: check bridge, topic and device name")
        if scene.final
        else None
    )


def rate(scene: Scene) -> Judged | None:
    """The set rate is the prescribed one."""
    plan, line, watch = scene.plan, scene.line, scene.watch
    if plan.rate_ml_h is None:
        return Judged(Act.LEAVE, "no prescribed rate was given; begin again with --rate")
    told = line.set_rate_ml_h if line.set_rate_ml_h is not None else line.rate_ml_h
    if _never_tells(scene, "set_rate_ml_h", told) and line.heard_at >= watch.began_at:
        return Judged(Act.LEAVE, "pumps of this family do not tell their rate; read it off the pump")
    if told is None or line.rate_at < watch.began_at:
        return Judged(Act.FAIL, "the pump tells no rate") if scene.final else None
    deviation = percent_off(told, plan.rate_ml_h)
    facts = {"prescribed_ml_h": plan.rate_ml_h, "told_ml_h": told, "deviation_percent": deviation}
    words = f"{told:g} of {plan.rate_ml_h:g} mL/h: {deviation:+.1f} %"
    if abs(deviation) <= RATE_PERCENT_MAX:
        return Judged(Act.PASS, words, facts)
    return Judged(Act.FAIL, f"{words}, more than {RATE_PERCENT_MAX:g} % off", facts) if scene.final else None


def volume(scene: Scene) -> Judged | None:
    """What was delivered is what the prescribed rate gives in that time."""
    plan, line, watch = scene.plan, scene.line, scene.watch
    if plan.rate_ml_h is None:
        return Judged(Act.LEAVE, "no prescribed rate was given; begin again with --rate")
    if watch.stopped:
        return Judged(Act.FAIL, "delivery stopped while it was measured; begin this step again")
    if _never_tells(scene, "infused_ml", line.counted) and line.heard_at >= watch.began_at:
        return Judged(Act.LEAVE, "pumps of this family do not tell what they delivered; use scale and cylinder")
    first, now = watch.first, line.counted
    if first is None or now is None:
        return Judged(Act.FAIL, "the pump counts no volume, or does not deliver") if scene.final else None
    expected_ml = plan.rate_ml_h * (now.observed_at - first.observed_at) / HOUR_MS
    if expected_ml < plan.volume_ml:
        too_little = f"too little to judge by: {expected_ml:.2f} of {plan.volume_ml:g} mL; wait longer"
        return Judged(Act.FAIL, too_little) if scene.final else None
    counted_ml = now.infused_ml - first.infused_ml
    deviation = percent_off(counted_ml, expected_ml)
    facts = {"expected_ml": round(expected_ml, 3), "counted_ml": round(counted_ml, 3), "deviation_percent": deviation}
    words = f"{counted_ml:.2f} mL counted of {expected_ml:.2f} mL: {deviation:+.1f} %"
    if abs(deviation) <= VOLUME_PERCENT_MAX:
        return Judged(Act.PASS, words, facts)
    return Judged(Act.FAIL, f"{words}, more than {VOLUME_PERCENT_MAX:g} % off", facts)


def cylinder(first: Counted, now: Counted, collected_ml: float) -> Judged:
    """What was collected in a measuring cylinder is what the pump has counted since the volume step began.

    The pump may have been stopped before it was read.
    """
    counted_ml = now.infused_ml - first.infused_ml
    deviation = percent_off(collected_ml, counted_ml)
    facts = {"collected_ml": collected_ml, "counted_until_then_ml": round(counted_ml, 3), "cylinder_deviation_percent": deviation}
    words = f"{collected_ml:g} mL collected of {counted_ml:.2f} mL counted: {deviation:+.1f} %"
    if abs(deviation) <= VOLUME_PERCENT_MAX:
        return Judged(Act.PASS, words, facts)
    return Judged(Act.FAIL, f"{words}, more than {VOLUME_PERCENT_MAX:g} % off", facts)


def battery(scene: Scene) -> Judged | None:
    """It went on battery, went on delivering, and came back to mains."""
    plan, line, watch = scene.plan, scene.line, scene.watch
    if _never_tells(scene, "power", line.power):
        return Judged(Act.LEAVE, "pumps of this family do not say what feeds them; look at the pump's own display")
    facts = {"on_battery_s": watch.battery_ms // SECOND_MS}
    if watch.stopped_on_battery:
        return Judged(Act.FAIL, "it stopped delivering when its plug was pulled", facts)
    if watch.battery_ms >= plan.battery_ms and line.power is Power.MAINS:
        return Judged(Act.PASS, f"delivered {facts['on_battery_s']} s on battery, and is back on mains", facts)
    if not scene.final:
        return None
    if not watch.battery_ms and watch.battery_at is None:
        return Judged(Act.FAIL, "it never said that it runs on battery, or was not delivering", facts)
    return Judged(Act.FAIL, f"pull it for {plan.battery_ms // SECOND_MS} s at least while it delivers, then put it back", facts)


def network(scene: Scene) -> Judged | None:
    """The gateway heard nothing for a while, and then everything."""
    plan, gateway, watch = scene.plan, scene.gateway, scene.watch
    if not plan.asks_gateway:
        return Judged(Act.LEAVE, "there is no gateway to ask; give --url or --ward")
    if gateway is not None and gateway.heard_at and not gateway.boot:
        return Judged(Act.LEAVE, "its messages have no numbers, so that nobody can tell whether all of them came")
    facts = {"cut_s": watch.cut_ms // SECOND_MS}
    missing = gateway.missing - watch.missing if gateway is not None else 0
    if watch.cut_ms and watch.whole_at is not None and scene.at - watch.whole_at >= SETTLED_MS:
        return Judged(Act.PASS, f"cut off for {facts['cut_s']} s; the spool caught up, nothing is missing", facts)
    if not scene.final:
        return None
    if not watch.cut_ms:
        return Judged(Act.FAIL, f"it was never cut off for {plan.cut_ms // SECOND_MS} s", facts)
    return Judged(Act.FAIL, f"after the cut {missing} messages are missing", facts | {"missing": missing})


JUDGES: Final[Mapping[Step, Judge]] = MappingProxyType(
    {
        Step.POWER: power,
        Step.PAIRING: pairing,
        Step.RATE: rate,
        Step.VOLUME: volume,
        Step.BATTERY: battery,
        Step.NETWORK: network,
    }
)


def _never_tells(scene: Scene, measure: str, told: object) -> bool:
    """Nothing was told of it, and nothing was to be expected."""
    return told is None and measure not in scene.plan.tells.measures


def percent_off(told: float, wanted: float) -> float:
    """How far `told` is from `wanted`, in percent of it, to two places: not the float's."""
    return round((told - wanted) / wanted * 100, 2)


def note_line(watch: Watch, plan: Plan, line: Line, at: Instant) -> None:
    """A message came while the step is under way."""
    if line.counted is not None and line.counted_at >= watch.began_at:
        if watch.first is None and line.counted.delivering:
            watch.first = line.counted
        watch.stopped |= watch.first is not None and not line.delivering
    if line.power_at < watch.began_at:
        return
    if line.power is Power.BATTERY:
        if watch.battery_at is None and line.delivering:
            watch.battery_at = at
        if watch.battery_at is not None:
            watch.battery_ms = at - watch.battery_at
            watch.stopped_on_battery |= not line.delivering
    elif watch.battery_at is not None and watch.battery_ms < plan.battery_ms:
        watch.battery_at, watch.battery_ms = None, 0  # too short: pulled again it counts anew


def note_gateway(watch: Watch, gateway: GatewayWord, cut_ms: int) -> None:
    """The gateway was asked while the step is under way. A cut: nothing was heard for `cut_ms`, and then something was."""
    if gateway.heard_at != watch.heard:
        silent_ms = gateway.at - watch.heard_changed_at
        if silent_ms >= cut_ms:
            watch.cut_ms = max(watch.cut_ms, silent_ms)
        watch.heard, watch.heard_changed_at, watch.news = gateway.heard_at, gateway.at, True
    complete = watch.cut_ms > 0 and gateway.missing <= watch.missing and gateway.lag_ms <= LAG_MS
    watch.whole_at = (watch.whole_at if watch.whole_at is not None else gateway.at) if complete else None
