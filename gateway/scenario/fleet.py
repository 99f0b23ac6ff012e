"""Simulated homes on a real broker, in real or compressed time.

Only the homes' time is compressed: what they publish carries the real time at which it is sent, because a gateway's clocks are
real. At speed 60 an hour of a home is a minute of the gateway, and a stop of ten minutes is one of ten seconds.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeGuard

from gateway.domain.care import CloseWindow, OpenWindow
from gateway.domain.commands import HangBag
from gateway.domain.instants import Instant
from gateway.runtime.ports import Clock
from gateway.scenario.home import Home
from gateway.scenario.network import Arrival
from gateway.scenario.patients import patient
from gateway.scenario.places import Deed, Look, Place, Told

PUBLISHED_AT_ONCE = 10  # more stand in line behind the broker's answers
BEGIN_EVERY_MS = 10  # of real time: ten thousand pumps do not speak in the same instant

Publish = Callable[[str, bytes], Awaitable[None]]
Tell = Callable[[Told], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Played:
    """What was published, what people recorded, and how late the latest message was, in ms of real time."""

    messages: int
    commands: int
    behind_ms: int


class Fleet:
    """Homes whose cycles begin now. All instants of its methods are real ones, in ms."""

    def __init__(self, place: Place, patients: int, *, start_at: Instant, speed: float) -> None:
        self._start_at, self._speed = start_at, speed
        begin_ms = BEGIN_EVERY_MS * speed
        self._homes = [patient(place, number, start_at + round((number - 1) * begin_ms)) for number in range(1, patients + 1)]

    @property
    def courses(self) -> tuple[str, ...]:
        """The courses' names."""
        return tuple(home.course for home in self._homes)

    def next_at(self) -> Instant | None:
        """When something happens next; None when every cycle is over."""
        dues = [home.next_at for home in self._homes]
        due_at = min((due for due in dues if due is not None), default=None)
        return None if due_at is None else self._start_at + ceil((due_at - self._start_at) / self._speed)

    def due(self, at: Instant) -> list[Arrival | Told]:
        """What has happened by `at`, a home at a time, each in order."""
        until = self._start_at + round((at - self._start_at) * self._speed)
        return [self._told(deed) for home in self._homes for deed in _lived(home, until) if _is_played(deed)]

    def real(self, at: Instant) -> Instant:
        """The real instant of one in the homes' time."""
        return self._start_at + round((at - self._start_at) / self._speed)

    def _told(self, deed: Arrival | Told) -> Arrival | Told:
        """With real times."""
        if self._speed == 1:
            return deed
        if isinstance(deed, Arrival):
            body = json.loads(deed.payload)
            if "observed_at" in body:
                body["observed_at"] = self.real(body["observed_at"])
            return replace(deed, at=self.real(deed.at), payload=json.dumps(body, separators=(",", ":")).encode())
        command = deed.command
        if isinstance(command, HangBag) and command.hung_at is not None:
            command = replace(command, hung_at=self.real(command.hung_at))
        return Told(deed.who, command)


def _is_played(deed: Deed) -> TypeGuard[Arrival | Told]:
    """A look at the forecast changes nothing here, and the length of a window is one of the homes' time, not of the gateway's."""
    return not isinstance(deed, Look) and not (isinstance(deed, Told) and isinstance(deed.command, OpenWindow | CloseWindow))


def _lived(home: Home, until: Instant) -> Sequence[Arrival | Told | Look]:
    return home.due(until) if home.next_at is not None and home.next_at <= until else ()


async def play(fleet: Fleet, publish: Publish, tell: Tell, clock: Clock, until: Instant) -> Played:
    """Let the fleet live until `until`, or until every cycle is over."""
    messages = commands = behind_ms = 0
    while (now := clock.now()) < until and (next_at := fleet.next_at()) is not None:
        if next_at > now:
            await clock.sleep_until(min(next_at, until))
            continue
        waiting: list[Arrival] = []
        for deed in fleet.due(now):
            if isinstance(deed, Arrival):
                waiting.append(deed)
                behind_ms = max(behind_ms, now - deed.at)
                messages += 1
                continue
            await _publish_all(waiting, publish)
            waiting = []
            await tell(deed)
            commands += 1
        await _publish_all(waiting, publish)
    return Played(messages, commands, behind_ms)


async def _publish_all(arrivals: Sequence[Arrival], publish: Publish) -> None:
    """In order, a few at a time."""
    for first in range(0, len(arrivals), PUBLISHED_AT_ONCE):
        some = arrivals[first : first + PUBLISHED_AT_ONCE]
        await asyncio.gather(*(publish(arrival.topic, arrival.payload) for arrival in some))
