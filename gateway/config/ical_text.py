"""A calendar's text (iCalendar, RFC 5545) line by line: where it is broken, and what of it decides who is on call.

A content line is `NAME;PARAMETERS:VALUE`; a line that begins with a space or a tab continues the one above it. Kept are the
events' times, repetitions and summaries, and the time zones that the file defines. Everything else (who was invited, places,
descriptions, when it was exported) is left out: it decides nothing, it may tell of private matters, and it changes without a
change of duty.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TEXT_MAX_BYTES = 4 << 20
KEPT_MAX_BYTES = 512 << 10  # of one calendar, reduced; it is written into the journal at every start and change
EVENTS_MAX = 2_000
REPEATING_MAX = 50  # events with a rule; daily ones since 2000 cost 0.1 s each when a month is first asked for (measured)
NO_CALENDAR = "not a calendar; an iCalendar file begins with BEGIN:VCALENDAR"

_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[^:;=]+=(?:\"[^\"]*\"|[^\":;])*)*):(.*)")
_UNPRINTABLE = re.compile("[^\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OF_EVENTS = frozenset(
    "UID SUMMARY DTSTART DTEND DURATION RRULE RDATE EXDATE EXRULE RECURRENCE-ID STATUS SEQUENCE BEGIN END".split(),  # noqa: SIM905
)
_OF_CALENDARS = frozenset({"VERSION", "PRODID", "X-WR-TIMEZONE", "BEGIN", "END"})
_ONCE = frozenset({"UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "STATUS"})


class Broken(Exception):
    """The text is no calendar. `line` is 1-based."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """One content line, put together: `inside` names the components around it, the outermost first."""

    number: int
    name: str
    parameters: str
    value: str
    inside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventLines:
    """The lines of one event, by property; `number` is that of its first line."""

    number: int
    lines: tuple[Line, ...]

    def first(self, name: str) -> Line | None:
        """The first line of that property."""
        return next((line for line in self.lines if line.name == name), None)


def read_lines(text: str) -> list[Line]:
    """All content lines of one calendar. Raises `Broken` at the first place that cannot be read."""
    lines: list[Line] = []
    inside: tuple[str, ...] = ()
    for number, content in _unfolded(text):
        line = _line(number, content, inside)
        if not lines and (line.name, line.value) != ("BEGIN", "VCALENDAR"):
            raise Broken(number, NO_CALENDAR)
        if not inside and lines and line.name != "END":
            raise Broken(number, "a second calendar begins here; only one is read")
        if line.name == "BEGIN":
            inside = (*inside, line.value)
        if line.name == "END":
            if not inside or inside[-1] != line.value:
                raise Broken(number, f"END:{line.value} without its BEGIN; export the calendar anew")
            inside = inside[:-1]
        lines.append(line)
    if not lines:
        raise Broken(1, NO_CALENDAR)
    if inside:
        raise Broken(lines[-1].number, f"the file breaks off inside {inside[-1]}; export the calendar anew")
    return lines


def events_of(lines: Iterable[Line]) -> list[EventLines]:
    """The calendar's events in the order of the file. Raises `Broken` for too many, or one that says a thing twice."""
    found: list[EventLines] = []
    begun, current = 0, list[Line]()
    for line in lines:
        if line.inside == ("VCALENDAR",) and (line.name, line.value) == ("BEGIN", "VEVENT"):
            begun, current = line.number, []
        elif line.inside == ("VCALENDAR", "VEVENT"):
            current.append(line)
            if line.name == "END":
                found.append(_checked(EventLines(begun, tuple(current))))
    if len(found) > EVENTS_MAX:
        raise Broken(found[EVENTS_MAX].number, f"more than {EVENTS_MAX} events; export a shorter stretch")
    repeating = [event for event in found if event.first("RRULE")]
    if len(repeating) > REPEATING_MAX:
        raise Broken(repeating[REPEATING_MAX].number, f"more than {REPEATING_MAX} repeating events; write some of them out")
    return found


def reduced(lines: Iterable[Line]) -> str:
    """The calendar with only those lines that decide who is on call; a text of its own, one content line a line."""
    kept = [f"{line.name}{line.parameters}:{line.value}".rstrip() for line in lines if _decides(line)]
    return "\n".join(kept) + "\n"


def _decides(line: Line) -> bool:
    place = (*line.inside, line.value) if line.name == "BEGIN" else line.inside
    if len(place) > 1 and place[1] == "VTIMEZONE":
        return True
    if len(place) == 1:
        return line.name in _OF_CALENDARS
    return len(place) == 2 and place[1] == "VEVENT" and line.name in _OF_EVENTS


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, content line) of everything that is not empty."""
    number, content = 0, ""
    for count, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line[:1] in (" ", "\t") and content:
            content += line[1:]
            continue
        if content.strip():
            yield number, content
        number, content = count, line
    if content.strip():
        yield number, content


def _line(number: int, content: str, inside: tuple[str, ...]) -> Line:
    found = _LINE.fullmatch(content)
    if found is None:
        raise Broken(number, "not a line of a calendar; it must read NAME:VALUE")
    if _UNPRINTABLE.search(content):
        raise Broken(number, "a character that cannot be printed; export the calendar anew as UTF-8")
    name, value = found[1].upper(), found[3]
    if name in ("BEGIN", "END"):
        value = value.strip().upper()
    return Line(number, name, found[2], value, inside)


def _checked(event: EventLines) -> EventLines:
    seen = set[str]()
    for line in event.lines:
        if line.name in seen & _ONCE:
            raise Broken(line.number, f"a second {line.name} in one event; leave one of them")
        seen.add(line.name)
    return event
