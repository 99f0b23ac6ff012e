"""What the board shows, in the order and the words in which it shows it. Values only; the templates lay them out.

Each course is a tile while it needs somebody, the most urgent first; the others, and whoever is beyond `TILES_MAX`, take a row.
A row is ready text: five hundred of them are laid out in a fraction of a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.console.care_words import CareWords, Quiet, care_words, quiet_words
from gateway.console.terms import cause_words, holder_words
from gateway.console.times import age, clock, length
from gateway.console.words import Words
from gateway.core.board import Board, CourseLine, IncidentLine, PumpLine
from gateway.core.urgency import Ending, deadline
from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.words import DeliveryState, Priority
from gateway.runtime.service import Health, Service

TILES_MAX = 12  # the next stand in rows: a phone is not scrolled through hundreds of tiles
FULL = 100.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """The clock against the protocol's limit; both parts in percent of the bar, which is full at the limit.

    `clock` says both in words, `verdict` what it means that the limit is, or may be, passed; it is empty before.
    """

    current_percent: float
    worst_percent: float
    clock: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A course in full. `left`: what runs out first, where the gauge does not say it."""

    line: CourseLine
    cause: str
    priority: Priority | None
    gauge: Gauge | None
    left: str
    care: CareWords


@dataclass(frozen=True, slots=True)
class Row:
    """A course in one line, each cell ready to be shown; `ending` names the one that runs out first.

    `next_bag` is the earlier of the two that `bag` tells: when it is likely to be empty, when its change is planned.
    """

    line: CourseLine
    clock: str
    quiet: tuple[Quiet, ...]
    incident: IncidentLine | None
    holder: str
    bag: str
    next_bag: str
    battery: str
    heard: str
    ending: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole board. `odd` devices want a technician."""

    board: Board
    banners: tuple[tuple[str, str], ...]
    counts: tuple[tuple[Priority, int], ...]
    unowned: int
    tiles: tuple[Tile, ...]
    rows: tuple[Row, ...]
    odd: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Board and health at one instant: what is taken on the event loop. The rest is worked out in another thread."""

    board: Board
    health: Health


def seen(service: Service) -> Seen:
    """Everything that the board needs."""
    return Seen(service.board(), service.health())


def view_of(told: Seen, say: Words, tiles_max: int = TILES_MAX) -> View:
    """The board in the reader's words. Takes its time: call it from another thread."""
    board = told.board
    zone = ZoneInfo(board.timezone)
    troubled = [line for line in board.courses if is_troubled(line)]
    full = {line.course for line in troubled[:tiles_max]}
    open_ = [*board.site_incidents, *(one for line in board.courses for one in line.incidents)]
    return View(
        board=board,
        banners=tuple(banners(board, told.health, say)),
        counts=tuple(_counts(open_)),
        unowned=sum(not one.holder for one in open_),
        tiles=tuple(tile_of(line, board.at, zone, say) for line in troubled[:tiles_max]),
        rows=tuple(row_of(line, board.at, zone, say) for line in board.courses if line.course not in full),
        odd=sum(is_odd(line) for line in board.pumps),
    )


def banners(board: Board, health: Health, say: Words) -> Iterator[tuple[str, str]]:
    """(headline, mend) of what concerns everything below: the gateway cannot hear, or is not well."""
    if not board.connected:
        mend = say("No session with the broker: what is shown below is old. The pumps' own alarms still sound. Check the broker.")
        yield say("The gateway hears no pump"), mend
    elif board.deaf:
        yield say("Catching up"), say("The broker is back and its backlog is being read; what is shown below may be old.")
    if health.findings:
        headline = say("Something is wrong with the gateway") if health.ready else say("The gateway is not ready")
        yield headline, "; ".join(health.findings)


def is_troubled(line: CourseLine) -> bool:
    """Whether a course deserves more than a line."""
    calm_states = (DeliveryState.DELIVERING, DeliveryState.NOT_EXPECTED)
    return bool(line.incidents or line.conditions) or line.silent or line.state not in calm_states


def is_odd(line: PumpLine) -> bool:
    """A device that wants a technician: it serves nobody, or its messages are refused, missing or wrongly timed."""
    return not line.course or bool(line.refusals or line.missing or line.clock_doubtful)


def priority_of(line: CourseLine) -> Priority | None:
    """The highest of the open incidents of a course."""
    return max((one.priority for one in line.incidents), key=lambda priority: priority.rank, default=None)


def tile_of(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> Tile:
    """A course in full."""
    gauge, ends = gauge_of(line, at, say), deadline(line, at)
    return Tile(
        line=line,
        cause=cause_words(line.cause, say),
        priority=priority_of(line),
        gauge=gauge,
        left="" if gauge is not None and ends is not None and ends.ending is Ending.LIMIT else left_words(line, at, say),
        care=care_words(line, at, zone, say),
    )


def row_of(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> Row:
    """A course in one line."""
    ends = deadline(line, at)
    gauge = gauge_of(line, at, say)
    worst = max(line.incidents, key=lambda one: one.priority.rank, default=None)
    cause = cause_words(line.cause, say) if line.state is DeliveryState.NOT_EXPECTED else ""
    return Row(
        line=line,
        clock=gauge.verdict or gauge.clock if gauge else cause,
        quiet=quiet_words(line, at, zone, say),
        incident=worst,
        holder=_holder(worst, at, zone, say) if worst is not None else "",
        bag=_bag(line, at, zone, say),
        next_bag=_next_bag(line, at, zone, say),
        battery=battery_words(line, at, say),
        heard=say("heard {age}", age=age(line.heard_at, at, say.locale)) if line.heard_at else say("never heard"),
        ending=ends.ending.value if ends else "",
    )


def gauge_of(line: CourseLine, at: Instant, say: Words) -> Gauge | None:
    """None while there is no clock to show. The limit follows from when it is reached."""
    if line.limit_at is None:
        return None
    limit_ms = line.limit_at - at + line.worst_ms
    if limit_ms <= 0:
        return None
    current, worst = (min(FULL, round(FULL * length_ms / limit_ms, 1)) for length_ms in (line.current_ms, line.worst_ms))
    return Gauge(current, worst, _clock(line, limit_ms, say), _verdict(line, limit_ms, say))


def _clock(line: CourseLine, limit_ms: int, say: Words) -> str:
    current, worst, limit = (length(each, say.locale) for each in (line.current_ms, line.worst_ms, limit_ms))
    if line.current_ms == line.worst_ms:
        return say("{current} of {limit} interrupted", current=current, limit=limit)
    if line.current_ms:
        return say("{current} interrupted, at worst {worst} of {limit}", current=current, worst=worst, limit=limit)
    return say("At worst {worst} of {limit} interrupted", worst=worst, limit=limit)


def _verdict(line: CourseLine, limit_ms: int, say: Words) -> str:
    if line.worst_ms < limit_ms:
        return ""
    limit = length(limit_ms, say.locale)
    over = say("OVER {limit}", limit=limit) if line.current_ms >= limit_ms else say("May be OVER {limit}", limit=limit)
    then = line.past_limit_translated.get(say.locale.value, line.past_limit)
    return f"{over}: {then}" if then else over


def left_words(line: CourseLine, at: Instant, say: Words) -> str:
    """`2 h 48 min left until the limit`: what runs out first; empty where nothing does."""
    ends = deadline(line, at)
    if ends is None:
        return ""
    if ends.ending is Ending.NOW:
        return say("No time left: too much flows")
    if ends.at <= at:
        return {
            Ending.LIMIT: say("No time left: the limit may be passed"),
            Ending.BATTERY: say("No time left: the battery may be empty"),
            Ending.BAG: say("No time left: the bag may be empty"),
            Ending.EXPIRY: say("No time left: the bag has expired"),
        }[ends.ending]
    left = length(ends.at - at, say.locale)
    return {
        Ending.LIMIT: say("{left} left until the limit", left=left),
        Ending.BATTERY: say("about {left} left in the battery", left=left),
        Ending.BAG: say("about {left} left in the bag", left=left),
        Ending.EXPIRY: say("{left} left until the bag expires", left=left),
    }[ends.ending]


def battery_words(line: CourseLine, at: Instant, say: Words) -> str:
    """`battery 81 %, ~16 h`; of a silent pump the age of the figure instead: nobody takes it for the present one."""
    if line.battery_percent is None:
        return say("battery not told")
    percent, left_ms = f"{line.battery_percent:.0f}", line.supplies.battery_left_ms
    if line.silent and line.heard_at:
        return say("battery {percent} %, told {age}", percent=percent, age=age(line.heard_at, at, say.locale))
    if not line.on_battery:
        return say("battery {percent} %, on mains", percent=percent) if line.on_battery is False else f"{percent} %"
    if left_ms is None:
        return say("battery {percent} %", percent=percent)
    if left_ms < HOUR_MS:
        return say("battery {percent} %, less than 1 h left", percent=percent)
    return say("battery {percent} %, ~{hours} h", percent=percent, hours=left_ms // HOUR_MS)


def _bag(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> str:
    """`bag until ~Sun 08:15, change Sun 12:03`."""
    if not line.bag:
        return say("no bag")
    supplies, parts = line.supplies, []
    if supplies.bag_expires_at is not None and supplies.bag_expires_at <= at:
        parts.append(say("bag EXPIRED"))
    if supplies.bag_central_at is not None:
        parts.append(say("bag until ~{at}", at=clock(supplies.bag_central_at, at, zone, say.locale)))
    if line.planned_change_at is not None:
        parts.append(say("change {at}", at=clock(line.planned_change_at, at, zone, say.locale)))
    return ", ".join(parts) or line.bag


def _next_bag(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> str:
    """`bag until ~Sun 08:15`, or `bag change Sun 12:03` where that is planned before."""
    empty_at, change_at = line.supplies.bag_central_at, line.planned_change_at
    if change_at is not None and (empty_at is None or change_at <= empty_at):
        return say("bag change {at}", at=clock(change_at, at, zone, say.locale))
    if empty_at is not None:
        return say("bag until ~{at}", at=clock(empty_at, at, zone, say.locale))
    return say("no bag")


def _holder(one: IncidentLine, at: Instant, zone: ZoneInfo, say: Words) -> str:
    """`nurse-a has it until 14:27`."""
    if one.holder and one.held_until is not None:
        return say("{who} has it until {until}", who=one.holder, until=clock(one.held_until, at, zone, say.locale))
    return holder_words(one, say)


def _counts(open_: list[IncidentLine]) -> Iterator[tuple[Priority, int]]:
    """Open incidents by priority, the highest first; only those that there are."""
    for priority in reversed(Priority):
        count = sum(one.priority is priority for one in open_)
        if count:
            yield priority, count
