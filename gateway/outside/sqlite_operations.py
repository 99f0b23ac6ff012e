"""What the writer does inside its transactions. Every function runs on the writer's thread, between BEGIN and COMMIT."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from gateway.outside.sqlite_schema import cell_crc, cursor_crc, outbox_crc, record_crc
from gateway.runtime.ports import Entry, OutboxRow, SendState

_ROWS_IN_A_STATEMENT = 256  # one statement is one trip without the interpreter's lock; 8 parameters a row
_INSERTS = {
    rows: "INSERT INTO journal VALUES " + ", ".join(["(?,?,?,?,?,?,?,?)"] * rows)  # noqa: S608 — question marks only
    for rows in (2**power for power in range(_ROWS_IN_A_STATEMENT.bit_length()))
}
_SWEEP_MAX = 1_000  # snapshot cells removed in one transaction

_SUPERSEDED = """
DELETE FROM snapshots WHERE n IN (
    SELECT old.n FROM snapshots AS old LEFT JOIN generations AS theirs ON theirs.id = old.generation
    WHERE theirs.id IS NULL
        OR (NOT theirs.complete AND theirs.as_of < :as_of)
        OR EXISTS (
            SELECT 1 FROM snapshots AS new JOIN generations AS later ON later.id = new.generation
            WHERE new.name = old.name AND later.complete AND theirs.complete
                AND (later.as_of, later.id) > (theirs.as_of, theirs.id)
        )
    LIMIT :most
)
"""
_GONE = "DELETE FROM snapshots WHERE name = ? AND generation IN (SELECT id FROM generations WHERE as_of <= ?)"
_EMPTY_GENERATIONS = """
DELETE FROM generations WHERE as_of < :as_of AND id NOT IN (SELECT generation FROM snapshots)
"""


def insert_records(connection: sqlite3.Connection, first_seq: int, entries: Sequence[Entry]) -> None:
    """Insert the entries under consecutive numbers, in as few statements as powers of two allow."""
    values: list[object] = []
    for seq, entry in enumerate(entries, first_seq):
        kind = entry.kind.value
        words = f"{kind}\0{entry.site}\0{entry.device}\0{entry.topic}".encode()
        crc = record_crc(seq, entry.received_at, words, entry.body)
        values += (seq, entry.received_at, kind, entry.site, entry.device, entry.topic, entry.body, crc)
    start, left, rows = 0, len(entries), _ROWS_IN_A_STATEMENT
    while left:
        while rows > left:
            rows //= 2
        end = start + rows * 8
        connection.execute(_INSERTS[rows], values[start:end])
        start, left = end, left - rows


def move_cursor(connection: sqlite3.Connection, name: str, seq: int) -> None:
    """Set a cursor."""
    connection.execute(
        "INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, crc32 = excluded.crc32",
        (name, seq, cursor_crc(name.encode(), seq)),
    )


def plan_effects(connection: sqlite3.Connection, plan: Iterable[OutboxRow]) -> None:
    """Insert outbox rows; one whose key is there already changes nothing."""
    connection.executemany(
        "INSERT INTO outbox (key, kind, planned_at, body, crc32, state, attempts) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO NOTHING",
        (
            (
                row.key,
                row.kind.value,
                row.planned_at,
                row.body,
                outbox_crc(row.key.encode(), row.kind.value.encode(), row.planned_at, row.body),
                row.state.value,
                row.attempts,
            )
            for row in plan
        ),
    )


def mark_effect(connection: sqlite3.Connection, key: str, state: SendState, attempts: int) -> None:
    """Change where an outbox row is; a key that is gone is no error (retention may have been quicker)."""
    connection.execute("UPDATE outbox SET state = ?, attempts = ? WHERE key = ?", (state.value, attempts, key))


def forget_effects(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Delete outbox rows."""
    connection.executemany("DELETE FROM outbox WHERE key = ?", ((key,) for key in keys))


def stage_cells(connection: sqlite3.Connection, as_of: int, cells: Mapping[str, bytes]) -> None:
    """Write cells into the open generation of `as_of`, which begins with the first of them."""
    generation = _open_generation(connection, as_of)
    connection.executemany(
        "INSERT INTO snapshots (name, generation, body, crc32) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (name, generation) DO UPDATE SET body = excluded.body, crc32 = excluded.crc32",
        ((name, generation, body, cell_crc(name.encode(), as_of, body)) for name, body in cells.items()),
    )


def complete_generation(connection: sqlite3.Connection, as_of: int, gone: Sequence[str], *, distrusted: int) -> None:
    """Make the generation of `as_of` visible over the older ones, without `gone`.

    Older generations up to `distrusted` have shown damage and do not shine through. Costs a few rows whatever the snapshot's
    size: what is superseded is swept later, in pieces.
    """
    generation = _open_generation(connection, as_of)
    connection.execute("DELETE FROM generations WHERE complete AND as_of <= ?", (distrusted,))
    connection.execute("UPDATE generations SET complete = 1 WHERE id = ?", (generation,))
    connection.executemany(_GONE, ((name, as_of) for name in gone))


def sweep_snapshots(connection: sqlite3.Connection, as_of: int) -> bool:
    """Remove a bounded number of cells that a complete generation hides, or that never became visible. True: more is left."""
    swept = connection.execute(_SUPERSEDED, {"as_of": as_of, "most": _SWEEP_MAX}).rowcount
    if swept == _SWEEP_MAX:
        return True
    connection.execute(_EMPTY_GENERATIONS, {"as_of": as_of})
    return False


def _open_generation(connection: sqlite3.Connection, as_of: int) -> int:
    """The incomplete generation of `as_of`, begun if there is none."""
    row = connection.execute("SELECT id FROM generations WHERE as_of = ? AND NOT complete", (as_of,)).fetchone()
    if row is not None:
        return int(row[0])
    return int(connection.execute("INSERT INTO generations (as_of, complete) VALUES (?, 0)", (as_of,)).lastrowid or 0)
