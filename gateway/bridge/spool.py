"""The spool: frames on disk until the broker has them. The bridge's only owner of sqlite3.

A frame is numbered when it is read, written with the next commit, and sent only when it is durable: a number that went out is
never given to another frame, whatever happens to the power. What a power cut takes are the frames since the last commit, and the
gateway sees the hole in their numbers.

The file is bounded in bytes and frames. Over either limit the oldest frames go, those with alarms last.

Tables: `frames`; `marks` (name → text): the numbering's own name (`boot`), the next number of each device (`seq:…`), how many
were dropped, and what others want remembered.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gateway.bridge.frames import Frame, Seen
from gateway.domain.words import ClockQuality

APPLICATION_ID = 0x44524252  # "DRBR" in the file's header: tells a spool from any other SQLite file
SCHEMA_VERSION = 1
FRAME_OVERHEAD_BYTES = 160  # what a frame costs beside its body, by the file's growth over 100,000 frames
TRIM_TO_PERCENT = 95  # a full spool makes room for a while, not for one frame
IN_MEMORY = ":memory:"

_SCHEMA = f"""
BEGIN;
CREATE TABLE frames (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    channel TEXT NOT NULL,
    boot TEXT NOT NULL,
    seq INTEGER NOT NULL,
    slot TEXT,
    observed_at INTEGER NOT NULL,
    clock TEXT NOT NULL,
    kernel TEXT NOT NULL,
    uptime_ms INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX frames_urgent ON frames (id) WHERE urgent = 1;
CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_COLUMNS = "id, device, channel, boot, seq, slot, observed_at, clock, kernel, uptime_ms, urgent, body"


class SpoolFailed(Exception):
    """The file cannot be used or written; the text says why."""


class SpoolInUse(SpoolFailed):
    """Another process holds the file."""


class Spool:
    """The file. Nothing here is for two threads at once; the keeper sees to that."""

    def __init__(self, connection: sqlite3.Connection, *, max_bytes: int, max_frames: int) -> None:
        self._db = connection
        self._max_bytes, self._max_frames = max_bytes, max_frames
        self.marks: dict[str, str] = dict(connection.execute("SELECT name, value FROM marks"))
        count, held, newest = connection.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0), coalesce(max(id), 0) FROM frames"
        ).fetchone()
        self.count: int = count
        self.bytes: int = held + FRAME_OVERHEAD_BYTES * count
        self.newest_id = max(newest, int(self.marks.get("id", "0")))
        if "boot" not in self.marks:  # a new card must not repeat the numbers of the old one
            self.marks["boot"] = secrets.token_hex(4)
            self.write((), (), self.marks)

    @classmethod
    def open(cls, path: Path | None, *, max_bytes: int, max_frames: int) -> "Spool":
        """Open the file, or make it; None keeps everything in memory. Raises `SpoolInUse`, `SpoolFailed` (also: damaged)."""
        with _told():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path or IN_MEMORY, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            with _told():
                _prepare(connection)
                return cls(connection, max_bytes=max_bytes, max_frames=max_frames)
        except SpoolFailed:
            connection.close()
            raise

    def write(self, fresh: Sequence[Frame], gone: Collection[int], marks: Mapping[str, str]) -> int:
        """In one transaction: keep `fresh`, forget the frames `gone`, note `marks`; then trim. Returns how many were dropped.

        Durable on return. Raises `SpoolFailed`; nothing of it was written then.
        """
        count, held = self.count, self.bytes
        try:
            with _told(), self._transaction():
                self._db.executemany(f"INSERT INTO frames ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", map(_row, fresh))  # noqa: S608  constants
                self._count(len(fresh), sum(len(frame.body) for frame in fresh))
                for frame_id in gone:
                    self._delete("id = ?", (frame_id,))
                dropped = self._trim()
                self._db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", marks.items())
        except SpoolFailed:
            self.count, self.bytes = count, held
            raise
        self.marks.update(marks)
        return dropped

    def due(self, limit: int, held: Collection[int]) -> list[Frame]:
        """What to send next, but for those `held`: frames with alarms first, each kind in its order. Raises `SpoolFailed`."""
        asked = limit + len(held)
        with _told():
            urgent = self._select("WHERE urgent = 1 ORDER BY id LIMIT ?", asked)
            others = self._select("WHERE urgent = 0 ORDER BY id LIMIT ?", asked)
        return [frame for frame in (*urgent, *others) if frame.id not in held][:limit]

    def all(self) -> Iterator[Frame]:
        """Everything, in order; ends early where the file cannot be read."""
        with contextlib.suppress(sqlite3.Error):
            for row in self._db.execute(f"SELECT {_COLUMNS} FROM frames ORDER BY id"):  # noqa: S608  constants
                yield _frame(row)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    @property
    def full_percent(self) -> int:
        """How full it is, by the limit that is nearer."""
        return max(100 * self.bytes // self._max_bytes, 100 * self.count // self._max_frames)

    def _select(self, where: str, limit: int) -> list[Frame]:
        return [_frame(row) for row in self._db.execute(f"SELECT {_COLUMNS} FROM frames {where}", (limit,))]  # noqa: S608  constants

    def _trim(self) -> int:
        if self.bytes <= self._max_bytes and self.count <= self._max_frames:
            return 0
        before, at_once = self.count, max(1, min(self.count, self._max_frames) // 100)  # large frames fill it with few
        for urgent in (0, 1):
            while self._is_over() and self._delete(_OLDEST, (urgent, at_once)):
                pass
        return before - self.count

    def _is_over(self) -> bool:
        return 100 * self.bytes > TRIM_TO_PERCENT * self._max_bytes or 100 * self.count > TRIM_TO_PERCENT * self._max_frames

    def _delete(self, which: str, values: tuple[int, ...]) -> int:
        lengths = [row[0] for row in self._db.execute(f"DELETE FROM frames WHERE {which} RETURNING length(body)", values)]  # noqa: S608  constants
        self._count(-len(lengths), -sum(lengths))
        return len(lengths)

    def _count(self, frames: int, body_bytes: int) -> None:
        self.count += frames
        self.bytes += body_bytes + FRAME_OVERHEAD_BYTES * frames

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


_OLDEST = "id IN (SELECT id FROM frames WHERE urgent = ? ORDER BY id LIMIT ?)"


def set_aside(path: Path) -> Path:
    """Move a damaged spool and its companions out of the way; returns where it is now. An older one is replaced.

    Raises `SpoolFailed` where that cannot be done.
    """
    with _told():
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return path.replace(path.with_name(path.name + ".damaged"))


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # one bridge a file; also saves the shared-memory file's writes
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables == 0:
        connection.executescript(_SCHEMA)
        return
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version != SCHEMA_VERSION:
        raise SpoolFailed("this file is no spool of this version; name another path")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise SpoolFailed("the file is damaged")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise SpoolInUse("another bridge uses this spool; end it first") from error
        raise SpoolFailed(str(error)) from error


def _row(frame: Frame) -> tuple[object, ...]:
    seen = frame.seen
    place = (frame.id, frame.device, frame.channel, frame.boot, frame.seq, frame.slot)
    return (*place, seen.observed_at, seen.clock.value, seen.kernel, seen.uptime_ms, int(frame.urgent), frame.body)


def _frame(row: tuple[int, str, str, str, int, str | None, int, str, str, int, int, bytes]) -> Frame:
    frame_id, device, channel, boot, seq, slot, observed_at, clock, kernel, uptime_ms, urgent, body = row
    seen = Seen(observed_at, ClockQuality(clock), kernel, uptime_ms)
    return Frame(frame_id, device, channel, boot, seq, slot, seen, bool(urgent), body)
