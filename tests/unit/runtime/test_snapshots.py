"""A snapshot is written bit by bit while the gateway goes on: every cell as it was at one record, or no snapshot at all."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from gateway.domain.commands import Acknowledge, EndCourse
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import snapshots
from gateway.runtime.fold import Fold
from gateway.runtime.gateway import Gateway
from gateway.runtime.ports import JournalFull
from gateway.runtime.recovery import recover
from gateway.runtime.snapshots import Snapshotter
from tests.support.forwarding import settle
from tests.support.histories import Live, cells_of
from tests.support.runtime_world import World, alarm, message


@pytest.fixture(autouse=True)
def _one_cell_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """A snapshot takes as long as it can, so that much changes meanwhile."""
    monkeypatch.setattr(snapshots, "CELLS_AT_ONCE", 1)


async def caught(during: Callable[[World, Gateway], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    """While a snapshot is being written, this happens; the restart must know it once, not twice."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        await report(world, infused_ml=1.0)
        await world.clock.move(HOUR_MS)
        monkeypatch.setattr(Snapshotter, "work", _nothing)
        gateway._pipeline._snapshots.begin(gateway.judged_seq)
        await during(world, gateway)
        monkeypatch.undo()
        while gateway._pipeline._snapshots._staging:
            await gateway._pipeline._snapshots.work()
        live = cells_of(gateway._fold.monitor.state)
    recovered = await recover(world.journal)
    assert 0 < recovered.snapshot < recovered.judged
    assert cells_of(recovered.fold.monitor.state) == live


async def report(world: World, infused_ml: float) -> None:
    """The pump runs, and says how much it has delivered since the bag hangs."""
    body = {"delivery_status": "delivering", "set_rate_ml_h": 0.6, "infused_ml": infused_ml}
    world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), **body))
    await settle()


async def _nothing(_self: Snapshotter) -> None:
    """The disk is slow."""


async def test_a_reply_while_a_snapshot_is_written(monkeypatch: pytest.MonkeyPatch):
    """The incident that it takes is saved as it was before."""

    async def during(world: World, gateway: Gateway) -> None:
        await gateway.reply("sms", "8521", gateway.pages()[-1].page.code)
        await settle()
        assert gateway.incidents()[0].holder == "nurse-a"

    await caught(during, monkeypatch)


async def test_a_volume_that_tells_of_a_gap_while_a_snapshot_is_written(monkeypatch: pytest.MonkeyPatch):
    """The course is saved as it was before the pump came back."""

    async def during(world: World, gateway: Gateway) -> None:
        await report(world, infused_ml=1.1)
        assert len(gateway._fold.monitor.state.courses["P-1"].delivery.interruptions) == 1, "10 min delivered in an hour"

    await caught(during, monkeypatch)


async def test_everything_else_while_a_snapshot_is_written(monkeypatch: pytest.MonkeyPatch):
    """A command, an alarm, a new course, a new pump, an outcome."""

    async def during(world: World, gateway: Gateway) -> None:
        await gateway.command("charge", Acknowledge(incident="P-1"))
        await world.enrol(gateway, "P-2")
        world.source.say(alarm("pump-1", world.clock.now(), "air-in-line"), alarm("pump-3", world.clock.now()))
        await settle()
        await gateway.command("charge", EndCourse(course="P-1"))
        await world.clock.move(10 * MINUTE_MS)

    await caught(during, monkeypatch)


async def test_a_full_disk_in_the_middle_of_a_snapshot():
    """What could not be staged is staged later: a snapshot is whole, or it is none."""
    journal = MemoryJournal()
    live = Live(15, journal, often=0)
    async for _ in live.grow(10):
        pass
    await live.save()
    async for _ in live.grow(10):
        pass
    newest = live.history.records[-1].seq
    (snapshotter := live._snapshots).begin(newest)
    for number in range(200):
        journal.refusing = "no space left on the device" if number % 2 else ""
        try:
            await snapshotter.work()
        except JournalFull:
            continue
    assert snapshotter.as_of == newest
    assert cells_of((await recover(journal)).fold.monitor.state) == live.cells


async def test_a_snapshot_ends_soon_however_many_cells_it_has(monkeypatch: pytest.MonkeyPatch):
    """The more cells, the more at once: what a restart must fold has a limit."""
    monkeypatch.undo()
    journal = MemoryJournal()
    fold = Fold()
    for number in range(20_000):
        fold.monitor.state.pump("ward", f"pump-{number}")
    snapshotter = Snapshotter(journal, fold.monitor.state)
    snapshotter.begin(7)
    for _ in range(snapshots.ROUNDS_MAX + 1):
        await snapshotter.work()
    assert snapshotter.as_of == 7
    assert len((await journal.load_snapshot())[1]) == 20_001


async def test_large_cells_are_written_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """Between two pieces pages are decided: no piece is much larger than its limit, however much was written into incidents."""
    monkeypatch.undo()
    monkeypatch.setattr(snapshots, "BYTES_AT_ONCE", 10_000)
    journal, fold = MemoryJournal(), Fold()
    for number in range(40):
        fold.monitor.state.pump("ward", f"pump-{number}").boot = "x" * 4_000
    pieces: list[int] = []
    stage = journal.stage_snapshot

    async def staged(as_of: int, cells: Mapping[str, bytes]) -> None:
        pieces.append(sum(map(len, cells.values())))
        await stage(as_of, cells)

    monkeypatch.setattr(journal, "stage_snapshot", staged)
    snapshotter = Snapshotter(journal, fold.monitor.state)
    snapshotter.begin(7)
    while snapshotter.as_of != 7 or snapshotter._staging:
        await snapshotter.work()
    assert len((await journal.load_snapshot())[1]) == 41
    assert max(pieces) < 10_000 + 6_000
