"""The way from a home to the broker: some messages come twice, some are overtaken; none is lost (QoS 1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from device_adapters.simulated_parts import Outgoing
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.words import AlarmPhase, Channel
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.chances import Chances

REPEAT_AFTER_S = (1.0, 30.0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message reaches the broker. `starts_alarm`: the first copy of the beginning of an alarm."""

    at: Instant
    topic: str
    payload: bytes
    starts_alarm: bool = False


@dataclass(order=True, slots=True)
class _Due:
    at: Instant
    number: int
    arrival: Arrival = field(compare=False)


class Network:
    """One home's connection. What goes wrong in it is seeded."""

    def __init__(self, site: str, device: str, assumed: Assumptions, chances: Chances) -> None:
        self._topic = f"dw/v1/{site}/{device}/"
        self._assumed = assumed
        self._chances = chances
        self._coming: list[_Due] = []
        self._count = 0

    @property
    def next_at(self) -> Instant | None:
        """When the next message arrives."""
        return self._coming[0].at if self._coming else None

    def carry(self, messages: Iterable[Outgoing], at: Instant) -> None:
        """Take what the pump sends at `at`."""
        for message in messages:
            starts = message.channel == Channel.ALARM and message.body.get("phase") == AlarmPhase.START
            self._send(at, message.channel, message.payload(), starts=starts)

    def tell_status(self, at: Instant, *, online: bool) -> None:
        """What the broker says about the connection itself (its Last Will, when it was lost)."""
        self._later(at, "status", b'{"online": true}' if online else b'{"online": false}', starts=False)

    def due(self, at: Instant) -> list[Arrival]:
        """What has arrived by `at`, in the order of arrival."""
        arrived = []
        while self._coming and self._coming[0].at <= at:
            arrived.append(heappop(self._coming).arrival)
        return arrived

    def _send(self, at: Instant, channel: str, payload: bytes, *, starts: bool) -> None:
        fate, late = self._chances.roll(), self._assumed.late
        arrives_at = at + self._seconds(self._assumed.late_s) if fate < late else at
        self._later(arrives_at, channel, payload, starts=starts)
        if late <= fate < late + self._assumed.repeated:
            self._later(at + self._seconds(REPEAT_AFTER_S), channel, payload, starts=False)

    def _later(self, at: Instant, channel: str, payload: bytes, *, starts: bool) -> None:
        self._count += 1
        heappush(self._coming, _Due(at, self._count, Arrival(at, self._topic + channel, payload, starts)))

    def _seconds(self, bounds: tuple[float, float]) -> int:
        return round(self._chances.between(bounds) * SECOND_MS)
