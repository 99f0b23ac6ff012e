import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.domain.readings import Observation
from gateway.outside import influx_sink
from gateway.outside.influx_sink import InfluxV1Sink, InfluxV2Sink
from gateway.outside.wall_clock import WallClock
from gateway.runtime import forwarder as forwarder_module
from gateway.runtime.forwarder import Forwarder
from gateway.runtime.point_sink import PointSink, Poison, StoreUnavailable
from gateway.runtime.points import lines_of
from gateway.runtime.ports import Record
from tests.support.forwarding import FakeJournal
from tests.support.stores import Influxd
from tests.support.waiting import eventually

pytestmark = pytest.mark.servers

AT = 1_772_409_600_000
MESSAGES = 2_000
READINGS_EACH = 10


def lines_for(record: Record) -> list[bytes]:
    """Ten observations, a second apart; the body holds the number of the message."""
    first = int(record.body) * READINGS_EACH
    readings = [Observation(observed_at=AT + 1_000 * n, infused_ml=float(n)) for n in range(first, first + READINGS_EACH)]
    return lines_of("ward-1", "p1", "P-017", readings)


@pytest.fixture
def influxd(tmp_path: Path):
    """An empty InfluxDB 1.6.7."""
    server = Influxd(tmp_path)
    server.start()
    yield server
    server.stop()


class Setup:
    """A forwarder between a journal in memory and a real store."""

    def __init__(self, server: Influxd) -> None:
        self.journal = FakeJournal()
        self.aside: list[Poison] = []
        self.sink = InfluxV1Sink(server.url, "dripwatch")
        self.forwarder = Forwarder(
            journal=self.journal, sink=self.sink, clock=WallClock(), lines_for=lines_for, set_aside=self.aside.append
        )

    def message(self, number: int) -> None:
        seq = self.journal.add(b"%d" % number)
        self.forwarder.offer(seq, lines_for(self.journal.records[seq - 1]))

    @property
    def written(self) -> int:
        return self.forwarder.health().lines_written

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.forwarder.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.sink.close()


async def test_twenty_thousand_points_arrive(influxd: Influxd) -> None:
    """Offered live, every point is in the database, which was made at the first write."""
    setup = Setup(influxd)
    async with setup.running():
        for number in range(MESSAGES):
            setup.message(number)
        await eventually(lambda: setup.journal.cursors.get("influx") == MESSAGES)
    assert influxd.count("dripwatch", "pump", "infused_ml") == MESSAGES * READINGS_EACH
    assert setup.aside == []


async def test_a_store_that_is_stopped_in_the_middle_misses_nothing(influxd: Influxd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped while points flow, started again with its data: the count is exact, also for what came while it was away."""
    monkeypatch.setattr(forwarder_module, "BACKOFF_MS", (50,))
    monkeypatch.setattr(forwarder_module, "BATCH_LINES", 500)
    monkeypatch.setattr(forwarder_module, "RING_MAX_LINES", 5_000)
    setup = Setup(influxd)
    async with setup.running():
        for number in range(MESSAGES // 2):
            setup.message(number)
        await eventually(lambda: setup.written > 0)
        influxd.stop()
        for number in range(MESSAGES // 2, MESSAGES):
            setup.message(number)
        await eventually(lambda: setup.forwarder.health().last_error.startswith("InfluxDB does not answer"))
        assert setup.written < MESSAGES * READINGS_EACH
        influxd.start()
        await eventually(lambda: setup.journal.cursors.get("influx") == MESSAGES)
        assert setup.forwarder.health().last_error == ""
    assert setup.journal.reads > 0, "the ring was too small for the outage"
    assert influxd.count("dripwatch", "pump", "infused_ml") == MESSAGES * READINGS_EACH


async def test_a_wrong_password_costs_no_line(tmp_path: Path) -> None:
    """An operator's mistake makes the store unavailable, in words; mended, the same lines are stored."""
    server = Influxd(tmp_path, auth=True)
    server.start()
    try:
        server.query("CREATE USER gateway WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        wrong = InfluxV1Sink(server.url, "dripwatch", "gateway", "wrong")
        with pytest.raises(StoreUnavailable, match=r"refuses us \(401\); check username, password and database"):
            await wrong.write([b"pump rate_ml_h=1 1000"])
        await wrong.close()
        right = InfluxV1Sink(server.url, "dripwatch", "gateway", "right")
        assert await right.write([b"pump rate_ml_h=1 1000"]) == []
        await right.close()
    finally:
        server.stop()


async def test_a_user_who_may_not_make_the_database_is_told(tmp_path: Path) -> None:
    """Without the database, and without the right to make it, the store is unavailable and the words say why."""
    server = Influxd(tmp_path, auth=True)
    server.start()
    try:
        server.query("CREATE USER admin WITH PASSWORD 'a' WITH ALL PRIVILEGES")
        sink = InfluxV1Sink(server.url, "dripwatch", "admin", "a")
        await sink.write([b"pump rate_ml_h=1 1000"])
        await sink._send("/query", params={"q": "CREATE USER gateway WITH PASSWORD 'g'"})
        await sink._send("/query", params={"q": 'GRANT WRITE ON "dripwatch" TO gateway'})
        await sink.close()
        allowed = InfluxV1Sink(server.url, "dripwatch", "gateway", "g")
        assert await allowed.write([b"pump rate_ml_h=2 2000"]) == []
        await allowed.close()
        astray = InfluxV1Sink(server.url, "elsewhere", "gateway", "g")
        with pytest.raises(StoreUnavailable, match="elsewhere"):
            await astray.write([b"pump rate_ml_h=1 1000"])
        await astray.close()
    finally:
        server.stop()


async def test_a_body_over_the_limit_of_the_store_is_split(tmp_path: Path) -> None:
    """A store that takes only small bodies gets all points all the same."""
    server = Influxd(tmp_path, max_body_bytes=10_000)
    server.start()
    try:
        sink = InfluxV1Sink(server.url, "dripwatch")
        assert await sink.write([b"pump rate_ml_h=%d %d" % (n, AT + n) for n in range(3_000)]) == []
        await sink.close()
        assert server.count("dripwatch", "pump", "rate_ml_h") == 3_000
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def answering(status: int, body: bytes) -> AsyncIterator[str]:
    """The address of a server that gives every request one answer; status 0 never answers."""
    ending = asyncio.Event()
    handlers: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(row.split(b":")[1]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length"))
        await reader.readexactly(length)
        if status == 0:
            await ending.wait()
        else:
            writer.write(b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.create_task(answer(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        ending.set()
        server.close()
        await asyncio.gather(*handlers)
        await server.wait_closed()


SINKS = {"v1": lambda url: InfluxV1Sink(url, "d"), "v2": lambda url: InfluxV2Sink(url, org="ward", bucket="b", token="t")}


@pytest.mark.parametrize("make", SINKS.values(), ids=SINKS.keys())
class TestAnswers:
    """What InfluxDB 2.x and proxies answer, played by a server of ours: no 2.x is packaged for Debian."""

    @pytest.mark.parametrize("status", [400, 422])
    async def test_a_refusal_in_the_words_of_2x(self, make: Callable[[str], PointSink], status: int) -> None:
        """`code` and `message` are understood; the line comes back with the message."""
        async with answering(status, b'{"code":"invalid","message":"field type conflict"}') as url:
            sink = make(url)
            assert await sink.write([b"pump rate_ml_h=1 1"]) == [Poison(b"pump rate_ml_h=1 1", "field type conflict")]
            await sink.close()

    @pytest.mark.parametrize(
        ("status", "words"), [(401, r"\(401\); check"), (404, r"\(404\); check"), (429, "answers 429"), (503, "answers 503")]
    )
    async def test_not_now(self, make: Callable[[str], PointSink], status: int, words: str) -> None:
        """A wrong token, a missing bucket, a busy store: unavailable, never poison."""
        async with answering(status, b'{"code":"x","message":"words of the store"}') as url:
            sink = make(url)
            with pytest.raises(StoreUnavailable, match=words + ".*words of the store"):
                await sink.write([b"pump rate_ml_h=1 1"])
            await sink.close()

    async def test_a_store_that_hangs(self, make: Callable[[str], PointSink], monkeypatch: pytest.MonkeyPatch) -> None:
        """No answer within the deadline is unavailable."""
        monkeypatch.setattr(influx_sink, "TIMEOUT_S", 0.2)
        async with answering(0, b"") as url:
            sink = make(url)
            with pytest.raises(StoreUnavailable, match=r"does not answer: .+"):
                await sink.write([b"pump rate_ml_h=1 1"])
            await sink.close()
