"""kill -9 at any moment: what was acknowledged is there, whole, under its number."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import EffectKind, Record, SendState
from tests.chaos.journal_appender import bodies_of

ROUNDS = 10
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.chaos


def run_and_kill(path: Path, *, seed: int) -> list[list[str]]:
    """Let the program append until it has said a random number of lines; kill it; return all whole lines, in words."""
    lines_before_kill = random.Random(seed).randint(1, 150)
    command = [sys.executable, "-m", "tests.chaos.journal_appender", "forever", str(path), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        said = [program.stdout.readline() for _ in range(lines_before_kill)]
        program.kill()
        said += program.stdout.readlines()  # it went on until the kill arrived
        assert program.wait(30) == -signal.SIGKILL
    assert all(line.endswith(b"\n") for line in said)
    return [line.decode().split() for line in said]


@pytest.mark.hazard("H-27")
async def test_every_acknowledged_record_survives_a_kill(tmp_path: Path):
    """Ten rounds on one file, each killed at a seeded moment: no acknowledged byte is lost, no number skipped or reused."""
    path = tmp_path / "journal.db"
    acknowledged: dict[int, bytes] = {}
    planned: set[str] = set()
    for seed in range(ROUNDS):
        for what, *words in run_and_kill(path, seed=seed):
            if what == "planned":
                planned.add(words[0])
            else:
                assert what == "acked", words
                first, count = int(words[0]), int(words[1])
                assert acknowledged.keys().isdisjoint(range(first, first + count))
                acknowledged |= dict(enumerate(bodies_of(words[2], count), first))
        journal = SqliteJournal.open(path)
        kept = {item.seq: item.body for item in await journal.read(0, 10**6) if isinstance(item, Record)}
        effects = {row.key for row in await journal.outbox(EffectKind.PAGE, [SendState.PLANNED], 10**6)}
        last = await journal.last_seq()
        assert journal.findings() == []
        await journal.close()
        assert list(kept) == list(range(1, last + 1))
        assert {seq: kept.get(seq) for seq in acknowledged} == acknowledged
        assert planned <= effects
    assert len(acknowledged) > ROUNDS
