"""`report`: the programme's figures for a period, as text, CSV and one printable page."""

import asyncio
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import jinja2

from gateway.console.times import rfc3339
from gateway.core.events import Loaded
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.ward import Ward
from gateway.field.speaking import FINE, Wrong, existing_file, printable
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, JournalFull, Kind
from gateway.runtime.report import READ_AT_ONCE
from gateway.runtime.report import report as count
from gateway.runtime.report_figures import Cause, Report, Times

NOT_KNOWN = "–"  # noqa: RUF001 - a dash, as tables have it


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: where it belongs, what it is, its value as text (empty where it has no base), its unit."""

    section: str
    name: str
    value: str
    unit: str = ""


@click.command(short_help="Count a period: courses, interruptions, pages, times.")
@click.option("--journal", required=True, help="The journal's file; a running gateway is not disturbed.")
@click.option("--from", "from_", help="Where the period begins: 2026-03-01 (local midnight) or 2026-03-01T08:00:00+08:00.")
@click.option("--until", help="Where it ends (not included); else with the journal.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False), help="Write the figures as CSV into this file.")
@click.option("--html", "html_file", type=click.Path(dir_okay=False), help="Write one printable page into this file.")
def report(journal: str, from_: str | None, until: str | None, csv_file: str | None, html_file: str | None) -> int:
    """Tell a recorded journal again and count. docs/report.md says what each number means."""
    path = existing_file(journal)
    try:
        told = asyncio.run(_counted(path, from_, until))
    except (JournalRefused, JournalFull) as error:
        raise Wrong(str(error)) from None
    if csv_file is not None:
        _write(csv_file, as_csv(told))
    if html_file is not None:
        _write(html_file, as_html(told))
    click.echo(as_text(told))
    return FINE


async def _counted(path: Path, from_: str | None, until: str | None) -> Report:
    journal = SqliteJournal.open(path, read_only=True)
    try:
        zone = ZoneInfo((await ward_of(journal)).timezone)
        from_at, until_at = instant_of(from_, zone, "--from"), instant_of(until, zone, "--until")
        if from_at is not None and until_at is not None and until_at <= from_at:
            raise Wrong("--until does not come after --from; swap them, or leave one out")
        told = await count(journal, from_at, until_at)
    finally:
        await journal.close()
    if told.until_at <= told.from_at:
        raise Wrong(f"{path}: nothing was recorded in that period; the journal begins at {rfc3339(told.journal_from_at)}")
    return told


async def ward_of(journal: Journal) -> Ward:
    """The ward of the journal's first configuration; one without a name, in UTC, for a journal without any."""
    after, fold = 0, Fold()
    while records := await journal.read(after, READ_AT_ONCE):
        for record in records:
            after = record.seq
            if not isinstance(record, Damaged) and record.kind is Kind.CONFIG:
                event = fold.read(record)
                if isinstance(event, Loaded):
                    return event.ward
    return Ward(site="", timezone="UTC")


def instant_of(text: str | None, zone: ZoneInfo, option: str) -> Instant | None:
    """A date means its local midnight. Raises `Wrong`."""
    if text is None:
        return None
    try:
        moment = datetime.combine(date.fromisoformat(text), time(), zone) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Wrong(f"{option}: {printable(text)!r} is no date and no instant; write it like 2026-03-01")
    return round(moment.timestamp() * SECOND_MS)


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Wrong(f"{file}: {(error.strerror or 'cannot be written').lower()}; give another file") from None


# ---- the figures -------------------------------------------------------------------------------------------------------


def rows(told: Report) -> Iterator[Row]:
    """Every figure of the report, in the order of reading."""
    yield Row("period", "from", local(told.from_at, told))
    yield Row("period", "until", local(told.until_at, told))
    yield Row("treatment", "courses", str(len(told.courses)))
    yield Row("treatment", "patient-weeks", f"{told.patient_weeks:.2f}", "weeks")
    yield Row("treatment", "infusion days", f"{told.infusion_days:.2f}", "days")
    yield Row("treatment", "delivery unknown", f"{told.unknown_ms / HOUR_MS:.1f}", "h")
    yield Row("treatment", "bag changes", str(told.bag_changes))
    yield Row("interruptions", "interruptions", str(len(told.interruptions)))
    yield Row("interruptions", "without delivery", f"{told.interruption_ms / MINUTE_MS:.0f}", "min")
    yield from _causes("interruptions by cause", told.interruption_causes, "min")
    yield Row("events", "pump, tubing or line events", str(told.events))
    yield Row("events", "events per bag change", _rate(told.events_per_bag_change, 3))
    yield Row("events", "off hours", _rate(told.off_hours_percent, 0), "%")
    yield from _causes("events by rule", told.event_causes, "")
    yield Row("paging", "pages about courses", str(told.pages))
    yield Row("paging", "pages per patient-week", _rate(told.pages_per_patient_week, 2))
    yield Row("paging", "pages about the ward", str(told.ward_pages))
    yield from _times("until somebody had it", told.acked)
    yield from _times("until it was resolved", told.resolved)
    yield Row("paging", "never acknowledged", str(told.never_acked))
    yield Row("diary", "days asked for", str(told.diary_days))
    yield Row("diary", "days missed", str(told.diary_missed))
    yield Row("journal", "damaged records", str(told.damaged))
    yield Row("journal", "records that this version cannot read", str(told.unread))


def _causes(section: str, causes: tuple[Cause, ...], unit: str) -> Iterator[Row]:
    for cause in causes:
        yield Row(section, cause.name, str(cause.count))
        if unit:
            yield Row(section, f"{cause.name}, length", f"{cause.length_ms / MINUTE_MS:.0f}", unit)


def _times(name: str, times: Times) -> Iterator[Row]:
    yield Row("paging", f"{name}: incidents", str(times.count))
    yield Row("paging", f"{name}: median", _minutes(times.median_ms), "min")
    yield Row("paging", f"{name}: 95th percentile", _minutes(times.p95_ms), "min")


def _minutes(length_ms: int | None) -> str:
    return "" if length_ms is None else f"{length_ms / MINUTE_MS:.1f}"


def _rate(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def local(at: Instant, told: Report) -> str:
    """`2026-03-01 00:00`, in the ward's zone."""
    return f"{datetime.fromtimestamp(at / SECOND_MS, ZoneInfo(told.timezone)):%Y-%m-%d %H:%M}"


# ---- as text, CSV, page ------------------------------------------------------------------------------------------------


def as_text(told: Report) -> str:
    """For the terminal."""
    lines, section = [f"{told.site} ({told.timezone})"], ""
    for row in rows(told):
        if row.section != section:
            section = row.section
            lines += ["", section]
        lines.append(f"  {row.name:<40} {row.value or NOT_KNOWN:>16} {row.unit if row.value else ''}".rstrip())
    if told.interruptions:
        lines += ["", "each interruption"]
        lines += [f"  {' '.join(cells)}" for cells in interruption_cells(told)]
    return printable_lines(lines)


def printable_lines(lines: list[str]) -> str:
    """Joined, without control characters: names and causes come from outside."""
    return "\n".join(printable(line) for line in lines)


def as_csv(told: Report) -> str:
    """Columns section, name, value, unit; then one line a course and one an interruption, under their sections."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "name", "value", "unit"))
    writer.writerows((row.section, _cell(row.name), row.value, row.unit) for row in rows(told))
    for one in told.courses:
        for name, value, unit in course_figures(told, one.course):
            writer.writerow((f"course {one.course}", name, value, unit))
    for stretch in told.interruptions:
        section = f"interruption of {stretch.course}"
        writer.writerow((section, "since", rfc3339(stretch.since), ""))
        writer.writerow((section, "length", f"{(stretch.until - stretch.since) / MINUTE_MS:.0f}", "min"))
        writer.writerow((section, "cause", _cell(stretch.cause), ""))
    return out.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def course_figures(told: Report, course: str) -> Iterator[tuple[str, str, str]]:
    """(name, value, unit) of one course."""
    for one in told.courses:
        if one.course == course:
            yield "watched", f"{one.watched_ms / DAY_MS:.2f}", "days"
            yield "infused", f"{one.infused_ms / DAY_MS:.2f}", "days"
            yield "delivery unknown", f"{one.unknown_ms / HOUR_MS:.1f}", "h"
            yield "bag changes", str(one.bag_changes), ""
            yield "interruptions", str(len(one.stretches)), ""
            yield "events", str(one.events), ""
            yield "pages", str(one.pages), ""
            yield "diary days missed", f"{one.diary_missed} of {one.diary_days}", ""


def interruption_cells(told: Report) -> Iterator[tuple[str, str, str, str]]:
    """(course, since, length, cause) of each interruption."""
    for stretch in told.interruptions:
        about = "about " if stretch.estimated else ""
        goes_on = " and goes on" if stretch.open else ""
        length = f"{(stretch.until - stretch.since) / MINUTE_MS:.0f} min{goes_on}"
        found = " (found afterwards)" if stretch.found else ""
        yield stretch.course, f"{about}{local(stretch.since, told)}", length, f"{stretch.cause}{found}"


def as_html(told: Report) -> str:
    """One page without anything beside it: to be printed, or kept."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections: dict[str, list[Row]] = {}
    for row in rows(told):
        sections.setdefault(row.section, []).append(row)
    return environment.get_template("report.html").render(
        told=told,
        period=f"{local(told.from_at, told)} to {local(told.until_at, told)}",
        sections=sections,
        courses=[(one.course, list(course_figures(told, one.course))) for one in told.courses],
        interruptions=list(interruption_cells(told)),
        not_known=NOT_KNOWN,
    )
