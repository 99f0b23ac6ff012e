"""A pump without a data port, seen from beside: its nurse-call contact, its status light, its mains socket, its bag on a scale.

One payload is one JSON object that a technician can read, in the bridge's envelope:

    {"relay": "idle", "light": "green", "light_seen": ["blue"], "mains": true, "weight_g": 108.4}

relay       the nurse-call contact: idle, calling; called = it called since the frame before, and is idle again (latched); unknown
light       the status light now: green, amber, red, blue, dark; unknown
light_seen  other colours since the frame before: a low alarm that shows for 5 s between two frames (latched)
mains       whether the pump's socket has power
weight_g    the bag with its hook, in grams, after tare

Every key may be absent: there is no such sensor. `unknown` is a sensor that has failed: then no alarm ends. The bridge sends a
frame at each change and once a minute.

What becomes of it: green is delivering and red is not, by the pump's own word. A dark light says nothing: a pump that has lost
its battery is as dark as one whose light is off. The contact, an amber light (stopped, alarm or low) and a blue one (low
priority) are the condition `other`, since nobody can tell which alarm it is. The pump masks lower alarms by higher ones; the
text says so. What the contact, the socket and the scale say is marked `beside`: a dead pump has a contact that is idle for ever.

Refuses: TOO_LARGE, EMPTY, NOT_UTF8, NOT_JSON, NOT_AN_OBJECT, WRONG_TYPE, UNKNOWN_VALUE, OUT_OF_BOUNDS, NO_MEASURE, MISSING_FIELD.
Source: docs/adapters-wire.md; tests/captures/relay_and_scale
"""

import json
from collections.abc import Callable
from typing import Any, Final

from device_adapters.bounds import WEIGHT_G, within
from device_adapters.envelope import Sent
from device_adapters.json_spans import json_spans
from device_adapters.span import Span
from gateway.domain.readings import AlarmChange, Decoded, Observation, Reading, Refusal, Refused
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power, Priority

FRAME_BYTES_MAX: Final = 1024  # a full frame has about 110
SEEN_MAX: Final = 8  # there are five colours

UNKNOWN: Final = "unknown"
RELAYS: Final = ("idle", "calling", "called", UNKNOWN)
COLOURS: Final = ("green", "amber", "red", "blue", "dark")

_MEANINGS: Final = {
    "relay": "nurse-call contact",
    "light": "status light now",
    "light_seen": "other colours since the frame before",
    "mains": "the socket has power",
    "weight_g": "bag with its hook",
}
_STATUSES: Final = {"green": DeliveryStatus.DELIVERING, "red": DeliveryStatus.NOT_DELIVERING}
_CALLS: Final = {"calling": "nurse call contact", "called": "nurse call contact, briefly"}
_LIGHTS: Final = {"amber": "amber light: stopped, alarm or low", "blue": "blue light: low priority"}
_MASKED: Final = "lower alarms may be hidden"
_MASKING: Final = frozenset({"amber", "red"})

_Frame = dict[str, Any]


class RelayAndScale:
    """The adapter of pumps that cannot speak."""

    name = "relay-and-scale"

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:
        """Read one frame; a key that cannot be read is refused alone."""
        if sent is None:
            return _refusing(Refusal.MISSING_FIELD, "observed_at", "the frames tell no time: put an envelope around them")
        frame = _frame(payload)
        if isinstance(frame, Refused):
            return Decoded(refused=(frame,))
        refused = [item for item in (_objection(key, frame.get(key)) for key in _CHECKS) if item is not None]
        for item in refused:
            frame[item.where] = _left_of(item.where, frame[item.where])
        readings = [
            reading for reading in (_by_light(frame, sent), _beside(frame, sent), _alarm(frame, sent)) if reading is not None
        ]
        if not readings and not refused:
            return _refusing(Refusal.NO_MEASURE, "frame", "relay, light, mains or weight_g")
        return Decoded(tuple(readings), tuple(refused))

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """Key by key."""
        return tuple(json_spans(payload, _MEANINGS))


def _frame(payload: bytes) -> _Frame | Refused:
    if len(payload) > FRAME_BYTES_MAX:
        return Refused(Refusal.TOO_LARGE, "frame", f"at most {FRAME_BYTES_MAX} bytes")
    if not payload.strip():
        return Refused(Refusal.EMPTY, "frame", "one JSON object")
    try:
        found = json.loads(payload)
    except UnicodeDecodeError:
        return Refused(Refusal.NOT_UTF8, "frame", "JSON is written in UTF-8")
    except (ValueError, RecursionError):
        return Refused(Refusal.NOT_JSON, "frame", "one JSON object")
    return found if isinstance(found, dict) else Refused(Refusal.NOT_AN_OBJECT, "frame", "one JSON object")


def _left_of(key: str, value: object) -> object:
    """What a key still says that was refused. A colour that we do not know may be an alarm, and ends none."""
    if key == "light_seen":
        seen = value if isinstance(value, list) and len(value) <= SEEN_MAX else []
        return [*(colour for colour in COLOURS if colour in seen), UNKNOWN]
    return UNKNOWN if key in ("relay", "light") else None


def _objection(key: str, value: object) -> Refused | None:
    return None if value is None else _CHECKS[key](key, value)


def _one_of(words: tuple[str, ...]) -> Callable[[str, object], Refused | None]:
    def check(key: str, value: object) -> Refused | None:
        return None if value in words else Refused(Refusal.UNKNOWN_VALUE, key, f"one of {', '.join(words)}")

    return check


def _colours(key: str, value: object) -> Refused | None:
    if not isinstance(value, list) or len(value) > SEEN_MAX:
        return Refused(Refusal.WRONG_TYPE, key, f"a list of at most {SEEN_MAX} colours")
    return None if all(colour in COLOURS for colour in value) else Refused(Refusal.UNKNOWN_VALUE, key, ", ".join(COLOURS))


def _truth(key: str, value: object) -> Refused | None:
    return None if isinstance(value, bool) else Refused(Refusal.WRONG_TYPE, key, "true or false")


def _grams(key: str, value: object) -> Refused | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refused(Refusal.WRONG_TYPE, key, "a number, without quotes")
    if within(value, WEIGHT_G):
        return None
    return Refused(Refusal.OUT_OF_BOUNDS, key, f"from {WEIGHT_G[0]:g} to {WEIGHT_G[1]:g} g")


_CHECKS: Final[dict[str, Callable[[str, object], Refused | None]]] = {
    "relay": _one_of(RELAYS),
    "light": _one_of((*COLOURS, UNKNOWN)),
    "light_seen": _colours,
    "mains": _truth,
    "weight_g": _grams,
}


def _by_light(frame: _Frame, sent: Sent) -> Reading | None:
    """What the pump itself says of its delivery."""
    status = _STATUSES.get(frame.get("light") or "")
    return None if status is None else Observation(observed_at=sent.observed_at, clock=sent.clock, delivery_status=status)


def _beside(frame: _Frame, sent: Sent) -> Reading | None:
    mains, weight_g = frame.get("mains"), frame.get("weight_g")
    if mains is None and weight_g is None:
        return None
    return Observation(
        observed_at=sent.observed_at,
        clock=sent.clock,
        power=None if mains is None else Power.MAINS if mains else Power.BATTERY,
        bag_weight_g=None if weight_g is None else float(weight_g),
        beside=True,
    )


def _alarm(frame: _Frame, sent: Sent) -> Reading | None:
    """One change of `other` for all that calls; an `end` only where every sensor that is there says that nothing does."""
    relay, light = frame.get("relay"), frame.get("light")
    colours = dict.fromkeys([light, *(frame.get("light_seen") or ())])
    said = [_CALLS[relay]] if relay in _CALLS else []
    said += [_LIGHTS[colour] for colour in colours if colour in _LIGHTS]
    if not said and (UNKNOWN in (relay, *colours) or relay is light is None):
        return None
    only_low = said == [_LIGHTS["blue"]] and not {"red", UNKNOWN} & set(colours)
    if said and (relay in _CALLS or not _MASKING.isdisjoint(colours)):
        said.append(_MASKED)
    return AlarmChange(
        observed_at=sent.observed_at,
        clock=sent.clock,
        condition=Condition.OTHER,
        phase=AlarmPhase.CONTINUE if said else AlarmPhase.END,
        priority=_priority(said, only_low=only_low),
        text="; ".join(said) or None,
        beside=light in (None, "dark", UNKNOWN),
    )


def _priority(said: list[str], *, only_low: bool) -> Priority | None:
    """High is said, not left open: the twin would keep the `low` of a blue light that turned amber without an `end`."""
    if not said:
        return None
    return Priority.LOW if only_low else Priority.HIGH


def _refusing(reason: Refusal, where: str, detail: str) -> Decoded:
    return Decoded(refused=(Refused(reason, where, detail),))
