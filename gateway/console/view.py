"""What the status page shows, in the order and the words in which it shows it. Values only; the templates lay them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.core.board import AlertLine, Board, CourseLine, IncidentLine, PumpLine
from gateway.domain.words import DeliveryState, IncidentState, Outcome, Priority
from gateway.runtime.service import Health, PageLine, Service
from rules.durations import say_ms

PAGES_SHOWN = 30
FULL = 100.0

STATE_WORDS = {
    DeliveryState.DELIVERING: "Delivering",
    DeliveryState.INTERRUPTED: "Interrupted",
    DeliveryState.UNKNOWN: "Unknown",
    DeliveryState.NOT_EXPECTED: "Not expected",
}
_CAUSES = {
    "silence": "pump not heard",
    "scale": "pump not heard, but the bag gets lighter as it should",
    "scale stands": "pump not heard, and the bag gets no lighter",
    "unsaid": "the pump does not say whether it delivers",
    "user": "stopped by hand",
    "clinician": "stopped by a clinician",
    "kvo": "keep-vein-open only",
    "stopped": "no reason given",
    "unspecified": "no reason given",
}
_FAILED = {Outcome.REJECTED, Outcome.TEMPORARY, Outcome.UNKNOWN, Outcome.NO_RECEIPT}


@dataclass(frozen=True, slots=True)
class Gauge:
    """The clock against the protocol's limit; both parts in percent of the bar, which is full at the limit.

    `verdict` says what it means that the limit is, or may be, passed; it is empty before.
    """

    current_percent: float
    worst_percent: float
    limit_ms: int
    verdict: str


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as it is shown. `priority` is the highest of its open incidents."""

    line: CourseLine
    state: str
    cause: str
    priority: Priority | None
    gauge: Gauge | None


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it is shown: whether it failed, and its outcome in a word."""

    line: PageLine
    outcome: str
    failed: bool


@dataclass(frozen=True, slots=True)
class View:
    """The whole page. `troubled` are shown in full, `calm` in one line each."""

    board: Board
    zone: ZoneInfo
    banners: tuple[tuple[str, str], ...]
    counts: tuple[tuple[Priority, int], ...]
    troubled: tuple[CourseView, ...]
    calm: tuple[CourseView, ...]
    odd_pumps: tuple[PumpLine, ...]
    pages: tuple[PageView, ...]


def view_of(service: Service) -> View:
    """Everything that the page needs, taken at one instant; frozen, so that another thread may lay it out."""
    board = service.board()
    courses = [_course_view(line, board.at) for line in board.courses]
    return View(
        board=board,
        zone=ZoneInfo(board.timezone),
        banners=tuple(banners(board, service.health())),
        counts=tuple(_counts(board)),
        troubled=tuple(course for course in courses if is_troubled(course.line)),
        calm=tuple(course for course in courses if not is_troubled(course.line)),
        odd_pumps=tuple(line for line in board.pumps if _is_odd(line)),
        pages=tuple(_page_view(line) for line in list(service.pages())[:PAGES_SHOWN]),
    )


def banners(board: Board, health: Health) -> list[tuple[str, str]]:
    """(headline, mend) of what concerns everything below: the gateway cannot hear, or is not well."""
    found = []
    if not board.connected:
        mend = "No session with the broker: what is shown below is old. The pumps' own alarms still sound. Check the broker."
        found.append(("The gateway hears no pump", mend))
    elif board.deaf:
        found.append(("Catching up", "The broker is back and its backlog is being read; what is shown below may be old."))
    if health.findings:
        headline = "Something is wrong with the gateway" if health.ready else "The gateway is not ready"
        found.append((headline, "; ".join(health.findings)))
    return found


def is_troubled(line: CourseLine) -> bool:
    """Whether a course deserves more than a line."""
    calm_states = (DeliveryState.DELIVERING, DeliveryState.NOT_EXPECTED)
    return bool(line.incidents or line.conditions) or line.silent or line.state not in calm_states


def say_kind(alert: AlertLine) -> str:
    """`Alarm persistent: air in line`."""
    words = alert.rule.replace("-", " ").capitalize()
    return f"{words}: {alert.kind.replace('-', ' ')}" if alert.kind else words


def say_cause(cause: str) -> str:
    """Why delivery is not going on, in words."""
    return _CAUSES.get(cause, cause.replace("-", " "))


def _course_view(line: CourseLine, at: int) -> CourseView:
    return CourseView(
        line=line,
        state=STATE_WORDS[line.state],
        cause=say_cause(line.cause),
        priority=max((incident.priority for incident in line.incidents), key=lambda p: p.rank, default=None),
        gauge=_gauge(line, at),
    )


def _gauge(line: CourseLine, at: int) -> Gauge | None:
    """None while there is no clock to show. The limit follows from when it is reached."""
    if line.limit_at is None:
        return None
    limit_ms = line.limit_at - at + line.worst_ms
    if limit_ms <= 0:
        return None
    current, worst = (min(FULL, round(FULL * length_ms / limit_ms, 1)) for length_ms in (line.current_ms, line.worst_ms))
    return Gauge(current, worst, limit_ms, _verdict(line, limit_ms))


def _verdict(line: CourseLine, limit_ms: int) -> str:
    if line.worst_ms < limit_ms:
        return ""
    over = "OVER" if line.current_ms >= limit_ms else "May be OVER"
    return f"{over} {say_ms(limit_ms)}" + (f": {line.past_limit}" if line.past_limit else "")


def _counts(board: Board) -> list[tuple[Priority, int]]:
    """Open incidents by priority, the highest first; only those that there are."""
    open_: list[IncidentLine] = [*board.site_incidents, *(one for line in board.courses for one in line.incidents)]
    counted = [(priority, sum(one.priority is priority for one in open_)) for priority in reversed(Priority)]
    return [(priority, count) for priority, count in counted if count]


def _is_odd(line: PumpLine) -> bool:
    """A device that wants a technician: it serves nobody, or its messages are refused, missing or wrongly timed."""
    return not line.course or bool(line.refusals or line.missing or line.clock_doubtful)


def _page_view(line: PageLine) -> PageView:
    outcome = "under way" if line.outcome is None else line.outcome.value.replace("-", " ")
    return PageView(line, outcome, failed=line.outcome in _FAILED)


def say_holder(incident: IncidentLine) -> str:
    """Whether somebody has it: `nurse-a has it`, `Nobody has it`."""
    if incident.state is IncidentState.ACKNOWLEDGED and incident.holder:
        return f"{incident.holder} has it"
    return "Over" if incident.state is IncidentState.RESOLVED else "Nobody has it"


def say_length(length_ms: int) -> str:
    """`1 h 12 min`."""
    return say_ms(max(0, length_ms))


def say_people(people: Sequence[str]) -> str:
    """`nurse-a, charge-nurse`, or `nobody yet`."""
    return ", ".join(people) or "nobody yet"
