"""What stands on the wire of the JSON channels, checked by pydantic, and the reading that each object makes.

Numbers, booleans and texts are strict; enums are read from their spelling; bounds are those of `device_adapters.bounds`.
Typed dictionaries, not models: they hold only what was sent, which makes a reading twice as fast to build.
"""

from typing import Annotated, Any, Required

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from device_adapters.bounds import (
    NAME_CHARS_MAX,
    PERCENT,
    PRESSURE_MMHG,
    RATE_ML_H,
    SHIFT_S,
    TEMPERATURE_C,
    VOLUME_ML,
    WEIGHT_G,
    Bound,
    plain_text,
)
from device_adapters.bridge_health import bridge_health
from device_adapters.times import sender_time
from gateway.domain.readings import AlarmChange, DiaryEntry, LinkStatus, Observation, PumpEvent, Refusal, Refused
from gateway.domain.words import (
    AlarmPhase,
    ClockQuality,
    Condition,
    DeliveryStatus,
    DiaryKind,
    NotDeliveringReason,
    Power,
    Priority,
    PumpEventKind,
)

_REASONS = {reason.value: reason for reason in NotDeliveringReason}
_CONDITIONS = {condition.value: condition for condition in Condition}
_PRIORITIES = {priority.value: priority for priority in Priority}


def _number(bound: Bound) -> Any:
    return Field(strict=True, ge=bound[0], le=bound[1], allow_inf_nan=False)


def _any_reason(word: object) -> object:
    """A reason that we do not know is still a reason: unspecified."""
    return _REASONS.get(word, NotDeliveringReason.UNSPECIFIED) if isinstance(word, str) else word


Rate = Annotated[float, _number(RATE_ML_H)]
Volume = Annotated[float, _number(VOLUME_ML)]
Percent = Annotated[float, _number(PERCENT)]
Pressure = Annotated[float, _number(PRESSURE_MMHG)]
Weight = Annotated[float, _number(WEIGHT_G)]
Temperature = Annotated[float, _number(TEMPERATURE_C)]
Shift = Annotated[float, _number(SHIFT_S)]
Sequence = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]  # what SQLite and InfluxDB can hold
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(strict=True, max_length=NAME_CHARS_MAX)]
Text = Annotated[str, Field(strict=True)]
Reason = Annotated[NotDeliveringReason, BeforeValidator(_any_reason)]


class Wire(TypedDict, total=False):
    """What every object may carry. `observed_at` is read by `sender_time`."""

    observed_at: Required[Any]
    boot: Name | None
    seq: Sequence | None
    clock: ClockQuality


class TelemetryWire(Wire, total=False):
    """One observation: every measure optional, at least one present."""

    delivery_status: DeliveryStatus | None
    not_delivering_reason: Reason | None
    rate_ml_h: Rate | None
    set_rate_ml_h: Rate | None
    infused_ml: Volume | None
    remaining_ml: Volume | None
    battery_percent: Percent | None
    power: Power | None
    pressure_mmhg: Pressure | None
    locked: Flag | None
    bag_weight_g: Weight | None


class AlarmWire(Wire, total=False):
    """One change of an alarm condition. What is `Any` is a decoration, read leniently: it never costs the alarm."""

    alarm: Required[Text]
    phase: Required[AlarmPhase]
    priority: Any
    stops_delivery: Any
    code: Any
    text: Any


class EventWire(Wire, total=False):
    """Something that happened at the pump."""

    event: Required[PumpEventKind]
    reason: Reason | None
    transitioning: Flag
    bag_ml: Volume | None
    bag: Name | None
    primed_ml: Volume | None
    rate_ml_h: Rate | None
    setting: Name | None
    shift_s: Shift | None


class StatusWire(TypedDict, total=False):
    """The connection's own word, often a Last Will written long before: without a time it is observed at 0."""

    observed_at: Any
    boot: Name | None
    seq: Sequence | None
    clock: ClockQuality
    online: Required[Flag]
    bridge: Any


class DiaryWire(Wire, total=False):
    """What the patient or caregiver wrote; each kind of entry has its one value."""

    entry: Required[DiaryKind]
    temperature_c: Temperature | None
    changed: Flag | None
    text: Text | None


# Each key that is read, for people. What is written freely (`text`) is not among them.
MEANINGS = {
    "observed_at": "when, by the sender's clock",
    "boot": "the sender's start",
    "seq": "number of the message within it",
    "clock": "the sender's clock",
    "delivery_status": "what the pump says it does",
    "not_delivering_reason": "why it does not",
    "rate_ml_h": "what flows now",
    "set_rate_ml_h": "the rate that is set",
    "infused_ml": "infused since the counter's zero",
    "remaining_ml": "left to infuse",
    "battery_percent": "battery",
    "power": "from the mains or the battery",
    "pressure_mmhg": "pressure in the line",
    "locked": "the keys are locked",
    "bag_weight_g": "bag with its hook",
    "alarm": "condition",
    "phase": "it starts, goes on, ends",
    "priority": "the device's own priority",
    "stops_delivery": "it stops the pump",
    "code": "the vendor's code",
    "event": "what happened at the pump",
    "reason": "why",
    "transitioning": "half of a change of rate",
    "bag_ml": "the bag's volume",
    "bag": "the bag",
    "primed_ml": "primed",
    "setting": "which setting",
    "shift_s": "by how much the clock was set",
    "online": "the connection stands",
    "bridge": "the bridge's health",
    "entry": "what the patient enters",
    "temperature_c": "temperature",
    "changed": "the handwriting changed",
}

_STAMPS = ("observed_at", "boot", "seq", "clock")


def observation(wire: TelemetryWire) -> Observation | Refused:
    """Refuses: NO_MEASURE, and what `sender_time` refuses."""
    at = sender_time(wire["observed_at"])
    if isinstance(at, Refused):
        return at
    wire["observed_at"] = at
    if wire.get("delivery_status") is None and all(value is None for key, value in wire.items() if key not in _STAMPS):
        return Refused(Refusal.NO_MEASURE, detail="at least one measure")
    return Observation(**wire)


def alarm_change(wire: AlarmWire) -> AlarmChange | Refused:
    """Refuses what `sender_time` refuses."""
    at = sender_time(wire["observed_at"])
    if isinstance(at, Refused):
        return at
    priority, stops, code, text = (wire.get(key) for key in ("priority", "stops_delivery", "code", "text"))
    name = wire["alarm"]
    condition = _CONDITIONS.get(name)
    said = plain_text(text) if isinstance(text, str) else None
    return AlarmChange(
        observed_at=at,
        boot=wire.get("boot"),
        seq=wire.get("seq"),
        clock=wire.get("clock", ClockQuality.SYNCED),
        condition=condition or Condition.OTHER,
        phase=wire["phase"],
        priority=_PRIORITIES.get(priority) if isinstance(priority, str) else None,
        stops_delivery=stops if isinstance(stops, bool) else None,
        code=plain_text(code, chars_max=NAME_CHARS_MAX) if isinstance(code, str) else None,
        text=said or (plain_text(name) if condition is None else None),
    )


def pump_event(wire: EventWire) -> PumpEvent | Refused:
    """Refuses what `sender_time` refuses."""
    at = sender_time(wire["observed_at"])
    if isinstance(at, Refused):
        return at
    wire["observed_at"] = at
    return PumpEvent(**wire)


def link_status(wire: StatusWire) -> LinkStatus | Refused:
    """Refuses what `sender_time` refuses, where a time stands at all."""
    stated = wire.get("observed_at")
    at = 0 if stated is None else sender_time(stated)
    if isinstance(at, Refused):
        return at
    wire["observed_at"] = at
    if wire.get("bridge") is not None:
        wire["bridge"] = bridge_health(wire["bridge"])
    return LinkStatus(**wire)


_DIARY_VALUES = {
    DiaryKind.TEMPERATURE: "temperature_c",
    DiaryKind.HANDWRITING: "changed",
    DiaryKind.SYMPTOM: "text",
    DiaryKind.NOTE: "text",
}


def diary_entry(wire: DiaryWire) -> DiaryEntry | Refused:
    """Refuses: MISSING_FIELD (the entry without its value), and what `sender_time` refuses."""
    at = sender_time(wire["observed_at"])
    if isinstance(at, Refused):
        return at
    wire["observed_at"] = at
    text = wire.get("text")
    wire["text"] = None if text is None else plain_text(text)
    needed = _DIARY_VALUES[wire["entry"]]
    if wire.get(needed) is None:
        return Refused(Refusal.MISSING_FIELD, needed, "this kind of entry needs it")
    return DiaryEntry(**wire)
