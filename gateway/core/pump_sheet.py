"""One pump in full, as technicians see it: its last words with their times, its conditions, numbering, refusals, settings."""

from dataclasses import dataclass

from gateway.core import twin
from gateway.core.bench_state import Commissioning
from gateway.core.board import PumpLine, pump_line
from gateway.core.intake import is_silent, promise_ms
from gateway.core.state import Pump, PumpCondition
from gateway.core.store import State
from gateway.core.stretches import JudgedStretch, stretches
from gateway.core.synthetic import SYNTHETIC
from gateway.core.views import outlook_of_battery
from gateway.domain.instants import Instant
from gateway.domain.outlook import SettingChange
from gateway.domain.words import Condition, Priority
from rules.model import Protocol


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """An alarm condition as last told. `priority` is ours, None without a protocol; the pump's own stands beside it."""

    condition: Condition
    active: bool
    started_at: Instant
    changed_at: Instant
    priority: Priority | None
    device_priority: Priority | None
    stops_delivery: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class BootLine:
    """One start of the device: its messages from the first number heard to the highest, and how many between never arrived."""

    boot: str
    first: int
    highest: int
    missing: int


@dataclass(frozen=True, slots=True)
class ScaleLine:
    """The scale under the bag: its newest weight in grams; `falls`: whether the bag gets lighter as it should."""

    weighed_at: Instant
    weight_g: float
    falls: bool | None


@dataclass(frozen=True, slots=True)
class MeasuresLine:
    """What the pump measured. mL, mL/h, mmHg, percent; None where it never said.

    `told_at` is its newest telemetry: rate, set rate, pressure, power and lock are no newer than that. Instants are observed
    times.
    """

    told_at: Instant | None
    delivering: bool | None
    said_at: Instant | None
    since: Instant | None
    reason: str
    rate_ml_h: float | None
    set_rate_ml_h: float | None
    infused_ml: float | None
    infused_at: Instant | None
    remaining_ml: float | None
    remaining_at: Instant | None
    battery_percent: float | None
    battery_at: Instant | None
    battery_empty_at: Instant | None
    on_battery: bool | None
    pressure_mmhg: float | None
    locked: bool | None


@dataclass(frozen=True, slots=True)
class PumpSheet:
    """A device in full. It is `silent` when it says nothing for `promise_ms`; `interval_ms` is how often it reports.

    `messages` are (refused, all) of the last five minutes. Active conditions stand first, of boots, settings and
    commissionings the newest.
    `stretches` are the interruptions and unknown times of the course that it serves.
    """

    line: PumpLine
    silent: bool
    promise_ms: int
    interval_ms: int
    observed_at: Instant | None
    measures: MeasuresLine
    conditions: tuple[ConditionLine, ...]
    boots: tuple[BootLine, ...]
    settings: tuple[SettingChange, ...]
    messages: tuple[int, int]
    stretches: tuple[JudgedStretch, ...]
    scale: ScaleLine | None
    commissioned: tuple[Commissioning, ...] = ()


def pump_sheet(state: State, device: str, at: Instant) -> PumpSheet | None:
    """The ward's device of that name; None where none was ever heard or enrolled."""
    pump = state.pumps.get(f"{state.ward.site}/{device}")
    if pump is None or pump.course == SYNTHETIC:
        return None
    course = state.courses.get(pump.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    known = sorted(pump.conditions.values(), key=lambda one: (not one.active, -one.changed_at))
    return PumpSheet(
        line=pump_line(pump, at),
        silent=is_silent(pump, protocol, at),
        promise_ms=promise_ms(pump, protocol),
        interval_ms=pump.interval_ms,
        observed_at=pump.observed_at or None,
        measures=_measures(pump, protocol),
        conditions=tuple(_condition(one, protocol) for one in known),
        boots=tuple(_boots(pump)),
        settings=pump.settings[::-1],
        messages=twin.messages_of(pump, at),
        stretches=stretches(course, at) if course is not None else (),
        scale=_scale(pump),
        commissioned=pump.commissioned[::-1],
    )


def _measures(pump: Pump, protocol: Protocol | None) -> MeasuresLine:
    flow, battery = pump.flow, outlook_of_battery(pump, protocol)
    return MeasuresLine(
        told_at=pump.measured_at or None,
        delivering=flow.delivering,
        said_at=flow.at or None,
        since=flow.since or None,
        reason=flow.reason,
        rate_ml_h=pump.rate_ml_h,
        set_rate_ml_h=pump.set_rate_ml_h,
        infused_ml=pump.infused_ml,
        infused_at=pump.infused_at or None,
        remaining_ml=pump.remaining_ml,
        remaining_at=pump.remaining_at or None,
        battery_percent=pump.battery_percent,
        battery_at=pump.battery_at or None,
        battery_empty_at=battery.empty_at if battery is not None else None,
        on_battery=pump.on_battery,
        pressure_mmhg=pump.pressure_mmhg,
        locked=pump.locked,
    )


def _condition(known: PumpCondition, protocol: Protocol | None) -> ConditionLine:
    return ConditionLine(
        condition=known.condition,
        active=known.active,
        started_at=known.started_at,
        changed_at=known.changed_at,
        priority=protocol.conditions.get(known.condition) if protocol is not None else None,
        device_priority=known.device_priority,
        stops_delivery=known.stops_delivery,
        text=known.text,
    )


def _boots(pump: Pump) -> list[BootLine]:
    lines = []
    for boot, numbers in pump.boots.items():
        missing = sum(last - first + 1 for first, last in numbers.holes if first > numbers.low)
        lines.append(BootLine(boot, numbers.low, numbers.high, missing))
    return lines[::-1]


def _scale(pump: Pump) -> ScaleLine | None:
    return None if pump.scale is None else ScaleLine(pump.scale.weighed_at, pump.scale.weight_g, pump.scale.falls)
