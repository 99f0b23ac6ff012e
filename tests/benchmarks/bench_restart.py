"""How long a gateway with 10,000 pumps and a million records needs from its start to serving and paging.

The journal is made beforehand: records of ordinary reports, a complete snapshot, and a tail as long as snapshots allow. The start
is a process of its own, interpreter and imports included.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.pipeline import CURSOR
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import config_entry
from gateway.runtime.snapshots import EVERY_RECORDS, dump
from rules.loader import shipped_text
from tests.benchmarks.bench_rules import START_AT, WARD, reports, world

PUMPS = 10_000
RECORDS = 1_000_000
CHUNK = 5_000

_CHILD = """
import asyncio, sys
from pathlib import Path
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.recovery import recover
async def main():
    journal = SqliteJournal.open(Path(sys.argv[1]))
    recovered = await recover(journal)
    state = recovered.fold.monitor.state
    print(len(state.courses), recovered.judged, recovered.fold.monitor.next_deadline() is not None)
    await journal.close()
asyncio.run(main())
"""


def run() -> dict[str, float]:
    """Seconds of the start, and how many records it had to fold."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        asyncio.run(_make(path))
        began = time.perf_counter()
        said = subprocess.run([sys.executable, "-c", _CHILD, str(path)], check=True, capture_output=True, text=True).stdout
        seconds = time.perf_counter() - began
    courses, judged, watches = said.split()
    if (int(courses), int(judged), watches) != (PUMPS, RECORDS, "True"):
        raise RuntimeError(f"the restart came up wrong: {said}")
    return {"restart_s": seconds, "restart_tail_records": float(EVERY_RECORDS)}


async def _make(path: Path) -> None:
    journal = SqliteJournal.open(path)
    fold, homes, seq = world(PUMPS)
    records = reports(homes, 1 + EVERY_RECORDS // PUMPS, seq)
    head, tail = records[: len(records) - EVERY_RECORDS], records[len(records) - EVERY_RECORDS :]
    filler = [_entry(records[index % PUMPS]) for index in range(CHUNK)]
    protocols = {"blinatumomab_home": shipped_text("blinatumomab_home") or ""}
    await journal.append([config_entry(WARD, protocols, START_AT, started=True)])
    at = 1
    while at < RECORDS - EVERY_RECORDS:
        part = filler[: min(CHUNK, RECORDS - EVERY_RECORDS - at)]
        await journal.append(part)
        at += len(part)
    for record in head:
        fold.apply(record)
    cells = [f"course:{name}" for name in fold.monitor.state.courses]
    cells += [f"pump:{name}" for name in fold.monitor.state.pumps]
    cells += ["desk:", *(f"site:{name}" for name in fold.monitor.state.sites)]
    bodies = {key: dump(fold.monitor.state, key) or b"" for key in cells}
    await journal.stage_snapshot(RECORDS - EVERY_RECORDS, bodies)
    await journal.complete_snapshot(RECORDS - EVERY_RECORDS)
    await journal.append([_entry(record) for record in tail])
    await journal.commit(CURSOR, RECORDS)
    await journal.close()


def _entry(record: Record) -> Entry:
    return Entry(record.received_at, record.kind, record.site, record.device, record.topic, record.body)


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
