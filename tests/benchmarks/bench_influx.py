"""Catch-up after an outage: from a journal in memory, through decoder and forwarder, into a real InfluxDB 1.6.7.

`python -m tests.benchmarks.bench_influx` prints the medians of three rounds; the store shares the machine. `post_per_s` is the
same number of ready lines posted by the sink alone, two bodies in flight: the most that the store gives here.
"""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from device_adapters.registry import decode
from gateway.outside.influx_sink import InfluxV1Sink
from gateway.outside.wall_clock import WallClock
from gateway.runtime.forwarder import BATCH_LINES, Forwarder
from gateway.runtime.points import lines_of
from gateway.runtime.ports import Record
from tests.support.forwarding import FakeJournal
from tests.support.stores import Influxd

POINTS = 200_000
ROUNDS = 3
PUMPS = 1_000
AT = 1_772_409_600_000


def run() -> dict[str, float]:
    """Points a second of catch-up and of the bare sink, their ratio, and the cost of making a line in µs."""
    journal = _journal()
    catch_up, bare = [], []
    for _ in range(ROUNDS):
        bare.append(_measure(journal, _post_ready_lines))
        catch_up.append(_measure(journal, _catch_up))
    rates = {"catch_up_per_s": statistics.median(catch_up), "post_per_s": statistics.median(bare)}
    return rates | {"ratio": rates["catch_up_per_s"] / rates["post_per_s"], "line_us": _line_us(journal)}


def _journal() -> FakeJournal:
    """Telemetry of a thousand pumps, a report each ten seconds."""
    journal = FakeJournal()
    for n in range(POINTS):
        journal.add(
            b'{"observed_at":%d,"boot":"b%d","seq":%d,"delivery_status":"delivering","rate_ml_h":0.6,"set_rate_ml_h":0.6,'
            b'"infused_ml":%.3f,"remaining_ml":88.4,"battery_percent":81,"power":"battery","pressure_mmhg":40}'
            % (AT + n * 10_000 // PUMPS, n % PUMPS, n // PUMPS, n * 0.001)
        )
    return journal


def _lines_for(record: Record) -> list[bytes]:
    number = record.seq % PUMPS
    readings = decode("telemetry", record.body).readings
    return lines_of("ward-1", f"pump-{number:04}", f"P-{number:04}", readings, AT + record.seq * 10_000 // PUMPS)


def _measure(journal: FakeJournal, work: Callable[[FakeJournal, InfluxV1Sink], Awaitable[float]]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        server = Influxd(Path(folder))
        server.start()
        try:
            seconds = asyncio.run(_with_sink(server.url, journal, work))
            stored = server.count("dripwatch", "pump", "rate_ml_h")
        finally:
            server.stop()
    if stored != POINTS:
        raise RuntimeError(f"{stored} of {POINTS} points are in the store")
    return POINTS / seconds


async def _with_sink(url: str, journal: FakeJournal, work: Callable[[FakeJournal, InfluxV1Sink], Awaitable[float]]) -> float:
    sink = InfluxV1Sink(url, "dripwatch")
    try:
        await sink.write([b"warm up=1 1"])
        return await work(journal, sink)
    finally:
        await sink.close()


async def _catch_up(journal: FakeJournal, sink: InfluxV1Sink) -> float:
    journal.cursors.clear()
    done = asyncio.Event()
    journal.watch_commit = lambda seq: done.set() if seq == POINTS else None
    forwarder = Forwarder(journal=journal, sink=sink, clock=WallClock(), lines_for=_lines_for, set_aside=print)
    forwarder.resume(POINTS)
    started = time.perf_counter()
    running = asyncio.create_task(forwarder.run())
    await done.wait()
    seconds = time.perf_counter() - started
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return seconds


async def _post_ready_lines(journal: FakeJournal, sink: InfluxV1Sink) -> float:
    lines = [line for record in journal.records if isinstance(record, Record) for line in _lines_for(record)]
    batches = iter([lines[start : start + BATCH_LINES] for start in range(0, len(lines), BATCH_LINES)])

    async def post() -> None:
        for batch in batches:
            await sink.write(batch)

    started = time.perf_counter()
    await asyncio.gather(post(), post())
    return time.perf_counter() - started


def _line_us(journal: FakeJournal) -> float:
    """The cheapest of five rounds of making 20,000 lines from readings."""
    readings = [decode("telemetry", record.body).readings for record in journal.records[:20_000] if isinstance(record, Record)]
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for each in readings:
            lines_of("ward-1", "pump-0001", "P-0001", each)
        rounds.append((time.perf_counter() - started) / len(readings) * 1e6)
    return min(rounds)


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:>16} {value:12,.1f}")
