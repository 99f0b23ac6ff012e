"""What every store for points promises, asked of the real ones and of the fake that other tests stand on."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from gateway.outside.influx_sink import InfluxV1Sink, InfluxV2Sink
from gateway.runtime.point_sink import PointSink, StoreUnavailable
from tests.support.forwarding import ScriptedSink
from tests.support.stores import Influxd, VictoriaMetrics
from tests.support.waiting import eventually

AT = 1_772_409_600_000

pytestmark = pytest.mark.servers


class Store(Protocol):
    """A store under test: its sink, a way to look inside, and a switch.

    `refuses` is False for a store that answers "stored" to every body and drops what it cannot read: nothing can tell its
    poison, so the promises about poison do not hold for it.
    """

    sink: PointSink
    refuses: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def points(self) -> dict[int, float]:
        """rate_ml_h of pump p1 by time in ms; fails when a time is there twice."""
        ...


class InfluxV1Store:
    refuses = True

    def __init__(self, directory: Path) -> None:
        self.server = Influxd(directory)
        self.sink = InfluxV1Sink(self.server.url, "dripwatch")
        self.start, self.stop = self.server.start, self.server.stop

    def points(self) -> dict[int, float]:
        series = self.server.query("SELECT rate_ml_h FROM pump WHERE device='p1'", "dripwatch")
        values = series[0]["values"] if series else []
        return once(values)


class VictoriaMetricsStore:
    refuses = False  # VictoriaMetrics 1.79 answers 204 to everything

    def __init__(self, directory: Path) -> None:
        self.server = VictoriaMetrics(directory)
        self.sink = InfluxV2Sink(self.server.url, org="ward", bucket="dripwatch", token="unchecked")
        self.start, self.stop = self.server.start, self.server.stop

    def points(self) -> dict[int, float]:
        series = self.server.export('pump_rate_ml_h{device="p1"}')
        return once([pair for each in series for pair in zip(each["timestamps"], each["values"], strict=True)])


class FakeStore:
    refuses = True

    def __init__(self, directory: Path) -> None:
        self.sink = ScriptedSink(poison=lambda line: line.startswith(b"bad") or b'rate_ml_h="' in line)

    def start(self) -> None:
        self.sink.down = False

    def stop(self) -> None:
        self.sink.down = True

    def points(self) -> dict[int, float]:
        pairs = [(int(line.rsplit(b" ")[2]), float(line.split(b"=")[2].split()[0])) for line in self.sink.stored]
        return once(pairs)


def once(pairs: list[tuple[int, float]]) -> dict[int, float]:
    """`pairs` as a dictionary; a time that is there twice is a failure."""
    found = dict(pairs)
    assert len(found) == len(pairs), "a point is stored twice"
    return found


def line(number: int) -> bytes:
    """The point of millisecond `number`."""
    return b"pump,device=p1 rate_ml_h=%d %d" % (number, AT + number)


@dataclass
class Trial:
    """A store on trial."""

    store: Store

    async def holds(self, numbers: range | list[int]) -> None:
        """Exactly these points are there (some stores show them a moment later)."""
        wanted = {AT + number: float(number) for number in numbers}
        await eventually(lambda: self.store.points() == wanted)


STORES = {"influxdb-v1": InfluxV1Store, "victoriametrics-v2": VictoriaMetricsStore, "fake": FakeStore}
REFUSING = {name: made for name, made in STORES.items() if made.refuses}


@contextlib.asynccontextmanager
async def started(make: Callable[[Path], Store], directory: Path) -> AsyncIterator[Trial]:
    """A started, empty store."""
    store = make(directory)
    store.start()
    try:
        yield Trial(store)
    finally:
        await store.sink.close()
        store.stop()


@pytest.fixture(params=STORES.values(), ids=STORES.keys())
async def trial(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    """Every store."""
    async with started(request.param, tmp_path) as trial:
        yield trial


@pytest.fixture(params=REFUSING.values(), ids=REFUSING.keys())
async def refusing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    """Every store that says which lines it refuses."""
    async with started(request.param, tmp_path) as trial:
        yield trial


async def test_lines_are_stored(trial: Trial) -> None:
    """Five thousand lines in one write, five thousand points; nothing is refused."""
    assert await trial.store.sink.write([line(n) for n in range(5_000)]) == []
    await trial.holds(range(5_000))


async def test_nothing_is_nothing(trial: Trial) -> None:
    """An empty write succeeds and stores nothing."""
    await trial.store.sink.write([line(0)])
    assert await trial.store.sink.write([]) == []
    await trial.holds([0])


async def test_a_point_written_twice_is_there_once(trial: Trial) -> None:
    """At-least-once forwarding needs a store in which repeating is harmless."""
    for _ in range(3):
        await trial.store.sink.write([line(n) for n in range(100)])
    await trial.holds(range(100))


async def test_a_stopped_store_is_unavailable_and_comes_back(trial: Trial) -> None:
    """A store that does not answer says so; started again it takes the same lines, and has what it had."""
    await trial.store.sink.write([line(0)])
    await trial.holds([0])
    trial.store.stop()
    with pytest.raises(StoreUnavailable, match=r"\w"):
        await trial.store.sink.write([line(1)])
    trial.store.start()
    assert await trial.store.sink.write([line(1)]) == []
    await trial.holds([0, 1])


async def test_an_unreadable_line_is_poison_and_the_others_are_stored(refusing: Trial) -> None:
    """Of 5,000 lines one is no line protocol: one poison with a reason, 4,999 points."""
    lines = [line(n) for n in range(5_000)]
    lines[1_234] = b"bad"
    (poison,) = await refusing.store.sink.write(lines)
    assert poison.line == b"bad"
    assert poison.reason
    await refusing.holds([n for n in range(5_000) if n != 1_234])


@pytest.mark.hazard("H-47")
async def test_a_conflict_of_type_is_poison_and_the_others_are_stored(refusing: Trial) -> None:
    """Of 5,000 lines one has text in a field of numbers: one poison with a reason, 4,999 points."""
    lines = [line(n) for n in range(5_000)]
    lines[4_321] = b'pump,device=p1 rate_ml_h="fast" %d' % (AT + 4_321)
    (poison,) = await refusing.store.sink.write(lines)
    assert poison.line == lines[4_321]
    assert poison.reason
    await refusing.holds([n for n in range(5_000) if n != 4_321])


async def test_all_kinds_of_poison_at_once(refusing: Trial) -> None:
    """A body with unreadable lines and conflicts of type: every bad line comes back, every good one is stored."""
    await refusing.store.sink.write([line(0)])
    lines = [line(n) for n in range(1, 1_000)]
    bad = {
        10: b"bad",
        500: b'pump,device=p1 rate_ml_h="a" %d' % AT,
        501: b"bad worse",
        900: b'pump,device=p1 rate_ml_h="b" %d' % AT,
    }
    for place, poisonous in bad.items():
        lines[place] = poisonous
    poison = await refusing.store.sink.write(lines)
    assert {each.line for each in poison} == set(bad.values())
    assert len(poison) == len(bad)
    await refusing.holds([n for n in range(1_000) if n - 1 not in bad])


async def test_only_poison_is_all_poison(refusing: Trial) -> None:
    """A batch in which every line conflicts comes back whole."""
    await refusing.store.sink.write([line(0)])
    lines = [b'pump,device=p1 rate_ml_h="x" %d' % (AT + n) for n in range(1, 2_000)]
    poison = await refusing.store.sink.write(lines)
    assert [each.line for each in poison] == lines
    await refusing.holds([0])
