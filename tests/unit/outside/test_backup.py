"""Backups as folders: whole or absent, read back, compared, cut back to a moment, and never in anybody's way."""

import json
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outside.backup import BackupRefused, forget_old, make_backup, read_backup, record_at, restore
from gateway.outside.sqlite_copy import CannotCut
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import EffectKind, Entry, Kind, OutboxRow, Record, SendState

AT = 1_790_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test lies."""
    return tmp_path / "var" / "dripwatch.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    """Six messages a second apart; a page planned with each; a saved state as of the fourth; a token beside it."""
    opened = SqliteJournal.open(path)
    await opened.append([Entry(AT + 1_000 * n, Kind.MESSAGE, "w", "p", "t", b"%d" % n) for n in range(1, 7)])
    for n in range(1, 7):
        await opened.commit("pipeline", n, [OutboxRow(f"page-{n}", EffectKind.PAGE, AT + 1_000 * n, b"x")])
    await opened.mark("page-2", SendState.DONE, 1)
    await opened.stage_snapshot(4, {"P-1": b"cell"})
    await opened.complete_snapshot(4)
    (path.parent / "api-token").write_text("t" * 30)
    yield opened
    await opened.close()


async def _all(path: Path) -> tuple[list[Record], SqliteJournal]:
    opened = SqliteJournal.open(path)
    found = await opened.read(0, 100)
    assert all(isinstance(item, Record) for item in found), found
    return [item for item in found if isinstance(item, Record)], opened


@pytest.mark.hazard("H-43")
async def test_a_backup_beside_a_writer_restores_to_the_same_journal(journal: SqliteJournal, path: Path, tmp_path: Path):
    """While the gateway has the journal open: records, cursors, outbox, saved state and token come back, for the owner only."""
    made = make_backup(path, tmp_path / "backups", AT)
    assert made.folder.name == "dripwatch-20260921T141320Z"
    assert (made.contents.records, made.contents.last_seq, made.contents.newest_at) == (6, 6, AT + 6_000)
    assert (made.contents.damaged, made.contents.findings) == ((), ())
    assert {stat.S_IMODE(file.stat().st_mode) for file in made.folder.iterdir()} == {0o600}
    to = tmp_path / "new" / "dripwatch.db"
    assert restore(read_backup(made.folder), to) == 0
    records, again = await _all(to)
    assert [record.body for record in records] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert await again.cursor("pipeline") == 6
    assert await again.load_snapshot() == (4, {"P-1": b"cell"})
    assert len(await again.outbox(EffectKind.PAGE, [SendState.PLANNED], 9)) == 5
    assert (to.parent / "api-token").read_text() == "t" * 30
    assert sorted(file.name for file in to.parent.iterdir() if "dripwatch.db" not in file.name) == ["api-token"]
    await again.close()


async def test_a_cut_forgets_what_came_later_and_gives_no_number_twice(journal: SqliteJournal, path: Path, tmp_path: Path):
    """Up to record 4: later pages are gone, the one that was sent stays sent, and the next record is the seventh."""
    backup = make_backup(path, tmp_path / "backups", AT)
    to = tmp_path / "new" / "dripwatch.db"
    assert restore(backup, to, record_at(backup, AT + 4_999)) == 2
    records, again = await _all(to)
    assert [(record.kind, record.body) for record in records[3:]] == [
        (Kind.MESSAGE, b"4"),
        (Kind.CLOCK, b"{}"),
        (Kind.CLOCK, b"{}"),
    ]
    assert records[-1].received_at == AT + 4_000
    assert await again.cursor("pipeline") == 4
    assert await again.load_snapshot() == (4, {"P-1": b"cell"})
    planned = await again.outbox(EffectKind.PAGE, [SendState.PLANNED], 9)
    assert [row.key for row in planned] == ["page-1", "page-3", "page-4"]
    assert [row.key for row in await again.outbox(EffectKind.PAGE, [SendState.DONE], 9)] == ["page-2"]
    assert await again.append([Entry(AT + 9_000, Kind.MESSAGE, "w", "p", "t", b"7")]) == 7
    await again.close()


async def test_a_cut_before_the_saved_state_folds_again(journal: SqliteJournal, path: Path, tmp_path: Path):
    """Up to record 2, before the snapshot: it is not believed any more; nothing was pruned, so all can be folded anew."""
    to = tmp_path / "new" / "dripwatch.db"
    restore(make_backup(path, tmp_path / "backups", AT), to, 2)
    _, again = await _all(to)
    assert await again.load_snapshot() == (0, {})
    await again.close()


async def test_a_cut_that_the_journal_cannot_bear_is_refused(journal: SqliteJournal, path: Path, tmp_path: Path):
    """A record that is not there; and, after pruning, one before the saved state: the words say where to, and nothing is left."""
    to = tmp_path / "new" / "dripwatch.db"
    backup = make_backup(path, tmp_path / "backups", AT)
    with pytest.raises(CannotCut, match="there is no record 99; the newest is 6"):
        restore(backup, to, 99)
    with pytest.raises(BackupRefused, match="newer than that time"):
        record_at(backup, AT)
    await journal.prune(before_at=AT + 2_500, max_bytes=1 << 40, keep_after=4)
    pruned = make_backup(path, tmp_path / "backups", AT + 1_000)
    with pytest.raises(CannotCut, match="goes back to record 4 at the earliest"):
        restore(pruned, to, 3)
    assert not list(to.parent.iterdir())
    assert restore(pruned, to, 4) == 2


@pytest.mark.hazard("H-43")
async def test_a_cut_between_records_of_one_millisecond_is_refused(journal: SqliteJournal, path: Path, tmp_path: Path):
    """A page of a record that went would hold its key, and the page that is due later under that key would never be sent."""
    await journal.append([Entry(AT + 9_000, Kind.MESSAGE, "w", "p", "t", b"%d" % n) for n in (7, 8, 9)])
    await journal.append([Entry(AT + 9_500, Kind.MESSAGE, "w", "p", "t", b"10")])
    await journal.commit("pipeline", 9, [OutboxRow("page-of-9", EffectKind.PAGE, AT + 9_000, b"x")])
    backup = make_backup(path, tmp_path / "backups", AT)
    to = tmp_path / "new" / "dripwatch.db"
    for between in (7, 8):
        with pytest.raises(CannotCut, match="one millisecond and stay together; go back to 6 or to 9"):
            restore(backup, to, between)
    assert restore(backup, to, 6) == 4
    _, again = await _all(to)
    planned = await again.outbox(EffectKind.PAGE, [SendState.PLANNED], 9)
    assert "page-of-9" not in [row.key for row in planned]
    await again.close()


@pytest.mark.hazard("H-43")
@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
async def test_what_sqlite_left_beside_a_lost_journal_is_in_the_way(journal: SqliteJournal, path: Path, tmp_path: Path, end: str):
    """After kill -9 the log of the lost file is still there; SQLite would read it into the restored one, and mix the two."""
    backup = make_backup(path, tmp_path / "backups", AT)
    to = tmp_path / "new" / "dripwatch.db"
    to.parent.mkdir()
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size
    to.with_name(to.name + end).write_bytes(log.read_bytes())
    with pytest.raises(BackupRefused, match=rf"dripwatch\.db{end}: is there already; move it away first"):
        restore(backup, to)
    assert not to.exists()


async def test_nothing_is_ever_written_over(journal: SqliteJournal, path: Path, tmp_path: Path):
    """A journal, or only a token, in the way: refused by its name, and the folder stays as it was."""
    backup = make_backup(path, tmp_path / "backups", AT)
    with pytest.raises(BackupRefused, match=r"dripwatch\.db: is there already"):
        restore(backup, path)
    to = tmp_path / "new" / "dripwatch.db"
    to.parent.mkdir()
    (to.parent / "api-token").write_text("another")
    with pytest.raises(BackupRefused, match="api-token: is there already"):
        restore(backup, to)
    assert [file.name for file in to.parent.iterdir()] == ["api-token"]
    with pytest.raises(BackupRefused, match="a backup of this second already"):
        make_backup(path, tmp_path / "backups", AT)


@pytest.mark.hazard("H-43")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "api-token").write_text("x" * 30), "api-token: is not what was backed up"),
        (lambda folder: (folder / "journal.db").unlink(), "journal.db: is missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "it has no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text('{"form": 9}'), "form 9"),
        (
            lambda folder: (folder / "manifest.json").write_text(
                json.dumps(json.loads((folder / "manifest.json").read_text()) | {"files": {"../../etc/passwd": {}}})
            ),
            "not a gateway's",
        ),
    ],
)
async def test_a_folder_that_is_not_what_was_written_is_refused(journal: SqliteJournal, path: Path, tmp_path: Path, harm, words):
    """A changed, missing or foreign file and a broken manifest are named before anything is restored."""
    folder = make_backup(path, tmp_path / "backups", AT).folder
    harm(folder)
    with pytest.raises(BackupRefused, match=words):
        read_backup(folder)


async def test_a_damaged_journal_is_copied_and_told(journal: SqliteJournal, path: Path, tmp_path: Path):
    """A record whose bytes have changed is in the backup, and named: a damaged copy is better than none."""
    await journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE journal SET body = 'changed' WHERE seq = 3")
    connection.close()
    made = make_backup(path, tmp_path / "backups", AT)
    assert (made.contents.records, made.contents.damaged) == (5, (3,))


async def test_only_the_newest_are_kept(journal: SqliteJournal, path: Path, tmp_path: Path):
    """Old backups go, oldest first; what somebody else put there, and a half copy, stay."""
    to = tmp_path / "backups"
    made = [make_backup(path, to, AT + 1_000 * n).folder for n in range(4)]
    (to / "notes").mkdir()
    (to / f"{made[0].name}.part").mkdir()
    assert forget_old(to, 2) == made[:2]
    assert sorted(each.name for each in to.iterdir()) == sorted(["notes", f"{made[0].name}.part", made[2].name, made[3].name])


async def test_a_disk_without_room_leaves_nothing_behind(journal: SqliteJournal, path: Path, tmp_path: Path):
    """Where the folder cannot be made the words say so, and no half backup stands there."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupRefused, match="the backup failed"):
        make_backup(path, tmp_path / "file", AT)
    assert (tmp_path / "file").read_text() == ""
