"""`export`: a course's or a period's history as JSON Lines or CSV, from a journal's file or from the running gateway."""

import asyncio
import contextlib
import csv
import json
import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.console.times import rfc3339
from gateway.field.remote import Remote, find
from gateway.field.report import instant_of, ward_of
from gateway.field.speaking import FINE, Wrong, existing_file
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.export import COLUMNS, INSTANTS, Chosen, Line
from gateway.runtime.export import export as tell
from gateway.runtime.ports import JournalFull

Write = Callable[[str], object]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets would take for a formula


@click.command(short_help="A course's or a period's history as data, without names.")
@click.option(
    "--journal", help="The journal's file; a running gateway is not disturbed. Without it, the running gateway is asked."
)
@click.option("--course", default="", help="Only what concerns this course.")
@click.option("--from", "from_", help="Where the period begins: 2026-03-01 (local midnight) or 2026-03-01T08:00:00+08:00.")
@click.option("--until", help="Where it ends (not included); else with the journal.")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="How to write it."
)
@click.option("--out", type=click.Path(dir_okay=False), help="Write into this file instead of the terminal.")
@click.option("--url", envvar="DRIPWATCH_URL", help="The gateway's address, like http://127.0.0.1:8080 [DRIPWATCH_URL].")
@click.option("--token-file", help="The file with its token; else DRIPWATCH_TOKEN, else api-token beside the journal.")
@click.option("--gateway-ca", envvar="DRIPWATCH_CA", help="The CA of an https:// address, a PEM file [DRIPWATCH_CA].")
@click.option("--ward", envvar="DRIPWATCH_WARD", help="The ward file that leads to both [DRIPWATCH_WARD; ./ward.yaml].")
@click.option("--as", "who", envvar="DRIPWATCH_USER", help="Who asks, for the record [DRIPWATCH_USER; your login name].")
def export(  # noqa: PLR0913  the options, by name
    *,
    journal: str | None,
    course: str,
    from_: str | None,
    until: str | None,
    form: str,
    out: str | None,
    url: str | None,
    token_file: str | None,
    gateway_ca: str | None,
    ward: str | None,
    who: str | None,
) -> int:
    """Write what pumps said, what the gateway judged and whom it paged, a line for each thing."""
    with contextlib.ExitStack() as stack:
        write = _writer(out, stack)
        try:
            if journal is None:
                gateway = find(url, token_file, ward, who, gateway_ca)
                _ask(gateway, {"course": course, "from": from_, "until": until, "format": form}, write)
            else:
                asyncio.run(_told(existing_file(journal), course, (from_, until), form, write))
        except (JournalRefused, JournalFull) as error:
            raise Wrong(str(error)) from None
        except BrokenPipeError:  # `| head` has seen enough; the interpreter would complain once more at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FINE


def _writer(out: str | None, stack: contextlib.ExitStack) -> Write:
    if out is None:
        return sys.stdout.write
    try:
        return stack.enter_context(Path(out).open("w", encoding="utf-8")).write
    except OSError as error:
        raise Wrong(f"{out}: {(error.strerror or 'cannot be written').lower()}; give another file") from None


def _ask(gateway: Remote, query: dict[str, str | None], write: Write) -> None:
    """Have the running gateway write it."""
    zone = ZoneInfo(str(gateway.get("/api/v1/board")["timezone"]))
    for name in ("from", "until"):
        at = instant_of(query[name], zone, f"--{name}")
        query[name] = None if at is None else rfc3339(at)
    for piece in gateway.pieces("/api/v1/export", {name: text for name, text in query.items() if text}):
        write(piece)


async def _told(path: Path, course: str, period: tuple[str | None, str | None], form: str, write: Write) -> None:
    journal = SqliteJournal.open(path, read_only=True)
    try:
        zone = ZoneInfo((await ward_of(journal)).timezone)
        from_at, until_at = instant_of(period[0], zone, "--from"), instant_of(period[1], zone, "--until")
        if from_at is not None and until_at is not None and until_at <= from_at:
            raise Wrong("--until does not come after --from; swap them, or leave one out")
        written = _as_csv if form == "csv" else _as_json
        if form == "csv":
            write(",".join(COLUMNS) + "\n")
        async for line in tell(journal, Chosen(course, from_at, until_at)):
            write(written(line))
    finally:
        await journal.close()


def _as_json(line: Line) -> str:
    told = {name: rfc3339(value) if name in INSTANTS else value for name, value in line.items()}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _as_csv(line: Line) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow([_cell(name, line.get(name)) for name in COLUMNS])
    return out.getvalue()


def _cell(name: str, value: object) -> object:
    """A cell that every spreadsheet takes for what it is."""
    if value is None:
        return ""
    if name in INSTANTS and isinstance(value, int):
        return rfc3339(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
