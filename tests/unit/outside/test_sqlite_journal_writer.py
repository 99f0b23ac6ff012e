"""The SQLite journal's writer: one commit for all who wait, and what they are told when there is no room."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.sqlite_operations import insert_records
from gateway.runtime.ports import EffectKind, JournalFull, OutboxRow, SendState
from tests.support.journals import HeldWriter, ask, bodies, entry


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


async def test_what_waits_goes_into_one_commit(journal: SqliteJournal):
    """Appends, a cursor, a mark and a snapshot that gathered while the writer was busy share one fsync, in call order."""
    async with HeldWriter(journal) as held:
        calls = asyncio.gather(
            journal.append([entry(b"a")]),
            journal.commit("pipeline", 1, [OutboxRow("k", EffectKind.PAGE, 5, b"x")]),
            journal.append([entry(b"b"), entry(b"c")]),
            journal.mark("k", SendState.SENDING, 1),
            journal.stage_snapshot(1, {"P-1": b"cell"}),
            journal.append([entry(b"d")]),
        )
        await held.release()
        assert await calls == [1, None, 2, None, None, 4]
    assert held.commits == 2  # the one that held the writer, and the group's
    assert await bodies(journal) == [b"a", b"b", b"c", b"d"]
    assert [row.key for row in await journal.outbox(EffectKind.PAGE, [SendState.SENDING], 9)] == ["k"]


@pytest.mark.parametrize(
    ("sizes", "commits"),
    [([1] * 1_200, 3), ([500, 1, 499, 2], 3), ([400, 101], 2), ([700, 1], 2), ([300, 200], 1)],
)
async def test_a_group_has_at_most_500_records(journal: SqliteJournal, sizes: list[int], commits: int):
    """Groups end before the append that would exceed 500; a single larger one still goes in one piece."""
    async with HeldWriter(journal) as held:
        calls = asyncio.gather(*[journal.append([entry()] * size) for size in sizes])
        await held.release()
        firsts = await calls
    assert held.commits - 1 == commits
    assert firsts == [1 + sum(sizes[:n]) for n in range(len(sizes))]
    assert await journal.last_seq() == sum(sizes)


async def test_a_cancelled_caller_does_not_break_the_writer(journal: SqliteJournal):
    """Its neighbours in the group are stored and answered; its own write may be kept, as a crash might have kept it."""
    async with HeldWriter(journal) as held:
        cancelled = asyncio.ensure_future(journal.append([entry(b"cancelled")]))
        stays = asyncio.ensure_future(journal.append([entry(b"stays")]))
        await asyncio.sleep(0)
        cancelled.cancel()
        await held.release()
        assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert await bodies(journal) == [b"cancelled", b"stays"]


async def test_one_impossible_write_fails_alone(journal: SqliteJournal):
    """Text that is no Unicode cannot be stored: that caller gets the error, all others of the group get their numbers."""
    async with HeldWriter(journal) as held:
        calls = asyncio.gather(
            journal.append([entry(b"a")]),
            journal.append([entry(b"b"), entry(topic="\ud800")]),
            journal.append([entry(b"c")]),
            journal.commit("pipeline", 2**70),
            journal.commit("influx", 1),
            return_exceptions=True,
        )
        await held.release()
        first, impossible, third, too_large, fifth = await calls
    assert (first, third, fifth) == (1, 2, None)
    assert isinstance(impossible, UnicodeEncodeError)
    assert isinstance(too_large, OverflowError)
    assert await bodies(journal) == [b"a", b"c"]


async def test_close_finishes_what_is_queued(journal: SqliteJournal, path: Path):
    """Everything that was asked for before close is durable and answered after it."""
    async with HeldWriter(journal) as held:
        calls = asyncio.gather(*[journal.append([entry()]) for _ in range(600)])
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(journal.close())
        await held.release()
        await closing
    assert await calls == list(range(1, 601))
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.db", "journal.db.lock"]


def test_the_writer_survives_an_event_loop_that_ended(path: Path):
    """Whoever waited is gone with the loop; the next loop finds a working journal."""

    async def ask_and_leave() -> SqliteJournal:
        journal = SqliteJournal.open(path)
        held = await HeldWriter(journal).__aenter__()
        asyncio.ensure_future(journal.append([entry(b"nobody waits")])).add_done_callback(lambda _: None)
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(held.let_go)
        return journal

    journal = asyncio.run(ask_and_leave())

    async def go_on() -> list[bytes]:
        await journal.append([entry(b"next loop")])
        found = await bodies(journal)
        await journal.close()
        return found

    assert asyncio.run(go_on()) == [b"nobody waits", b"next loop"]


def test_rows_of_any_number_fit_into_statements():
    """Every group size from 1 to 600 is inserted completely, whatever its binary digits are."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, a, b, c, d, e, f, g)")
    first = 1
    for size in [*range(1, 70), 255, 256, 257, 500, 511, 512, 513, 600]:
        insert_records(connection, first, [entry()] * size)
        first += size
    assert connection.execute("SELECT count(*), max(seq) FROM journal").fetchone() == (first - 1, first - 1)
    connection.close()


# ---- no room, no lock --------------------------------------------------------------------------------------------------


async def test_a_full_disk_keeps_nothing_of_the_batch_and_recovers(journal: SqliteJournal):
    """SQLite's own page limit stands in for the disk: refused in words, nothing kept, and the next call works with room."""
    await journal.append([entry(b"before")])
    pages = await ask(journal, "PRAGMA page_count")
    await ask(journal, f"PRAGMA max_page_count = {pages + 2}")
    async with HeldWriter(journal) as held:
        calls = asyncio.gather(
            journal.append([entry(b"small")]),
            journal.append([entry(bytes(100_000))]),
            journal.commit("pipeline", 1, [OutboxRow("k", EffectKind.PAGE, 5, b"x")]),
            return_exceptions=True,
        )
        await held.release()
        refused = await calls
    assert [type(one) for one in refused] == [JournalFull] * 3
    assert "the disk is full" in str(refused[0])
    assert len({id(one) for one in refused}) == 3  # each caller may raise its own
    assert await bodies(journal) == [b"before"]
    assert await journal.cursor("pipeline") == 0
    await ask(journal, "PRAGMA max_page_count = 1000000")
    assert await journal.append([entry(b"after")]) == 2
    assert await bodies(journal) == [b"before", b"after"]


async def test_a_locked_file_is_told_and_waited_out(journal: SqliteJournal, path: Path):
    """While another program holds the lock, writes are refused and reads go on; afterwards all is well."""
    await journal.append([entry(b"before")])
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalFull, match="another program holds the journal's lock"):
        await journal.append([entry(b"refused")])
    assert await bodies(journal) == [b"before"]
    intruder.execute("ROLLBACK")
    intruder.close()
    assert await journal.append([entry(b"after")]) == 2


async def test_a_read_only_file_is_told(path: Path):
    """A database that may not be written refuses appends in words and serves reads."""
    journal = SqliteJournal.open(path)
    await journal.append([entry(b"before")])
    await ask(journal, "PRAGMA query_only = ON")
    with pytest.raises(JournalFull, match="cannot be written"):
        await journal.append([entry(b"refused")])
    assert await bodies(journal) == [b"before"]
    await journal.close()
