"""The one thing that the bridge reads in a frame: whether something began or ended that a person may have to know at once.

It asks the same adapters as the gateway and keeps their answer by device. Nothing is decided here but the order of sending.
"""

from dataclasses import dataclass, field
from enum import Enum

from device_adapters.envelope import Sent, enveloped
from device_adapters.registry import decode
from gateway.bridge.frames import Seen
from gateway.domain.readings import AlarmChange, AlarmsClear, Observation, PumpEvent
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power

_BEGUN = (AlarmPhase.START, AlarmPhase.CONTINUE)


class News(Enum):
    """What a frame says that the frame before did not."""

    NONE = 0
    CHANGED = 1  # power, lock, an event: sent now, in its order
    URGENT = 2  # an alarm began or ended, delivery began or stopped: sent before all that is not
    ALARM = 3  # an alarm began: the gateway has to answer for it


@dataclass(slots=True)
class _Known:
    active: set[Condition] = field(default_factory=set)
    delivery: DeliveryStatus | None = None
    power: Power | None = None
    locked: bool | None = None


class Attention:
    """What each device said last on each of its channels. As many as the bridge has."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Known] = {}

    def news(self, device: str, channel: str, body: bytes, seen: Seen, slot: str | None) -> News:
        """What is new in this frame. A frame that no adapter here can read is passed on as it is: a newer gateway may know it."""
        decoded = decode(channel, enveloped(Sent(seen.observed_at, clock=seen.clock, slot=slot), body))
        known = self._known.setdefault((device, channel), _Known())
        found = News.CHANGED if decoded.refused and not decoded.readings else News.NONE
        for reading in decoded.readings:
            if isinstance(reading, AlarmChange):
                new = _take_alarm(known, reading)
            elif isinstance(reading, AlarmsClear):
                new = News.NONE if known.active.isdisjoint(reading.conditions) else News.URGENT
                known.active.difference_update(reading.conditions)
            elif isinstance(reading, Observation):
                new = _take_observation(known, reading)
            else:
                new = News.URGENT if isinstance(reading, PumpEvent) else News.CHANGED
            found = max(found, new, key=lambda item: item.value)
        return found


def _take_alarm(known: _Known, alarm: AlarmChange) -> News:
    was, begun = alarm.condition in known.active, alarm.phase in _BEGUN
    if begun:
        known.active.add(alarm.condition)
    else:
        known.active.discard(alarm.condition)
    if alarm.phase is AlarmPhase.START or (begun and not was):
        return News.ALARM
    return News.URGENT if was and not begun else News.NONE


def _take_observation(known: _Known, seen: Observation) -> News:
    found = News.NONE
    if seen.delivery_status is not None and seen.delivery_status is not known.delivery:
        found, known.delivery = News.URGENT, seen.delivery_status
    for name in ("power", "locked"):
        value = getattr(seen, name)
        if value is not None and value != getattr(known, name):
            setattr(known, name, value)
            found = found if found is News.URGENT else News.CHANGED
    return found
