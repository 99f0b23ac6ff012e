"""The console at the size of a region: the board of 500 courses as a browser gets it, and 200 screens that watch it.

The server is a process of its own with the real core's state behind the real pages; the change that the screens wait for is the
board's name, which carries the instant at which it was made (both processes read the same monotonic clock).
"""

import asyncio
import re
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from gateway.console.app import create_api
from gateway.core.board import Board, build_board
from gateway.domain.instants import MINUTE_MS
from gateway.outside.http_server import free_port, serve
from gateway.runtime.records import clock_entry, message_entry
from tests.benchmarks.bench_rules import START_AT, _record, world
from tests.support.fake_service import TOKEN, FakeService

COURSES = 500
SCREENS = 200
CHANGES = 10
APART_S = 1.5
NOW = START_AT + 40 * MINUTE_MS
BEARER = {"Authorization": f"Bearer {TOKEN}"}
GZIP = 31
ALARM = b'{"observed_at": %d, "alarm": "occlusion-downstream", "phase": "start", "priority": "high", "stops_delivery": true}' % (
    START_AT + 5 * MINUTE_MS
)


@dataclass
class Region(FakeService):
    """The real board of the real state at `NOW`, built anew at each asking; its name says when it was changed last."""

    fold: object = None
    changed_at: float = field(default_factory=time.monotonic)

    def board(self) -> Board:
        return replace(build_board(self.fold.monitor.state, NOW), site=f"t{self.changed_at:.6f}")


def run() -> dict[str, float]:
    """Median ms of a whole page over HTTP, its bytes, and how late the screens show a change: median and worst, in ms."""
    port = free_port(18_080)
    with _child(port):
        return {**asyncio.run(_pages(port)), **asyncio.run(_screens(port))}


async def _pages(port: int) -> dict[str, float]:
    took = []
    async with httpx.AsyncClient(trust_env=False, headers=BEARER, base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for _ in range(9):
            began = time.perf_counter()
            answer = await client.get("/", headers={"Accept-Encoding": "identity"})
            took.append((time.perf_counter() - began) * 1000)
    if answer.text.count('id="c-C-') != COURSES or answer.text.count('class="mark high"') < COURSES // 2:
        raise RuntimeError("the board came without its courses or incidents")
    return {"board_500_ms": statistics.median(took), "board_500_kb": len(answer.content) / 1000}


async def _screens(port: int) -> dict[str, float]:
    """Each screen notes when each event had come whole; one of them reads what is in it. All get the same bytes."""
    seen: dict[bytes, list[float]] = {}
    stamps: dict[bytes, float] = {}
    screens = [asyncio.create_task(_screen(port, seen, stamps if number == 0 else None)) for number in range(SCREENS)]
    await asyncio.sleep(APART_S * (CHANGES + 3))
    for screen in screens:
        screen.cancel()
    await asyncio.gather(*screens, return_exceptions=True)
    whole = [body for body, arrivals in seen.items() if len(arrivals) == SCREENS and body in stamps]
    firsts = {stamps[body]: body for body in reversed(whole)}  # of the events after one change the first counts
    lags = [(at - stamp) * 1000 for stamp, body in sorted(firsts.items())[1:-1] for at in seen[body]]
    if len(lags) < SCREENS * (CHANGES - 4):
        raise RuntimeError(f"only {len(lags)} arrivals were seen on all screens")
    return {"live_200_p50_ms": statistics.median(lags), "live_200_max_ms": max(lags)}


async def _screen(port: int, seen: dict[bytes, list[float]], stamps: dict[bytes, float] | None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    unpack = zlib.decompressobj(wbits=GZIP)
    try:
        head = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nAccept-Encoding: gzip\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"\r\n\r\n")
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body = (await reader.readexactly(size + 2))[:-2]
            seen.setdefault(body, []).append(time.monotonic())
            if stamps is not None and (name := re.search(rb"<h1>t([\d.]+)</h1>", unpack.decompress(body))):
                stamps[body] = float(name[1])
    finally:
        writer.close()


@contextmanager
def _child(port: int) -> Iterator[None]:
    """The server; it ends with the block, and by itself when we are gone."""
    command = [sys.executable, "-c", f"from tests.benchmarks.bench_console import child; child({port})"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def child(port: int) -> None:
    """Serve 500 courses of which half are interrupted, and change the board every now and then."""
    fold, homes, seq = world(COURSES)
    entries = [clock_entry(NOW, "tick")]
    for pump in homes[::2]:
        entries.insert(0, message_entry(f"dw/v1/bench/{pump.device}/alarm", ALARM, START_AT + 5 * MINUTE_MS))
    for number, entry in enumerate(entries):
        fold.apply(_record(seq + number, entry))
    asyncio.run(_serve(Region(fold=fold), port))


async def _serve(region: Region, port: int) -> None:
    async def change() -> None:
        while True:
            await asyncio.sleep(APART_S)
            region.changed_at = time.monotonic()
            region.show(region.shown)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    changing = asyncio.create_task(change())
    gone = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    serving = asyncio.create_task(serve(create_api(region, token=TOKEN), host="127.0.0.1", port=port))
    await asyncio.wait((changing, gone, serving), return_when=asyncio.FIRST_COMPLETED)
    sys.stdout.flush()
