import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.domain.effects import Point
from gateway.runtime import forwarder as module
from gateway.runtime.forwarder import BACKOFF_MS, BATCH_LINES, CURSOR, LINGER_MS, Forwarder
from gateway.runtime.points import line_of, point_to_json
from gateway.runtime.ports import Damaged, EffectKind, Kind, OutboxRow, Poison, Record
from tests.support.forwarding import FakeJournal, MovedClock, ScriptedSink, settle, until


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


@pytest.fixture
def world() -> World:
    """A new world with its real limits."""
    return World()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """Limits a thousandth as large, so that a test may exceed them."""
    monkeypatch.setattr(module, "RING_MAX_LINES", 200)
    monkeypatch.setattr(module, "BATCH_LINES", 5)
    monkeypatch.setattr(module, "READ_RECORDS", 7)
    monkeypatch.setattr(module, "SLICE", 3)
    return world


class TestLive:
    async def test_a_line_waits_a_quarter_second_for_company(self, world: World) -> None:
        """Few lines are written together, a quarter of a second after the first was offered."""
        async with world.running():
            await settle()
            world.message(b"a")
            await world.clock.move(LINGER_MS - 1)
            world.message(b"b")
            assert world.sink.batches == []
            await world.clock.move(1)
            assert world.sink.batches == [[b"a", b"b"]]
            assert world.cursor == 2

    async def test_a_full_batch_does_not_wait(self, world: World) -> None:
        """Five thousand lines go at once, without any time passing."""
        async with world.running():
            world.messages(BATCH_LINES)
            await until(lambda: world.cursor == BATCH_LINES)
            assert [len(batch) for batch in world.sink.batches] == [BATCH_LINES]

    async def test_the_journal_is_not_read_while_the_ring_reaches(self, world: World) -> None:
        """In ordinary running every line comes from memory."""
        async with world.running():
            for _ in range(5):
                world.messages(100)
                await world.clock.move(LINGER_MS)
            assert world.cursor == 500
            assert world.journal.reads == 0

    async def test_records_without_lines_move_the_cursor(self, world: World) -> None:
        """Commands and clock records give no points, and retention must still be able to pass them."""
        async with world.running():
            seq = world.journal.add(b"somebody did something", Kind.COMMAND)
            world.forwarder.offer(seq, [])
            await world.forwarded(seq)
            assert world.sink.tries == 0

    async def test_an_array_of_many_readings_is_never_cut(self, small: World) -> None:
        """A batch ends at the end of a record, so that the cursor has a place to stand."""
        async with small.running():
            small.messages(3, lines_each=4)
            await small.forwarded(3)
            assert [len(batch) for batch in small.sink.batches] == [8, 4]


class TestTwoInFlight:
    async def test_two_batches_are_written_at_once_and_no_third(self, small: World) -> None:
        """While two writes hang, the third batch waits in the ring."""
        small.sink.gates = []
        async with small.running():
            small.messages(15)
            await settle()
            assert len(small.sink.gates) == 2
            small.sink.gates[0].set()
            await settle()
            assert len(small.sink.gates) == 3

    async def test_the_cursor_waits_for_the_earlier_batch(self, small: World) -> None:
        """The second batch is stored first; the cursor stays until the first is stored too."""
        small.sink.gates = []
        async with small.running():
            small.messages(10)
            await settle()
            small.sink.gates[1].set()
            await settle()
            assert len(small.sink.stored) == 5
            assert small.cursor == 0
            small.sink.gates[0].set()
            await until(lambda: small.cursor == 10)


class TestStoreDown:
    async def test_an_hour_without_the_store_loses_nothing(self, small: World) -> None:
        """Twenty ringfuls arrive while the store is down; when it is back every line arrives."""
        async with small.running():
            small.sink.down = True
            lines = []
            for _ in range(40):
                lines += small.messages(100)
                await small.clock.move(90_000)
                assert small.forwarder._ring_lines <= 200, "memory is bounded"
            assert small.sink.stored == {}
            assert small.forwarder.health().lag_records == 4_000
            assert small.forwarder.health().last_error == "connection refused"
            small.sink.down = False
            await small.forwarded(4_000)
            assert small.sink.stored.keys() == set(lines)
            assert small.forwarder.health().last_error == ""
            assert small.forwarder.health().lag_records == 0

    async def test_the_backoff_grows_to_half_a_minute(self, world: World) -> None:
        """Tries come after 1, 2, 5, 10 and then every 30 seconds, with the same lines."""
        world.sink.down = True
        async with world.running():
            world.message(b"a")
            await world.clock.move(LINGER_MS + sum(BACKOFF_MS) + BACKOFF_MS[-1])
            assert world.clock.naps_ms == [LINGER_MS, *BACKOFF_MS, BACKOFF_MS[-1], BACKOFF_MS[-1]]
            assert world.sink.tries == 7

    async def test_an_offer_never_waits(self, small: World) -> None:
        """A store that hangs for ever costs the pipeline nothing: offers are taken without giving up the loop."""
        small.sink.gates = []
        async with small.running():
            small.messages(50)
            await settle()
            small.messages(10_000)
            assert small.forwarder._ring_lines <= 200

    async def test_an_overflowing_ring_falls_back_to_the_journal(self, small: World) -> None:
        """What was dropped from memory is read again; what came after it is taken from memory."""
        small.sink.gates = []
        async with small.running():
            lines = small.messages(1_000)
            await settle()
            assert small.journal.reads > 0
            gates, small.sink.gates = small.sink.gates, None
            for gate in gates:
                gate.set()
            await small.forwarded(1_000)
            assert small.sink.stored.keys() == set(lines)


class TestRestart:
    async def test_a_crash_between_write_and_cursor_writes_the_same_points_again(self, world: World) -> None:
        """The store has the lines, the cursor does not know it: they are written twice, which changes nothing."""
        world.journal.full = True
        async with world.running():
            world.message(b"a", b"b")
            await world.clock.move(LINGER_MS)
            assert world.sink.batches == [[b"a", b"b"]]
            assert world.cursor == 0
        world.journal.full = False
        world.restarted().resume(1)
        async with world.running():
            await world.forwarded(1)
        assert world.sink.batches == [[b"a", b"b"], [b"a", b"b"]]

    async def test_what_was_waiting_at_the_end_is_read_at_the_next_start(self, world: World) -> None:
        """A backlog is forwarded after a restart although no new message arrives."""
        world.sink.down = True
        async with world.running():
            lines = world.messages(20)
            await world.clock.move(10_000)
        world.sink.down = False
        world.restarted().resume(20)
        async with world.running():
            await world.forwarded(20)
        assert world.sink.stored.keys() == set(lines)

    async def test_offers_that_the_store_has_already_are_not_written_again(self, world: World) -> None:
        """The pipeline judges a little again after a crash; the cursor knows better."""
        world.messages(10)
        async with world.running():
            await world.forwarded(10)
        world.restarted()
        async with world.running():
            for seq in range(8, 11):
                world.forwarder.offer(seq, [b"again %d" % seq])
            world.message(b"new")
            await world.forwarded(11)
        assert world.sink.batches[1:] == [[b"new"]]

    async def test_records_that_nobody_judged_yet_stay(self, world: World) -> None:
        """Which course a pump served is known only after judging, so reading stops at the newest judged record."""
        for n in range(10):
            world.journal.add(b"m%d" % n)
        world.forwarder.resume(6)
        async with world.running():
            await world.forwarded(6)
            await world.clock.move(60_000)
            assert world.cursor == 6
            world.forwarder.offer(10, [b"m9"])
            await world.forwarded(10)

    async def test_without_a_word_from_the_pipeline_nothing_moves(self, world: World) -> None:
        """Before the first offer it is not known what was judged."""
        world.journal.add(b"m0")
        async with world.running():
            await world.clock.move(60_000)
            assert world.sink.tries == 0


class TestOddJournals:
    async def test_a_record_that_was_not_offered_is_read(self, world: World) -> None:
        """A gap in the offers costs a reading, never a line."""
        async with world.running():
            world.message(b"a")
            world.journal.add(b"b")
            world.message(b"c")
            await world.forwarded(3)
            assert world.sink.stored.keys() == {b"a", b"b", b"c"}
            assert world.journal.reads == 1

    async def test_other_kinds_and_damaged_records_are_passed_over(self, world: World) -> None:
        """A reading of the journal makes lines of messages only."""
        world.journal.add(b"a")
        world.journal.add(b"who did what", Kind.COMMAND)
        world.journal.add(b"c")
        world.journal.records[-1] = Damaged(3, "crc")
        world.journal.add(b"d")
        world.forwarder.resume(4)
        async with world.running():
            await world.forwarded(4)
            assert world.sink.batches == [[b"a", b"d"]]

    @pytest.mark.parametrize("kept", [(), (8, 9)], ids=["nothing-left", "later-ones-left"])
    async def test_a_hole_in_the_journal_is_stepped_over(self, world: World, kept: tuple[int, ...]) -> None:
        """Records that somebody pruned by hand cannot hold the forwarder for ever."""
        for n in range(9):
            world.journal.add(b"m%d" % n)
        world.journal.records = [record for record in world.journal.records if record.seq in kept]
        world.forwarder.resume(5)
        async with world.running():
            await world.forwarded(5)

    async def test_a_ring_that_restarts_during_a_reading_loses_nothing(self, small: World) -> None:
        """An empty answer of the journal speaks for the records of that moment, not for those that came meanwhile."""
        small.journal.add(b"pruned by hand before the forwarder had it")
        small.journal.records.clear()
        small.forwarder.resume(1)
        reading, release = asyncio.Event(), asyncio.Event()

        async def slow_read(after: int, limit: int) -> list[Record | Damaged]:
            found = await FakeJournal.read(small.journal, after, limit)
            reading.set()
            await release.wait()
            return found

        small.journal.read = slow_read  # type: ignore[method-assign]
        async with small.running():
            await reading.wait()
            lines = small.messages(300)
            release.set()
            await small.forwarded(301)
        assert small.sink.stored.keys() == set(lines)


class TestPoison:
    async def test_a_refused_line_is_set_aside_and_the_rest_goes_on(self, world: World) -> None:
        """One bad line is kept with its reason; the others are stored and the cursor passes it."""
        world.sink.poison = b"bad".__eq__
        async with world.running():
            world.message(b"a")
            world.message(b"bad")
            world.message(b"c")
            await world.forwarded(3)
        assert world.sink.stored.keys() == {b"a", b"c"}
        assert world.aside == [Poison(b"bad", "refused by script")]
        assert list(world.forwarder.poison_shown) == world.aside
        assert world.forwarder.health().poisoned == 1
        assert world.forwarder.health().lines_written == 2

    async def test_only_the_newest_refused_lines_stay_in_memory(self, world: World) -> None:
        """A store that refuses everything fills no memory."""
        async with world.running():
            lines = world.messages(250)
            world.sink.poison = set(lines).__contains__
            await world.forwarded(250)
        assert len(world.aside) == 250
        assert len(world.forwarder.poison_shown) == module.POISON_SHOWN_MAX


def planned(number: int, measurement: str = "page") -> OutboxRow:
    """An outbox row of a judgement."""
    point = Point(measurement, (("site", "ward-1"), ("to", "nurse-a")), (("ok", 1),), 1_000 + number)
    return OutboxRow(f"point/{number}", EffectKind.POINT, 1_000, point_to_json(point))


class TestJudgements:
    async def test_judgement_points_are_written_then_forgotten(self, world: World) -> None:
        """Rows that wait at the start, and rows that `wake` tells of, reach the store and leave the outbox."""
        world.journal.rows["point/1"] = planned(1)
        async with world.running():
            await until(lambda: not world.journal.rows)
            world.journal.rows["point/2"] = planned(2)
            world.forwarder.wake()
            await until(lambda: not world.journal.rows)
        assert world.sink.batches == [[b"page,site=ward-1,to=nurse-a ok=1i 1001"], [b"page,site=ward-1,to=nurse-a ok=1i 1002"]]

    async def test_rows_stay_while_the_store_is_down(self, world: World) -> None:
        """A judgement is a durable effect: it leaves the outbox only when the store has it."""
        world.sink.down = True
        world.journal.rows["point/1"] = planned(1)
        async with world.running():
            await world.clock.move(3_600_000)
            assert list(world.journal.rows) == ["point/1"]
            world.sink.down = False
            await world.clock.move(BACKOFF_MS[-1])
            assert world.journal.rows == {}

    async def test_a_row_outside_the_schema_is_set_aside(self, world: World) -> None:
        """A row that never can become a line does not stand in the way of the next."""
        world.journal.rows["point/1"] = planned(1, measurement="weather")
        world.journal.rows["point/2"] = OutboxRow("point/2", EffectKind.POINT, 1_000, b"not json")
        world.journal.rows["point/3"] = planned(3)
        async with world.running():
            await until(lambda: not world.journal.rows)
        assert len(world.sink.stored) == 1
        assert [poison.reason.split(":")[0] for poison in world.aside] == ["outbox row point/1", "outbox row point/2"]

    async def test_a_full_journal_writes_the_point_again(self, world: World) -> None:
        """Rows that could not be forgotten are tried again until the disk has room."""
        world.journal.full = True
        world.journal.rows["point/1"] = planned(1)
        async with world.running():
            await world.clock.move(5_000)
            assert world.forwarder.health().last_error == "no space left"
            world.journal.full = False
            await world.clock.move(10_000)
            assert world.journal.rows == {}


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_every_line_arrives(small: World, seed: int) -> None:
    """Bursts, outages, full disks and restarts in any order: at the end the store has every line, and the law held throughout."""
    dice = random.Random(seed)
    lines: set[bytes] = set()
    rows: set[bytes] = set()
    for _ in range(12):
        async with small.running():
            for _ in range(8):
                small.sink.down = dice.random() < 0.4
                small.journal.full = dice.random() < 0.2
                lines.update(small.messages(dice.choice((0, 1, 30, 90)), lines_each=dice.randint(1, 6)))
                row = planned(len(rows))
                rows.add(line_of(Point("page", (("site", "ward-1"), ("to", "nurse-a")), (("ok", 1),), 1_000 + len(rows))))
                small.journal.rows[row.key] = row
                small.forwarder.wake()
                await small.clock.move(dice.choice((0, 250, 3_000, 60_000)))
        small.restarted().resume(len(small.journal.records))
    small.sink.down = small.journal.full = False
    async with small.running():
        await small.forwarded(len(small.journal.records))
        await until(lambda: not small.journal.rows)
    assert small.sink.stored.keys() == lines | rows
