"""What every journal does with snapshots and retention, on the file and in memory alike."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.runtime.ports import EffectKind, Journal, Kind, Record, SendState
from tests.support.journals import NO_LIMIT, SORTS, entry, open_journal, page, seqs


@pytest.fixture(params=SORTS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal of each sort."""
    opened = open_journal(request.param, tmp_path)
    yield opened
    await opened.close()


# ---- snapshots ---------------------------------------------------------------------------------------------------------


async def test_a_staged_snapshot_is_unseen_until_it_is_complete(journal: Journal):
    """A crash between two parts must not leave half a state."""
    await journal.stage_snapshot(10, {"P-1": b"one"})
    await journal.stage_snapshot(10, {"P-2": b"two"})
    assert await journal.load_snapshot() == (0, {})
    await journal.complete_snapshot(10)
    assert await journal.load_snapshot() == (10, {"P-1": b"one", "P-2": b"two"})


async def test_a_newer_snapshot_lies_over_the_older_one(journal: Journal):
    """Only dirty cells are written: new ones replace, untouched ones stay, those that are gone go."""
    await journal.stage_snapshot(10, {"P-1": b"one", "P-2": b"two", "P-3": b"three"})
    await journal.complete_snapshot(10)
    await journal.stage_snapshot(20, {"P-2": b"two again", "P-4": b"four"})
    assert await journal.load_snapshot() == (10, {"P-1": b"one", "P-2": b"two", "P-3": b"three"})
    await journal.complete_snapshot(20, gone=["P-3", "never-there"])
    assert await journal.load_snapshot() == (20, {"P-1": b"one", "P-2": b"two again", "P-4": b"four"})


async def test_a_cell_both_staged_and_gone_is_gone(journal: Journal):
    """A course that ended while its snapshot was written does not come back."""
    await journal.stage_snapshot(10, {"P-1": b"one", "P-2": b"two"})
    await journal.complete_snapshot(10, gone=["P-1"])
    assert await journal.load_snapshot() == (10, {"P-2": b"two"})


async def test_an_abandoned_snapshot_never_shows(journal: Journal):
    """What a crashed run had staged stays unseen when a later snapshot completes."""
    await journal.stage_snapshot(10, {"P-1": b"from the crashed run"})
    await journal.stage_snapshot(20, {"P-2": b"two"})
    await journal.complete_snapshot(20)
    assert await journal.load_snapshot() == (20, {"P-2": b"two"})


async def test_a_snapshot_can_be_taken_again_at_the_same_place(journal: Journal):
    """A restart without new records snapshots the same moment; its parts are unseen until it completes, as always."""
    await journal.stage_snapshot(10, {"P-1": b"one", "P-2": b"two"})
    await journal.complete_snapshot(10)
    await journal.stage_snapshot(10, {"P-1": b"one again"})
    assert await journal.load_snapshot() == (10, {"P-1": b"one", "P-2": b"two"})
    await journal.complete_snapshot(10)
    assert await journal.load_snapshot() == (10, {"P-1": b"one again", "P-2": b"two"})


async def test_a_snapshot_without_dirty_cells_still_moves_its_place(journal: Journal):
    """Nothing changed since the last one: the cells stay, the tail to replay becomes shorter."""
    await journal.stage_snapshot(10, {"P-1": b"one"})
    await journal.complete_snapshot(10)
    await journal.complete_snapshot(30)
    assert await journal.load_snapshot() == (30, {"P-1": b"one"})


async def test_thousands_of_cells_are_superseded_completely(journal: Journal):
    """A full snapshot over a full snapshot leaves the newer one."""
    await journal.stage_snapshot(1, {f"P-{n}": b"old" for n in range(2_500)})
    await journal.complete_snapshot(1)
    await journal.stage_snapshot(2, {f"P-{n}": b"new" for n in range(2_500)})
    await journal.complete_snapshot(2)
    assert await journal.load_snapshot() == (2, {f"P-{n}": b"new" for n in range(2_500)})


# ---- retention ---------------------------------------------------------------------------------------------------------


async def test_prune_removes_what_is_too_old(journal: Journal):
    """Records received before the limit go; the one received exactly then stays."""
    await journal.append([entry(at=at) for at in (10, 20, 30, 40)])
    pruned = await journal.prune(before_at=30, max_bytes=NO_LIMIT, keep_after=4)
    assert (pruned.records, pruned.oldest_kept_at) == (2, 30)
    assert await seqs(journal) == [3, 4]


@pytest.mark.hazard("H-51")
async def test_prune_never_touches_commands_and_configuration(journal: Journal):
    """What people did and which rules ruled is kept for ever; the other kinds go."""
    await journal.append([entry(at=10, kind=kind) for kind in Kind])
    pruned = await journal.prune(before_at=99, max_bytes=0, keep_after=99)
    kept = await journal.read(0, 100)
    assert [record.kind for record in kept if isinstance(record, Record)] == [Kind.COMMAND, Kind.CONFIG]
    assert (pruned.records, pruned.oldest_kept_at) == (4, None)


async def test_prune_never_goes_past_a_reader(journal: Journal):
    """Neither age nor size removes a record above `keep_after`: some cursor still needs it."""
    await journal.append([entry(at=10) for _ in range(6)])
    pruned = await journal.prune(before_at=99, max_bytes=0, keep_after=4)
    assert (pruned.records, pruned.oldest_kept_at) == (4, 10)
    assert await seqs(journal) == [5, 6]


async def test_prune_by_size_takes_the_oldest_and_stops(journal: Journal):
    """Of 4 MiB, the oldest go until about 2 MiB are left."""
    for _ in range(64):
        await journal.append([entry(bytes(65_536))])
    pruned = await journal.prune(before_at=0, max_bytes=2 * 1_048_576, keep_after=64)
    assert await seqs(journal) == list(range(pruned.records + 1, 65))
    assert 30 <= pruned.records <= 36


async def test_prune_does_nothing_while_all_is_young_and_small(journal: Journal):
    """Retention that has nothing to do changes nothing."""
    await journal.append([entry(at=10), entry(at=20)])
    pruned = await journal.prune(before_at=10, max_bytes=NO_LIMIT, keep_after=2)
    assert (pruned.records, pruned.oldest_kept_at) == (0, 10)
    assert await seqs(journal) == [1, 2]


async def test_prune_takes_more_than_one_piece(journal: Journal):
    """Eleven thousand old records go, also around a command that stays, and the young ones remain."""
    await journal.append([entry(at=10) for _ in range(6_000)])
    await journal.append([entry(at=10, kind=Kind.COMMAND)])
    await journal.append([entry(at=10) for _ in range(5_500)])
    await journal.append([entry(at=50) for _ in range(3)])
    pruned = await journal.prune(before_at=50, max_bytes=NO_LIMIT, keep_after=99_999)
    assert pruned.records == 11_500
    assert await seqs(journal) == [6_001, 11_502, 11_503, 11_504]


async def keys(journal: Journal, state: SendState) -> list[str]:
    """Keys of the pages in a state."""
    return [row.key for row in await journal.outbox(EffectKind.PAGE, [state], 100)]


async def test_finished_effects_go_with_age_and_open_ones_stay(journal: Journal):
    """A page that is still to be sent outlives any retention; history of sent ones does not."""
    await journal.commit("pipeline", 1, [page("old-done", at=10), page("old-open", at=10), page("young-done", at=50)])
    await journal.mark("old-done", SendState.DONE, 1)
    await journal.mark("young-done", SendState.DONE, 1)
    await journal.prune(before_at=50, max_bytes=NO_LIMIT, keep_after=0)
    assert await keys(journal, SendState.DONE) == ["young-done"]
    assert await keys(journal, SendState.PLANNED) == ["old-open"]


@pytest.mark.hazard("H-42")
async def test_a_number_is_never_used_again(journal: Journal):
    """The newest record was pruned; the next one gets a new number all the same."""
    await journal.append([entry(at=10) for _ in range(3)])
    await journal.prune(before_at=99, max_bytes=NO_LIMIT, keep_after=3)
    assert await seqs(journal) == []
    assert await journal.last_seq() == 3
    assert await journal.append([entry(at=100)]) == 4
    assert await seqs(journal) == [4]


async def test_reading_steps_over_what_was_pruned(journal: Journal):
    """A pruned stretch between two commands is no damage."""
    kinds = [Kind.COMMAND, Kind.MESSAGE, Kind.MESSAGE, Kind.COMMAND, Kind.MESSAGE]
    await journal.append([entry(at=10, kind=kind) for kind in kinds])
    await journal.prune(before_at=99, max_bytes=NO_LIMIT, keep_after=3)
    assert await seqs(journal) == [1, 4, 5]
