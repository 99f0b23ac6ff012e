"""What changed on the board since it was last looked at, as numbered events; the newest are kept for whoever comes back.

    board      {…}   the whole board, as GET /api/v1/board has it: at first, and for whoever was away too long
    course     {…}   a course about which something happened, as GET /api/v1/courses/{course} has it
    course-gone      {"course"}: it is not watched any more
    incident   {…}   a line of an incident's history with its incident's state
    gateway    {…}   whether the gateway hears (`connected`, `deaf`)

Looking compares two boards: what came and went between two looks is not told, its lines in an incident's history are.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.console.board_answer import still
from gateway.console.shapes import BoardShape, CourseShape, Shape, When
from gateway.core.board import Board, CourseLine, HistoryLine, IncidentLine
from gateway.domain.words import IncidentState, Priority

EVENTS_MAX = 1_000  # kept; who missed more is told the whole board


class IncidentNewsShape(Shape):
    """One line of an incident's history, and how the incident is now."""

    key: str
    subject: str
    state: IncidentState
    priority: Priority
    at: When
    what: str
    who: str
    text: str


class GatewayNewsShape(Shape):
    """Whether the gateway hears."""

    at: When
    connected: bool
    deaf: bool


class GoneShape(Shape):
    """A course that is not watched any more."""

    course: str


@dataclass(frozen=True, slots=True)
class Change:
    """One event: its number, its name, its JSON."""

    number: int
    name: str
    body: str


class Changes:
    """Looks at boards. `find` gives an incident that is on no board any more, or None where it is forgotten."""

    def __init__(self, find: Callable[[str], IncidentLine | None]) -> None:
        self._find = find
        self._board: Board | None = None
        self._courses: dict[str, CourseLine] = {}
        self._told: dict[str, HistoryLine | None] = {}  # of each open incident the line that was told last
        self._kept: deque[Change] = deque(maxlen=EVENTS_MAX)
        self.newest = 0

    def look(self, board: Board) -> None:
        """Take in the board as it is now."""
        before, self._board = self._board, board
        courses = {line.course: still(line) for line in board.courses}
        if before is not None:
            self._compare(before, board, courses)
        self._courses = courses
        self._told = {line.key: line.history[-1] if line.history else None for line in _incidents(board)}

    def since(self, number: int) -> list[Change] | None:
        """The events after this one; None where some of them are not kept any more, or the number is none of ours."""
        if number > self.newest or (number < self.newest and (not self._kept or self._kept[0].number > number + 1)):
            return None
        return [change for change in self._kept if change.number > number]

    def whole(self) -> Change:
        """The whole board, as of the newest event."""
        shown = BoardShape.model_validate(self._board)
        return Change(self.newest, "board", shown.model_dump_json())

    def _compare(self, before: Board, board: Board, courses: dict[str, CourseLine]) -> None:
        if (before.connected, before.deaf) != (board.connected, board.deaf):
            self._add("gateway", GatewayNewsShape.model_validate(board))
        for line in board.courses:
            if self._courses.get(line.course) != courses[line.course]:
                self._add("course", CourseShape.model_validate(line))
        for gone in sorted(self._courses.keys() - courses.keys()):
            self._add("course-gone", GoneShape(course=gone))
        open_ = {line.key: line for line in _incidents(board)}
        over = (self._find(key) for key in sorted(self._told.keys() - open_.keys()))
        for incident in (*open_.values(), *(line for line in over if line is not None)):
            for news in _news(incident.history, self._told.get(incident.key)):
                self._tell(incident, news)

    def _tell(self, line: IncidentLine, news: HistoryLine) -> None:
        self._add(
            "incident",
            IncidentNewsShape(
                key=line.key,
                subject=line.subject,
                state=line.state,
                priority=line.priority,
                at=news.at,
                what=news.what,
                who=news.who,
                text=news.text,
            ),
        )

    def _add(self, name: str, shape: Shape) -> None:
        self.newest += 1
        self._kept.append(Change(self.newest, name, shape.model_dump_json()))


def _incidents(board: Board) -> Iterator[IncidentLine]:
    for course in board.courses:
        yield from course.incidents
    yield from board.site_incidents


def _news(history: Sequence[HistoryLine], told: HistoryLine | None) -> Sequence[HistoryLine]:
    """The lines behind the one that was told last; all of them where it is not among them any more."""
    if told is None:
        return history
    at = next((index for index in range(len(history) - 1, -1, -1) if history[index] == told), -1)
    return history[at + 1 :]
