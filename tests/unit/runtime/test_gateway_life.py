"""How the gateway lives: start, reload, retention, and what keeps its memory and its disk within limits."""

import asyncio

import pytest

from gateway.domain.commands import Acknowledge, EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime import snapshots
from gateway.runtime.gateway import RETENTION_EVERY_MS
from gateway.runtime.pipeline import RETRY_MS
from gateway.runtime.ports import EffectKind, JournalFull, Kind, SendState
from tests.support.damage import hide_rows_on_page_of
from tests.support.forwarding import ScriptedSink, settle
from tests.support.histories import PROTOCOL, WARD
from tests.support.runtime_world import World, message

OTHER = "another_protocol"


# ---- start, reload ------------------------------------------------------------------------------------------------------


async def test_a_start_with_a_full_journal_waits_and_tells_people():
    """Nobody would otherwise know: the gateway does not run yet, and its pumps are not watched."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
    world.journal.refusing = "no space left on the device"

    async def start() -> None:
        async with world.running() as gateway:
            assert (await gateway.command("nurse-a", HangBag(course="P-1", bag="7-day"))).ok

    starting = asyncio.create_task(start())
    await world.clock.move(10 * SECOND_MS)
    assert [m.address for m in world.transports["sms"].asked] == ["8523"]
    assert not starting.done()
    world.journal.refusing = ""
    await world.clock.move(RETRY_MS)
    await asyncio.wait_for(starting, 5)


@pytest.mark.hazard("H-64")
async def test_a_reload_pages_nobody_again():
    """What was paged stays paged; new steps go to the people of the new file."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        world.ward = {"people": {**WARD["people"], "charge": {"contacts": [{"sms": "9999"}]}}}
        await gateway.reload(world.text, world.protocols)
        await settle()
        assert len(world.asked()) == 1
        await world.clock.move(5 * MINUTE_MS)
        await settle()
        assert "9999" in {m.address for m in world.transports["sms"].asked}


async def test_a_reload_with_a_full_journal_is_refused():
    """The old file stays in force, and who reloads is told."""
    world = World()
    async with world.running() as gateway:
        world.journal.refusing = "no space left on the device"
        with pytest.raises(JournalFull):
            await gateway.reload(world.text, world.protocols)


def without_the_protocol(world: World) -> dict[str, str]:
    """The ward file names another protocol from now on."""
    text = world.protocols[PROTOCOL].replace(f"protocol: {PROTOCOL}", f"protocol: {OTHER}")
    world.ward = {**world.ward, "protocols": [OTHER]}
    return {OTHER: text}


@pytest.mark.hazard("H-64")
async def test_a_running_course_keeps_its_protocol(caplog: pytest.LogCaptureFixture):
    """A protocol that the ward file dropped stays in force for who is treated by it: by a reload, a restart, and another."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.protocols = without_the_protocol(world)
        await gateway.reload(world.text, world.protocols)
        await world.alarm()
        assert len(world.asked()) == 1
        assert {name for name, _ in gateway.protocols()} == {PROTOCOL, OTHER}
    assert f"needs the protocol '{PROTOCOL}'" in caplog.text
    for _ in range(2):
        async with world.running() as gateway:
            assert {name for name, _ in gateway.protocols()} == {PROTOCOL, OTHER}
    async with world.running() as gateway:
        await gateway.command("nurse-a", EndCourse(course="P-1"))
        await gateway.reload(world.text, world.protocols)
        await settle()
        assert {name for name, _ in gateway.protocols()} == {OTHER}


async def test_a_journal_that_lost_its_end_is_numbered_on(tmp_path):
    """Records that a damaged page hides keep their numbers: the next one is judged."""
    world = World(SqliteJournal.open(tmp_path / "journal.db"))
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        for number in range(5):
            world.source.say(message("pump-1", "diary", observed_at=world.clock.now(), entry="note", text=f"{number}"))
            await settle()
        while b'"text": "4"' not in (last := (await world.records())[-1]).body or gateway.judged_seq < last.seq:
            await asyncio.sleep(0.001)
    await world.journal.close()
    hide_rows_on_page_of(tmp_path / "journal.db", last.body, 2)
    world.journal = SqliteJournal.open(tmp_path / "journal.db")
    async with world.running() as gateway:
        result = await asyncio.wait_for(gateway.command("nurse-a", HangBag(course="P-1", bag="7-day")), 10)
        assert result.ok
    await world.journal.close()


# ---- retention ----------------------------------------------------------------------------------------------------------


async def test_retention_never_passes_what_a_restart_needs(monkeypatch: pytest.MonkeyPatch):
    """Records after the newest snapshot stay, however old; those before it go by age."""
    world = World(keep_ms=0)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.clock.move(RETENTION_EVERY_MS + 1)
        assert len(await world.records(Kind.MESSAGE)) == 1, "no snapshot yet: everything is needed"
        monkeypatch.setattr(snapshots, "EVERY_RECORDS", 1)
        world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), delivery_status="delivering"))
        await settle()
        monkeypatch.setattr(snapshots, "EVERY_RECORDS", 10**9)
        saved = gateway.health().numbers
        await world.clock.move(RETENTION_EVERY_MS)
        kept = [record.seq for record in await world.records(Kind.MESSAGE)]
        assert all(seq > dict(saved)["snapshot_seq"] for seq in kept)
        assert dict(saved)["snapshot_seq"] > 0
        state = gateway._fold.monitor.state.courses["P-1"].delivery.state
    async with world.running() as gateway:
        assert gateway._fold.monitor.state.courses["P-1"].delivery.state is state


async def test_retention_never_passes_what_the_store_lacks(monkeypatch: pytest.MonkeyPatch):
    """A store that has been down for a day gets its points when it is back."""
    monkeypatch.setattr(snapshots, "EVERY_RECORDS", 1)
    world = World(keep_ms=0, sink=ScriptedSink())
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        assert world.sink is not None
        world.sink.down = True
        at = world.clock.now()
        world.source.say(message("pump-1", "telemetry", observed_at=at, delivery_status="delivering", rate_ml_h=0.61))
        await world.clock.move(3 * HOUR_MS)
        assert any(b"0.61" in record.body for record in await world.records(Kind.MESSAGE))
        world.sink.down = False
        await world.clock.move(MINUTE_MS)
        assert any(b"rate_ml_h=0.61" in line for line in world.sink.stored)
        await world.clock.move(RETENTION_EVERY_MS)
        await world.clock.move(RETENTION_EVERY_MS)
        assert not any(b"0.61" in record.body for record in await world.records(Kind.MESSAGE))


async def test_retention_waits_for_a_full_journal():
    """Pruning that cannot be written comes round again; the gateway lives on."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.clock.move(RETENTION_EVERY_MS - SECOND_MS)
        world.journal.refusing = "no space left on the device"
        await world.clock.move(2 * SECOND_MS)
        world.journal.refusing = ""
        await world.clock.move(MINUTE_MS)
        assert gateway.health().ready


# ---- limits -------------------------------------------------------------------------------------------------------------


async def test_finished_rows_and_forwarded_points_leave_the_outbox():
    """The outbox holds what is on its way; history is the journal's."""
    world = World(sink=ScriptedSink(), keep_ms=HOUR_MS)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        await gateway.command("nurse-a", Acknowledge(incident="P-1", for_ms=DAY_MS))
        await world.clock.move(3 * RETENTION_EVERY_MS)
        await settle()
        assert await world.journal.outbox(EffectKind.POINT, SendState, 10) == []
        planned = [row.planned_at for row in await world.pages()]
        assert all(at >= world.clock.now() - 2 * HOUR_MS for at in planned)


async def test_a_course_may_be_enrolled_again_and_again():
    """The new course stands in the place of the ended one; memory does not grow with it."""
    world = World()
    async with world.running() as gateway:
        for cycle in range(1, 6):
            enrol = Enrol(course="P-1", pump="pump-1", protocol=PROTOCOL, bag="7-day", cycle=cycle)
            assert (await gateway.command("nurse-a", enrol)).ok
            assert (await gateway.command("nurse-a", EndCourse(course="P-1"))).ok
        assert list(gateway._fold.monitor.state.courses) == ["P-1"]
