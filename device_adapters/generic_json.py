"""The JSON channels of the MQTT contract: telemetry, alarm, event, status, diary.

One object a message, or an array of up to 500 (catch-up):

    telemetry {"observed_at": "2026-03-02T08:00:00+08:00", "boot": "b1", "seq": 41, "rate_ml_h": 0.6, "power": "mains"}
    alarm     {"observed_at": 1772409600000, "alarm": "air-in-line", "phase": "start", "priority": "high", "stops_delivery": true}
    event     {"observed_at": ..., "event": "bag-changed", "bag_ml": 110, "primed_ml": 0}
    status    {"online": false}
    diary     {"observed_at": ..., "entry": "temperature", "temperature_c": 38.4}

Keys that we do not know are ignored: a newer pump must not lose its alarm over them. `null` means absent. Numbers are numbers:
text, booleans, NaN and infinities are refused. A bad object of an array is refused alone; the others are read.

Fail safe: an alarm is never refused for a decoration. A `priority`, `stops_delivery`, `code` or `text` that cannot be read is
dropped, and an unknown condition is kept as `other` under its own text, or its name.

Refuses: BAD_TOPIC, TOO_LARGE, EMPTY, NOT_UTF8, NOT_JSON, NOT_AN_OBJECT, TOO_MANY, MISSING_FIELD, WRONG_TYPE, UNKNOWN_VALUE,
OUT_OF_BOUNDS, BAD_TIME, NO_MEASURE.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from device_adapters.bounds import MESSAGES_MAX, PAYLOAD_BYTES_MAX
from device_adapters.envelope import Sent
from device_adapters.generic_json_wire import (
    MEANINGS,
    AlarmWire,
    DiaryWire,
    EventWire,
    StatusWire,
    TelemetryWire,
    alarm_change,
    diary_entry,
    link_status,
    observation,
    pump_event,
)
from device_adapters.json_spans import json_spans
from device_adapters.span import Span
from gateway.domain.readings import Decoded, Reading, Refusal, Refused
from gateway.domain.words import Channel


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one channel is read: JSON to checked typed dictionaries, and each of these to a reading."""

    one_from_json: Callable[[bytes], Any]
    many_from_json: Callable[[bytes], list[Any]]
    from_object: Callable[[object], Any]
    reading: Callable[[Any], Reading | Refused]


def _shape(wire: Any, reading: Callable[[Any], Reading | Refused]) -> _Shape:
    one = TypeAdapter(wire).validator  # one call less than the adapter's own methods, a million times a day
    many = TypeAdapter(Annotated[list[wire], Field(min_length=1, max_length=MESSAGES_MAX)]).validator
    return _Shape(one.validate_json, many.validate_json, one.validate_python, reading)


_SHAPES: dict[str, _Shape] = {
    Channel.TELEMETRY.value: _shape(TelemetryWire, observation),
    Channel.ALARM.value: _shape(AlarmWire, alarm_change),
    Channel.EVENT.value: _shape(EventWire, pump_event),
    Channel.STATUS.value: _shape(StatusWire, link_status),
    Channel.DIARY.value: _shape(DiaryWire, diary_entry),
}

# An object that comes without a channel says by its own key what it is; what has none of them is telemetry.
_TELLING_KEYS = {"alarm": Channel.ALARM, "event": Channel.EVENT, "entry": Channel.DIARY, "online": Channel.STATUS}


class GenericJson:
    """The adapter of pumps and bridges that speak our own JSON."""

    name = "generic-json"

    def decode_channel(self, channel: str, payload: bytes) -> Decoded:
        """Read what was published on `channel` (telemetry, alarm, event, status or diary)."""
        shape = _SHAPES.get(channel)
        if shape is None:
            return _refusing(Refusal.BAD_TOPIC, detail="no JSON channel of this name")
        if len(payload) > PAYLOAD_BYTES_MAX:
            return _refusing(Refusal.TOO_LARGE, detail=f"at most {PAYLOAD_BYTES_MAX} bytes")
        if payload.startswith(b"{"):
            return _one(shape, payload)
        try:
            wires = shape.many_from_json(payload)
        except ValidationError:  # the ordinary catch-up is fine as a whole; only a bad one is taken apart
            return _one_by_one(payload, lambda _: shape)
        return _together([shape.reading(wire) for wire in wires])

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:  # noqa: ARG002  its frames tell the time themselves
        """Read objects that came without a channel, mixed as they may be (`raw/generic-json`)."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            return _refusing(Refusal.TOO_LARGE, detail=f"at most {PAYLOAD_BYTES_MAX} bytes")
        return _one_by_one(payload, _shape_by_key)

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """Key by key."""
        return tuple(json_spans(payload, MEANINGS))


def _shape_by_key(item: object) -> _Shape:
    keys = item.keys() if isinstance(item, dict) else ()
    return _SHAPES[next((channel for key, channel in _TELLING_KEYS.items() if key in keys), Channel.TELEMETRY)]


def _one(shape: _Shape, payload: bytes) -> Decoded:
    try:
        reading = shape.reading(shape.one_from_json(payload))
    except ValidationError as error:
        return Decoded(refused=(_named(error, payload),))
    if isinstance(reading, Refused):
        return Decoded(refused=(reading,))
    return Decoded((reading,))


def _one_by_one(payload: bytes, shape_of: Callable[[object], _Shape]) -> Decoded:
    """Take a payload apart in Python: slower, but each object stands for itself."""
    try:
        whole = from_json(payload)
    except ValueError:
        return Decoded(refused=(_not_json(payload),))
    if isinstance(whole, dict):
        found = _read_object(whole, shape_of(whole))
        return Decoded(refused=(found,)) if isinstance(found, Refused) else Decoded((found,))
    if not isinstance(whole, list):
        return _refusing(Refusal.NOT_AN_OBJECT, detail="one object, or an array of objects")
    if not whole:
        return _refusing(Refusal.EMPTY, detail="an array without objects")
    if len(whole) > MESSAGES_MAX:
        return _refusing(Refusal.TOO_MANY, detail=f"at most {MESSAGES_MAX} objects")
    return _together([_read_object(item, shape_of(item)) for item in whole])


def _read_object(item: object, shape: _Shape) -> Reading | Refused:
    try:
        return shape.reading(shape.from_object(item))
    except ValidationError as error:
        return _named(error, b"")


def _together(found: list[Reading | Refused]) -> Decoded:
    """What the objects of an array gave, in their order; each refusal says which."""
    readings = tuple(item for item in found if not isinstance(item, Refused))
    if len(readings) == len(found):
        return Decoded(readings)
    return Decoded(readings, tuple(_at(item, index) for index, item in enumerate(found) if isinstance(item, Refused)))


def _at(refused: Refused, index: int) -> Refused:
    return replace(refused, where=f"[{index}].{refused.where}" if refused.where else f"[{index}]")


def _refusing(reason: Refusal, *, detail: str) -> Decoded:
    return Decoded(refused=(Refused(reason, detail=detail),))


def _not_json(payload: bytes) -> Refused:
    if not payload.strip():
        return Refused(Refusal.EMPTY, detail="a message without content")
    try:
        payload.decode()
    except UnicodeDecodeError:
        return Refused(Refusal.NOT_UTF8, detail="JSON is written in UTF-8")
    return Refused(Refusal.NOT_JSON, detail="one JSON object, or an array of objects")


_REASONS = {
    "missing": Refusal.MISSING_FIELD,
    "enum": Refusal.UNKNOWN_VALUE,
    "greater_than_equal": Refusal.OUT_OF_BOUNDS,
    "less_than_equal": Refusal.OUT_OF_BOUNDS,
    "finite_number": Refusal.OUT_OF_BOUNDS,
    "string_too_long": Refusal.OUT_OF_BOUNDS,
    "dict_type": Refusal.NOT_AN_OBJECT,
}


def _named(error: ValidationError, payload: bytes) -> Refused:
    """Our name for the first thing that pydantic found wrong. Its own messages are not passed on: they may quote the payload."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return _not_json(payload)
    where = str(first["loc"][0]) if first["loc"] else ""
    reason = _REASONS.get(first["type"], Refusal.WRONG_TYPE)
    if first["type"] == "enum" and not isinstance(first["input"], str):
        reason = Refusal.WRONG_TYPE
    return Refused(reason, where, _mend(reason, first))


def _mend(reason: Refusal, error: ErrorDetails) -> str:
    """What would be right; made of our own schema's words only."""
    context = error.get("ctx", {})
    if reason is Refusal.OUT_OF_BOUNDS:
        return next((f"{words} {context[key]}" for key, words in _BOUND_WORDS.items() if key in context), "a finite number")
    if reason is Refusal.UNKNOWN_VALUE:
        return f"one of {context.get('expected', '')}"
    return _MENDS.get(error["type"], "another type is expected")


_BOUND_WORDS = {"ge": "at least", "le": "at most", "max_length": "characters: at most"}
_MENDS = {
    "missing": "required",
    "dict_type": "one object, or an array of objects",
    "float_type": "a number, without quotes",
    "int_type": "a whole number, without quotes",
    "bool_type": "true or false",
    "string_type": "text",
    "enum": "text",
}
