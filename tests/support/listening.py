"""A running MqttSource with an ear that keeps what it took, and a publisher beside it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

import aiomqtt

from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.runtime.ports import Dropped, Incoming, Session
from tests.benchmarks.publisher import Load, Publisher

PATIENCE_S = 30.0


class Ear:
    """Takes from a source; keeps all in `items`, the broker's counts of what it dropped in `dropped`.

    Acknowledges at once unless `hold` is set.
    """

    def __init__(self, source: MqttSource) -> None:
        self.source = source
        self.items: list[Incoming | Session] = []
        self.dropped: list[int] = []
        self.hold = False

    @property
    def messages(self) -> list[Incoming]:
        """The messages among `items`."""
        return [item for item in self.items if isinstance(item, Incoming)]

    @property
    def sessions(self) -> list[Session]:
        """The session changes among `items`."""
        return [item for item in self.items if isinstance(item, Session)]

    async def until(self, done: Callable[["Ear"], bool]) -> None:
        """Take until `done` says so."""
        async with asyncio.timeout(PATIENCE_S):
            while not done(self):
                taken = await self.source.take()
                self._keep(taken)
                if not self.hold:
                    self.source.acknowledge([item for item in taken if isinstance(item, Incoming)])

    async def hear(self, count: int) -> list[Incoming]:
        """Take until `count` messages have come in all; return all of them."""
        await self.until(lambda ear: len(ear.messages) >= count)
        return self.messages

    async def see(self, *wanted: Session) -> None:
        """Take until the session changes so far are exactly `wanted`."""
        await self.until(lambda ear: tuple(ear.sessions) == wanted)

    async def fence(self) -> None:
        """Return when everything that the broker had sent before is in `items`: its answer to a question comes behind it."""
        await self.source._link.subscribe("dwfence", qos=0)
        self._keep(self.source._inbox._items)
        self.source._inbox._items = []
        self.source._inbox._something.clear()

    def _keep(self, taken: list[Incoming | Session | Dropped]) -> None:
        for item in taken:
            if isinstance(item, Dropped):
                self.dropped.append(item.total)
            else:
                self.items.append(item)


@contextlib.asynccontextmanager
async def listening(settings: MqttSettings, *, hold: bool = False) -> AsyncIterator[Ear]:
    """A source that runs for the length of the block; afterwards it is gone as a stopped gateway is."""
    ear = Ear(MqttSource(settings))
    ear.hold = hold
    running = asyncio.create_task(ear.source.run())
    try:
        yield ear
        if running.done():
            running.result()  # `run` never ends by itself: say why it did
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def publish(port: int, *messages: tuple[str, bytes], qos: int = 1, retain: bool = False) -> None:
    """Publish in order and return when the broker has them all."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=qos, retain=retain)


async def publish_many(port: int, count: int, *, boot: str = "b1") -> None:
    """`count` telemetry messages of one device, seq 1 and up; return when the broker has them all."""
    await asyncio.to_thread(Publisher(port, Load(count=count, devices=1, boot=boot)).run)


def seqs(messages: list[Incoming]) -> list[int]:
    """The `seq` of each."""
    return [json.loads(message.payload)["seq"] for message in messages]
