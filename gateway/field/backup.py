"""`backup` and `restore`: what a gateway needs to go on after its disk is lost."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.console.times import rfc3339
from gateway.domain.instants import SECOND_MS
from gateway.field.speaking import FINE, NO, Wrong, existing_file, printable
from gateway.outside.backup import Backup, BackupRefused, forget_old, make_backup, read_backup, record_at
from gateway.outside.backup import restore as put_back
from gateway.outside.sqlite_copy import CannotCut
from gateway.outside.sqlite_journal import JournalRefused
from gateway.outside.wall_clock import WallClock
from gateway.runtime.ports import JournalFull

KEEP_MAX = 10_000
_TROUBLES = (BackupRefused, JournalRefused, JournalFull, CannotCut)


@click.command(short_help="Copy the journal while the gateway runs; read the copy back.")
@click.option("--journal", required=True, help="The journal's file; a running gateway is not disturbed.")
@click.option("--to", required=True, type=click.Path(file_okay=False), help="The folder that holds the backups.")
@click.option("--keep", type=click.IntRange(1, KEEP_MAX), help="Then remove all but the newest so many.")
def backup(*, journal: str, to: str, keep: int | None) -> int:
    """Make one backup: a folder of its own under --to, read back to the last record. Exit 1: made, but the journal is damaged."""
    try:
        made = make_backup(existing_file(journal), Path(to), WallClock().now())
        held = made.contents
        click.echo(f"{made.folder}: {_records(made)}")
        for line in (*held.findings, *(f"record {seq} is damaged" for seq in held.damaged[:10])):
            click.echo(f"  {printable(line)}", err=True)
        if held.damaged or held.findings:
            click.echo("kept, and no old backup removed: look after the disk, and see docs/backup.md", err=True)
            return NO
        for old in forget_old(Path(to), keep) if keep else ():
            click.echo(f"{old}: removed")
    except _TROUBLES as error:
        raise Wrong(str(error)) from None
    return FINE


@click.command(short_help="Put a backup in place of a lost journal, or up to a moment.")
@click.option("--from", "from_", required=True, type=click.Path(file_okay=False), help="The folder of one backup.")
@click.option("--to", required=True, type=click.Path(dir_okay=False), help="Where the journal's file shall be.")
@click.option("--until", help="Only up to this record (48213) or time (2026-03-02T03:00:00+08:00).")
@click.option("--look", is_flag=True, help="Only compare the backup with its manifest; write nothing.")
def restore(*, from_: str, to: str, until: str | None, look: bool) -> int:
    """Restore what a backup holds. Nothing that is there is ever written over; the gateway must not run."""
    try:
        found = read_backup(Path(from_))
        if look:
            click.echo(f"{found.folder}: sound, {_records(found)}")
            return FINE
        lost = put_back(found, Path(to), None if until is None else _until(found, until))
    except _TROUBLES as error:
        raise Wrong(str(error)) from None
    cut_off = f"; {lost} records after that moment are left out" if until is not None else ""
    click.echo(f"{to}: {_records(found)}{cut_off}")
    click.echo("Start the gateway. What happened since then is not in it: look at every pump on the board once.")
    return FINE


def _until(found: Backup, text: str) -> int:
    if re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Wrong(f"--until: {printable(text)!r} is neither a record's number nor a time like 2026-03-02T03:00:00+08:00")
    return record_at(found, round(moment.astimezone(UTC).timestamp() * SECOND_MS))


def _records(found: Backup) -> str:
    held = found.contents
    return f"{held.records} records, the newest is {held.last_seq} of {rfc3339(held.newest_at)}"
