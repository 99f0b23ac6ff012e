"""Readings and judgements as InfluxDB line protocol, written by hand: a checked f-string costs a seventh of a `Point` object.

A line is `measurement,tag=value,… field=value,… milliseconds`. The store identifies a point by measurement, tags and time, so
writing a line twice changes nothing; two different observations of one pump with the same millisecond overwrite each other,
field by field, and the later one stays.
"""

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from gateway.core.twin import AHEAD_MAX_MS
from gateway.domain.effects import Point
from gateway.domain.instants import Instant
from gateway.domain.readings import AlarmChange, AlarmsClear, Observation, Reading
from gateway.domain.words import AlarmPhase, ClockQuality, DeliveryStatus, Power
from gateway.runtime.point_schema import FLOAT, INT, MEASURES, SCHEMA, TEXT, Measurement

TEXT_MAX = 1_000  # characters of a text field; the rest is cut off: the journal has it whole
PREFIXES_MAX = 50_000  # cached series prefixes, about 10 MB; full: all are forgotten and made again as they come
INT_MAX = 2**63 - 1


def lines_of(site: str, device: str, course: str, readings: Sequence[Reading], received_at: Instant | None = None) -> list[bytes]:
    """The lines of one message of `device`, which served `course` ("" for none) when it was received.

    Observations become `pump`, alarm changes and each condition that is clear `pump_alarm`; other readings, and observations
    without a number, give no line.
    With `received_at`, it replaces the sender's time where that comes from a free clock or is over 2 min ahead.
    """
    lines = []
    for reading in readings:
        if isinstance(reading, Observation):
            fields = _observation_fields(reading)
            prefix = _prefix("pump", (site, device, course))
        elif isinstance(reading, AlarmChange):
            fields = _alarm_fields(reading)
            priority = reading.priority.value if reading.priority is not None else "none"
            prefix = _prefix("pump_alarm", (site, device, course, reading.condition.value, priority))
        elif isinstance(reading, AlarmsClear):
            stamp = _stamp(reading, received_at)
            prefixes = (_prefix("pump_alarm", (site, device, course, one.value, "none")) for one in reading.conditions)
            lines += [f"{prefix} {_CLEAR} {stamp}".encode(errors="replace") for prefix in prefixes]
            continue
        else:
            continue
        if fields:
            lines.append(f"{prefix} {fields} {_stamp(reading, received_at)}".encode(errors="replace"))
    return lines


def line_of(point: Point) -> bytes:
    """The line of a judgement of ours.

    Raises ValueError for what the schema does not declare: measurement, tag, field or a value of another type; and for a point
    that has no field left after NaN and infinity were dropped.
    """
    measurement = SCHEMA.get(point.measurement)
    if measurement is None:
        raise ValueError(f"measurement {point.measurement!r} is not in the schema: {', '.join(SCHEMA)}")
    tags = dict(point.tags)
    if unknown := tags.keys() - set(measurement.tags):
        raise ValueError(f"{point.measurement} has no tag {', '.join(sorted(unknown))}; its tags: {', '.join(measurement.tags)}")
    fields = ",".join(
        f"{name}={text}" for name, value in point.fields if (text := _field(point.measurement, measurement, name, value))
    )
    if not fields:
        raise ValueError(f"a point of {point.measurement} at {point.at} has no field to write")
    prefix = _prefix(point.measurement, tuple(tags.get(tag, "") for tag in measurement.tags))
    return f"{prefix} {fields} {point.at}".encode(errors="replace")


def point_to_json(point: Point) -> bytes:
    """`point` as the body of an outbox row; unchecked, because what `line_of` refuses is set aside where it is written."""
    body = {"measurement": point.measurement, "tags": point.tags, "fields": point.fields, "at": point.at}
    return json.dumps(body, separators=(",", ":")).encode()


def point_from_json(body: bytes) -> Point:
    """The point of an outbox row. Raises ValueError when it is not one."""
    try:
        made = json.loads(body)
        tags = tuple((str(name), str(value)) for name, value in made["tags"])
        fields = tuple((str(name), value) for name, value in made["fields"])
        return Point(measurement=str(made["measurement"]), tags=tags, fields=fields, at=int(made["at"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"not a point: {error!r}") from error


_measures_of: Callable[[Observation], tuple[float | None, ...]] = attrgetter(*MEASURES)
_MEASURE_KEYS = tuple(f"{name}=" for name in MEASURES)


def _observation_fields(observation: Observation) -> str:
    """All numbers of an observation; "" when there is none."""
    fields = [
        key + repr(value)
        for key, value in zip(_MEASURE_KEYS, _measures_of(observation), strict=True)
        if value is not None and value - value == 0.0  # false for NaN and infinity, and cheaper than asking
    ]
    if observation.power is not None:
        fields.append("on_battery=1i" if observation.power is Power.BATTERY else "on_battery=0i")
    if observation.delivery_status is not None:
        delivering = observation.delivery_status is DeliveryStatus.DELIVERING
        fields.append("delivering=1i" if delivering else "delivering=0i")
    return ",".join(fields)


_CLEAR = "active=0i,began=0i"
_ACTIVE = {AlarmPhase.START: 1, AlarmPhase.CONTINUE: 1, AlarmPhase.END: 0, AlarmPhase.INACTIVATED: 0}


def _alarm_fields(change: AlarmChange) -> str:
    active = f"active={_ACTIVE[change.phase]}i,began={int(change.phase is AlarmPhase.START)}i"
    return f"{active},text={_quoted(change.text)}" if change.text else active


def _stamp(reading: Reading, received_at: Instant | None) -> Instant:
    """The sender's time, or ours where that is known and the sender's is not to be believed."""
    if received_at is None:
        return reading.observed_at
    believed = reading.clock is ClockQuality.SYNCED and reading.observed_at <= received_at + AHEAD_MAX_MS
    return reading.observed_at if believed else received_at


def _field(of: str, measurement: Measurement, name: str, value: Any) -> str:
    """A field's value as it is written; "" for NaN and infinity, which the store does not know."""
    known = measurement.fields.get(name)
    if known is None:
        raise ValueError(f"{of} has no field {name!r}; its fields: {', '.join(measurement.fields)}")
    kind = known.type
    if kind is TEXT and isinstance(value, str):
        return _quoted(value)
    if kind is INT and isinstance(value, int) and abs(value) <= INT_MAX:
        return f"{int(value)}i"
    if kind is FLOAT and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value)) if value - value == 0.0 else ""
    raise ValueError(f"{of}.{name} is {kind.value} for ever; {value!r} does not fit")


def _quoted(text: str) -> str:
    """A text field's value. White space becomes single spaces: some stores cut a body at every line break, even in quotes."""
    escaped = " ".join(text[:TEXT_MAX].split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# A backslash before an escaped character cannot be written so that all stores read it alike; no tag of ours needs one.
_TAG_ESCAPES = str.maketrans({" ": "\\ ", ",": "\\,", "=": "\\=", "\\": "/", "\n": "\\ ", "\r": "\\ "})

_prefixes: dict[tuple[str, tuple[str, ...]], str] = {}


def _prefix(measurement: str, values: tuple[str, ...]) -> str:
    """`measurement,tag=value,…` with values in schema order; empty values are left out, as the protocol demands."""
    key = (measurement, values)
    prefix = _prefixes.get(key)
    if prefix is None:
        tags = zip(SCHEMA[measurement].tags, values, strict=True)
        prefix = measurement + "".join(f",{tag}={value.translate(_TAG_ESCAPES)}" for tag, value in tags if value)
        if len(_prefixes) >= PREFIXES_MAX:
            _prefixes.clear()
        _prefixes[key] = prefix
    return prefix
