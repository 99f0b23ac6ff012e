"""Durable ingest: published at QoS 1 → fsynced → PUBACK → decoded → judged → line for the store queued.

Beside it, in the same run and on the same kind of broker, a bare aiomqtt subscriber that only counts. Broker, publisher and
gateway share the machine. The store is played by a sink that takes everything at once: it is not what is measured here.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.app import first_of, gateway_of
from gateway.config.load import load_ward
from gateway.config.protocols import read_protocols
from gateway.domain.commands import Enrol
from gateway.outside.fast_loop import quick_switches
from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.wall_clock import ScaledClock
from gateway.runtime.point_sink import Poison
from tests.benchmarks.bench_rules import START_AT, WARD
from tests.benchmarks.bench_source import count_bare
from tests.benchmarks.publisher import device_name
from tests.support.brokers import mosquitto

COUNT = 60_000
DEVICES = 1_000
ROUNDS = 3


class Swallow:
    """A store that takes everything."""

    def __init__(self) -> None:
        self.lines = 0

    async def write(self, lines: Sequence[bytes]) -> list[Poison]:
        """Count."""
        self.lines += len(lines)
        return []

    async def close(self) -> None:
        """Nothing is held."""


def run() -> dict[str, float]:
    """Messages a second of both, and the gateway's share of the bare subscriber's rate."""
    bare, durable = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder) / "broker") as broker:
            bare.append(COUNT / asyncio.run(_bare(broker.port)))
        with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder) / "broker") as broker:
            durable.append(COUNT / asyncio.run(_gateway(broker.port, Path(folder))))
    rates = {"bare_per_s": statistics.median(bare), "durable_per_s": statistics.median(durable)}
    return rates | {"durable_of_bare": rates["durable_per_s"] / rates["bare_per_s"]}


def publish(port: int, count: int, *more: str) -> subprocess.Popen[bytes]:
    """Start the publisher process."""
    command = [sys.executable, "-m", "tests.benchmarks.publisher", "--port", str(port), "--count", str(count)]
    return subprocess.Popen([*command, "--devices", str(DEVICES), *more], stdout=subprocess.DEVNULL)


async def _bare(port: int) -> float:
    ready = asyncio.Event()
    hearing = asyncio.ensure_future(count_bare(port, ready))
    await ready.wait()
    publisher = publish(port, COUNT)
    try:
        return await asyncio.wait_for(hearing, 120)
    finally:
        publisher.wait(30)


async def _gateway(port: int, folder: Path) -> float:
    quick_switches()
    loaded = load_ward(WARD, "bench", None)
    protocols = read_protocols(loaded.protocols, loaded.rule_overrides, None)
    journal = SqliteJournal.open(folder / "journal.db")
    sink = Swallow()
    async with gateway_of(
        loaded,
        protocols,
        journal=journal,
        source=MqttSource(MqttSettings(host="127.0.0.1", port=port, client_id="gateway")),
        clock=ScaledClock(1.0, START_AT),
        transports={},
        poison=folder / "poison.lp",
        sink=sink,
    ) as gateway:
        seconds = 0.0

        async def measure() -> None:
            nonlocal seconds
            for number in range(DEVICES):
                device = device_name(number)
                command = Enrol(course=f"C-{number}", pump=device, protocol="blinatumomab_home", bag="7-day")
                await gateway.command("bench", command)
            while not gateway.board().connected:
                await gateway.changed(gateway.version)
            first = gateway.judged_seq
            publisher = publish(port, COUNT)
            begin = 0.0
            while gateway.judged_seq < first + COUNT:
                await gateway.changed(gateway.version)
                begin = begin or time.perf_counter()
                await asyncio.sleep(0.005)
            seconds = time.perf_counter() - begin
            publisher.wait(30)

        await first_of([gateway.run(), measure()], 120)
    return seconds


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
