"""An audit as text, CSV, JSON lines, or one page to print: each piece is made from one line, so that none waits for another."""

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

from gateway.domain.instants import SECOND_MS, Instant
from gateway.field.speaking import printable
from gateway.runtime.audit import Tally
from gateway.runtime.audit_line import AuditLine
from gateway.runtime.audit_words import offset_where_needed

COLUMNS = ("id", "at", "what", "who", "course", "incident", "result", "why", "page", "text", "details")


@dataclass(frozen=True, slots=True)
class Title:
    """Of which ward, in which time zone, from when until when. Empty journals have no times."""

    site: str
    zone: ZoneInfo
    from_at: Instant
    until_at: Instant

    @property
    def period(self) -> str:
        """`2026-03-02 08:00 to 2026-03-03 08:00`, in the ward's zone."""
        from_, until = (datetime.fromtimestamp(at / SECOND_MS, self.zone) for at in (self.from_at, self.until_at))
        return f"{from_:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"


class Form(ABC):
    """One way to write an audit down: `head`, then `line` for each, then `foot`; each returns the text to be written."""

    def __init__(self, title: Title) -> None:
        self.title = title
        self.day = ""

    def head(self) -> str:
        """What stands above all lines."""
        return ""

    @abstractmethod
    def line(self, line: AuditLine) -> str:
        """One line."""

    def foot(self, count: int, tally: Tally) -> str:
        """What stands below all lines."""
        del count, tally
        return ""

    def new_day(self, at: Instant) -> str:
        """`Monday 2026-03-02` where another day begins in the ward, else nothing."""
        day = f"{datetime.fromtimestamp(at / SECOND_MS, self.title.zone):%A %Y-%m-%d}"
        fresh, self.day = day != self.day, day
        return day if fresh else ""


class Text(Form):
    """For the terminal."""

    def head(self) -> str:
        """The ward and the period."""
        return f"{printable(self.title.site)} ({self.title.zone.key}), {self.title.period}\n"

    def line(self, line: AuditLine) -> str:
        """`02:14:07  nurse-a acknowledged …`; details are indented below."""
        day, time = self.new_day(line.at), clock_of(line.at, self.title.zone)
        text = f"\n{day}\n" if day else ""
        text += f"{time}  {printable(line.text)}\n"
        return text + "".join(f"{' ' * len(time)}    {printable(detail)}\n" for detail in line.details)

    def foot(self, count: int, tally: Tally) -> str:
        """How many there are, and what was left out."""
        return f"\n{' '.join(remarks(count, tally))}\n"


class Csv(Form):
    """For a spreadsheet: a row of `COLUMNS` each, details joined by semicolons."""

    def head(self) -> str:
        """The names of the columns."""
        return _row(COLUMNS)

    def line(self, line: AuditLine) -> str:
        """One row."""
        cells = as_cells(line, self.title.zone)
        return _row([_harmless("; ".join(cells[name]) if name == "details" else str(cells[name])) for name in COLUMNS])


class JsonLines(Form):
    """For programs: one object a line, with `COLUMNS` as keys."""

    def line(self, line: AuditLine) -> str:
        """One object."""
        return json.dumps(as_cells(line, self.title.zone), ensure_ascii=False) + "\n"


class Html(Form):
    """One page without anything beside it: to be printed, or kept."""

    def __init__(self, title: Title) -> None:
        super().__init__(title)
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._parts = environment.get_template("audit.html").module

    def head(self) -> str:
        """The page up to its table."""
        return self._part("head")(self.title.site, self.title.period, self.title.zone.key)

    def line(self, line: AuditLine) -> str:
        """One row, below its day."""
        day, time = self.new_day(line.at), clock_of(line.at, self.title.zone)
        return (self._part("day")(day) if day else "") + self._part("line")(time, line)

    def foot(self, count: int, tally: Tally) -> str:
        """The end of the page."""
        return self._part("foot")(list(remarks(count, tally)))

    def _part(self, name: str) -> Callable[..., str]:
        part: Callable[..., str] = getattr(self._parts, name)
        return part


FORMS: dict[str, type[Form]] = {"text": Text, "csv": Csv, "jsonl": JsonLines, "html": Html}


def as_cells(line: AuditLine, zone: ZoneInfo) -> dict[str, str | tuple[str, ...]]:
    """The line by the names of `COLUMNS`; `at` is RFC 3339 with the ward's offset of that instant."""
    at = datetime.fromtimestamp(line.at / SECOND_MS, zone).isoformat(timespec="milliseconds")
    return {
        "id": line.id,
        "at": at,
        "what": line.what.value,
        "who": line.who,
        "course": line.course,
        "incident": line.incident,
        "result": line.result.value,
        "why": line.why,
        "page": line.page,
        "text": line.text,
        "details": line.details,
    }


def clock_of(at: Instant, zone: ZoneInfo) -> str:
    """`02:14:07`; in the hour that the clocks show twice with its offset, `02:14:07+01:00`."""
    return f"{datetime.fromtimestamp(at / SECOND_MS, zone):%H:%M:%S}{offset_where_needed(at, zone)}"


def remarks(count: int, tally: Tally) -> Iterator[str]:
    """How many lines there are, and which are not told."""
    yield "1 line." if count == 1 else f"{count} lines."
    left_out = tally.tests_left_out
    if left_out:
        lines = "1 line" if left_out == 1 else f"{left_out} lines"
        yield f"{lines} of the gateway's own test left out (--what test)."


def _row(cells: list[str] | tuple[str, ...]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
