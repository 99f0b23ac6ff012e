"""`snapshot + tail == full replay`, byte for byte, wherever the snapshot and the restart fall."""

import random
from pathlib import Path

import pytest

from gateway.core.board import build_board
from gateway.domain.commands import EndCourse
from gateway.outside.memory_journal import MemoryJournal
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime import snapshots
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, EffectKind, Kind, SendState
from gateway.runtime.recovery import recover
from tests.support.damage import flip_byte_of
from tests.support.forwarding import settle
from tests.support.histories import START_AT, Live, cells_of, entry_of
from tests.support.journals import open_journal
from tests.support.runtime_world import World
from tests.support.waiting import eventually

SEEDS = range(4)
STEPS = 30


@pytest.fixture(autouse=True)
def _one_cell_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """A snapshot takes as long as it can, so that much changes meanwhile."""
    monkeypatch.setattr(snapshots, "CELLS_AT_ONCE", 1)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_restart_knows_what_was_known(seed: int):
    """At any record: the newest snapshot and the records after it give every cell as it was, and every later effect as it is."""
    live, dice, restarted = Live(seed, MemoryJournal()), random.Random(seed), []
    decided = restarts = 0
    async for record in live.grow(STEPS):
        effects = tuple(effect for _, effect in live.history.effects[decided:])
        decided = len(live.history.effects)
        for fold in restarted:
            assert fold.apply(record) == effects
        if dice.random() < 0.01:
            recovered = await recover(live.journal)
            assert cells_of(recovered.fold.monitor.state) == live.cells
            restarted = [*restarted, recovered.fold][-2:]
            restarts += recovered.snapshot > 0
    assert restarts, "the history is too short to prove anything"
    for fold in restarted:
        assert cells_of(fold.monitor.state) == live.cells
        at = live.history.at
        assert build_board(fold.monitor.state, at).courses == build_board(live.history.fold.monitor.state, at).courses


@pytest.mark.parametrize("sort", ["sqlite", "memory"])
async def test_snapshot_and_tail_are_a_full_replay(sort: str, tmp_path: Path):
    """On both journals: what a restart knows is what the whole journal tells."""
    live = Live(11, open_journal(sort, tmp_path))
    async for _ in live.grow(8):
        pass
    recovered = await recover(live.journal)
    whole = Fold()
    for record in await live.journal.read(0, 1_000_000):
        whole.apply(record)
    assert 0 < recovered.snapshot < recovered.judged == len(live.history.records)
    assert cells_of(recovered.fold.monitor.state) == cells_of(whole.monitor.state) == live.cells
    await live.journal.close()


async def test_a_damaged_snapshot_is_not_believed(tmp_path: Path):
    """One flipped bit in one cell: everything is folded from the first record."""
    live = Live(12, MemoryJournal())
    async for _ in live.grow(10):
        pass
    live.journal = live._snapshots._journal = SqliteJournal.open(tmp_path / "journal.db")
    await live.journal.append([entry_of(record) for record in live.history.records])
    await live.save()
    as_of, cells = await live.journal.load_snapshot()
    assert as_of == live.history.records[-1].seq
    await live.journal.close()
    flip_byte_of(tmp_path / "journal.db", cells["pump:ward/pump-3"])
    journal = SqliteJournal.open(tmp_path / "journal.db")
    recovered = await recover(journal)
    assert recovered.snapshot == 0
    assert cells_of(recovered.fold.monitor.state) == live.cells
    await journal.close()


@pytest.mark.hazard("H-44")
@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"site":1}'])
async def test_a_snapshot_of_another_version_is_not_believed(body: bytes):
    """Cells that this version cannot read cost time, never knowledge."""
    journal = MemoryJournal()
    live = Live(13, journal)
    async for _ in live.grow(20):
        pass
    await journal.stage_snapshot(live.history.records[-1].seq, {"course:P-3": body})
    await journal.complete_snapshot(live.history.records[-1].seq)
    recovered = await recover(journal)
    assert recovered.snapshot == 0
    assert cells_of(recovered.fold.monitor.state) == live.cells


async def test_half_a_snapshot_is_nothing():
    """Cells that were staged when the gateway ended belong to no snapshot."""
    live = Live(14, MemoryJournal())
    async for _ in live.grow(20):
        pass
    before, _ = await live.journal.load_snapshot()
    await live.journal.stage_snapshot(live.history.records[-1].seq, {"course:P-3": b"half"})
    recovered = await recover(live.journal)
    assert recovered.snapshot == before
    assert cells_of(recovered.fold.monitor.state) == live.cells


@pytest.mark.hazard("H-42")
async def test_a_damaged_record_is_told_and_stepped_over(tmp_path: Path):
    """A restart does not end at a bad spot of the disk: the record is named, the next ones are folded and numbered on."""
    world = World(SqliteJournal.open(tmp_path / "journal.db"))
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        await eventually(lambda: gateway.pages() and gateway.pages()[0].outcome)
        victim = next(record for record in await world.records(Kind.MESSAGE) if b"system-fault" in record.body)
    await world.journal.close()
    flip_byte_of(tmp_path / "journal.db", victim.body)
    world.journal = SqliteJournal.open(tmp_path / "journal.db")
    recovered = await recover(world.journal)
    assert recovered.damaged == [Damaged(victim.seq, "its bytes do not match their checksum")]
    async with world.running() as gateway:
        assert any(f"record {victim.seq} is damaged" in finding for finding in gateway.health().findings)
        assert (await gateway.command("nurse-a", EndCourse(course="P-1"))).ok
    await world.journal.close()


async def test_effects_after_the_cursor_are_made_durable_once():
    """What a crash kept from the outbox is planned at the next start; what is there already is left as it is."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
    (before,) = await world.pages()
    assert before.state is SendState.DONE
    await world.journal.commit("monitor", 0)
    await world.journal.forget([before.key])
    recovered = await recover(world.journal)
    assert [row.key for row in recovered.pending if row.kind is EffectKind.PAGE] == [before.key]
    async with world.running():
        await settle()
    assert [row.key for row in await world.pages()] == [before.key]
    assert world.asked() == [before.key, before.key]
    recovered = await recover(world.journal)
    assert recovered.pending == []


async def test_points_are_not_planned_where_no_store_wants_them():
    """Nobody would ever take them out of the outbox again."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
    await world.journal.commit("monitor", 0)
    async with world.running():
        assert await world.journal.outbox(EffectKind.POINT, SendState, 10) == []


async def test_the_monitor_sleeps_until_the_same_instant_after_a_restart():
    """No deadline is lost and none is invented."""
    live = Live(16, MemoryJournal())
    async for record in live.grow(STEPS):
        if record.seq % 97 == 0:
            recovered = await recover(live.journal)
            state = recovered.fold.monitor.state
            assert [recovered.fold.monitor._due(name) for name in state.subjects()] == [
                live.history.fold.monitor._due(name) for name in state.subjects()
            ]
    assert live.history.at > START_AT
