"""The journal's file: its tables, who may open it, its checksums, and SQLite's errors in words.

Tables: `journal` (records), `outbox` (keyed effects), `cursors`, `snapshots` with `generations`, and `marks` (two numbers that
must outlive the rows they speak of). Everything that cannot be derived again carries a CRC-32, because a disk that returns
wrong bytes usually returns them without an error.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from gateway.runtime.ports import JournalFull

APPLICATION_ID = 0x44524950  # "DRIP" in the file's header: tells our file from any other SQLite database
SCHEMA_VERSION = 2
BUSY_MS = 2_000  # how long one write waits for another program's lock before its callers are told

# Where a device's messages are, for whoever looks back: docs/adr/0026-the-past-is-read-from-the-journal.md. Short telemetry
# is told apart without a look at the rows, because of a week of it a chart needs one in fifty.
ROUTINE = "(substr(topic, -10) = '/telemetry' AND length(body) < 1000)"
_BY_DEVICE = f"CREATE INDEX journal_by_device ON journal (device, {ROUTINE}) WHERE kind = 'message';"

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    crc32 INTEGER NOT NULL
);
CREATE INDEX journal_not_messages ON journal (kind, seq) WHERE kind <> 'message';
{_BY_DEVICE}
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO marks VALUES ('last_seq', 0), ('pruned_up_to', 0);
CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, crc32 INTEGER NOT NULL);
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    crc32 INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL
);
CREATE INDEX outbox_by_state ON outbox (kind, state, planned_at);
CREATE TABLE generations (id INTEGER PRIMARY KEY AUTOINCREMENT, as_of INTEGER NOT NULL, complete INTEGER NOT NULL);
CREATE TABLE snapshots (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    body BLOB NOT NULL,
    crc32 INTEGER NOT NULL,
    UNIQUE (name, generation)
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""  # noqa: S608 — constants

# By the version that they lead to. Each is one transaction: a file is of one version or of the next.
_MIGRATIONS = {2: f"BEGIN IMMEDIATE; {_BY_DEVICE} PRAGMA user_version = 2; COMMIT;"}

_LAST_SEQ = """
SELECT max(coalesce((SELECT max(seq) FROM journal), 0), (SELECT value FROM marks WHERE name = 'last_seq'))
"""

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program holds the journal's lock",
    sqlite3.SQLITE_LOCKED: "another program holds the journal's lock",
    sqlite3.SQLITE_READONLY: "the journal cannot be written (read-only file or file system)",
    sqlite3.SQLITE_PERM: "the journal cannot be written (permissions)",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error",
    sqlite3.SQLITE_CANTOPEN: "the journal cannot be opened",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_CORRUPT: "the journal's file is damaged",
    sqlite3.SQLITE_NOTADB: "the journal's file is damaged",
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}
_TROUBLE = set(_WORDS) - {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class JournalRefused(Exception):
    """The path holds something that must not be used as a journal; the text says what, and the mend."""


def open_for_writing(path: Path, busy_ms: int) -> sqlite3.Connection:
    """The write connection to `path`, which is created (file 0600, folder 0700) where there is none.

    Raises `JournalRefused` for a file that is not ours, and `JournalFull` where the disk does not play.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = _connect(path, access="rw", busy_ms=busy_ms)
    except (OSError, sqlite3.Error) as error:
        raise JournalFull(f"{path}: {in_words(error)}") from error
    with _closed_on_refusal(connection, path):
        _create_or_check(connection, path)
        _set_durability(connection, path)
    return connection


def open_for_reading(path: Path, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection that cannot write; text comes as bytes, so that damaged text reaches the checksum instead of failing.

    Raises `JournalRefused`: no file there, or not ours; `JournalFull`: it cannot be read now.
    """
    if not path.is_file():
        raise JournalRefused(f"{path}: there is no journal here; check the path")
    try:
        connection = _connect(path, access="ro", busy_ms=busy_ms)
    except sqlite3.Error as error:
        raise JournalFull(f"{path}: {in_words(error)}") from error
    with _closed_on_refusal(connection, path):
        if _is_empty(connection, path):
            raise JournalRefused(f"{path}: this file is empty, not a journal; check the path")
    connection.text_factory = bytes
    return connection


def hold_alone(path: Path) -> int:
    """Take the lock beside `path` for this process; return its file descriptor (closing it gives the lock back).

    Raises `JournalRefused` when another process has it: two gateways on one journal would page everybody twice.
    """
    try:
        # A file of its own: closing any descriptor of the database itself would drop SQLite's POSIX locks on it.
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise JournalFull(f"{path}.lock: {error}") from error
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise JournalRefused(f"{path}: another gateway has this journal open; stop it first") from error
    return lock


def bring_forward(connection: sqlite3.Connection, path: Path) -> None:
    """Make a journal of an older version one of this version, for whoever has it alone. A million records take some seconds.

    Raises `JournalFull` where there is no room for it; the file is of the version then that it was before.
    """
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for newer in range(version + 1, SCHEMA_VERSION + 1):
            connection.executescript(_MIGRATIONS[newer])
    except sqlite3.Error as error:
        raise JournalFull(f"{path}: cannot be brought to schema {SCHEMA_VERSION}: {in_words(error)}") from error


def last_seq(connection: sqlite3.Connection) -> int:
    """Seq of the newest record that there ever was; 0 in an empty journal."""
    return int(connection.execute(_LAST_SEQ).fetchone()[0])


def code_of(error: BaseException) -> int:
    """SQLite's primary result code; 0 where the error did not come from SQLite's core."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_trouble(error: BaseException) -> bool:
    """Whether the error would hit any write alike (full, locked, read-only …), whoever asked for it."""
    return code_of(error) in _TROUBLE


def is_damage(error: BaseException) -> bool:
    """Whether a read met bytes that are not what was written; other places of the file may be fine."""
    return code_of(error) in _DAMAGE


def in_words(error: BaseException) -> str:
    """What the error means to an operator, with the library's own text behind it."""
    words = _WORDS.get(code_of(error))
    return f"{words} ({error})" if words else str(error)


def record_crc(seq: int, received_at: int, words: bytes, body: bytes) -> int:
    """CRC-32 of a record; `words` is kind, site, device and topic, joined by NUL."""
    return crc32(body, crc32(b"%d %d %b\0" % (seq, received_at, words)))


def outbox_crc(key: bytes, kind: bytes, planned_at: int, body: bytes) -> int:
    """CRC-32 of what never changes in an outbox row; its state and attempts move on and are not covered."""
    return crc32(body, crc32(b"%b\0%b\0%d\0" % (key, kind, planned_at)))


def cell_crc(name: bytes, as_of: int, body: bytes) -> int:
    """CRC-32 of a snapshot cell."""
    return crc32(body, crc32(b"%b\0%d\0" % (name, as_of)))


def cursor_crc(name: bytes, seq: int) -> int:
    """CRC-32 of a cursor."""
    return crc32(b"%b\0%d" % (name, seq))


def _connect(path: Path, *, access: str, busy_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={access}",
        uri=True,
        timeout=busy_ms / 1_000,
        isolation_level=None,  # transactions are opened by name, in one place
        check_same_thread=False,  # opened by the caller, used by its own thread only
    )
    connection.execute("PRAGMA cell_size_check = ON")  # a damaged page is refused when it is read, not when it misleads
    connection.execute("PRAGMA temp_store = MEMORY")  # sorting must work on a full disk
    return connection


@contextmanager
def _closed_on_refusal(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close the connection when the block finds that the file cannot serve; SQLite's errors become `JournalFull`."""
    try:
        yield
    except sqlite3.Error as error:
        connection.close()
        raise JournalFull(f"{path}: {in_words(error)}") from error
    except JournalRefused:
        connection.close()
        raise


def _is_empty(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether nothing has been laid out in the file yet. Raises `JournalRefused` where something else has."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if code_of(error) != sqlite3.SQLITE_NOTADB:
            raise
        raise JournalRefused(f"{path}: this is not a Dripwatch journal, or its first page is damaged") from error
    if application == version == tables == 0:
        return True
    if application != APPLICATION_ID:
        raise JournalRefused(f"{path}: this SQLite file belongs to another program; give the journal a path of its own")
    if version > SCHEMA_VERSION:
        newer = f"written by a newer Dripwatch (schema {version}, this one knows {SCHEMA_VERSION})"
        raise JournalRefused(f"{path}: {newer}; update this installation")
    return False


def _create_or_check(connection: sqlite3.Connection, path: Path) -> None:
    """Lay out an empty file, or make sure that a full one is ours."""
    if _is_empty(connection, path):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # must precede the first table; lets retention shrink the file
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)


def _set_durability(connection: sqlite3.Connection, path: Path) -> None:
    """Every commit is fsynced before it counts; readers never wait for the writer."""
    journal_mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if journal_mode != "wal":
        raise JournalRefused(f"{path}: this file system cannot keep a write-ahead log; put the journal on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")  # a burst's log is cut back to 64 MiB afterwards
    connection.execute("PRAGMA cache_size = -16384")  # KiB
