"""Reading what stands beside the records: outbox rows, cursors and snapshots, each against its checksum."""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from gateway.outside.sqlite_reader import Findings
from gateway.outside.sqlite_schema import cell_crc, cursor_crc, in_words, is_damage, outbox_crc
from gateway.runtime.ports import EffectKind, OutboxRow, SendState

_Row = tuple[int, bytes, bytes, int, bytes, int, bytes, int]

_COLUMNS = "n, key, kind, planned_at, body, crc32, state, attempts"
_BY_STATE = f"SELECT {_COLUMNS} FROM outbox WHERE kind = ? AND state = ? ORDER BY planned_at, n"  # noqa: S608 — constants
_ASCENDING = f"SELECT {_COLUMNS} FROM outbox NOT INDEXED ORDER BY n"  # noqa: S608 — constants
_DESCENDING = f"{_ASCENDING} DESC"
_VISIBLE_CELLS = """
    SELECT snapshots.name, generations.as_of, snapshots.body, snapshots.crc32
    FROM snapshots JOIN generations ON generations.id = snapshots.generation
    WHERE generations.complete ORDER BY generations.as_of, generations.id
"""


def effects(
    connection: sqlite3.Connection, findings: Findings, kind: EffectKind, states: Iterable[SendState], limit: int
) -> list[OutboxRow]:
    """Sound outbox rows of a kind in these states, oldest plan first. Damaged ones become findings and take nobody's place."""
    wanted = sorted({state.value for state in states})
    try:
        return list(islice(_sound(_by_age(connection, kind, wanted), findings), limit))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        findings.add("damaged-outbox", f"part of the outbox cannot be read: {in_words(error)}")
    readable = _sound(_from_both_ends(connection), findings)
    chosen = [row for row in readable if row.kind is kind and row.state in wanted]
    return sorted(chosen, key=lambda row: row.planned_at)[:limit]


def cursor(connection: sqlite3.Connection, findings: Findings, name: str) -> int:
    """Where a cursor stands; 0 when it never moved, or when it is damaged (starting over is safe: effects are keyed)."""
    row = connection.execute("SELECT seq, crc32 FROM cursors WHERE name = ?", (name,)).fetchone()
    if row is None:
        return 0
    seq, crc = row
    if not isinstance(seq, int) or cursor_crc(name.encode(), seq) != crc:
        findings.add("damaged-cursor", f"cursor {name}: it does not match its checksum and starts again from 0")
        return 0
    return seq


def newest_snapshot(connection: sqlite3.Connection, findings: Findings) -> tuple[int, dict[str, bytes], int]:
    """The newest complete snapshot as (as_of, cells, distrusted).

    With a damaged cell: (0, {}, as_of), where `as_of` is the generation that must not shine through the next one.
    """
    (as_of,) = connection.execute("SELECT max(as_of) FROM generations WHERE complete").fetchone()
    if as_of is None:
        return 0, {}, 0
    cells: dict[bytes, tuple[int, bytes, int]] = {}
    try:
        for name, cell_as_of, body, crc in connection.execute(_VISIBLE_CELLS):
            cells[name] = (cell_as_of, body, crc)  # a later generation comes later and wins
        for name, (cell_as_of, body, crc) in cells.items():
            if cell_crc(name, cell_as_of, body) != crc:
                detail = f"cell {name.decode(errors='replace')} of snapshot {cell_as_of} does not match its checksum"
                findings.add("damaged-snapshot", detail)
                return 0, {}, int(as_of)
    except (TypeError, ValueError) as error:
        findings.add("damaged-snapshot", f"snapshot {as_of}: a cell's columns cannot be read ({error})")
        return 0, {}, int(as_of)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        findings.add("damaged-snapshot", f"snapshot {as_of}: {in_words(error)}")
        return 0, {}, int(as_of)
    return int(as_of), {name.decode(): body for name, (_, body, _) in cells.items()}, 0


def _by_age(connection: sqlite3.Connection, kind: EffectKind, states: Iterable[str]) -> Iterator[_Row]:
    """Rows in these states by plan; each state comes sorted from the index, so a backlog of millions costs nothing."""
    queues = [connection.execute(_BY_STATE, (kind.value, state)) for state in states]
    try:
        yield from heapq.merge(*queues, key=_age)
    finally:
        for queue in queues:
            queue.close()


def _age(row: _Row) -> tuple[int, int]:
    """What rows are merged by; a damaged time that is no number comes first, and is found out by its checksum."""
    planned_at: object = row[3]
    return planned_at if isinstance(planned_at, int) else 0, row[0]


def _sound(rows: Iterable[_Row], findings: Findings) -> Iterator[OutboxRow]:
    """The rows whose checksum holds; the others are told by their number (a damaged key would be a wrong name)."""
    for n, key, kind, planned_at, body, crc, state, attempts in rows:
        try:
            if outbox_crc(key, kind, planned_at, body) != crc:
                findings.add("damaged-outbox", f"row {n} does not match its checksum and is not sent")
                continue
            row = OutboxRow(key.decode(), EffectKind(kind.decode()), planned_at, body, SendState(state.decode()), attempts)
        except (AttributeError, TypeError, ValueError):
            findings.add("damaged-outbox", f"row {n}: its columns cannot be read; it is not sent")
            continue
        yield row


def _from_both_ends(connection: sqlite3.Connection) -> list[_Row]:
    """All rows that can be reached without the index: from the first up to the damage, and from the last down to it."""
    found: dict[int, _Row] = {}
    for query in (_ASCENDING, _DESCENDING):
        try:
            for row in connection.execute(query):
                found[row[0]] = row
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        else:
            break
    return [found[n] for n in sorted(found)]
