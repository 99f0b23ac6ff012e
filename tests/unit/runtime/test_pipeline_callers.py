"""Many append at once: records are judged in the journal's order, and each caller hears what became of its own."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from gateway.domain.commands import Enrol, HangBag, Note
from gateway.domain.instants import MINUTE_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import pipeline
from gateway.runtime.ports import Entry, JournalFull, Kind
from tests.support.forwarding import settle
from tests.support.histories import PROTOCOL
from tests.support.journals import open_journal
from tests.support.runtime_world import GatedJournal, World, message

NO_SUCH_COURSE = "there is no course 'X-2'; running: none"


class TardyJournal(MemoryJournal):
    """Numbers entries at once, as the file does, but its callers wake up in any order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._dice = random.Random(seed)

    async def append(self, entries: Sequence[Entry]) -> int:
        """Some turns of the loop later than it was stored."""
        first = await super().append(entries)
        for _ in range(self._dice.randint(0, 9)):
            await asyncio.sleep(0)
        return first


def judged(world: World, gateway) -> list[int]:
    """The numbers of the records as they are judged from now on."""
    seen: list[int] = []
    tell = gateway._pipeline._on_judged
    gateway._pipeline._on_judged = lambda record, event: (seen.append(record.seq), tell(record, event))
    return seen


@pytest.mark.parametrize("seed", range(5))
async def test_records_are_judged_in_the_order_of_the_journal(seed: int):
    """Whoever wakes up first after a commit: commands, replies and messages are judged by their number."""
    world = World(TardyJournal(seed))
    async with world.running() as gateway:
        seen, before = judged(world, gateway), gateway.judged_seq
        work = []
        for number in range(30):
            work.append(gateway.command("nurse-a", HangBag(course=f"P-{number}", bag="7-day")))
            work.append(gateway.reply("sms", "8521", f"{number}"))
            world.source.say(message("pump-1", "telemetry", observed_at=number, rate_ml_h=0.6))
        await asyncio.gather(*work)
        await settle()
        assert seen == list(range(before + 1, await world.journal.last_seq() + 1))
        assert gateway.judged_seq == await world.journal.last_seq()


@pytest.mark.parametrize("seed", range(5))
async def test_each_caller_gets_its_own_result(seed: int):
    """Done or refused, the answer names what this caller asked for."""
    world = World(TardyJournal(seed))
    async with world.running() as gateway:
        enrolments = [Enrol(course=f"P-{n}", pump=f"pump-{n}", protocol=PROTOCOL, bag="7-day") for n in range(20)]
        refused = [HangBag(course=f"X-{n}", bag="7-day") for n in range(20)]
        results = await asyncio.gather(*(gateway.command("nurse-a", c) for c in (*enrolments, *refused)))
    assert [result.ok for result in results] == [True] * 20 + [False] * 20
    assert [r.message.split(" ")[0] for r in results[:20]] == [f"P-{n}" for n in range(20)]
    assert [r.message.partition(";")[0] for r in results[20:]] == [f"there is no course 'X-{n}'" for n in range(20)]
    assert len({result.seq for result in results}) == 40


async def test_results_come_from_the_real_journal_too(tmp_path):
    """The same with a file and its writer thread."""
    world = World(open_journal("sqlite", tmp_path))
    async with world.running() as gateway:
        commands = [gateway.command("nurse-a", HangBag(course=f"X-{n}", bag="7-day")) for n in range(40)]
        results = await asyncio.wait_for(asyncio.gather(*commands), 20)
    await world.journal.close()
    assert [r.message for r in results] == [f"there is no course 'X-{n}'; running: none" for n in range(40)]


async def test_a_full_journal_refuses_a_command_at_once():
    """The person must know that nothing was noted; the gateway says that its journal is full."""
    world = World()
    async with world.running() as gateway:
        world.journal.refusing = "no space left on the device"
        with pytest.raises(JournalFull, match="no space left"):
            await gateway.command("nurse-a", Note(incident="P-1", text="called"))
        with pytest.raises(JournalFull, match="no space left"):
            await gateway.reply("sms", "8521", "ack")
        assert gateway.health().ready is False
    assert await world.records(Kind.COMMAND, Kind.REPLY) == []


async def test_a_reply_whose_sender_hangs_up_stops_nobody():
    """The same for those who wait for no result: the provider's request may be cut off while the reply is being stored."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        journal.gate.clear()
        cut_off = asyncio.create_task(gateway.reply("sms", "8521", "4711"))
        await settle()
        cut_off.cancel()
        journal.gate.set()
        result = await asyncio.wait_for(gateway.command("nurse-a", HangBag(course="X-2", bag="7-day")), 5)
        assert result.message == NO_SUCH_COURSE
        assert len(await world.records(Kind.REPLY)) == 1


async def test_a_caller_that_gives_up_stops_nobody():
    """A browser that goes away mid-command leaves a durable record: it is judged, and so are all that come after it."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        journal.gate.clear()
        hasty = asyncio.create_task(gateway.command("nurse-a", HangBag(course="X-1", bag="7-day")))
        patient = asyncio.create_task(gateway.command("nurse-a", HangBag(course="X-2", bag="7-day")))
        await settle()
        hasty.cancel()
        await settle()
        journal.gate.set()
        assert (await asyncio.wait_for(patient, 5)).message == NO_SUCH_COURSE
        assert hasty.cancelled()
        assert len(await world.records(Kind.COMMAND)) == 2
        assert gateway.judged_seq == await journal.last_seq()
        assert gateway._pipeline._results == {}


async def test_a_caller_that_gives_up_on_a_full_journal_leaves_no_trace():
    """Nothing was stored, nothing waits, nothing complains later."""
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        journal.gate.clear()
        hasty = asyncio.create_task(gateway.command("nurse-a", HangBag(course="X-1", bag="7-day")))
        await settle()
        hasty.cancel()
        journal.refusing = "no space left on the device"
        journal.gate.set()
        await settle()
        journal.refusing = ""
        assert (await gateway.command("nurse-a", HangBag(course="X-2", bag="7-day"))).message == NO_SUCH_COURSE
        assert gateway._pipeline._results == {}


async def test_a_command_that_cannot_be_read_is_answered():
    """A record of another version stays in the journal; its caller does not wait for ever."""
    world = World()
    async with world.running() as gateway:
        entry = Entry(world.clock.now(), Kind.COMMAND, "", "", "", b'{"who":"nurse-a","verb":"dance","args":{}}')
        result = await asyncio.wait_for(gateway._pipeline.command(entry), 5)
        assert (result.ok, result.message) == (False, str(pipeline.NOT_JUDGED))
        assert any("unknown command 'dance'" in finding for finding in gateway.health().findings)


@pytest.mark.hazard("H-49")
async def test_a_bug_in_the_core_costs_one_record_only(monkeypatch):
    """The caller hears of it, the findings show it, and the next record is judged as ever."""
    world = World()
    async with world.running() as gateway:
        monitor = gateway._fold.monitor
        monkeypatch.setattr(type(monitor), "_take", broken_once(type(monitor)._take))
        result = await asyncio.wait_for(gateway.command("nurse-a", HangBag(course="X-1", bag="7-day")), 5)
        assert (result.ok, result.message) == (False, str(pipeline.NOT_JUDGED))
        assert (await gateway.command("nurse-a", HangBag(course="X-2", bag="7-day"))).message == NO_SUCH_COURSE
        assert any(f"record {result.seq} could not be judged: ZeroDivisionError" in f for f in gateway.health().findings)


@pytest.mark.hazard("H-49")
async def test_a_bug_in_the_core_costs_no_deadline(monkeypatch):
    """What was planned before the record that could not be judged happens at its time."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        monkeypatch.setattr(type(gateway._fold.monitor), "_take", broken_once(type(gateway._fold.monitor)._take))
        await gateway.command("nurse-a", HangBag(course="X-1", bag="7-day"))
        await world.clock.move(2 * MINUTE_MS)
        await settle()
        assert world.asked() == ["P-1@6/r1/nurse-a/0", "P-1@6/r1/nurse-a/1"]


def broken_once(take):
    """A `_take` whose first call fails."""
    calls = []

    def broken(self, event, now):
        calls.append(event)
        if len(calls) == 1:
            raise ZeroDivisionError("a bug")
        take(self, event, now)

    return broken


async def test_judging_waits_when_too_much_is_owed(monkeypatch):
    """Effects that the journal does not take are kept, up to a limit; beyond it nothing more is judged until it takes them."""
    monkeypatch.setattr(pipeline, "OWED_MAX", 0)
    journal = GatedJournal()
    world = World(journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1", "P-2")
        journal.refuses_commits = "database is locked"
        await world.alarm("pump-1")
        await world.alarm("pump-2")
        assert [key[:4] for key in world.asked()] == ["P-1@"]
        journal.refuses_commits = ""
        await world.clock.move(2 * pipeline.RETRY_MS)
        assert [key[:4] for key in world.asked()] == ["P-1@", "P-2@"]
