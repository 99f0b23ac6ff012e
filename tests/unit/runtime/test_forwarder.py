import pytest

from gateway.runtime import forwarder as module
from gateway.runtime.forwarder import BACKOFF_MS, BATCH_LINES, LINGER_MS
from gateway.runtime.point_sink import Poison
from gateway.runtime.ports import EffectKind, Kind, OutboxRow
from tests.support.forwarding import settle, until
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
