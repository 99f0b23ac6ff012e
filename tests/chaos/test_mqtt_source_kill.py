"""kill -9 between any two steps of take, fsync, acknowledge: what the broker took from a pump is in the journal."""

import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.benchmarks.publisher import Load, Publisher
from tests.support.brokers import mosquitto
from tests.support.listening import PATIENCE_S

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

ROUNDS = 10
DEVICES = 7
MESSAGES = 700  # a round


def consumer(port: int, journal: Path, *options: str) -> subprocess.Popen[bytes]:
    """A consumer in its own process."""
    return subprocess.Popen([sys.executable, "-m", "tests.support.journalling_consumer", str(port), str(journal), *options])


def wait_for_size(journal: Path, size: int) -> None:
    """Return when the journal has grown to `size` bytes."""
    end = time.monotonic() + PATIENCE_S
    while not journal.exists() or journal.stat().st_size < size:
        assert time.monotonic() < end, f"the journal did not reach {size} bytes"
        time.sleep(0.001)


def runs_of(journal: Path) -> list[list[tuple[str, str, int]]]:
    """(boot, device, seq) of each whole line, by run of the consumer."""
    runs: list[list[tuple[str, str, int]]] = []
    for line in journal.read_text().split("\n"):
        match line.removesuffix(";").split() if line.endswith(";") else []:
            case ["run"]:
                runs.append([])
            case [boot, device, seq]:
                runs[-1].append((boot, device, int(seq)))
    return runs


def one_round(port: int, journal: Path, load: Load, grow_bytes: int) -> None:
    """Consume while `load` is published, and die when the journal has grown by `grow_bytes`; the publisher goes on."""
    before = journal.stat().st_size if journal.exists() else 0
    process = consumer(port, journal)
    wait_for_size(journal, before + 1)  # it has a session: the broker keeps what comes from here on
    publishing = threading.Thread(target=Publisher(port, load).run)
    publishing.start()
    wait_for_size(journal, before + grow_bytes)
    process.kill()
    process.wait()
    publishing.join(PATIENCE_S)
    assert not publishing.is_alive()


@pytest.mark.hazard("H-27")
@pytest.mark.parametrize("seed", [20_261_122])
def test_killed_ten_times_the_journal_misses_nothing(tmp_path, seed):
    """Ten consumers die at seeded moments; every message that the broker took is in the journal, each run in order."""
    dice = random.Random(seed)
    journal = tmp_path / "journal"
    with mosquitto(tmp_path / "broker") as broker:
        for number in range(ROUNDS):
            load = Load(count=MESSAGES, devices=DEVICES, boot=f"r{number}", window=dice.randint(1, 300))
            one_round(broker.port, journal, load, dice.randint(10, 8_000))
        assert consumer(broker.port, journal, "--until-drained").wait(PATIENCE_S) == 0
    runs = runs_of(journal)
    kept = {entry for run in runs for entry in run}
    sent = {
        (f"r{r}", f"pump-{d:04d}", seq)
        for r in range(ROUNDS)
        for d in range(DEVICES)
        for seq in range(1, MESSAGES // DEVICES + 1)
    }
    assert sent - kept == set()
    assert len(runs) == ROUNDS + 1
    for run in runs:
        by_sender = defaultdict(list)
        for boot, device, seq in run:
            by_sender[boot, device].append(seq)
        assert all(seqs == sorted(set(seqs)) for seqs in by_sender.values())
