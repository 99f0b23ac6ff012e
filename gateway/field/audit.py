"""`audit`: who did what, when and why, as text, CSV, JSON lines and one printable page."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.domain.instants import Instant
from gateway.field.audit_text import FORMS, Form, Title
from gateway.field.report import instant_of, ward_of
from gateway.field.speaking import FINE, Wrong, existing_file
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.audit import Tally
from gateway.runtime.audit import audit as tell
from gateway.runtime.audit_line import AuditLine, Wanted, What, line_id
from gateway.runtime.ports import Journal, JournalFull, Record

LAST_MAX = 100_000  # lines held in memory
LOOKED_AT = 100  # records at each end of the journal, to find a sound one

Write = Callable[[str], object]


@click.command(short_help="Who did what, when and why, from the journal alone.")
@click.option("--journal", required=True, help="The journal's file; a running gateway is not disturbed.")
@click.option("--course", default="", help="Only what concerns this course.")
@click.option(
    "--incident", default="", help="Only this incident, by its key, or all of a course or route by what stands before the @."
)
@click.option("--who", default="", help="Only what this person did, and pages to them.")
@click.option(
    "--what", "whats", multiple=True, type=click.Choice([what.value for what in What]), help="Only this; may be repeated."
)
@click.option("--from", "from_", help="Where the period begins: 2026-03-01 (local midnight) or 2026-03-01T08:00:00+08:00.")
@click.option("--until", help="Where it ends (not included); else with the journal.")
@click.option("--last", type=click.IntRange(1, LAST_MAX), help="Only the last so many lines.")
@click.option("--before", help="Only lines before the one of this name, like 48213.2: to page backwards with --last.")
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="text", show_default=True, help="How to write it.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write into this file instead of the terminal.")
def audit(  # noqa: PLR0913  the options, by name
    *,
    journal: str,
    course: str,
    incident: str,
    who: str,
    whats: tuple[str, ...],
    from_: str | None,
    until: str | None,
    last: int | None,
    before: str | None,
    form: str,
    out: str | None,
) -> int:
    """Tell who did what, when and why: pages, acknowledgements, silences, windows, courses, diary entries, changed configuration.

    Lines of the gateway's own test are left out unless --what, --course or --incident asks for them.
    """
    path = existing_file(journal)
    what = frozenset(What(word) for word in whats)
    wanted = Wanted(course=course, incident=incident, who=who, what=what, before=_line_id(before))
    with contextlib.ExitStack() as stack:
        write = _writer(out, stack)
        try:
            asyncio.run(_told(path, wanted, (from_, until), last, FORMS[form], write))
        except (JournalRefused, JournalFull) as error:
            raise Wrong(str(error)) from None
        except BrokenPipeError:  # `| head` has seen enough; the interpreter would complain once more at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FINE


def _line_id(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        return line_id(text)
    except ValueError as error:
        raise Wrong(f"--before: {error}") from None


def _writer(out: str | None, stack: contextlib.ExitStack) -> Write:
    if out is None:
        return lambda text: click.echo(text, nl=False)
    try:
        return stack.enter_context(Path(out).open("w", encoding="utf-8")).write
    except OSError as error:
        raise Wrong(f"{out}: {(error.strerror or 'cannot be written').lower()}; give another file") from None


async def _told(
    path: Path, wanted: Wanted, period: tuple[str | None, str | None], last: int | None, form: type[Form], write: Write
) -> None:
    journal = SqliteJournal.open(path, read_only=True)
    try:
        ward = await ward_of(journal)
        zone = ZoneInfo(ward.timezone)
        from_at, until_at = instant_of(period[0], zone, "--from"), instant_of(period[1], zone, "--until")
        if from_at is not None and until_at is not None and until_at <= from_at:
            raise Wrong("--until does not come after --from; swap them, or leave one out")
        first_at, last_at = await _ends(journal)
        title = Title(ward.site, zone, from_at or first_at, until_at or last_at)
        tally = Tally()
        lines = tell(journal, replace(wanted, from_at=from_at, until_at=until_at), tally)
        await _write(form(title), lines if last is None else _newest(lines, last), tally, write)
    finally:
        await journal.close()


async def _ends(journal: Journal) -> tuple[Instant, Instant]:
    """When the first and the last sound record came; zeros for a journal without any."""
    first = next((item for item in await journal.read(0, LOOKED_AT) if isinstance(item, Record)), None)
    newest = await journal.read(max(0, await journal.last_seq() - LOOKED_AT), LOOKED_AT)
    last = next((item for item in reversed(newest) if isinstance(item, Record)), first)
    return (first.received_at, last.received_at) if first is not None and last is not None else (0, 0)


async def _newest(lines: AsyncIterator[AuditLine], last: int) -> AsyncIterator[AuditLine]:
    """The last so many of them, in their order."""
    kept: deque[AuditLine] = deque(maxlen=last)
    async for line in lines:
        kept.append(line)
    for line in kept:
        yield line


async def _write(form: Form, lines: AsyncIterator[AuditLine], tally: Tally, write: Write) -> None:
    write(form.head())
    count = 0
    async for line in lines:
        write(form.line(line))
        count += 1
    write(form.foot(count, tally))
