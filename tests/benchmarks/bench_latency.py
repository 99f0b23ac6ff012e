"""From an alarm published to its page handed to the transport, with 1,000 messages a second in the background."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.app import first_of, gateway_of
from gateway.config.load import load_ward
from gateway.config.protocols import read_protocols
from gateway.domain.commands import Enrol
from gateway.outside.fast_loop import quick_switches
from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.outside.no_receipts import no_receipts
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.uplink import uplink
from gateway.outside.wall_clock import ScaledClock
from gateway.runtime.gateway import Gateway
from gateway.runtime.ports import Accepted, Message, Receipt, SendResult
from tests.benchmarks.bench_ingest import Swallow, publish
from tests.benchmarks.bench_rules import START_AT, WARD
from tests.support.brokers import mosquitto

ALARMS = 200
BACKGROUND_PER_S = 1_000
PAUSE_S = 0.05
NO_HOLD = "\nrules: {alarm-persistent: {hold: 0s}}\n"


class Stopwatch:
    """A transport that notes when each course's first page was handed to it."""

    name = "sms"

    def __init__(self) -> None:
        self.handed_at: dict[str, float] = {}
        self.all_here = asyncio.Event()

    async def send(self, message: Message) -> SendResult:
        """Take the time."""
        self.handed_at.setdefault(message.key.partition("@")[0], time.perf_counter())
        if len(self.handed_at) == ALARMS:
            self.all_here.set()
        return Accepted()

    def receipts(self) -> AsyncIterator[Receipt]:
        """None."""
        return no_receipts()

    async def close(self) -> None:
        """Nothing is held."""


def run() -> dict[str, float]:
    """Milliseconds, p50 and p99, over all alarms."""
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder) / "broker") as broker:
        latencies = sorted(asyncio.run(_measure(broker.port, Path(folder))))
    return {"alarm_p50_ms": statistics.median(latencies), "alarm_p99_ms": latencies[int(len(latencies) * 0.99)]}


async def _measure(port: int, folder: Path) -> list[float]:
    quick_switches()
    loaded = load_ward(WARD + NO_HOLD, "bench", None)
    stopwatch = Stopwatch()
    published: dict[str, float] = {}
    async with gateway_of(
        loaded,
        read_protocols(loaded.protocols, loaded.rule_overrides, None),
        journal=SqliteJournal.open(folder / "journal.db"),
        source=MqttSource(MqttSettings(host="127.0.0.1", port=port, client_id="gateway")),
        clock=ScaledClock(1.0, START_AT),
        transports={"sms": stopwatch},
        poison=folder / "poison.lp",
        sink=Swallow(),
    ) as gateway:
        await first_of([gateway.run(), _raise_alarms(gateway, port, published, stopwatch)], 120)
    return [(stopwatch.handed_at[course] - at) * 1000 for course, at in published.items()]


async def _raise_alarms(gateway: Gateway, port: int, published: dict[str, float], stopwatch: Stopwatch) -> None:
    for number in range(ALARMS):
        command = Enrol(course=f"A-{number}", pump=f"alarm-{number}", protocol="blinatumomab_home", bag="7-day")
        await gateway.command("bench", command)
    while not gateway.board().connected:
        await gateway.changed(gateway.version)
    seconds = ALARMS * PAUSE_S + 2
    background = publish(port, int(seconds * BACKGROUND_PER_S), "--rate", str(BACKGROUND_PER_S))
    async with uplink("127.0.0.1", port, "alarms") as say:
        await asyncio.sleep(1.0)  # the background gets going
        for number in range(ALARMS):
            body = f'{{"observed_at":{gateway.now()},"alarm":"system-fault","phase":"start","stops_delivery":true}}'
            published[f"A-{number}"] = time.perf_counter()
            await say(f"dw/v1/bench/alarm-{number}/alarm", body.encode())
            await asyncio.sleep(PAUSE_S)
    await stopwatch.all_here.wait()
    background.wait(30)


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
