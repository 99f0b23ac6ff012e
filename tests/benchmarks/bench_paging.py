"""Paging under load: a channel that hangs, ten thousand open incidents, a hundred thousand pages in one burst."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from gateway.core.outbox import Outbox
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Outcome, Priority, WhyPaged
from gateway.outside.apprise_transport import AppriseTransport
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.wall_clock import WallClock
from gateway.runtime.dispatcher import SENDS_AT_ONCE, Dispatcher
from gateway.runtime.effects import row_of
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, message_entry
from tests.benchmarks.bench_rules import START_AT, world

HUNG = 40
GOOD = 50  # pages on the other channel, one after the other
OPEN = 10_000
STEPS = 200
REPORTS_MIN = (4, 8, 11)  # all homes report, so that nobody is silent when the second round of the policy begins after 12 min
BURST = 100_000
SMALL_BURST = 10_000

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"


def run() -> dict[str, float]:
    """Milliseconds until a page leaves beside a hung channel, and until a due step is found and begun; µs a page of a burst."""
    hung = asyncio.run(_beside_a_hung_channel())
    found = _next_step_of_many()
    small, large = _burst_us(SMALL_BURST), _burst_us(BURST)
    return {
        "page_beside_hung_p50_ms": statistics.median(hung),
        "page_beside_hung_max_ms": max(hung),
        "next_of_10000_p50_ms": statistics.median(found),
        "next_of_10000_max_ms": max(found),
        "burst_page_us": large,
        "burst_grows": large / small,
    }


async def _beside_a_hung_channel() -> list[float]:
    """How many ms from durable to the provider's door, of pages beside a channel where 40 sends hang: real journal, real HTTP."""
    came: asyncio.Queue[float] = asyncio.Queue()
    hangs, hanging = asyncio.Event(), asyncio.Semaphore(0)

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hanging.release()
        await hangs.wait()
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        came.put_nowait(time.perf_counter())
        writer.write(_OK)
        await writer.drain()
        writer.close()

    bad, good = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in (hang, take)]
    with tempfile.TemporaryDirectory() as folder:
        journal, clock = SqliteJournal.open(Path(folder) / "journal.db"), WallClock()
        transports = {
            "bad": AppriseTransport("bad", f"json://127.0.0.1:{_port(bad)}/{{address}}?rto=60"),
            "good": AppriseTransport("good", f"json://127.0.0.1:{_port(good)}/{{address}}"),
        }
        dispatcher = Dispatcher(transports, Outbox(), _Everything(), clock, journal)
        dispatcher.report = journal.append
        running = asyncio.create_task(dispatcher.run())
        plan = partial(_plan, dispatcher, journal, clock)
        await plan([_page(f"H-{n}@1/r1/nurse/0", f"H-{n}", "bad", clock.now()) for n in range(HUNG)])
        for _ in range(min(HUNG, SENDS_AT_ONCE)):
            await hanging.acquire()
        times = [await _one(plan, number, clock, came) for number in range(GOOD)]
        hangs.set()
        running.cancel()
        await asyncio.wait({running})
        bad.close()
        good.close()
        await journal.close()
    return times


class _Everything:
    """Wants every page."""

    def wanted(self, page: Page) -> bool | None:
        """Yes."""
        return bool(page.key)


async def _one(
    plan: Callable[[list[Page]], Awaitable[None]], number: int, clock: WallClock, came: "asyncio.Queue[float]"
) -> float:
    began = time.perf_counter()
    await plan([_page(f"G-{number}@1/r1/nurse/0", f"G-{number}", "good", clock.now())])
    return (await came.get() - began) * 1000


async def _plan(dispatcher: Dispatcher, journal: SqliteJournal, clock: WallClock, pages: list[Page]) -> None:
    await journal.commit("monitor", 1, [row for page in pages if (row := row_of(page, 1, 0)) is not None])
    for page in pages:
        dispatcher.plan(page, clock.now())


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _next_step_of_many() -> list[float]:
    """How many ms to find the next due step of 10,000 open incidents, fold its clock record, and begin its page; of 200 steps."""
    fold, homes, seq = world(OPEN, START_AT + 1)  # off the full second, at which the site would look at every new home anew
    outbox = Outbox({"sms": 60 * MINUTE_MS})  # whatever was sent still awaits its receipt
    for number, pump in enumerate(homes):
        at = START_AT + 1 + number * 2  # so that each has steps of its own
        body = f'{{"observed_at":{at},"alarm":"system-fault","phase":"start","stops_delivery":false}}'
        _fold(fold, outbox, seq + number, message_entry(f"dw/v1/bench/{pump.device}/alarm", body.encode(), at))
    seq += len(homes)
    for minute in REPORTS_MIN:
        at = START_AT + minute * MINUTE_MS
        reports = [(home.device, out) for home in homes for out in home.report(at)]
        for number, (device, out) in enumerate(reports):
            entry = message_entry(f"dw/v1/bench/{device}/{out.channel}", out.payload(), at + number // 20)
            _fold(fold, outbox, seq + number, entry)
        seq += len(reports)
        _send_all(fold, outbox, at + 1_000)
    took, sent = [], len(outbox)
    for number in range(STEPS):
        began = time.perf_counter()
        at = fold.monitor.next_deadline()
        assert at is not None, "ten thousand incidents that nobody has, and nothing is due"
        _fold(fold, outbox, seq + 1 + number, clock_entry(at))
        _send_all(fold, outbox, at)
        took.append((time.perf_counter() - began) * 1000)
    still_open = sum(bool(course.open) for course in fold.monitor.state.courses.values())
    assert (still_open, len(outbox) - sent) == (OPEN, STEPS), "each of these steps pages for one of the open incidents"
    return took


def _fold(fold: Fold, outbox: Outbox, seq: int, entry: Entry) -> None:
    record = Record(seq, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
    for effect in fold.apply(record):
        if isinstance(effect, Page):
            outbox.plan(effect, entry.received_at)


def _send_all(fold: Fold, outbox: Outbox, at: int) -> None:
    while sends := outbox.due(at, {}, fold.monitor.wanted, elsewhere=SENDS_AT_ONCE).send:
        for sending in sends:
            outbox.settle(sending.item.key, Outcome.ACCEPTED, at)


def _burst_us(count: int) -> float:
    """µs a page to plan `count` of them at once for 1,000 patients, and to hand them out sixteen at a time."""
    pages = [_page(f"C-{n % 1_000}@{n}/r1/nurse/0", f"C-{n % 1_000}", "sms", START_AT) for n in range(count)]
    outbox = Outbox()
    began = time.perf_counter()
    for page in pages:
        outbox.plan(page, START_AT)
    while len(outbox):
        for sending in outbox.due(START_AT, {"sms": SENDS_AT_ONCE}, lambda _: True).send:
            outbox.settle(sending.item.key, Outcome.ACCEPTED, START_AT)
    return (time.perf_counter() - began) / count * 1e6


def _page(key: str, course: str, transport: str, at: int) -> Page:
    return Page(
        key=key,
        incident=key.partition("/")[0],
        course=course,
        person="nurse",
        transport=transport,
        address="1",
        priority=Priority.HIGH,
        why=WhyPaged.OPENED,
        about=("alarm-persistent",),
        text="C-1 HIGH: pump alarm. Reply 4711 to take it.",
        code="4711",
        decided_at=at,
    )


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
