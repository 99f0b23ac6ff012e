"""The watchdog at work: listens to the broker, asks the gateway, beats itself, and tells its own people by its own transports."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.ward import Person
from gateway.runtime import heartbeat
from gateway.runtime.ports import Clock, Incoming, Session, Source
from gateway.runtime.telling import Teller
from gateway.runtime.watchdog import Answer, Sight, Watch

LOOK_EVERY_MS = SECOND_MS
ASK_EVERY_MS = 10 * SECOND_MS
BEAT_EVERY_MS = 30 * SECOND_MS
LAST_WILL = b'{"online":false}'

Ask = Callable[[], Awaitable[tuple[Answer, str]]]

_log = logging.getLogger(__name__)


def status_topic(site: str, name: str) -> str:
    """Where the watchdog's own heartbeat goes: the `status` of a device of that name."""
    return f"dw/v1/{site}/{name}/status"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogParts:
    """What a watchdog is made of; `source` is subscribed to the gateway's heartbeat, `ask` reads `/health/ready`."""

    site: str
    name: str
    after_ms: int
    repeat_ms: int | None
    source: Source
    clock: Clock
    ask: Ask
    teller: Teller
    people: Sequence[Person]
    alive: Callable[[], None] = lambda: None  # told each time after it has looked


class Watchdog:
    """Runs until cancelled."""

    def __init__(self, parts: WatchdogParts) -> None:
        self._parts = parts
        self._sight = Sight(None, None, well=True, answer=Answer.NONE, why="not asked yet")
        self._watch: Watch | None = None

    async def run(self) -> None:
        """Everything at once."""
        parts = self._parts
        self._sight = await self._asked()
        self._watch = Watch(parts.site, after_ms=parts.after_ms, repeat_ms=parts.repeat_ms, at=parts.clock.now())
        async with asyncio.TaskGroup() as group:
            for job in (parts.source.run(), self._listen(), self._ask(), self._beat(), self._look(self._watch)):
                group.create_task(job)

    async def _listen(self) -> None:
        while True:
            items = await self._parts.source.take()
            now = self._parts.clock.now()
            for item in items:
                if isinstance(item, Incoming):
                    self._hear(item, now)
                elif item is Session.UP:
                    self._sight = replace(self._sight, linked_at=now)
                    self._tell_online(now)
                elif item is Session.LOST:
                    self._sight = replace(self._sight, linked_at=None)
            self._parts.source.acknowledge([item for item in items if isinstance(item, Incoming)])

    def _hear(self, message: Incoming, now: Instant) -> None:
        """What the broker kept from before says nothing of now. The Last Will does: the gateway's connection has just broken."""
        if message.retained:
            return
        beat = heartbeat.read(message.payload)
        if beat is not None:
            self._sight = replace(self._sight, beat_at=now, well=beat.ready)
        elif message.payload == heartbeat.LAST_WILL:
            self._sight = replace(self._sight, beat_at=None)

    async def _ask(self) -> None:
        while True:
            await self._parts.clock.sleep_until(self._parts.clock.now() + ASK_EVERY_MS)
            self._sight = await self._asked()

    async def _asked(self) -> Sight:
        answer, why = await self._parts.ask()
        return replace(self._sight, answer=answer, why=why)

    async def _beat(self) -> None:
        while True:
            await self._parts.clock.sleep_until(self._parts.clock.now() + BEAT_EVERY_MS)
            self._tell_online(self._parts.clock.now())

    def _tell_online(self, now: Instant) -> None:
        body = json.dumps({"observed_at": now, "online": True}).encode()
        self._parts.source.tell(status_topic(self._parts.site, self._parts.name), body, retain=True)

    async def _look(self, watch: Watch) -> None:
        while True:
            text = watch.look(self._sight, self._parts.clock.now())
            if text is not None:
                _log.warning("%s", text)
                told = await self._parts.teller.tell(self._parts.people, text)
                watch.said(self._parts.clock.now(), told=told)
            self._parts.alive()
            await self._parts.clock.sleep_until(self._parts.clock.now() + LOOK_EVERY_MS)
