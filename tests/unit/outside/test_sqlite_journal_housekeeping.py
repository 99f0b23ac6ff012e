"""The SQLite journal's housekeeping: short transactions, space given back, nothing kept twice."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import SqliteJournal
from tests.support.journals import NO_LIMIT, HeldWriter, ask, entry, inside


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test lies; its folder does not exist yet."""
    return tmp_path / "var" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    """An empty journal that soon tires of waiting for locks."""
    opened = SqliteJournal.open(path, busy_ms=50)
    yield opened
    await opened.close()


async def test_the_file_shrinks_after_pruning(journal: SqliteJournal, path: Path):
    """Space goes back to the disk, but for an eighth that the next appends would ask for again."""
    for _ in range(20):
        await journal.append([entry(bytes(10_000)) for _ in range(50)])
    await journal.append([entry(bytes(10_000), at=9_000) for _ in range(100)])
    await journal.prune(before_at=9_000, max_bytes=NO_LIMIT, keep_after=1_100)
    await journal.close()
    assert 1_000_000 < path.stat().st_size < 1_500_000  # 100 records of 10 kB, from 11 MB


async def test_size_counts_only_pages_in_use(journal: SqliteJournal):
    """Pages that pruning freed do not make it prune again."""
    for _ in range(10):
        await journal.append([entry(bytes(10_000)) for _ in range(50)])
    first = await journal.prune(before_at=0, max_bytes=2_000_000, keep_after=500)
    again = await journal.prune(before_at=0, max_bytes=2_000_000, keep_after=500)
    assert (first.records > 250, again.records) == (True, 0)


async def test_pruning_lets_appends_through(journal: SqliteJournal):
    """Twelve thousand records go in pieces of at most 5,000, and an append that waits meanwhile gets its turn between two."""
    for _ in range(3):
        await journal.append([entry(at=10)] * 4_000)
    async with HeldWriter(journal) as held:
        pruning = asyncio.ensure_future(journal.prune(before_at=99, max_bytes=NO_LIMIT, keep_after=12_000))
        await asyncio.sleep(0)
        appending = asyncio.ensure_future(journal.append([entry(at=100)]))
        await held.release()
        assert await appending == 12_001
        removed_before = 12_001 - await ask(journal, "SELECT count(*) FROM journal")
    assert removed_before <= 10_000
    assert (await pruning).records == 12_000


async def test_superseded_snapshot_cells_leave_the_file(journal: SqliteJournal):
    """A snapshot every minute must not grow the file: only the newest cell of each name stays."""
    for as_of in range(1, 6):
        await journal.stage_snapshot(as_of, {f"P-{n}": b"%d" % as_of for n in range(1_200)})
        await journal.complete_snapshot(as_of)
    await journal.stage_snapshot(6, {"P-1": b"abandoned"})
    await journal.complete_snapshot(7)
    assert await ask(journal, "SELECT count(*) FROM snapshots") == 1_200
    assert await ask(journal, "SELECT count(*) FROM generations") == 2  # the one that holds the cells, and the newest


async def test_rare_kinds_are_found_by_index(journal: SqliteJournal):
    """A restart asks for the configuration among millions of messages: the plan must not walk through them."""
    query = "SELECT seq FROM journal INDEXED BY journal_not_messages WHERE kind <> 'message' AND kind IN (?, ?) AND seq > ?"

    def plan(connection: sqlite3.Connection) -> str:
        return str(connection.execute(f"EXPLAIN QUERY PLAN {query}", ("command", "config", 0)).fetchall())

    assert "SEARCH journal USING COVERING INDEX journal_not_messages (kind=? AND seq>?)" in await inside(journal, plan)
