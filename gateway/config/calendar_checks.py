"""What must be right in a calendar before anybody relies on it: each problem with its line and its mend."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from icalendar import Component
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from gateway.config.calendars import is_cancelled, moment_of, parsed, summary_of, unfolded_alone, unfolded_once
from gateway.config.ical_text import KEPT_MAX_BYTES, Broken, EventLines, Line, events_of, read_lines, reduced
from gateway.config.parse import known_zone

YEARS = range(2000, 2201)
DUTY_MAX = timedelta(days=366)

_REPEATS = (["DAILY"], ["WEEKLY"], ["MONTHLY"], ["YEARLY"])
_WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_TZID = re.compile(r";TZID=\"?([^\";:]*)\"?")
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")

Found = Iterator[tuple[int, str]]


@lru_cache(maxsize=8)  # a journal holds the same calendar at every start
def judged(text: str) -> tuple[str, tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]]:
    """(the text reduced to what decides, problems, titles), the latter two with their lines (1-based).

    Where there are problems the text is empty.
    """
    try:
        lines = read_lines(text)
        events, kept = events_of(lines), reduced(lines)
    except Broken as broken:
        return "", ((broken.line, broken.message),), ()
    if len(kept.encode()) > KEPT_MAX_BYTES:
        return "", ((1, f"more than {KEPT_MAX_BYTES >> 10} KiB of duties; export a shorter stretch"),), ()
    problems = [*_zones(lines, events), *_read_by_library(kept, events)]
    if problems:
        return "", tuple(sorted(set(problems))), ()
    components = parsed(kept).walk("VEVENT")
    titles = (
        (_line_of(event, "SUMMARY"), summary_of(component))
        for event, component in zip(events, components, strict=True)
        if not is_cancelled(component)
    )
    return kept, (), tuple(titles)


def _read_by_library(kept: str, events: list[EventLines]) -> Found:
    """What each event lacks; where nothing is missing, the whole is unfolded once."""
    try:
        components = parsed(kept).walk("VEVENT")
    except (ValueError, TypeError) as error:
        yield 1, f"cannot be read: {str(error)[:200]}"
        return
    found = [problem for event, one in zip(events, components, strict=True) for problem in _event(event, one)]
    yield from found
    if not found and (why := unfolded_once(kept)):
        alone = ((event.number, unfolded_alone(one)) for event, one in zip(events, components, strict=True))
        number, why = next(((number, told) for number, told in alone if told), (1, why))
        yield number, f"cannot be unfolded: {why}"


def _zones(lines: list[Line], events: list[EventLines]) -> Found:
    """A zone that nobody knows would silently become the site's."""
    own = {line.value for line in lines if line.name == "TZID" and line.inside[-1:] == ("VTIMEZONE",)}
    for line in (line for event in events for line in event.lines if line.name in _TIMES):
        named = _TZID.search(line.parameters)
        if named and not (named[1] in own or named[1] in WINDOWS_TO_OLSON or _is_known(named[1])):
            yield line.number, f"unknown time zone {named[1]!r}; write an IANA name, like Asia/Hong_Kong"


def _is_known(zone: str) -> bool:
    try:
        known_zone(zone)
    except ValueError:
        return False
    return True


def _line_of(event: EventLines, name: str) -> int:
    line = event.first(name)
    return line.number if line else event.number


def _event(event: EventLines, component: Component) -> Found:
    if component.errors:
        yield from ((_line_of(event, name or ""), f"{name}: {said}") for name, said in component.errors)
        return
    if "DTSTART" not in component:
        yield event.number, "an event without DTSTART; when does it begin?"
        return
    if not summary_of(component) and not is_cancelled(component):
        yield event.number, "an event without SUMMARY; it names who is on call"
    if "RRULE" in component:
        yield from ((_line_of(event, "RRULE"), said) for said in _rule(component))
    start, line = moment_of(component, "DTSTART"), _line_of(event, "DTSTART")
    end = _end(component, start)
    if start.year not in YEARS:
        yield line, f"the year {start.year} is no ward's; write one from {YEARS[0]} to {YEARS[-1]}"
    elif end is None:
        yield line, "an event without an end; add DTEND or DURATION"
    elif isinstance(start, datetime) is not isinstance(end, datetime) or _is_floating(start) is not _is_floating(end):
        yield _line_of(event, "DTEND"), "the end is another kind of time than the start; write both alike"
    elif not timedelta(0) < end - start <= DUTY_MAX:
        yield line, "an event must end after it begins, and within a year"


def _rule(component: Component) -> Iterator[str]:
    written: Any = component["RRULE"]
    rule: Mapping[str, Any] = written
    if [str(word).upper() for word in rule.get("FREQ", ())] not in _REPEATS:
        yield "a duty repeats DAILY, WEEKLY, MONTHLY or YEARLY"
    if any(int(count) < 1 for name in ("INTERVAL", "COUNT") for count in rule.get(name, ())):
        yield "INTERVAL and COUNT are at least 1"
    if any(part in rule for part in _WITHIN_A_DAY):
        yield f"{', '.join(part for part in _WITHIN_A_DAY if part in rule)}: a duty begins once a day, at the time of its DTSTART"


def _end(component: Component, start: date) -> date | None:
    """When the first occurrence ends; a whole day lasts one day where nothing else is said."""
    if "DTEND" in component:
        return moment_of(component, "DTEND")
    if "DURATION" in component:
        lasts: Any = component["DURATION"]
        length: timedelta = lasts.dt
        return start + length
    return None if isinstance(start, datetime) else start + timedelta(days=1)


def _is_floating(moment: date) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is None
