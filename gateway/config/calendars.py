"""Calendars of duty: unfolded month by month, when somebody asks who is on call.

`icalendar` reads the text and `recurring_ical_events` unfolds its repetitions (RRULE, RDATE, EXDATE, swaps by RECURRENCE-ID).
What is unfolded is remembered, never the only copy: any month can be asked for at any time, so no calendar runs out before its
events do.

Times: with TZID or in UTC as written; floating ones and whole days are the site's. An end is a time on the wall, also where the
file says DURATION:PT12H: a night shift from 19:00 ends at 07:00 when the clocks change in it, 11 or 13 hours long
(docs/adr/0014).
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from icalendar import Calendar, Component
from recurring_ical_events import CalendarQuery, of  # type: ignore[import-untyped]  # it ships no types

from gateway.core.oncall import wall_instant
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Shift

BLOCK_MS = 28 * DAY_MS  # unfolded at once
BLOCKS_KEPT = 64  # of all calendars together; beyond that the least used is unfolded anew
CALENDARS_KEPT = 8

_log = logging.getLogger(__name__)

_EPOCH = date(1970, 1, 1)
_MARGIN = timedelta(days=2)  # floating times are compared as if they were UTC: look a little wider, then cut


@dataclass(frozen=True, slots=True)
class IcalCalendar:
    """Implements `gateway.domain.ward.Calendar`. `names` are (summary, person) where a summary is no person's id."""

    text: str = field(repr=False)
    timezone: str
    names: tuple[tuple[str, str], ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is ever on duty in it, each once."""
        return _people(self)

    def shifts(self, from_at: Instant, until_at: Instant) -> tuple[Shift, ...]:
        """All duties that overlap [from_at, until_at), whole, in the order of their starts."""
        found: dict[Shift, None] = {}
        for block in range(from_at // BLOCK_MS, (until_at - 1) // BLOCK_MS + 1):
            found |= dict.fromkeys(
                shift for shift in _block(self, block) if shift.from_at < until_at and shift.until_at > from_at
            )
        return tuple(sorted(found, key=lambda shift: (shift.from_at, shift.person, shift.until_at)))


def parsed(text: str) -> Calendar:
    """The calendar as `icalendar` reads it; it must not be changed. Raises ValueError."""
    return _parsed(text)


def unfolded_once(text: str) -> str:
    """What keeps the calendar from being unfolded, in the libraries' words; empty where nothing does."""
    return _tried(_parsed(text))


def unfolded_alone(event: Component) -> str:
    """What keeps one event from being unfolded, without the others of its series; empty where nothing does."""
    alone = Calendar()
    alone.add_component(event)
    return _tried(alone)


def _tried(calendar: Calendar) -> str:
    starts = [moment_of(event, "DTSTART") for event in calendar.walk("VEVENT")]
    first = datetime.combine(min((date(start.year, start.month, start.day) for start in starts), default=_EPOCH), time(), UTC)
    try:
        of(calendar).between(first - _MARGIN, first + timedelta(milliseconds=BLOCK_MS))
    except Exception as error:  # noqa: BLE001 - whatever the libraries make of a text that looks right
        return (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ""


@lru_cache(maxsize=BLOCKS_KEPT)
def _block(calendar: IcalCalendar, block: int) -> tuple[Shift, ...]:
    """All duties that overlap the 28 days of that number, counted from 1970."""
    start_at, end_at = block * BLOCK_MS, (block + 1) * BLOCK_MS
    start, end = (datetime.fromtimestamp(at // SECOND_MS, UTC) for at in (start_at, end_at))
    try:
        events = _query(calendar.text).between(start - _MARGIN, end + _MARGIN)
        shifts = [_shift(event, calendar) for event in events if not is_cancelled(event)]
    except Exception:  # noqa: BLE001 - proven at load; should it fail all the same, nobody is on call and the fallback is paged
        _log.exception("a calendar could not be unfolded from %s to %s: nobody is on call by it", start, end)
        return ()
    return tuple(shift for shift in shifts if shift.from_at < end_at and shift.until_at > start_at)


def is_cancelled(event: Component) -> bool:
    """Whether the event says that it does not take place."""
    return str(event.get("STATUS", "")).strip().upper() == "CANCELLED"


def moment_of(event: Component, name: str) -> date:
    """The event's DTSTART or DTEND: a day, or a time on it."""
    written: Any = event[name]
    moment: date = written.dt
    return moment


def summary_of(event: Component) -> str:
    """The event's title without the spaces around it."""
    return str(event.get("SUMMARY", "")).strip()


def _shift(event: Component, calendar: IcalCalendar) -> Shift:
    summary = summary_of(event)
    start_at, end_at = (_instant(moment_of(event, name), calendar.timezone) for name in ("DTSTART", "DTEND"))
    return Shift(start_at, end_at, dict(calendar.names).get(summary, summary))


def _instant(moment: date, timezone: str) -> Instant:
    """A whole day begins at the site's midnight, a floating time is on the site's wall; others say what they are."""
    if not isinstance(moment, datetime):
        return wall_instant(f"{moment.isoformat()}T00:00", timezone)
    if moment.tzinfo is None:
        return wall_instant(moment.isoformat(), timezone)
    zone = getattr(moment.tzinfo, "key", None)
    if zone is not None and not moment.fold:  # a time that a spring night skips means here what it means elsewhere
        return wall_instant(moment.replace(tzinfo=None).isoformat(), zone)
    return round(moment.timestamp()) * SECOND_MS


@lru_cache(maxsize=CALENDARS_KEPT)
def _parsed(text: str) -> Calendar:
    try:
        found = Calendar.from_ical(text)
    except OSError as error:  # TZID=Asia is a folder of the zone database, and is opened like a file
        raise ValueError(f"a time zone of it cannot be read: {type(error).__name__}") from error
    if not isinstance(found, Calendar):
        raise TypeError("one calendar is one component")
    return found


@lru_cache(maxsize=CALENDARS_KEPT)
def _query(text: str) -> CalendarQuery:
    return of(_parsed(text))


@lru_cache(maxsize=CALENDARS_KEPT)
def _people(calendar: IcalCalendar) -> tuple[str, ...]:
    names = dict(calendar.names)
    titles = [summary_of(event) for event in _parsed(calendar.text).walk("VEVENT") if not is_cancelled(event)]
    return tuple(dict.fromkeys(names.get(title, title) for title in titles))
