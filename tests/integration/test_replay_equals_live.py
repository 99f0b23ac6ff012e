"""What a replay of the journal tells is what the live gateway did: the same incidents, pages, texts and board, byte for byte."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.instants import HOUR_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.wall_clock import ScaledClock
from gateway.runtime import snapshots
from gateway.runtime.recovery import recover
from tests.support.histories import START_AT, cells_of
from tests.support.lived_day import begin, live, live_on, new_day, new_world, outbox_of, told_again, told_by

HOURS = 2.0
SPEED = 3_600.0  # an hour of the ward in a second
ROOT = Path(__file__).parents[2]


@pytest.mark.hazard("H-51")
async def test_in_virtual_time():
    """Two hours of six homes in trouble, people and a refusing provider: each cell, each effect and the board are the same."""
    world = new_world(MemoryJournal())
    fold, last = await live(world, HOURS)
    at = world.clock.now()
    again, decided = await told_again(world.journal, last, at)
    lived = told_by(fold, at)
    assert again["cells"] == lived["cells"]
    assert again == lived
    planned = await outbox_of(world.journal)
    assert {key for key in planned if not key.startswith("point@")}, "nobody was paged: the story proves nothing"
    assert decided == planned


@pytest.mark.hazard("H-51")
async def test_on_the_real_journal_with_a_running_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A writer thread, a clock that nobody holds, snapshots on the way: the journal alone decides."""
    monkeypatch.setattr(snapshots, "EVERY_RECORDS", 200)
    world = new_world(SqliteJournal.open(tmp_path / "journal.db"))
    world.clock = ScaledClock(SPEED, START_AT)  # type: ignore[assignment]
    day = new_day()
    async with world.running() as gateway:
        await begin(world, gateway, day)
        while (at := day.next_at()) < START_AT + HOURS * HOUR_MS:
            await world.clock.sleep_until(at)
            await live_on(world, gateway, day, world.clock.now())
        while not gateway.pages() or gateway.judged_seq < await world.journal.last_seq():
            await asyncio.sleep(0.01)
    at = world.clock.now()
    again, _ = await told_again(world.journal, gateway.judged_seq, at)
    assert again == told_by(gateway._fold, at)
    _, decided = await told_again(world.journal, await world.journal.cursor("monitor"), at)
    assert decided == await outbox_of(world.journal)
    restarted = await recover(world.journal)
    whole, _ = await told_again(world.journal, await world.journal.last_seq(), at)
    assert restarted.snapshot > 0
    assert cells_of(restarted.fold.monitor.state) == whole["cells"]
    await world.journal.close()


def digests(hash_seed: str) -> dict[str, Any]:
    """The same two hours in a process of its own, where sets and dictionaries of words have another order."""
    command = [sys.executable, "-m", "tests.support.lived_day", str(HOURS)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def two_runs() -> tuple[dict[str, Any], dict[str, Any]]:
    """Under two hash seeds."""
    return digests("1"), digests("2")


def test_replay_equals_live_under_any_hash_seed(two_runs: tuple[dict[str, Any], dict[str, Any]]):
    """In each process by itself."""
    for run in two_runs:
        assert run["pages"] > 10
        assert run["live"] == run["replayed"]
        assert run["planned"] == run["decided"]


def test_the_hash_seed_changes_nothing(two_runs: tuple[dict[str, Any], dict[str, Any]]):
    """The same journal, state, board and effects: nothing that decides looks at the order of a set."""
    assert two_runs[0] == two_runs[1]
