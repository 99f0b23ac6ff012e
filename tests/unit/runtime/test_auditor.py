"""What should have happened and has not is noticed, repaired and told, whatever the timers think."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.core.outbox import Outbox
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.runtime import auditor
from gateway.runtime.gateway import Gateway
from gateway.runtime.ports import EffectKind, OutboxRow, SendState
from tests.support.forwarding import settle
from tests.support.runtime_world import GatedJournal, World

AUDIT_MS = auditor.EVERY_MS
NOTICED_MS = auditor.OVERDUE_MS + 2 * AUDIT_MS


async def pass_time(world: World, by_ms: int) -> None:
    """Let time pass."""
    await world.clock.move(by_ms)
    await settle()


def lose_timers(gateway: Gateway) -> None:
    """A bug that forgets every deadline."""
    monitor = gateway._fold.monitor
    monitor.state.wakes.clear()
    monitor._wakes.clear()


def said_to_fallback(world: World, words: str) -> list[str]:
    """What the fallback was told past the outbox."""
    return [m.text for m in world.transports["sms"].asked if m.key.startswith("emergency") and words in m.text]


@pytest.mark.hazard("H-40")
async def test_a_lost_timer_is_set_anew_and_the_next_step_pages():
    """The second step would never have come; a minute late it does, and the health tells why."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        before = len(world.asked())
        lose_timers(gateway)
        await pass_time(world, 5 * MINUTE_MS + NOTICED_MS)
        assert len(world.asked()) > before
        assert any("all timers were set anew" in finding for finding in gateway.health().findings)
        assert gateway.health().ready
        assert said_to_fallback(world, "stuck") == []


@pytest.mark.hazard("H-40")
async def test_what_a_repair_does_not_mend_is_trouble_and_pages(monkeypatch: pytest.MonkeyPatch):
    """The judge stands still: not ready, and the fallback hears of it past everything that stands still; so does the end."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        gate = asyncio.Event()
        judge = gateway._pipeline._judge_some

        async def hanging() -> None:
            await gate.wait()
            await judge()

        monkeypatch.setattr(gateway._pipeline, "_judge_some", hanging)
        await pass_time(world, 5 * MINUTE_MS + NOTICED_MS + 2 * AUDIT_MS)
        assert not gateway.health().ready
        assert len(said_to_fallback(world, "is overdue by")) == 1
        before = world.alive
        await pass_time(world, 2 * MINUTE_MS)
        assert world.alive == before  # a service manager that listens begins anew
        gate.set()
        await pass_time(world, 3 * MINUTE_MS)
        assert gateway.health().ready
        assert world.alive > before
        assert len(said_to_fallback(world, "works again")) == 1


@pytest.mark.hazard("H-40")
async def test_a_judge_that_stands_still_while_nothing_is_due_is_trouble(monkeypatch: pytest.MonkeyPatch):
    """A quiet ward has no deadline that could be overdue, and an alarm that waits to be judged is known to nobody."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        gate = asyncio.Event()
        judge = gateway._pipeline._judge_some

        async def hanging() -> None:
            await gate.wait()
            await judge()

        monkeypatch.setattr(gateway._pipeline, "_judge_some", hanging)
        await world.alarm()
        await pass_time(world, NOTICED_MS + MINUTE_MS)
        assert not gateway.health().ready
        assert len(said_to_fallback(world, "none has been judged")) == 1
        before = world.alive
        await pass_time(world, MINUTE_MS)
        assert world.alive == before  # a service manager that listens begins anew
        gate.set()
        await pass_time(world, MINUTE_MS)
        assert gateway.health().ready


@pytest.mark.hazard("H-40")
async def test_a_page_that_the_dispatcher_lost_is_put_back_from_the_journal():
    """The outbox table is the truth."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.transports["sms"].script["8521"] = None  # hangs: its row is unfinished
        await world.alarm()
        (lost,) = [row for row in await world.pages(SendState.SENDING) if "/r1/" in row.key]
        for task in list(gateway._dispatcher._tasks):
            task.cancel()
        await settle()
        gateway._dispatcher._outbox = Outbox()
        gateway._dispatcher._in_flight = dict.fromkeys(world.transports, 0)
        del world.transports["sms"].script["8521"]
        await pass_time(world, NOTICED_MS)
        assert world.transports["sms"].sent[-1].key == lost.key
        assert any(f"{lost.key} was lost from the outbox" in finding for finding in gateway.health().findings)


async def test_a_send_whose_task_died_is_tried_again():
    """Nobody knows what became of it."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.transports["sms"].script["8521"] = None
        await world.alarm()
        (task,) = [task for task in gateway._dispatcher._tasks if "nurse-a/0" in task.get_name()]
        task.cancel()
        del world.transports["sms"].script["8521"]
        await pass_time(world, NOTICED_MS)
        assert any("stood still in the outbox" in finding for finding in gateway.health().findings)
        assert any("nurse-a/0" in message.key for message in world.transports["sms"].sent)


async def test_a_row_that_nobody_can_read_is_told_and_stops_nothing():
    """It may have been written by another version."""
    world = World()
    async with world.running() as gateway:
        row = OutboxRow("P-1@1/r1/nurse-a/0", EffectKind.PAGE, world.clock.now(), b"{}")
        await world.journal.commit("monitor", 1, [row])
        await pass_time(world, NOTICED_MS)
        assert any("cannot be read" in finding for finding in gateway.health().findings)


@pytest.mark.hazard("H-41")
async def test_a_disk_that_does_not_answer_is_noticed_paged_and_over():
    """No error, no result: after half a minute the gateway is not ready and the fallback knows; then it recovers by itself."""
    journal = GatedJournal()
    world = World(journal=journal)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        journal.gate.clear()
        await pass_time(world, AUDIT_MS + auditor.HUNG_MS + SECOND_MS)
        assert not gateway.health().ready
        assert world.alive  # it is told, and a new start would end the telling
        assert any("the disk has not answered" in finding for finding in gateway.health().findings)
        assert len(said_to_fallback(world, "Pumps are NOT watched")) == 1
        journal.gate.set()
        await pass_time(world, AUDIT_MS + auditor.HUNG_MS + 2 * MINUTE_MS)
        assert gateway.health().ready
        assert len(said_to_fallback(world, "stores again")) == 1


async def test_a_mark_that_a_full_disk_refused_is_written_later_and_the_page_is_not_sent_twice():
    """What is done in memory is done, although the table says that it is on its way."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        assert await world.pages(SendState.DONE)
        key = (await world.pages(SendState.DONE))[0].key
        world.journal.refusing = "no space"
        await gateway._dispatcher.marks.write(key, SendState.DONE, 2)
        sent = len(world.asked())
        world.journal.refusing = ""
        await world.journal.mark(key, SendState.SENDING, 1)
        await pass_time(world, NOTICED_MS)
        assert [row.attempts for row in await world.pages(SendState.DONE) if row.key == key] == [2]
        assert [k for k in world.asked()[sent:] if k == key] == []


def _quiet(gateway: Gateway) -> Callable[[], bool]:
    return lambda: not [f for f in gateway.health().findings if "overdue" in f or "lost" in f or "stood still" in f]


async def test_a_gateway_that_works_finds_nothing():
    """A day of alarms, answers and restarts of the policy: the auditor has nothing to say."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1", "P-2")
        await world.alarm()
        for _ in range(24):
            await pass_time(world, 20 * MINUTE_MS)
            assert _quiet(gateway)()


async def test_a_disk_that_takes_nothing_is_no_reason_to_start_anew():
    """It is told, and what is overdue cannot be repaired; a new start would make no room, and would tell everybody once more."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        world.journal.refusing = "no space"
        await pass_time(world, 5 * MINUTE_MS + NOTICED_MS + 2 * AUDIT_MS)
        before = world.alive
        await pass_time(world, 2 * MINUTE_MS)
        assert not gateway.health().ready
        assert world.alive > before
