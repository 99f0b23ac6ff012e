"""`scenario run` and `replay`: what would be paged, and what would have been."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.config.protocols import text_of
from gateway.console.times import clock
from gateway.field.speaking import FINE, LinedWrong, Wrong, existing_file, printable
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.ports import JournalFull
from gateway.runtime.replay import Change, Difference, Paged, Replayed, compare, with_protocol
from gateway.runtime.replay import replay as tell_again
from gateway.scenario.runner import run_files
from rules.loader import RulesError, load_protocol


@click.group()
def scenario() -> None:
    """Run stories that prove a ward's policy."""


@scenario.command("run")
@click.argument("files", nargs=-1, required=True)
@click.option("--quiet", is_flag=True, help="Tell the timeline of failed stories only.")
def run(files: tuple[str, ...], *, quiet: bool) -> int:
    """Run stories in virtual time; a page that no story expects is a failure."""
    return run_files([existing_file(file) for file in files], click.echo, verbose=not quiet)


@click.command(short_help="Tell a recorded journal again, or with other rules.")
@click.option("--journal", required=True, help="The journal's file; a running gateway is not disturbed.")
@click.option("--rules", help="A protocol file to put in the place of the recorded one of its name.")
def replay(journal: str, rules: str | None) -> int:
    """Tell a recorded journal again: which pages went out, or which ones other rules would change."""
    path, change = existing_file(journal), _change(rules)
    try:
        before, after = asyncio.run(_replayed(path, change))
    except (JournalRefused, JournalFull) as error:
        raise Wrong(str(error)) from None
    for damaged in before.damaged:
        click.echo(f"record {damaged.seq} is damaged: {damaged.detail}", err=True)
    for finding in before.fold.findings:
        click.echo(printable(finding), err=True)
    zone = ZoneInfo(before.fold.monitor.state.ward.timezone or "UTC")
    if after is None:
        for page in before.paged():
            click.echo(_page(page, zone))
        click.echo(f"{before.records} records, {len(before.paged())} pages")
        return FINE
    _check_name(rules or "", before)
    for finding in after.fold.findings:
        click.echo(printable(finding), err=True)
    differences = compare(before.paged(), after.paged())
    for difference in differences:
        click.echo(_difference(difference, zone))
    click.echo(f"{before.records} records, {len(before.paged())} pages then, {len(after.paged())} with {rules}")
    return FINE


def _change(rules: str | None) -> Change | None:
    if rules is None:
        return None
    try:
        file = existing_file(rules)
        return with_protocol(file.read_text(encoding="utf-8"), rules, lambda base: text_of(base, file.parent))
    except UnicodeDecodeError:
        raise Wrong(f"{rules}: not UTF-8 text; save it as UTF-8") from None
    except RulesError as error:
        raise LinedWrong(error.problems) from None


def _check_name(rules: str, before: Replayed) -> None:
    """A file under another name would change nothing, and "no difference" would be taken for an answer."""
    name = load_protocol(existing_file(rules).read_text(encoding="utf-8"), rules).name
    used = sorted(before.fold.monitor.state.protocols)
    if name not in used:
        raise Wrong(
            f"{rules}: this journal knows no protocol {name!r}, so nothing would change; it has: {', '.join(used) or 'none'}"
        )


async def _replayed(path: Path, change: Change | None) -> tuple[Replayed, Replayed | None]:
    journal = SqliteJournal.open(path, read_only=True)
    try:
        return await tell_again(journal), None if change is None else await tell_again(journal, change)
    finally:
        await journal.close()


def _page(paged: Paged, zone: ZoneInfo) -> str:
    page = paged.page
    when = clock(paged.at, 0, zone, seconds=True)
    return printable(f"{when}  {page.priority:<6} {page.person} by {page.transport} ({page.why}): {page.text.splitlines()[0]}")


def _difference(difference: Difference, zone: ZoneInfo) -> str:
    """`gone`, `new`, or `earlier`/`later` with both times."""
    if difference.before is None or difference.after is None:
        page = difference.before or difference.after
        return f"{difference.kind:<8} {_page(page, zone)}" if page else difference.kind
    return f"{difference.kind:<8} {_page(difference.after, zone)} [was {clock(difference.before.at, 0, zone, seconds=True)}]"
