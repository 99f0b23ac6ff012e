"""MqttSource (taken and acknowledged) beside a bare aiomqtt subscriber that only counts, on one broker in one run.

`python -m tests.benchmarks.bench_source` prints the medians of three rounds; broker and publisher share the machine.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiomqtt

from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.runtime.ports import Incoming
from tests.support.brokers import mosquitto

COUNT = 60_000
ROUNDS = 3


def run() -> dict[str, float]:
    """Messages a second of both, and how many times the bare subscriber's rate the source reaches."""
    bare, source = [], []
    for _ in range(ROUNDS):
        bare.append(_measure(count_bare))
        source.append(_measure(take_and_acknowledge))
    rates = {"bare_per_s": statistics.median(bare), "source_per_s": statistics.median(source)}
    return rates | {"ratio": rates["source_per_s"] / rates["bare_per_s"]}


def _measure(subscriber: Callable[[int, asyncio.Event], Awaitable[float]]) -> float:
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder) / "broker") as broker:
        return COUNT / asyncio.run(_against(broker.port, subscriber))


async def _against(port: int, subscriber: Callable[[int, asyncio.Event], Awaitable[float]]) -> float:
    ready = asyncio.Event()
    hearing = asyncio.ensure_future(subscriber(port, ready))
    await ready.wait()
    command = [sys.executable, "-m", "tests.benchmarks.publisher", "--port", str(port), "--count", str(COUNT)]
    publisher = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        return await asyncio.wait_for(hearing, 120)
    finally:
        publisher.wait(30)


async def count_bare(port: int, ready: asyncio.Event) -> float:
    """Seconds from the first to the last message with aiomqtt as everybody uses it: automatic PUBACK, `async for`."""
    heard, begin = 0, 0.0
    async with aiomqtt.Client("127.0.0.1", port, identifier="bare") as client:
        await client.subscribe("dw/v1/#", qos=1)
        ready.set()
        async for _ in client.messages:
            begin = begin or time.perf_counter()
            heard += 1
            if heard == COUNT:
                break
    return time.perf_counter() - begin


async def take_and_acknowledge(port: int, ready: asyncio.Event) -> float:
    """Seconds from the first message to the last acknowledgement with MqttSource."""
    source = MqttSource(MqttSettings(host="127.0.0.1", port=port))
    running = asyncio.create_task(source.run())
    await source.take()
    ready.set()
    heard, begin = 0, 0.0
    while heard < COUNT:
        messages = [item for item in await source.take() if isinstance(item, Incoming)]
        if messages:
            begin = begin or time.perf_counter()
            heard += len(messages)
            source.acknowledge(messages)
    seconds = time.perf_counter() - begin
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return seconds


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in run().items()}) + "\n")
