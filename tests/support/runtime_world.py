"""A whole gateway in a test's hands: real pipeline, core and dispatcher; scripted source, clock and transports."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.outbox import Outbox
from gateway.domain.commands import Enrol
from gateway.domain.effects import Answer, Page
from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.words import Outcome, Priority, WhyPaged
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.dispatcher import Dispatcher
from gateway.runtime.gateway import Gateway, Parts
from gateway.runtime.ports import (
    Dropped,
    EffectKind,
    Entry,
    Incoming,
    Journal,
    Kind,
    OutboxRow,
    Record,
    SendState,
    Session,
)
from gateway.runtime.recovery import recover
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import MovedClock, ScriptedSink, settle
from tests.support.histories import PROTOCOL, SITE, START_AT, WARD, protocol_texts, ward_text


class StoryClock(MovedClock):
    """A clock that stands still at 08:00 until the test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self._now = START_AT

    async def sleep_until(self, at: Instant) -> None:
        """Return at once where that has passed."""
        await (super().sleep_until(at) if at > self._now else asyncio.sleep(0))


class ScriptedSource:
    """Gives what the test says; keeps what was acknowledged and told, in order."""

    def __init__(self) -> None:
        self.acknowledged: list[Incoming] = []
        self.told: list[tuple[str, bytes]] = []
        self.kept: dict[str, bytes] = {}
        self._items: list[Incoming | Session | Dropped] = []
        self._something = asyncio.Event()

    def say(self, *items: Incoming | Session | Dropped) -> None:
        """These have arrived, all at once."""
        self._items += items
        self._something.set()

    async def run(self) -> None:
        """Hold the connection for ever."""
        await asyncio.Event().wait()

    async def take(self) -> list[Incoming | Session | Dropped]:
        """All that has arrived."""
        await self._something.wait()
        self._something.clear()
        taken, self._items = self._items, []
        return taken

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Keep them."""
        self.acknowledged += messages

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Keep it; of a topic that the broker retains the newest."""
        if retain:
            self.kept[topic] = payload
        else:
            self.told.append((topic, payload))


class GatedJournal(MemoryJournal):
    """A journal whose writes wait while `gate` is cleared, and whose `commit` alone refuses while `refuses_commits`.

    `log` tells what was stored, in order: (`append`, body) and (`commit`, key).
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses_commits = ""
        self.log: list[tuple[str, object]] = []

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store once the gate is open."""
        await self.gate.wait()
        first = await super().append(entries)
        self.log += [("append", entry.body) for entry in entries]
        return first

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        """Store once the gate is open."""
        await self.gate.wait()
        refusing, self.refusing = self.refusing, self.refusing or self.refuses_commits
        try:
            await super().commit(cursor, seq, plan)
        finally:
            self.refusing = refusing
        self.log += [("commit", row.key) for row in plan]


def message(device: str, channel: str, **body: Any) -> Incoming:
    """What a pump publishes."""
    return Incoming(f"dw/v1/{SITE}/{device}/{channel}", json.dumps(body).encode(), ticket=None)


def alarm(device: str, at: Instant, condition: str = "system-fault", **more: Any) -> Incoming:
    """A pump raises an alarm, unless `phase` says otherwise."""
    return message(device, "alarm", **{"observed_at": at, "alarm": condition, "phase": "start", **more})


@dataclass
class World:
    """One ward: `journal` survives when the gateway does not. Alarms page nurse-a at once, by sms and after 2 min by voice."""

    journal: Journal = field(default_factory=MemoryJournal)
    transports: dict[str, FakeTransport] = field(default_factory=lambda: {n: FakeTransport(n) for n in ("sms", "voice")})
    ward: Mapping[str, Any] = field(default_factory=dict)
    receipt_deadlines_ms: dict[str, int] = field(default_factory=dict)
    sink: ScriptedSink | None = None
    clock: StoryClock = field(default_factory=StoryClock)
    keep_ms: int = DAY_MS
    finding: str | None = None
    alive: int = 0  # how often the service manager was told so

    def __post_init__(self) -> None:
        self.source = ScriptedSource()
        self.protocols = protocol_texts()

    @property
    def text(self) -> str:
        """The ward file as it is journalled."""
        return ward_text(**{"rules": {"alarm-persistent": {"hold": "0s"}}, **self.ward})

    def parts(self) -> Parts:
        """What the gateway is made of."""
        return Parts(
            journal=self.journal,
            source=self.source,
            clock=self.clock,
            transports=self.transports,
            receipt_deadlines_ms=self.receipt_deadlines_ms,
            sink=self.sink,
            set_aside=lambda poison: None,
            keep_ms=self.keep_ms,
            max_bytes=10**12,
            finding=lambda: self.finding,
            alive=self._count_alive,
        )

    def _count_alive(self) -> None:
        self.alive += 1

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[Gateway]:
        """Recovered and started; `run` is the test's business."""
        gateway = Gateway(self.parts(), await recover(self.journal))
        await gateway.start(self.text, self.protocols)
        yield gateway

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        """The gateway runs for the length of the block; then it is cut off where it stands, as a crash would."""
        async with self.started() as gateway:
            running = asyncio.create_task(gateway.run())
            await settle()
            try:
                yield gateway
                if running.done():
                    running.result()  # it never ends by itself: say why it did
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    async def enrol(self, gateway: Gateway, *courses: str) -> None:
        """P-1 on pump-1, and so on; the session is up, and the pumps deliver."""
        self.source.say(Session.UP, Session.DRAINED)
        await settle()
        for course in courses:
            device = course.replace("P-", "pump-")
            result = await gateway.command("nurse-a", Enrol(course=course, pump=device, protocol=PROTOCOL, bag="7-day"))
            assert result.ok, result.message
            self.source.say(message(device, "telemetry", observed_at=self.clock.now(), delivery_status="delivering"))
        await settle()

    async def alarm(self, device: str = "pump-1", condition: str = "system-fault") -> None:
        """The pump raises an alarm, which pages."""
        self.source.say(alarm(device, self.clock.now(), condition))
        await settle()

    def asked(self, about: str = "P-") -> list[str]:
        """Keys of all attempts to send what is about this, in the order of the transports, then of time."""
        return [m.key for transport in self.transports.values() for m in transport.asked if m.key.startswith(about)]

    async def pages(self, *states: SendState) -> list[OutboxRow]:
        """The outbox's pages in these states; all of them when none is given."""
        return await self.journal.outbox(EffectKind.PAGE, states or tuple(SendState), 100_000)

    async def records(self, *kinds: Kind) -> list[Record]:
        """The journal's records of these kinds; all of them when none is given."""
        return [r for r in await self.journal.read(0, 100_000) if isinstance(r, Record) and (not kinds or r.kind in kinds)]


def page(
    key: str = "P-1@7/r1/nurse-a/0", *, transport: str = "sms", address: str = "8521", priority: Priority = Priority.HIGH
) -> Page:
    """A decided page."""
    incident = key.rsplit("/", 3)[0]
    return Page(
        key=key,
        incident=incident,
        course=incident.partition("@")[0],
        person=key.rsplit("/", 3)[2],
        transport=transport,
        address=address,
        priority=priority,
        why=WhyPaged.OPENED,
        about=("alarm-persistent",),
        text="P-1 HIGH: pump alarm. Reply 4711 to take it.",
        code="4711",
        decided_at=START_AT,
    )


def answer(key: str = "answer@9", *, transport: str = "sms") -> Answer:
    """An answer to somebody's reply."""
    return Answer(key=key, person="nurse-a", transport=transport, address="8521", text="yours", decided_at=START_AT)


class Desk:
    """A dispatcher alone, with the journal rows that the pipeline would have made durable before."""

    def __init__(self, *transports: FakeTransport, receipts_within_ms: int = 0, journal: Journal | None = None) -> None:
        self.clock = StoryClock()
        self.journal = journal or MemoryJournal()
        self.outbox = Outbox({t.name: receipts_within_ms for t in transports} if receipts_within_ms else {})
        self.verdict: Callable[[Page], bool | None] = lambda page: True
        self.dispatcher = Dispatcher(
            {transport.name: transport for transport in transports}, self.outbox, self, self.clock, self.journal
        )
        self.dispatcher.report = self.journal.append

    def wanted(self, page: Page) -> bool | None:
        """What the test says of it."""
        return self.verdict(page)

    async def plan(self, *items: Page | Answer) -> None:
        """Durable, then planned."""
        kinds = {Page: EffectKind.PAGE, Answer: EffectKind.ANSWER}
        await self.journal.commit("monitor", 1, [OutboxRow(i.key, kinds[type(i)], START_AT, b"") for i in items])
        for item in items:
            self.dispatcher.plan(item, self.clock.now())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The dispatcher runs for the length of the block."""
        task = asyncio.create_task(self.dispatcher.run())
        await settle()
        try:
            yield
            assert not task.done(), "the dispatcher ended by itself"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def outcomes(self) -> list[tuple[str, Outcome]]:
        """What was journalled: (key, outcome), in order."""
        bodies = [json.loads(r.body) for r in await self.journal.read(0, 10_000) if isinstance(r, Record)]
        return [(body["key"], Outcome(body["outcome"])) for body in bodies]

    async def states(self) -> dict[str, tuple[SendState, int]]:
        """Each outbox row's state and attempts."""
        rows = [r for kind in (EffectKind.PAGE, EffectKind.ANSWER) for r in await self.journal.outbox(kind, SendState, 1_000)]
        return {row.key: (row.state, row.attempts) for row in rows}


__all__ = ["WARD", "Desk", "GatedJournal", "ScriptedSource", "StoryClock", "World", "alarm", "answer", "message", "page"]
