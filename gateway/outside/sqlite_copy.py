"""A copy of a living SQLite file, and the cut of a copied journal back to one of its records."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.instants import Instant
from gateway.outside.sqlite_effects import newest_snapshot
from gateway.outside.sqlite_operations import insert_records, move_cursor
from gateway.outside.sqlite_reader import Findings, records_after
from gateway.outside.sqlite_schema import in_words, last_seq, open_for_reading, open_for_writing
from gateway.runtime.ports import Damaged, JournalFull, Record
from gateway.runtime.records import clock_entry

READ_AT_ONCE = 2_000
BUSY_MS = 2_000


class CannotCut(Exception):
    """The journal cannot go back to that record; the text says to which it can."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal holds: its newest record, how many there are, and what is damaged (numbers of records, and words)."""

    last_seq: int
    newest_at: Instant
    records: int
    damaged: tuple[int, ...]
    findings: tuple[str, ...]


def copy_database(path: Path, to: Path) -> None:
    """Copy the SQLite file at `path`, as it is at one moment, to `to` (0600, which must not exist). Its writers go on.

    Raises `JournalFull` when the copy cannot be made; nothing is left behind then.
    """
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            copy_connection(source, to)
    except (OSError, sqlite3.Error) as error:
        with suppress(FileNotFoundError):
            to.unlink()
        raise JournalFull(f"{to}: the copy failed: {in_words(error)}") from error


def copy_connection(source: sqlite3.Connection, to: Path) -> None:
    """SQLite's own backup of an open database into the file `to`, which is durable afterwards. Raises what SQLite raises."""
    with closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without companions
    with to.open("rb") as copied:
        os.fsync(copied.fileno())


def contents(path: Path) -> Contents:
    """Read the whole journal, every checksum and SQLite's own structure. Raises `JournalRefused` and `JournalFull`."""
    findings = Findings()
    with closing(open_for_reading(path)) as connection:
        try:
            (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if sound != b"ok":
                findings.add("damaged-file", sound.decode(errors="replace"))
            newest_snapshot(connection, findings)
            damaged: list[int] = []
            count = newest_at = 0
            for item in _records(connection):
                if isinstance(item, Damaged):
                    damaged.append(item.seq)
                else:
                    count, newest_at = count + 1, item.received_at
            told = tuple(f"{name}: {detail}" for name, detail in findings.take())
            return Contents(last_seq(connection), newest_at, count, tuple(damaged), told)
        except sqlite3.Error as error:
            raise JournalFull(f"{path}: {in_words(error)}") from error


def newest_by(path: Path, at: Instant) -> int:
    """The newest record received at or before `at`; 0 when there is none."""
    with closing(open_for_reading(path)) as connection:
        query = "SELECT seq FROM journal WHERE received_at <= ? ORDER BY seq DESC LIMIT 1"
        row = connection.execute(query, (at,)).fetchone()
        return 0 if row is None else int(row[0])


def cut(path: Path, seq: int) -> int:
    """Make the journal at `path` forget what came after record `seq`; return how many records went.

    Their numbers stay taken: a number that were given again would give a new incident an old one's key. In their place stand
    clock records of that moment, which say nothing. Effects that were planned later go; what was sent before stays sent.
    A cut between records of one millisecond is refused: of an effect only its time is kept, not the record that it came from, and
    a page that stayed behind from a record that went would hold the key of one that is due later.

    Raises `CannotCut`; the file is as it was then.
    """
    with closing(open_for_writing(path, BUSY_MS)) as connection:
        newest = last_seq(connection)
        row = connection.execute("SELECT received_at FROM journal WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise CannotCut(f"{path}: there is no record {seq}; the newest is {newest}")
        _refuse_without_state(connection, path, seq)
        at = int(row[0])
        _refuse_between_equals(connection, path, seq, at)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM journal WHERE seq > ?", (seq,))
        connection.execute("DELETE FROM outbox WHERE planned_at > ?", (at,))
        connection.execute("DELETE FROM snapshots WHERE generation IN (SELECT id FROM generations WHERE as_of > ?)", (seq,))
        connection.execute("DELETE FROM generations WHERE as_of > ?", (seq,))
        for name, stands in connection.execute("SELECT name, seq FROM cursors WHERE seq > ?", (seq,)).fetchall():
            move_cursor(connection, name, min(stands, seq))
        for first in range(seq + 1, newest + 1, READ_AT_ONCE):
            count = min(READ_AT_ONCE, newest + 1 - first)
            insert_records(connection, first, [clock_entry(at)] * count)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return newest - seq


def _refuse_between_equals(connection: sqlite3.Connection, path: Path, seq: int, at: Instant) -> None:
    """Records of one commit often have one time. They are neighbours: times in a journal never run backwards."""
    after = connection.execute("SELECT received_at FROM journal WHERE seq > ? ORDER BY seq LIMIT 1", (seq,)).fetchone()
    if after is None or after[0] != at:
        return
    other = "SELECT seq FROM journal WHERE seq {} ? AND received_at <> ? ORDER BY seq {} LIMIT 1"
    before = connection.execute(other.format("<", "DESC"), (seq, at)).fetchone()
    behind = connection.execute(other.format(">", "ASC"), (seq, at)).fetchone()
    last = behind[0] - 1 if behind is not None else last_seq(connection)
    words = f"{before[0]} or to {last}" if before is not None else f"{last}"
    raise CannotCut(f"{path}: the records around {seq} came in one millisecond and stay together; go back to {words}")


def _refuse_without_state(connection: sqlite3.Connection, path: Path, seq: int) -> None:
    """A journal whose old messages are gone lives by its saved state: it cannot go back before that."""
    (pruned,) = connection.execute("SELECT value FROM marks WHERE name = 'pruned_up_to'").fetchone()
    if not pruned:
        return
    (saved,) = connection.execute("SELECT max(as_of) FROM generations WHERE complete").fetchone()
    earliest = max(pruned, saved or 0)
    if seq < earliest:
        raise CannotCut(
            f"{path}: older messages were pruned, so this copy goes back to record {earliest} at the earliest; "
            "take an older backup to go back further"
        )


def _records(connection: sqlite3.Connection) -> Iterator[Record | Damaged]:
    after = 0
    while found := records_after(connection, after, READ_AT_ONCE):
        after = found[-1].seq
        yield from found
