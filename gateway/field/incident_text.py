"""Incidents as text of 80 columns, from what the API says of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import click

from gateway.console.times import age, clock
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
        """`12:51 (1 h 12 min ago)`."""
        return f"{clock(instant(text), self.now, self.zone)} ({age(instant(text), self.now)})"


def instant(text: str) -> Instant:
    """Milliseconds since 1970 of the API's RFC 3339 text."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND_MS)


def in_short(lines: Sequence[Line], told: Told, state: str) -> Iterator[str]:
    """All of them: those that are open with what to do first, those that are over in a line each."""
    what = "" if state == "all" else f"{state} "
    count = f"{len(lines)} {what}incident{'' if len(lines) == 1 else 's'}" if lines else f"no {what}incident"
    yield f"{told.site}, {clock(told.now, told.now, told.zone)}: {count}"
    if told.trouble:
        yield click.style(told.trouble, fg="red", bold=True)
    for line in sorted(lines, key=_urgency):
        if line["state"] == IncidentState.RESOLVED:
            over = f"over {told.at(line['closed_at'])}" if line["closed_at"] else "over"
            yield f"{priority_word(line['priority'])} {printable(line['subject'])}  {over}  {printable(line['key'])}"
        else:
            yield ""
            yield from _open(line, told)


def in_full(line: Line, told: Told) -> Iterator[str]:
    """One incident with its history."""
    if told.trouble:
        yield click.style(told.trouble, fg="red", bold=True)
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
        yield from wrapped(f"{about}, since {told.at(alert['since'])}", "        ")
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
