"""What front ends see of the running gateway, and how it lives: start, reload, retention."""

import asyncio

from gateway.domain.commands import Acknowledge
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.words import IncidentState, Outcome, Priority
from gateway.runtime.page_log import PAGES_SHOWN
from gateway.runtime.ports import Entry, Kind, Rejected, Session
from tests.support.forwarding import ScriptedSink, settle
from tests.support.histories import PROTOCOL
from tests.support.runtime_world import GatedJournal, World, alarm, message

# ---- health ----------------------------------------------------------------------------------------------------------


async def test_health_before_the_first_session():
    """Nothing is heard yet: not ready, and why."""
    world = World()
    async with world.running() as gateway:
        assert (gateway.health().ready, gateway.health().findings) == (False, ("no session with the broker yet",))
        world.source.say(Session.UP)
        await settle()
        assert (gateway.health().ready, gateway.health().findings) == (True, ())


async def test_health_says_what_keeps_the_source_from_hearing():
    """The source knows better than we why there is no session."""
    world = World(finding="127.0.0.1:1883 refuses the connection")
    async with world.running() as gateway:
        assert gateway.health().findings == ("127.0.0.1:1883 refuses the connection",)
        assert gateway.health().ready is False


async def test_health_has_numbers():
    """How far the judge, the snapshots, the pages and the store are."""
    world = World(sink=ScriptedSink())
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.transports["sms"].script["8521"] = None
        await world.alarm()
        numbers = dict(gateway.health().numbers)
    assert numbers["judged_seq"] == await world.journal.last_seq()
    assert (numbers["lag_records"], numbers["pages_in_hand"], numbers["snapshot_seq"]) == (0, 1, 0)
    assert {"store_lag_records", "store_poisoned"} <= numbers.keys()


async def test_findings_are_bounded():
    """A thousand unreadable records fill no screen and no memory."""
    world = World()
    async with world.running() as gateway:
        world.source.say(Session.UP)
        for number in range(1_000):
            world.source.say(message("pump-1", "event", n=number))
            await gateway._pipeline.append([Entry(world.clock.now(), Kind.OUTCOME, "", "", "", b"not json")])
        await settle(2_000)
        assert len(gateway.health().findings) <= 30
        assert len(gateway._fold.findings) <= 100
        assert gateway.health().ready is True


# ---- pages and changes ------------------------------------------------------------------------------------------------


async def test_pages_are_shown_with_their_outcome_newest_first():
    """What became of each last, and why."""
    world = World()
    world.transports["sms"].script["8521"] = Rejected("no such number")
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        lines = gateway.pages()
    assert [(line.page.transport, line.outcome, line.reason) for line in lines] == [
        ("voice", Outcome.ACCEPTED, ""),
        ("sms", Outcome.REJECTED, "no such number"),
    ]
    assert lines[0].page.priority is Priority.HIGH


async def test_pages_are_shown_again_after_a_restart():
    """The records that are folded again tell of them; nobody looks at an empty list after a crash."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        before = gateway.pages()
    async with world.running() as gateway:
        assert gateway.pages() == before
    assert [line.outcome for line in before] == [Outcome.ACCEPTED]


async def test_pages_are_bounded():
    """The newest two hundred; the others are in the incidents' histories."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        for _ in range(30):
            await world.clock.move(HOUR_MS)
        lines = gateway.pages()
        assert len(await world.pages()) > PAGES_SHOWN
    assert len(lines) == PAGES_SHOWN
    assert [line.page.decided_at for line in lines] == sorted((line.page.decided_at for line in lines), reverse=True)


async def test_everybody_who_waits_hears_of_a_change():
    """Two screens, one change; who asks with an old number is answered at once."""
    world = World()
    async with world.running() as gateway:
        seen = await gateway.changed(0)
        waiting = [asyncio.create_task(gateway.changed(seen)) for _ in range(2)]
        await settle()
        assert not any(task.done() for task in waiting)
        world.source.say(Session.UP)
        newer = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert min(newer) > seen
        assert await asyncio.wait_for(gateway.changed(seen), 5) == gateway.version


async def test_who_hears_of_a_change_sees_its_page():
    """The page is in the list by the time of the last change, not only once its outcome has come."""
    journal = GatedJournal()
    world = World(journal)
    world.transports["sms"].script["8521"] = None
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        shown: list[int] = []

        async def watch() -> None:
            version = gateway.version
            while True:
                version = await gateway.changed(version)
                shown.append(len(gateway.pages()))

        watching = asyncio.create_task(watch())
        world.source.say(alarm("pump-1", world.clock.now()))
        while b"system-fault" not in str(journal.log[-1]).encode():
            await asyncio.sleep(0)
        journal.gate.clear()  # the alarm is stored, its page is not
        await settle()
        assert shown[-1] == 0
        journal.gate.set()
        await settle()
        watching.cancel()
    assert shown[-1] == 1


async def test_the_board_and_the_incidents():
    """One alarm: the course is on the board with its incident; taken, it is somebody's."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1", "P-2")
        await world.alarm("pump-2")
        assert [line.subject for line in gateway.incidents(IncidentState.TRIGGERED)] == ["P-2"]
        result = await gateway.command("charge", Acknowledge(incident="P-2"))
        (line,) = gateway.incidents()
        assert (result.incident, line.holder, line.state) == (line.key, "charge", IncidentState.ACKNOWLEDGED)
        board = gateway.board()
        assert (board.connected, board.deaf, [line.course for line in board.courses]) == (True, False, ["P-2", "P-1"])
        assert dict(gateway.protocols())[PROTOCOL] == ("24-hour", "48-hour", "7-day")


# ---- replies ------------------------------------------------------------------------------------------------------------


async def test_a_reply_is_journalled_carried_out_and_answered():
    """The code takes the incident; the answer goes back the way it came; the page's retries end."""
    world = World()
    world.transports["sms"].script["8521"] = Rejected("busy", temporary=True)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        code = gateway.pages()[0].page.code
        await gateway.reply("sms", "8521", code)
        world.transports["sms"].script.clear()
        await world.clock.move(MINUTE_MS)
        await settle()
        assert [line.holder for line in gateway.incidents()] == ["nurse-a"]
        assert [m.text.split(".")[0] for m in world.transports["sms"].sent] == ["P-1: yours until 08:30"]
        assert gateway.pages()[0].outcome is Outcome.WITHDRAWN
        assert len(await world.records(Kind.REPLY)) == 1
