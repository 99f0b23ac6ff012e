"""Append, acknowledge, step: nothing is acknowledged before it is durable, no page goes out before it is planned."""

import pytest

from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.runtime import snapshots
from gateway.runtime.emergency import STEADY_MS
from gateway.runtime.ports import Dropped, EffectKind, Kind, SendState, Session
from tests.support.forwarding import ScriptedSink, settle
from tests.support.runtime_world import GatedJournal, World, alarm, message


def reading(number: int, at: int):
    """One telemetry message of pump-1."""
    return message("pump-1", "telemetry", observed_at=at + number, seq=number, boot="b1", rate_ml_h=0.6)


@pytest.mark.hazard("H-27")
async def test_nothing_is_acknowledged_before_it_is_durable():
    """While the journal writes, the broker keeps the message."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running():
        journal.gate.clear()
        world.source.say(said := reading(1, world.clock.now()))
        await settle()
        assert world.source.acknowledged == []
        journal.gate.set()
        await settle()
        assert world.source.acknowledged == [said]
        assert ("append", said.payload) in journal.log


async def test_messages_are_acknowledged_in_the_order_of_arrival():
    """Also when they come in several handfuls, and what arrives meanwhile waits for its turn."""
    journal = GatedJournal()
    world = World(journal)
    said = [reading(number, world.clock.now()) for number in range(50)]
    async with world.running():
        for start in range(0, 50, 10):
            journal.gate.clear()
            world.source.say(*said[start : start + 5])
            await settle()
            world.source.say(*said[start + 5 : start + 10])
            journal.gate.set()
            await settle()
        assert world.source.acknowledged == said
        assert [r.body for r in await world.records(Kind.MESSAGE)] == [m.payload for m in said]


@pytest.mark.hazard("H-38")
async def test_a_page_is_durable_before_it_is_sent():
    """The dispatcher gets a page only after the outbox has it."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        journal.log.clear()
        await world.alarm()
        (asked,) = world.asked()
        planned, outcome = journal.log.index(("commit", asked)), journal.log[-1]
        assert planned < journal.log.index(outcome)
        assert outcome[0] == "append"


async def test_a_page_waits_for_the_disk_as_long_as_the_disk_works():
    """A slow commit delays the page: sent first, a crash would send it again under no plan."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.source.say(alarm("pump-1", world.clock.now()))
        held = False
        for _ in range(2_000):  # close the gate between the append of the alarm and the commit of its page
            await settle(1)
            if not held and journal.log[-1][0] == "append" and b"system-fault" in journal.log[-1][1]:
                journal.gate.clear()
                held = True
        assert world.asked() == []
        journal.gate.set()
        await settle()
        assert len(world.asked()) == 1


async def test_a_full_journal_stops_the_acknowledgements_and_loses_nothing():
    """The broker keeps what we cannot store; the same messages are stored and acknowledged once there is room."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        before = len(world.source.acknowledged)
        journal.refusing = "no space left on the device"
        said = [alarm("pump-1", world.clock.now()), reading(1, world.clock.now())]
        world.source.say(*said)
        await world.clock.move(5 * SECOND_MS)
        assert len(world.source.acknowledged) == before
        assert gateway.health().ready is False
        assert "no space left on the device" in gateway.health().findings
        journal.refusing = ""
        await world.clock.move(2 * SECOND_MS)
        assert world.source.acknowledged[before:] == said
        assert gateway.health().ready is True
        assert len(world.asked()) == 1, "the alarm pages as soon as it is stored"


async def test_people_are_told_of_a_full_journal_without_the_journal():
    """The fallback is paged at once, and told when it is over: once each."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        journal.refusing = "no space left on the device"
        world.source.say(reading(1, world.clock.now()))
        await world.clock.move(3 * MINUTE_MS)
        (told,) = world.transports["sms"].asked
        assert told.address == "8523"
        assert "no space left on the device" in told.text
        journal.refusing = ""
        await world.clock.move(STEADY_MS + 2 * SECOND_MS)
        assert [m.text[:23] for m in world.transports["sms"].asked[1:]] == ["Dripwatch stores again;"]


@pytest.mark.hazard("H-41")
async def test_a_journal_that_cannot_commit_does_not_silence_a_page():
    """Pages go out although their plan could not be stored; it is stored as soon as that works, as already sent."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        cursor = await journal.cursor("monitor")
        journal.refuses_commits = "database is locked"
        await world.alarm()
        assert len(world.asked()) == 1
        assert await journal.cursor("monitor") == cursor
        assert gateway.health().ready is False
        journal.refuses_commits = ""
        await world.clock.move(2 * SECOND_MS)
        (row,) = await world.pages()
        assert (row.key, row.state) == (world.asked()[0], SendState.DONE)
        assert await journal.cursor("monitor") > cursor
        assert gateway.health().ready is True


async def test_what_could_not_be_committed_survives_a_crash():
    """The cursor waits for effects that are owed: after a restart the page is decided again, under the same key."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        journal.refuses_commits = "database is locked"
        world.transports["sms"].script["8521"] = None
        await world.alarm()
        (key,) = world.asked()
    journal.refuses_commits = ""
    world.transports["sms"].script.clear()
    async with world.running():
        assert world.asked() == [key, key]
        assert [row.key for row in await world.pages()] == [key]


async def test_no_snapshot_goes_beyond_what_is_owed(monkeypatch: pytest.MonkeyPatch):
    """A restart from it would not decide the page again, which nobody has: it was owed, and its send hung."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        journal.refuses_commits = "database is locked"
        monkeypatch.setattr(snapshots, "EVERY_RECORDS", 1)
        world.transports["sms"].script["8521"] = None
        await world.alarm()
        await world.clock.move(5 * SECOND_MS)
        (key,) = world.asked()
    journal.refuses_commits = ""
    world.transports["sms"].script.clear()
    async with world.running():
        assert world.asked() == [key, key]


async def test_points_that_could_not_be_committed_are_stored_later():
    """Our own judgements are durable effects like pages."""
    journal = GatedJournal()
    world = World(journal, sink=ScriptedSink())
    world.sink.down = True
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        before = {row.key for row in await journal.outbox(EffectKind.POINT, SendState, 1_000)}
        journal.refuses_commits = "database is locked"
        await world.alarm()
        assert {row.key for row in await journal.outbox(EffectKind.POINT, SendState, 1_000)} == before
        journal.refuses_commits = ""
        await world.clock.move(2 * SECOND_MS)
        rows = {row.key: row.state for row in await journal.outbox(EffectKind.POINT, SendState, 1_000)}
        assert len(rows) > len(before)
        assert set(rows.values()) == {SendState.PLANNED}


async def test_what_the_source_says_of_the_broker_is_journalled():
    """The session's changes, and how much the broker has dropped."""
    world = World()
    async with world.running():
        world.source.say(Session.UP, Dropped(7), Session.DRAINED)
        await settle()
        told = [b'{"session":"up"}', b'{"dropped":7}', b'{"session":"drained"}']
        assert [r.body for r in await world.records(Kind.CLOCK)] == told
