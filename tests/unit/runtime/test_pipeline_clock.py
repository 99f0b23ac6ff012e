"""Time comes from records: when a deadline passes and nothing arrives, a `clock` record is appended."""

import pytest

from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.runtime import pipeline
from gateway.runtime.ports import Kind
from tests.support.forwarding import settle
from tests.support.runtime_world import World, message


async def test_a_deadline_is_met_by_a_clock_record():
    """Nobody answers, nothing arrives: the second contact is tried after two minutes, the next step after five."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        before = len(await world.records(Kind.CLOCK))
        await world.clock.move(2 * MINUTE_MS - 1)
        assert len(await world.records(Kind.CLOCK)) == before
        assert world.asked() == ["P-1@6/r1/nurse-a/0"]
        await world.clock.move(1)
        await settle()
        assert world.asked() == ["P-1@6/r1/nurse-a/0", "P-1@6/r1/nurse-a/1"]
        await world.clock.move(3 * MINUTE_MS)
        await settle()
        assert "P-1@6/r2/charge/0" in world.asked()
        assert all(record.received_at <= world.clock.now() for record in await world.records(Kind.CLOCK))


async def test_no_clock_record_where_messages_carry_the_time():
    """A reading that arrives behind a deadline brings it about; a record of its own would only fill the disk."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        before = len(await world.records(Kind.CLOCK))
        world.clock._now += 2 * MINUTE_MS + SECOND_MS  # the loop was busy: the sleepers have not looked yet
        world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), delivery_status="delivering"))
        await settle()
        assert world.asked() == ["P-1@6/r1/nurse-a/0", "P-1@6/r1/nurse-a/1"]
        assert len(await world.records(Kind.CLOCK)) == before


@pytest.mark.hazard("H-45")
async def test_a_clock_that_jumps_ahead_merges_the_overdue_steps():
    """After three hours of nobody looking each person gets one page of the incident, not one a step."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        world.clock._now += 3 * HOUR_MS
        await world.clock.move(0)
        overdue = [m for t in world.transports.values() for m in t.asked if m.key.startswith("P-1@")][1:]
        people = sorted(m.key.split("/")[2] for m in overdue)
        assert people == sorted(set(people))
        assert "charge" in people


async def test_a_clock_that_jumped_far_ahead_and_stands_still_asks_for_no_more_records():
    """Every overdue deadline is met by one record."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        world.clock._now += 30 * HOUR_MS
        await world.clock.move(0)
        seen = await world.journal.last_seq()
        await settle(2_000)
        assert await world.journal.last_seq() == seen


async def test_records_out_of_order_in_time_do_not_turn_time_back():
    """A record whose time lies before the one before it is judged at the later of the two."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.clock.move(MINUTE_MS)
        world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), delivery_status="delivering"))
        await settle()
        now_at = gateway._fold.monitor.state.desk.now_at
        world.clock._now -= HOUR_MS
        await world.alarm()
        assert gateway._fold.monitor.state.desk.now_at == now_at
        assert len(world.asked()) == 1


async def test_a_deadline_that_does_not_move_costs_a_record_a_second(monkeypatch):
    """A bug that leaves a deadline in the past must not fill the disk as fast as it can write."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        monitor = gateway._fold.monitor
        stuck_at = world.clock.now()
        monkeypatch.setattr(type(monitor), "next_deadline", lambda self: stuck_at)
        monkeypatch.setattr(type(monitor), "advance", lambda self, at: [])
        world.source.say(message("pump-1", "telemetry", observed_at=stuck_at, rate_ml_h=0.6))
        await settle()
        seen = await world.journal.last_seq()
        await settle(2_000)
        assert await world.journal.last_seq() == seen
        await world.clock.move(10 * pipeline.RETRY_MS)
        assert seen + 8 <= await world.journal.last_seq() <= seen + 11


async def test_a_full_journal_is_asked_once_a_second_and_noticed_when_it_is_well():
    """Nothing arrives and nothing is due: the clock record is the question whether it stores again."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.journal.refusing = "no space left on the device"
        await world.alarm()
        await world.clock.move(10 * SECOND_MS)
        assert gateway.health().ready is False
        world.journal.refusing = ""
        await world.clock.move(2 * SECOND_MS)
        assert gateway.health().ready is True
        assert len(world.asked()) == 1


async def test_a_restart_after_an_outage_merges_what_was_overdue():
    """Down for an hour with an open incident: one page a person, of its newest round."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
    before = {row.key for row in await world.pages()}
    world.clock._now += HOUR_MS
    async with world.running():
        await world.clock.move(0)
        overdue = [row.key.split("/") for row in await world.pages() if row.key not in before and row.key.startswith("P-1@")]
        rounds = {person: int(round_[1:]) for _, round_, person, _ in overdue}
        assert len(rounds) == len(overdue), "one page a person"
        assert set(rounds) == {"nurse-a", "nurse-b", "charge"}
        assert min(rounds.values()) > 1
