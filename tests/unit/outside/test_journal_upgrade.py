"""Journals of older versions are brought forward; tests/journals holds one of each, as a gateway of that version wrote it."""

import sqlite3
from pathlib import Path

import pytest

from gateway.core.board import build_board
from gateway.domain.words import IncidentState
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.sqlite_schema import SCHEMA_VERSION
from gateway.runtime.ports import EffectKind, JournalFull, SendState
from gateway.runtime.recovery import recover
from tests.support.journals import entry

OLD = Path(__file__).parents[2] / "journals"


def _old_journal(version: int, path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript((OLD / f"schema_{version}.sql").read_text())
    connection.close()
    return path


def _layout(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return found


@pytest.mark.hazard("H-44")
@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
async def test_an_old_journal_goes_on(version: int, tmp_path: Path):
    """Every older version has its journal here; opened by this one, its incidents are open, its pages sent, and it takes more."""
    path = _old_journal(version, tmp_path / "dripwatch.db")
    journal = SqliteJournal.open(path)
    found = await recover(journal)
    assert not found.damaged
    board = build_board(found.fold.monitor.state, (await journal.read(found.judged - 1, 1))[0].received_at)
    assert {line.course: line.incidents[0].state for line in board.courses} == {
        "P-1": IncidentState.TRIGGERED,
        "P-2": IncidentState.ACKNOWLEDGED,
    }
    assert not await journal.outbox(EffectKind.PAGE, [SendState.PLANNED, SendState.SENDING], 9)
    assert not [row for row in found.pending if row.kind is EffectKind.PAGE]
    assert await journal.append([entry()]) == found.judged + 1
    await journal.close()
    fresh = SqliteJournal.open(tmp_path / "fresh.db")
    await fresh.close()
    assert _layout(path) == _layout(tmp_path / "fresh.db")


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_upgrade_that_fails_leaves_the_old_journal(version: int, tmp_path: Path):
    """Where a step cannot be made the words say so, and the file is of its old version, whole."""
    path = _old_journal(version, tmp_path / "dripwatch.db")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE journal_by_device (in_the_way)")
    connection.close()
    before = _layout(path)
    with pytest.raises(JournalFull, match=f"cannot be brought to schema {SCHEMA_VERSION}"):
        SqliteJournal.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    connection.close()
    assert _layout(path) == before
