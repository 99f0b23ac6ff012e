"""No room on the disk: refused in words, nothing half kept, and working again as soon as there is room."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Record
from tests.chaos.journal_appender import bodies_of

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.chaos


async def test_a_file_that_may_not_grow(tmp_path: Path):
    """The system refuses to extend the file: those calls leave nothing, the ones before and after are whole and without gap."""
    path = tmp_path / "journal.db"
    command = [sys.executable, "-m", "tests.chaos.journal_appender", "no-room", str(path)]
    ended = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    said = [line.split(maxsplit=3) for line in ended.stdout.splitlines()]
    refused = [words for words in said if words[0] == "refused"]
    expected: list[bytes] = []
    for what, first, count, *token in said:
        if what == "acked":
            assert int(first) == len(expected) + 1
            expected += bodies_of(token[0], int(count))

    assert len(refused) == 3  # the one that hit the limit, and two tries without room
    assert all("disk" in " ".join(words) for words in refused)
    assert [words[3] for words in said[-2:]] == ["after-0", "after-1"]
    assert "filling-3" in {words[3] for words in said if words[0] == "acked"}

    journal = SqliteJournal.open(path)
    kept = [item.body for item in await journal.read(0, 10**6) if isinstance(item, Record)]
    await journal.close()
    assert kept == expected
