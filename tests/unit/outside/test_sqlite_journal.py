"""The SQLite journal as a file: who may open it, what it refuses, what is left of it."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.ports import EffectKind, JournalFull, OutboxRow, SendState
from tests.support.journals import NO_LIMIT, ask, bodies, entry


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


@pytest.mark.hazard("H-71")
async def test_a_new_journal_belongs_to_its_owner_only(journal: SqliteJournal, path: Path):
    """Messages are health data: nobody else on the machine may read the folder, the file, or its log."""
    await journal.append([entry()])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.hazard("H-27")
async def test_every_commit_is_synced(journal: SqliteJournal):
    """The write connection runs in WAL with full synchronisation: a commit that returned survives a power cut."""
    assert (await ask(journal, "PRAGMA journal_mode"), await ask(journal, "PRAGMA synchronous")) == ("wal", 2)


async def test_everything_is_there_after_reopening(journal: SqliteJournal, path: Path):
    """Records, cursors, effects and snapshots outlive the process."""
    await journal.append([entry(b"one"), entry(b"two")])
    await journal.commit("pipeline", 2, [OutboxRow("k", EffectKind.ANSWER, 5, b"x")])
    await journal.stage_snapshot(2, {"P-1": b"cell"})
    await journal.complete_snapshot(2)
    await journal.close()
    again = SqliteJournal.open(path)
    assert await bodies(again) == [b"one", b"two"]
    assert await again.cursor("pipeline") == 2
    assert [row.key for row in await again.outbox(EffectKind.ANSWER, [SendState.PLANNED], 9)] == ["k"]
    assert await again.load_snapshot() == (2, {"P-1": b"cell"})
    assert await again.append([entry()]) == 3
    await again.close()


async def test_the_highest_number_survives_pruning_and_reopening(journal: SqliteJournal, path: Path):
    """The newest record is pruned, the gateway restarts, and its number is still taken."""
    await journal.append([entry() for _ in range(5)])
    await journal.prune(before_at=9_999, max_bytes=NO_LIMIT, keep_after=5)
    await journal.close()
    again = SqliteJournal.open(path)
    assert await again.last_seq() == 5
    assert await again.append([entry()]) == 6
    await again.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    """A wrong path in the ward file must not overwrite somebody's notes."""
    notes = tmp_path / "notes.txt"
    notes.write_text("Milk, bread, batteries. " * 100)
    with pytest.raises(JournalRefused, match=r"notes\.txt: this is not a Dripwatch journal"):
        SqliteJournal.open(notes)
    assert notes.read_text().startswith("Milk")


def test_the_database_of_another_program_is_refused(tmp_path: Path):
    """A SQLite file with foreign tables stays as it is."""
    foreign = tmp_path / "photos.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = foreign.read_bytes()
    with pytest.raises(JournalRefused, match="belongs to another program"):
        SqliteJournal.open(foreign)
    assert foreign.read_bytes() == before


@pytest.mark.hazard("H-44")
async def test_a_newer_schema_is_refused(journal: SqliteJournal, path: Path):
    """After a downgrade the old program must not write into what it does not understand."""
    await journal.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(JournalRefused, match=r"newer Dripwatch \(schema 99, this one knows 2\); update"):
            SqliteJournal.open(path, read_only=read_only)


def test_reading_needs_a_journal_that_is_there(tmp_path: Path):
    """`read_only` creates nothing: a mistyped path and an empty file are told as such."""
    with pytest.raises(JournalRefused, match="there is no journal here"):
        SqliteJournal.open(tmp_path / "typo.db", read_only=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(JournalRefused, match="this file is empty"):
        SqliteJournal.open(tmp_path / "empty.db", read_only=True)
    assert [file.name for file in tmp_path.iterdir()] == ["empty.db"]


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path):
    """A file where the folder should be: the error names the path."""
    (tmp_path / "var").touch()
    with pytest.raises(JournalFull, match=r"var.*journal\.db"):
        SqliteJournal.open(tmp_path / "var" / "journal.db")


async def test_a_second_gateway_is_refused(journal: SqliteJournal, path: Path):
    """Another process that opens the same journal for writing is told to stop: two gateways would page everybody twice."""
    program = (
        "import sys; from pathlib import Path\n"
        "from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal\n"
        "try: SqliteJournal.open(Path(sys.argv[1]))\n"
        "except JournalRefused as refused: print(refused)\n"
    )
    second = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=60
    )
    assert "another gateway has this journal open" in second.stdout
    assert await journal.append([entry()]) == 1


async def test_a_reader_looks_on_without_disturbing(journal: SqliteJournal, path: Path):
    """Beside the live writer, a read-only journal sees each commit and can write nothing."""
    await journal.append([entry(b"one")])
    looker = SqliteJournal.open(path, read_only=True)
    assert await bodies(looker) == [b"one"]
    await journal.append([entry(b"two")])
    assert await bodies(looker) == [b"one", b"two"]
    for attempt in (looker.append([entry()]), looker.commit("pipeline", 1), looker.mark("k", SendState.DONE, 1)):
        with pytest.raises(RuntimeError, match="reading only"):
            await attempt
    await looker.close()
    assert await journal.append([entry(b"three")]) == 3


async def test_a_backup_is_a_journal(journal: SqliteJournal, path: Path, tmp_path: Path):
    """The copy of a live journal opens by itself, holds everything, and replaces an older copy."""
    copy = tmp_path / "copy.db"
    await journal.append([entry(b"one")])
    await journal.backup(copy)
    await journal.append([entry(b"two")])
    await journal.backup(copy)
    restored = SqliteJournal.open(copy)
    assert await bodies(restored) == [b"one", b"two"]
    assert await restored.append([entry()]) == 3
    await restored.close()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not (tmp_path / "copy.db.part").exists()


async def test_a_backup_that_fails_leaves_the_old_one(journal: SqliteJournal, tmp_path: Path):
    """A destination that cannot be written is an error in words; the journal goes on."""
    with pytest.raises(JournalFull, match="the copy failed"):
        await journal.backup(tmp_path / "no-such-folder" / "copy.db")
    assert await journal.append([entry()]) == 1


async def test_closing_gives_the_lock_back(journal: SqliteJournal, path: Path):
    """After close no descriptor of the journal is left open."""
    await journal.append([entry()])
    await journal.close()
    still_open = [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.exists()]
    assert [file for file in still_open if file.name.startswith("journal.db")] == []
