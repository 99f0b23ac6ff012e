"""Retention, in bounded pieces: what may go by age, what must go by size, and giving the space back to the disk.

Every function is one transaction on the writer's thread and says whether more is left, so that appends get their turn between
two pieces. `command` and `config` records are never touched, nor anything above `keep_after`.
"""

import sqlite3
from dataclasses import dataclass

from gateway.outside.sqlite_schema import last_seq

_ROWS_MAX = 5_000  # removed in one transaction
_BYTES_MAX = 32 * 1_048_576  # removed for size in one transaction: 5,000 of the largest bodies would be 1.3 GB
_VACUUM_PAGES_MAX = 1_000  # moved in one transaction
_ROW_OVERHEAD_BYTES = 40  # numbers, kind and the b-tree's own share, about

_WINDOW = """
    SELECT seq, received_at, length(body) + length(topic) + length(site) + length(device) AS bytes
    FROM journal
    WHERE seq > :after AND seq <= :keep_after AND kind NOT IN ('command', 'config')
    ORDER BY seq LIMIT :rows
"""
_AGED = f"SELECT count(*), coalesce(sum(received_at < :before_at), 0), max(seq) FROM ({_WINDOW})"  # noqa: S608 — constants
_OLDEST = f"""
    WITH sized AS (SELECT seq, sum(bytes + :overhead) OVER (ORDER BY seq) AS running FROM ({_WINDOW}))
    SELECT coalesce((SELECT min(seq) FROM sized WHERE running >= :wanted), (SELECT max(seq) FROM sized))
"""  # noqa: S608 — constants
_DELETE = """
    DELETE FROM journal
    WHERE seq > :after AND seq <= :up_to AND kind NOT IN ('command', 'config') AND received_at < :before_at
"""
_DONE_EFFECTS = """
    DELETE FROM outbox WHERE n IN (
        SELECT n FROM outbox
        WHERE kind IN ('page', 'answer', 'point') AND state = 'done' AND planned_at < :before_at LIMIT :rows
    )
"""
_OLDEST_KEPT = "SELECT received_at FROM journal WHERE kind NOT IN ('command', 'config') ORDER BY seq LIMIT 1"
_ALL_AGES = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transaction removed, up to which seq it looked, and whether there may be more."""

    removed: int
    reached: int
    more: bool


def prune_aged(connection: sqlite3.Connection, *, before_at: int, keep_after: int, after: int) -> Piece:
    """Remove records received before `before_at` among the next 5,000 behind `after`.

    Stops at 5,000 in a row that are all young: our clock does not run backwards, so those behind them are young too.
    """
    window = {"after": after, "keep_after": keep_after, "before_at": before_at, "rows": _ROWS_MAX}
    seen, aged, up_to = connection.execute(_AGED, window).fetchone()
    if aged == 0:
        return Piece(removed=0, reached=after, more=False)
    removed = _delete(connection, after=after, up_to=up_to, before_at=before_at)
    return Piece(removed=removed, reached=up_to, more=seen == _ROWS_MAX)


def prune_oldest(connection: sqlite3.Connection, *, max_bytes: int, keep_after: int, after: int) -> Piece:
    """Remove the oldest records while the pages in use exceed `max_bytes`, at most 5,000 and about 32 MiB."""
    excess = used_bytes(connection) - max_bytes
    if excess <= 0:
        return Piece(removed=0, reached=after, more=False)
    window = {"after": after, "keep_after": keep_after, "rows": _ROWS_MAX}
    wanted = {"wanted": min(excess, _BYTES_MAX), "overhead": _ROW_OVERHEAD_BYTES}
    (up_to,) = connection.execute(_OLDEST, window | wanted).fetchone()
    if up_to is None:
        return Piece(removed=0, reached=after, more=False)
    removed = _delete(connection, after=after, up_to=up_to, before_at=_ALL_AGES)
    return Piece(removed=removed, reached=up_to, more=True)


def prune_done_effects(connection: sqlite3.Connection, *, before_at: int) -> bool:
    """Remove finished outbox rows planned before `before_at`. True: more may be left."""
    return connection.execute(_DONE_EFFECTS, {"before_at": before_at, "rows": _ROWS_MAX}).rowcount == _ROWS_MAX


def give_back_space(connection: sqlite3.Connection) -> bool:
    """Shrink the file by a bounded number of free pages. True: more is left.

    Free pages up to an eighth of the pages in use stay: the next appends would only grow the file again.
    """
    free = _pragma(connection, "freelist_count")
    spare = (_pragma(connection, "page_count") - free) // 8
    pages = min(free - spare, _VACUUM_PAGES_MAX)
    if pages <= 0:
        return False
    for _ in range(pages):  # a larger argument would not help: Python's sqlite3 takes one step of this statement, one page
        connection.execute("PRAGMA incremental_vacuum(1)")
    return free - pages > spare


def oldest_kept_at(connection: sqlite3.Connection) -> int | None:
    """When the oldest record of the prunable kinds came in; None when none is left."""
    row = connection.execute(_OLDEST_KEPT).fetchone()
    return None if row is None else int(row[0])


def used_bytes(connection: sqlite3.Connection) -> int:
    """Size of the pages in use; free pages inside the file do not count, they take the next appends."""
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _delete(connection: sqlite3.Connection, *, after: int, up_to: int, before_at: int) -> int:
    """Delete prunable records in (after, up_to] received before `before_at`; note it where numbers outlive their records."""
    newest = last_seq(connection)
    removed = connection.execute(_DELETE, {"after": after, "up_to": up_to, "before_at": before_at}).rowcount
    connection.executemany(
        "UPDATE marks SET value = max(value, ?) WHERE name = ?", [(newest, "last_seq"), (up_to, "pruned_up_to")]
    )
    return removed


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
