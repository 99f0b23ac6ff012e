"""How many records a second become durable, and what that costs the event loop's thread.

Run: `python -m tests.benchmarks.bench_journal`. One by one and in batches, each awaited before the next; then many batches in
flight at once, as the pipeline has them, where group commit shares the fsyncs; then reading all of it back.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Entry, Kind

BODY_BYTES = 250  # an ordinary telemetry object
IN_FLIGHT = 10


def run() -> dict[str, float]:
    """Rows a second by way of appending, and µs of the event loop's thread a row."""
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(_measure(Path(folder) / "journal.db"))
    return {f"journal {name}": figure for name, figure in figures.items()}


async def _measure(path: Path) -> dict[str, float]:
    journal = SqliteJournal.open(path)
    figures: dict[str, float] = {}
    for batch, rounds in ((1, 1_000), (50, 600), (500, 150)):
        figures |= await _append(journal, f"in {batch}s", batch=batch, rounds=rounds, in_flight=1)
    for batch, rounds in ((1, 1_000), (50, 100)):
        name = f"in {batch}s, {IN_FLIGHT} in flight"
        figures |= await _append(journal, name, batch=batch, rounds=rounds, in_flight=IN_FLIGHT)
    figures["read rows/s"] = await _read_all(journal)
    await journal.close()
    return figures


async def _append(journal: SqliteJournal, name: str, *, batch: int, rounds: int, in_flight: int) -> dict[str, float]:
    body = os.urandom(BODY_BYTES)
    entries = [Entry(1_000, Kind.MESSAGE, "home", f"pump-{n}", f"dw/v1/home/pump-{n}/telemetry", body) for n in range(batch)]

    async def one_after_the_other() -> None:
        for _ in range(rounds):
            await journal.append(entries)

    rows = batch * rounds * in_flight
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    await asyncio.gather(*[one_after_the_other() for _ in range(in_flight)])
    took_s, took_cpu_s = time.perf_counter() - began_s, time.thread_time() - began_cpu_s
    return {f"{name} rows/s": rows / took_s, f"{name} loop µs/row": took_cpu_s / rows * 1e6}


async def _read_all(journal: SqliteJournal) -> float:
    began_s, after = time.perf_counter(), 0
    while found := await journal.read(after, 500):
        after = found[-1].seq
    return after / (time.perf_counter() - began_s)


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:<40} {figure:>12,.1f}")
