"""Incidents as text of 80 columns, from what the API says of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import click

from gateway.console.times import age, clock, day_and_clock
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.words import IncidentState, Priority
from gateway.field.speaking import printable, priority_word, wrapped

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """The board's instant and zone: all times are told from there. `trouble` is what concerns everything below."""

    site: str
    now: Instant
    zone: ZoneInfo
    trouble: str

    @classmethod
    def of(cls, board: Line) -> Self:
        """From the API's board."""
        deaf = "THE GATEWAY HEARS NO PUMP: what follows is old." if not board["connected"] else ""
        return cls(board["site"], instant(board["at"]), ZoneInfo(board["timezone"]), deaf)

    def at(self, text: str) -> str:
        """`12:51 (1 h 12 min ago)`, `Sun 8 Mar 12:51 (in 5 d)`."""
        return f"{self.day(text)} ({age(instant(text), self.now)})"

    def clock(self, text: str) -> str:
        """`12:51`."""
        return clock(instant(text), self.now, self.zone)

    def day(self, text: str) -> str:
        """`12:51` today, else `Sun 8 Mar 12:51`."""
        return day_and_clock(instant(text), self.now, self.zone)

    def headline(self, what: str) -> Iterator[str]:
        """`haem-ward, 14:03: 2 courses`, and whether what follows can be believed."""
        yield f"{self.site}, {clock(self.now, self.now, self.zone)}: {what}"
        yield from self.warning()

    def warning(self) -> Iterator[str]:
        """Nothing, or that what follows is old."""
        if self.trouble:
            yield click.style(self.trouble, fg="red", bold=True)


def instant(text: str) -> Instant:
    """Milliseconds since 1970 of the API's RFC 3339 text."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND_MS)


def in_short(lines: Sequence[Line], told: Told, state: str) -> Iterator[str]:
    """All of them: those that are open with what to do first, those that are over in a line each."""
    what = "" if state == "all" else f"{state} "
    count = f"{len(lines)} {what}incident{'' if len(lines) == 1 else 's'}" if lines else f"no {what}incident"
    yield from told.headline(count)
    for line in sorted(lines, key=_urgency):
        if line["state"] == IncidentState.RESOLVED:
            over = f"over {told.at(line['closed_at'])}" if line["closed_at"] else "over"
            yield f"{priority_word(line['priority'])} {printable(line['subject'])}  {over}  {printable(line['key'])}"
        else:
            yield ""
            yield from _open(line, told)


def in_full(line: Line, told: Told) -> Iterator[str]:
    """One incident with its history."""
    yield from told.warning()
    yield from _open(line, told)
    yield f"        opened {told.at(line['opened_at'])}" + (f", over {told.at(line['closed_at'])}" if line["closed_at"] else "")
    yield ""
    for entry in line["history"]:
        who = f" by {entry['who']}" if entry["who"] else ""
        text = f": {entry['text']}" if entry["text"] else ""
        lead = f"  {clock(instant(entry['at']), told.now, told.zone, seconds=True):<13} "
        yield from wrapped(f"{entry['what']}{who}{text}", lead)


def _urgency(line: Line) -> tuple[bool, int, str]:
    """Open ones first, the highest priority first, the oldest first."""
    return line["state"] == IncidentState.RESOLVED, -Priority(line["priority"]).rank, line["opened_at"]


def _open(line: Line, told: Told) -> Iterator[str]:
    yield f"{priority_word(line['priority'])} {click.style(printable(line['subject']), bold=True)}  {_holder(line, told)}"
    for alert in line["alerts"]:
        about = f"{alert['rule']} {alert['kind']}".strip().replace("-", " ")
        mute = f", mute until {told.at(alert['muted_until'])} by a {alert['muted_by']}" if alert["muted_until"] else ""
        yield from wrapped(f"{about}, since {told.at(alert['since'])}{mute}", "        ")
        if alert["first"]:
            yield from wrapped(alert["first"], "        First: ")
    yield from wrapped(f"paged {', '.join(line['paged']) or 'nobody yet'}", "        ")
    yield f"        {click.style(printable(line['key']), dim=True)}"


def _holder(line: Line, told: Told) -> str:
    if line["state"] == IncidentState.RESOLVED:
        return "over"
    if line["holder"] and line["held_until"]:
        return f"{printable(line['holder'])} has it until {told.at(line['held_until'])}"
    step = f"; next step {told.at(line['next_step_at'])}" if line["next_step_at"] else ""
    return f"NOBODY HAS IT{step}"
