"""A pump's rate, volume and battery over hours or days, as geometry that `chart.html` draws: three panels over one axis of time.

A gap in what was heard is a gap in the line. What we judged (interrupted, unknown) lies behind the lines as a region, alarms
are marks on top. Everything that is drawn is also said: in the title, the description, and a table. Lengths are in units of the
drawing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from gateway.console.terms import kind_words
from gateway.console.words import Words
from gateway.core.stretches import JudgedStretch
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.readings import AlarmChange
from gateway.domain.words import AlarmPhase, DeliveryState
from gateway.runtime.history import Happened, Measured, Series

WIDTH, LEFT, RIGHT = 480, 46, 476
PANEL, BETWEEN, TOP, BELOW = 78, 26, 40, 24
ROWS_MAX = 48  # of the table; of more points some are left out evenly
MARKS_MAX = 60  # alarms drawn; of more the newest, the timeline has the others
_BEGUN = (AlarmPhase.START, AlarmPhase.CONTINUE)  # what goes on is told once, where its start was not seen
_NICE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_TICK_HOURS = ((8 * HOUR_MS, 1), (30 * HOUR_MS, 4), (3 * DAY_MS, 12), (40 * DAY_MS, 24))

Value = Callable[[Measured], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: `path` as SVG writes it, `name` for the legend, `css` its class."""

    name: str
    css: str
    path: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Some curves with one scale from 0 at `bottom` to `most` at `top`."""

    name: str
    top: float
    bottom: float
    most: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch that we judged `interrupted` or `unknown`."""

    css: str
    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at one place of the axis, said in words."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `gap_ms`: nothing was heard for so long after it; 0 where nothing is missing."""

    point: Measured
    gap_ms: int


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn, and the same as words and numbers. `heard` is False where nothing was measured."""

    title: str
    description: str
    height: int
    panels: tuple[Panel, ...]
    regions: tuple[Region, ...]
    alarms: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    rows: tuple[Row, ...]
    heard: bool
    whole: bool


def chart_of(series: Series, stretches: Sequence[JudgedStretch], *, device: str, zone: ZoneInfo, say: Words) -> Chart:
    """The chart of a device's series with what we judged meanwhile; times in the ward's `zone`, words by `say`."""
    axis = _Axis(series.since, series.until)
    panels = tuple(_panels(series, axis, say))
    return Chart(
        title=say("Rate, volume and battery of {device}", device=device),
        description=_description(series, stretches, say),
        height=TOP + 3 * PANEL + 2 * BETWEEN + BELOW,
        panels=panels,
        regions=tuple(_regions(stretches, axis, say)),
        alarms=tuple(_alarms(series.happened, axis, say)),
        ticks=tuple(_ticks(axis, zone)),
        rows=tuple(_rows(series)),
        heard=bool(series.points),
        whole=series.whole,
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    since: Instant
    until: Instant

    def x(self, at: Instant) -> float:
        """Where the instant is drawn; what lies outside at the edge."""
        share = (at - self.since) / max(1, self.until - self.since)
        return round(LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share)), 1)


def _panels(series: Series, axis: _Axis, say: Words) -> Iterator[Panel]:
    rate = (say("Rate, mL/h"), (("rate", say("rate"), _rate),))
    left = ("left", say("left in the bag"), _remaining)
    volume = (say("Volume, mL"), (left, ("infused", say("infused"), _infused)))
    battery = (say("Battery, %"), (("battery", say("battery"), _battery),))
    for number, (name, curves) in enumerate((rate, volume, battery)):
        top = TOP + number * (PANEL + BETWEEN)
        values = [value for _, _, of in curves for point in series.points if (value := of(point)) is not None]
        most = 100.0 if number == 2 else _nice(max(values, default=0.0))
        lines = [Line(words, css, _path(series, of, axis, top, most, steps=css == "rate")) for css, words, of in curves]
        yield Panel(name, top, top + PANEL, f"{most:g}", tuple(line for line in lines if line.path))


def _path(series: Series, value_of: Value, axis: _Axis, top: float, most: float, *, steps: bool) -> str:
    """The curve; broken where nothing was heard. A rate holds until the next word: it is drawn in steps."""
    parts: list[str] = []
    last_at: Instant | None = None
    for point in series.points:
        value = value_of(point)
        if value is None:
            continue
        x, y = axis.x(point.at), round(top + PANEL * (1 - min(1.0, max(0.0, value / most))), 1)
        if last_at is None or point.at - last_at > series.gap_ms:
            parts.append(f"M{x:g} {y:g}h0")  # a lone point is a dot: its line has round ends
        else:
            parts.append(f"H{x:g}V{y:g}" if steps else f"L{x:g} {y:g}")
        last_at = point.at
    return "".join(parts)


def _nice(most: float) -> float:
    """A round number that is not less, and leaves a little room."""
    if most <= 0:
        return 1.0
    size = 10.0 ** floor(log10(most * 1.05))
    return next((round(step * size, 6) for step in _NICE if step * size >= most * 1.05), most)


def _regions(stretches: Iterable[JudgedStretch], axis: _Axis, say: Words) -> Iterator[Region]:
    for stretch in stretches:
        if stretch.until <= axis.since or stretch.since >= axis.until:
            continue
        x = axis.x(stretch.since)
        words = say("Interrupted") if stretch.state is DeliveryState.INTERRUPTED else say("Unknown")
        yield Region(stretch.state.value, x, round(max(1.5, axis.x(stretch.until) - x), 1), words)


def _alarms(happened: Sequence[Happened], axis: _Axis, say: Words) -> list[Mark]:
    begun = [one for one in happened if isinstance(one.reading, AlarmChange) and one.reading.phase in _BEGUN]
    return [Mark(axis.x(one.at), alarm_words(one.reading, say)) for one in begun[-MARKS_MAX:]]


def alarm_words(reading: object, say: Words) -> str:
    """`air in line`; a condition's name, never the device's own text."""
    return kind_words(reading.condition.value, say) if isinstance(reading, AlarmChange) else ""


def _ticks(axis: _Axis, zone: ZoneInfo) -> Iterator[Mark]:
    """Full hours of the ward's clock, or days; a change of the clocks moves none of them."""
    span_ms = axis.until - axis.since
    every = next((hours for most_ms, hours in _TICK_HOURS if span_ms <= most_ms), 24)
    quarter = 15 * MINUTE_MS  # the finest offset that time zones have
    for number in range(ceil(axis.since / quarter), floor(axis.until / quarter) + 1):
        local = datetime.fromtimestamp(number * quarter / SECOND_MS, zone)
        if local.minute == 0 and local.hour % every == 0:
            days = every == 24
            yield Mark(axis.x(number * quarter), f"{local.day}.{local.month}." if days else f"{local:%H:%M}")


def _rows(series: Series) -> Iterator[Row]:
    stride = max(1, ceil(len(series.points) / ROWS_MAX))
    for number in range(0, len(series.points), stride):
        bunch = series.points[number : number + stride + 1]
        gaps = [later.at - earlier.at for earlier, later in pairwise(bunch)]
        longest_ms = max(gaps, default=0)
        yield Row(bunch[0], longest_ms if longest_ms > series.gap_ms else 0)


def _description(series: Series, stretches: Sequence[JudgedStretch], say: Words) -> str:
    """What a chart shows at a glance, for whoever cannot see it."""
    rates = [point.rate_ml_h for point in series.points if point.rate_ml_h is not None]
    gaps = sum(later.at - earlier.at > series.gap_ms for earlier, later in pairwise(series.points))
    within = [one for one in stretches if one.until > series.since and one.since < series.until]
    parts = [say("Rate from {low} to {high} mL/h.", low=f"{min(rates):g}", high=f"{max(rates):g}")] if rates else []
    if not series.points:
        parts.append(say("Nothing was measured in this time."))
    interrupted = sum(one.state is DeliveryState.INTERRUPTED for one in within)
    counts = {"interrupted": interrupted, "unknown": len(within) - interrupted, "gaps": gaps}
    parts.append(say("Interrupted {interrupted} times, unknown {unknown} times, {gaps} gaps without data.", **counts))
    return " ".join(parts)


def _rate(point: Measured) -> float | None:
    return point.rate_ml_h


def _remaining(point: Measured) -> float | None:
    return point.remaining_ml


def _infused(point: Measured) -> float | None:
    return point.infused_ml


def _battery(point: Measured) -> float | None:
    return point.battery_percent
