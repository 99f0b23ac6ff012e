"""A forwarder on fakes, which checks its one law at every move of the cursor."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gateway.domain.effects import Point
from gateway.runtime.forwarder import CURSOR, LINGER_MS, Forwarder
from gateway.runtime.point_sink import Poison
from gateway.runtime.points import point_to_json
from gateway.runtime.ports import EffectKind, Kind, OutboxRow, Record
from tests.support.forwarding import FakeJournal, MovedClock, ScriptedSink


def lines_for(record: Record) -> list[bytes]:
    """The lines of a record stand in its body, one a line."""
    return record.body.splitlines()


@dataclass
class World:
    """A forwarder on fakes. Each commit checks the law: everything up to the cursor is in the store, or was set aside."""

    journal: FakeJournal = field(default_factory=FakeJournal)
    sink: ScriptedSink = field(default_factory=ScriptedSink)
    clock: MovedClock = field(default_factory=MovedClock)
    aside: list[Poison] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal.watch_commit = self.check_law
        self.forwarder = self.restarted()

    def restarted(self) -> Forwarder:
        self.forwarder = Forwarder(
            journal=self.journal, sink=self.sink, clock=self.clock, lines_for=lines_for, set_aside=self.aside.append
        )
        return self.forwarder

    def check_law(self, seq: int) -> None:
        assert seq >= self.cursor, "the cursor went back"
        for record in self.journal.between(self.cursor, seq):
            if isinstance(record, Record) and record.kind is Kind.MESSAGE:
                lacking = [line for line in lines_for(record) if line not in self.sink.stored and line not in self.aside_lines]
                assert not lacking, f"cursor {seq} passed record {record.seq}, of which {lacking} are not stored"

    @property
    def aside_lines(self) -> list[bytes]:
        return [poison.line for poison in self.aside]

    @property
    def cursor(self) -> int:
        return self.journal.cursors.get(CURSOR, 0)

    def message(self, *lines: bytes) -> int:
        """One message is appended, judged and offered."""
        seq = self.journal.add(b"\n".join(lines))
        self.forwarder.offer(seq, list(lines))
        return seq

    def messages(self, count: int, lines_each: int = 1) -> list[bytes]:
        """Many messages; all their lines."""
        first = len(self.journal.records)
        made = [[b"m%d.%d" % (first + n, k) for k in range(lines_each)] for n in range(count)]
        for lines in made:
            self.message(*lines)
        return [line for lines in made for line in lines]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Forwarder]:
        task = asyncio.create_task(self.forwarder.run())
        try:
            yield self.forwarder
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def forwarded(self, seq: int) -> None:
        """Time passes until the cursor stands at `seq`."""
        for _ in range(1_000):
            if self.cursor >= seq:
                break
            await self.clock.move(LINGER_MS)
        assert self.cursor == seq


def planned(number: int, measurement: str = "page") -> OutboxRow:
    """An outbox row of a judgement."""
    point = Point(measurement, (("site", "ward-1"), ("to", "nurse-a")), (("ok", 1),), 1_000 + number)
    return OutboxRow(f"point/{number}", EffectKind.POINT, 1_000, point_to_json(point))
