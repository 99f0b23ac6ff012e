import asyncio
import random

import pytest

from gateway.domain.effects import Point
from gateway.runtime import forwarder as module
from gateway.runtime.forwarder import LINGER_MS
from gateway.runtime.points import line_of
from gateway.runtime.ports import Damaged, Kind, Record
from tests.support.forwarding import FakeJournal, until
from tests.support.forwarding_world import World, planned


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

    async def test_catching_up_leaves_room_for_others(self, world: World) -> None:
        """While a long backlog is made into lines, a page that is due waits for no more than a slice of it."""
        turns = 0
        turn_of_record = []

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        def noting(record: Record) -> list[bytes]:
            turn_of_record.append(turns)
            return [record.body]

        for n in range(3_000):
            world.journal.add(b"m%d" % n)
        world.forwarder._lines_for = noting
        world.forwarder.resume(3_000)
        other = asyncio.create_task(others())
        async with world.running():
            await world.forwarded(3_000)
        other.cancel()
        assert len(turn_of_record) == 3_000
        assert max(turn_of_record.count(turn) for turn in set(turn_of_record)) <= module.SLICE

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


@pytest.mark.hazard("H-47")
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
