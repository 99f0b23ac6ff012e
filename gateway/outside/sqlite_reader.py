"""Reading the journal's file with distrust: every row is checked, and damage is narrowed to the rows that it hit.

The journal numbers its records without holes, so a number that is missing above the last pruned one is damage too: a flipped
bit in a page's inner structure hides rows without any error.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from gateway.outside.sqlite_schema import in_words, is_damage, is_trouble, last_seq, record_crc
from gateway.runtime.ports import Damaged, JournalFull, Kind, Record

UNREADABLE_MAX = 200  # records in a row that one bad spot of a disk may cost
FINDINGS_MAX = 1_000  # kept until they are asked for; more are dropped, the first ones tell the story

Result = TypeVar("Result")
Row = tuple[int, int, bytes, bytes, bytes, bytes, bytes, int]

_COLUMNS = "seq, received_at, kind, site, device, topic, body, crc32"
_MANY = f"SELECT {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 — constants
_ONE = f"SELECT {_COLUMNS} FROM journal WHERE seq = ?"  # noqa: S608 — constants
_RARE = "journal INDEXED BY journal_not_messages WHERE kind <> 'message'"
_KINDS = {kind.value.encode(): kind for kind in Kind}


class Findings:
    """What readers met that somebody should know: named, told once, bounded. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news: list[tuple[str, str]] = []
        self._told: set[tuple[str, str]] = set()

    def add(self, name: str, detail: str) -> None:
        """Keep a finding, unless it was told before."""
        finding = (name, detail)
        with self._lock:
            if finding not in self._told and len(self._told) < FINDINGS_MAX:
                self._told.add(finding)
                self._news.append(finding)

    def take(self) -> list[tuple[str, str]]:
        """Findings since the last call, as (name, detail)."""
        with self._lock:
            news, self._news = self._news, []
            return news


class Reader:
    """One read-only connection with a thread of its own; queries run one after the other."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """The query's result, from one consistent view of the file. Raises `JournalFull` where the file cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._one_view, query)

    def close(self) -> None:
        """Finish the query in hand and close the connection."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=True)

    def _one_view(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            self._connection.execute("BEGIN")
            try:
                return query(self._connection)
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise JournalFull(in_words(error)) from error


def records_after(connection: sqlite3.Connection, after: int, limit: int) -> list[Record | Damaged]:
    """Records with seq > `after`, at most `limit`. The quick way first; at the first doubt, number by number."""
    pruned, newest = _pruned_up_to(connection), _newest(connection)
    try:
        found = [checked(row) for row in connection.execute(_MANY, (after, limit))]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    else:
        if _is_whole(found, after=after, up_to=newest if len(found) < limit else 0, pruned=pruned):
            return found
    return list(islice(_look_up(connection, _numbers(connection, after, newest, pruned), pruned), limit))


def records_of_kinds(connection: sqlite3.Connection, kinds: Iterable[Kind], after: int, up_to: int) -> list[Record | Damaged]:
    """All records of these kinds with `after` < seq <= `up_to`. A record too damaged to tell its kind counts as one of them."""
    wanted = sorted({kind.value for kind in kinds})
    if not wanted:
        return []
    source = "journal WHERE TRUE" if Kind.MESSAGE in wanted else _RARE
    chosen = f"FROM {source} AND kind IN ({', '.join('?' * len(wanted))}) AND seq > ? AND seq <= ? ORDER BY seq"
    values = (*wanted, after, up_to)
    try:
        return [checked(row) for row in connection.execute(f"SELECT {_COLUMNS} {chosen}", values)]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    pruned = _pruned_up_to(connection)
    try:  # the index by kind may be sound: it knows the numbers without touching the damaged rows
        numbers: Iterable[int] = [seq for (seq,) in connection.execute(f"SELECT seq {chosen}", values)]
    except sqlite3.DatabaseError:
        numbers = _numbers(connection, after, min(up_to, _newest(connection)), pruned)
    found = _look_up(connection, numbers, pruned)
    return [item for item in found if isinstance(item, Damaged) or item.kind in wanted]


def checked(row: Row) -> Record | Damaged:
    """The record of a row, or what is wrong with it."""
    seq, received_at, kind, site, device, topic, body, crc = row
    try:
        if record_crc(seq, received_at, b"\0".join((kind, site, device, topic)), body) != crc:
            return Damaged(seq, "its bytes do not match their checksum")
        return Record(seq, received_at, _KINDS[kind], site.decode(), device.decode(), topic.decode(), body)
    except (TypeError, ValueError, KeyError):  # a column that is no longer of its own type
        return Damaged(seq, "its columns cannot be read")


def _is_whole(found: Iterable[Record | Damaged], *, after: int, up_to: int, pruned: int) -> bool:
    """Whether all are sound and no number is missing between `after`, them, and `up_to`, except pruned ones."""
    expected = after + 1
    for item in found:
        if isinstance(item, Damaged) or not (item.seq == expected or item.seq - 1 <= pruned):
            return False
        expected = item.seq + 1
    return expected > up_to or up_to <= pruned


def _look_up(connection: sqlite3.Connection, numbers: Iterable[int], pruned: int) -> Iterator[Record | Damaged]:
    """Fetch each record by itself: a damaged page costs its own records and no neighbour.

    Raises SQLite's error when the disk fails for more records in a row than a bad spot explains: it may be away for a
    moment only, and skipping would lose sound records.
    """
    unreadable = 0
    for seq in numbers:
        try:
            row = connection.execute(_ONE, (seq,)).fetchone()
        except sqlite3.DatabaseError as error:
            unreadable += 1
            if not is_damage(error) or (is_trouble(error) and unreadable > UNREADABLE_MAX):
                raise
            yield Damaged(seq, f"its page cannot be read: {in_words(error)}")
            continue
        unreadable = 0
        if row is not None:
            yield checked(row)
        elif seq > pruned:
            yield Damaged(seq, "it is missing")


def _numbers(connection: sqlite3.Connection, after: int, up_to: int, pruned: int) -> Iterator[int]:
    """All numbers in (after, up_to], stepping over what retention removed where the file allows it."""
    seq = after
    while seq < up_to:
        seq = seq + 1 if seq >= pruned else _next_kept(connection, seq, pruned)
        if seq <= up_to:
            yield seq


def _next_kept(connection: sqlite3.Connection, seq: int, pruned: int) -> int:
    """The next number behind `seq` worth looking up; at most the first that was never pruned."""
    try:
        (found,) = connection.execute("SELECT min(seq) FROM journal WHERE seq > ?", (seq,)).fetchone()
    except sqlite3.DatabaseError:
        return seq + 1
    return pruned + 1 if found is None or found > pruned else max(int(found), seq + 1)


def _newest(connection: sqlite3.Connection) -> int:
    """Seq of the newest record; where the last page is damaged, the newest that a cursor has seen."""
    try:
        return last_seq(connection)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    known = "SELECT max(coalesce((SELECT max(seq) FROM cursors), 0), (SELECT value FROM marks WHERE name = 'last_seq'))"
    return int(connection.execute(known).fetchone()[0])


def _pruned_up_to(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM marks WHERE name = 'pruned_up_to'").fetchone()[0])
