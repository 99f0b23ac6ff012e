"""What a forwarder stands on, in memory: a journal, a store that obeys a script, and a clock that the test moves."""

import asyncio
import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.runtime.point_sink import Poison, StoreUnavailable
from gateway.runtime.ports import Damaged, EffectKind, JournalFull, Kind, OutboxRow, Record, SendState


async def until(condition: Callable[[], bool], turns: int = 200_000) -> None:
    """Let other tasks run until `condition` holds; fails after `turns` turns of the loop."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


async def settle(turns: int = 200) -> None:
    """Let all that can happen without time passing happen."""
    for _ in range(turns):
        await asyncio.sleep(0)


class MovedClock:
    """A clock that stands still until the test moves it; `naps_ms` lists how long each sleeper wanted to sleep."""

    def __init__(self) -> None:
        self._now: Instant = 1_000_000
        self._sleepers: list[tuple[Instant, asyncio.Future[None]]] = []
        self.naps_ms: list[int] = []

    def now(self) -> Instant:
        return self._now

    async def sleep_until(self, at: Instant) -> None:
        self.naps_ms.append(at - self._now)
        waiting = asyncio.get_running_loop().create_future()
        self._sleepers.append((at, waiting))
        await waiting

    async def move(self, by_ms: int) -> None:
        """Let `by_ms` pass, waking each sleeper at its time."""
        end = self._now + by_ms
        await settle()
        while due := [at for at, waiting in self._sleepers if at <= end and not waiting.done()]:
            self._now = max(self._now, min(due))
            for at, waiting in self._sleepers:
                if at <= self._now and not waiting.done():
                    waiting.set_result(None)
            self._sleepers = [(at, waiting) for at, waiting in self._sleepers if not waiting.done()]
            await settle()
        self._now = end


@dataclass
class FakeJournal:
    """The part of the journal that a forwarder uses. `full` makes every write fail; `reads` counts readings."""

    records: list[Record | Damaged] = field(default_factory=list)
    rows: dict[str, OutboxRow] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    full: bool = False
    reads: int = 0
    last_seq: int = 0
    watch_commit: Callable[[int], None] = lambda seq: None

    def add(self, body: bytes, kind: Kind = Kind.MESSAGE) -> int:
        """Append a record; its seq."""
        self.last_seq = seq = self.last_seq + 1
        self.records.append(Record(seq, 1_000 + seq, kind, "ward-1", "p1", "dw/v1/ward-1/p1/telemetry", body))
        return seq

    def between(self, after: int, up_to: int) -> list[Record | Damaged]:
        """Records with `after` < seq <= `up_to`."""
        return self.records[self._index_after(after) : self._index_after(up_to)]

    def _index_after(self, seq: int) -> int:
        return bisect.bisect_right(self.records, seq, key=lambda record: record.seq)

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        self.reads += 1
        start = self._index_after(after)
        return self.records[start : start + limit]

    async def cursor(self, name: str) -> int:
        return self.cursors.get(name, 0)

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise JournalFull("no space left")
        self.watch_commit(seq)
        self.cursors[cursor] = seq

    async def outbox(self, kind: EffectKind, states: Sequence[SendState], limit: int) -> list[OutboxRow]:
        return [row for row in self.rows.values() if row.kind is kind and row.state in states][:limit]

    async def forget(self, keys: Sequence[str]) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise JournalFull("no space left")
        for key in keys:
            self.rows.pop(key, None)


class ScriptedSink:
    """A store whose moods the test sets: `down`, lines that are `poison`, or `gates` that hold each write until they are set."""

    def __init__(self, poison: Callable[[bytes], bool] = lambda line: False) -> None:
        self.down = False
        self.poison = poison
        self.gates: list[asyncio.Event] | None = None
        self.batches: list[list[bytes]] = []
        self.stored: dict[bytes, int] = {}
        self.tries = 0

    async def write(self, lines: Sequence[bytes]) -> list[Poison]:
        self.tries += 1
        if self.gates is not None:
            gate = asyncio.Event()
            self.gates.append(gate)
            await gate.wait()
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("connection refused")
        self.batches.append(list(lines))
        refused = [line for line in lines if self.poison(line)]
        for line in lines:
            if line not in refused:
                self.stored[line] = self.stored.get(line, 0) + 1
        return [Poison(line, "refused by script") for line in refused]

    async def close(self) -> None:
        """Nothing to release."""
