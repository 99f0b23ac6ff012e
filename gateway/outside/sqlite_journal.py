"""The journal in one SQLite file: durable before it is acknowledged, grouped so that one fsync serves everybody.

Why SQLite and in which order things happen: docs/adr/0003-journal-first.md.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.domain.instants import Instant
from gateway.outside import sqlite_effects as stored
from gateway.outside import sqlite_operations as write
from gateway.outside import sqlite_retention as retention
from gateway.outside.sqlite_copy import copy_connection
from gateway.outside.sqlite_reader import Findings, Reader, records_after, records_of_kinds
from gateway.outside.sqlite_schema import (
    BUSY_MS,
    JournalRefused,
    bring_forward,
    hold_alone,
    in_words,
    last_seq,
    open_for_reading,
    open_for_writing,
)
from gateway.outside.sqlite_writer import Writer
from gateway.runtime.ports import Damaged, EffectKind, Entry, JournalFull, Kind, OutboxRow, Pruned, Record, SendState

__all__ = ["JournalRefused", "SqliteJournal"]

Result = TypeVar("Result")


class SqliteJournal:
    """Implements `gateway.runtime.ports.Journal`; made by `open`.

    Three connections, each with a thread of its own: the writer, a reader for long reads (history, snapshots) and one for
    short questions (cursors, outbox), so that a catch-up never delays a page.
    """

    def __init__(self, *, writer: Writer | None, long_reads: Reader, short_reads: Reader, lock: int | None) -> None:
        self._writer = writer
        self._long_reads = long_reads
        self._short_reads = short_reads
        self._lock = lock
        self._findings = Findings()
        self._distrusted = 0  # snapshots up to here have shown damage
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, busy_ms: int = BUSY_MS) -> "SqliteJournal":
        """Open the journal at `path`, creating it (file 0600, folder 0700) where there is none.

        `read_only` looks at a live file beside its gateway without disturbing it; writing methods then raise RuntimeError.
        `busy_ms`: how long a write waits for another program's lock. Raises `JournalRefused` for a file that is not a journal,
        is newer than this program, or is open in another gateway; `JournalFull` where it cannot be opened now.
        """
        with ExitStack() as undo:
            connection = None if read_only else open_for_writing(path, busy_ms)
            lock = None
            if connection is not None:
                undo.callback(connection.close)
                lock = hold_alone(path)
                undo.callback(os.close, lock)
                bring_forward(connection, path)
            long_reads = Reader(open_for_reading(path), "journal-long-reads")
            undo.callback(long_reads.close)
            short_reads = Reader(open_for_reading(path), "journal-short-reads")
            undo.pop_all()
        writer = None if connection is None else Writer(connection)
        return cls(writer=writer, long_reads=long_reads, short_reads=short_reads, lock=lock)

    # ---- writing -------------------------------------------------------------------------------------------------------

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store `entries` in order; return the seq of the first. Of none: the seq that the next record would get."""
        return await self._writing().append(entries)

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        """Move `cursor` to `seq` and insert `plan` in one transaction. A key that is there already is left as it is."""

        def work(connection: sqlite3.Connection) -> None:
            write.plan_effects(connection, plan)
            write.move_cursor(connection, cursor, seq)

        await self._writing().write(work)

    async def mark(self, key: str, state: SendState, attempts: int) -> None:
        """Change the state of an outbox row; of a key that is gone: a no-op."""
        await self._writing().write(partial(write.mark_effect, key=key, state=state, attempts=attempts))

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete outbox rows."""
        await self._writing().write(partial(write.forget_effects, keys=tuple(keys)))

    async def stage_snapshot(self, as_of: int, cells: Mapping[str, bytes]) -> None:
        """Write part of a snapshot of the state right after record `as_of`. Unseen until `complete_snapshot`."""
        await self._writing().write(partial(write.stage_cells, as_of=as_of, cells=dict(cells)))

    async def complete_snapshot(self, as_of: int, gone: Sequence[str] = ()) -> None:
        """Make what was staged for `as_of` the current snapshot, over older cells; drop `gone` and superseded cells."""
        writer, distrusted = self._writing(), self._distrusted
        await writer.write(partial(write.complete_generation, as_of=as_of, gone=tuple(gone), distrusted=distrusted))
        if self._distrusted == distrusted:
            self._distrusted = 0
        while await writer.write(partial(write.sweep_snapshots, as_of=as_of), alone=True):
            pass

    async def prune(self, *, before_at: Instant, max_bytes: int, keep_after: int) -> Pruned:
        """Retention in short transactions, oldest first; the file shrinks to what is used and an eighth more.

        Size counts the pages in use. `oldest_kept_at` is of the oldest record of the prunable kinds.
        """
        writer = self._writing()
        by_age = partial(retention.prune_aged, before_at=before_at, keep_after=keep_after)
        by_size = partial(retention.prune_oldest, max_bytes=max_bytes, keep_after=keep_after)
        removed = await self._in_pieces(by_age) + await self._in_pieces(by_size)
        while await writer.write(partial(retention.prune_done_effects, before_at=before_at), alone=True):
            pass
        while await writer.write(retention.give_back_space, alone=True):
            pass
        return Pruned(records=removed, oldest_kept_at=await self._short_reads.run(retention.oldest_kept_at))

    # ---- reading -------------------------------------------------------------------------------------------------------

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        """Records with seq > `after`, in order, at most `limit`; damaged ones are reported in place."""
        return self._noted(await self._long_reads.run(partial(records_after, after=after, limit=limit)))

    async def read_kinds(self, kinds: Iterable[Kind], after: int, up_to: int) -> list[Record | Damaged]:
        """All records of these kinds with `after` < seq <= `up_to`, in order."""
        query = partial(records_of_kinds, kinds=frozenset(kinds), after=after, up_to=up_to)
        return self._noted(await self._long_reads.run(query))

    async def last_seq(self) -> int:
        """Seq of the newest record; 0 in an empty journal. Never falls, also after pruning."""
        return await self._short_reads.run(last_seq)

    async def cursor(self, name: str) -> int:
        """Where `name` stands; 0 when it never moved, or when it is damaged (a finding tells)."""
        return await self._short_reads.run(partial(stored.cursor, findings=self._findings, name=name))

    async def outbox(self, kind: EffectKind, states: Iterable[SendState], limit: int) -> list[OutboxRow]:
        """Rows of a kind in these states, oldest plan first. A damaged row is a finding, never an effect."""
        wanted = frozenset(states)
        query = partial(stored.effects, findings=self._findings, kind=kind, states=wanted, limit=limit)
        return await self._short_reads.run(query)

    async def load_snapshot(self) -> tuple[int, dict[str, bytes]]:
        """The newest complete snapshot: (as_of, cells). (0, {}) when there is none, or when one of its cells is damaged."""
        query = partial(stored.newest_snapshot, findings=self._findings)
        as_of, cells, self._distrusted = await self._long_reads.run(query)
        return as_of, cells

    def findings(self) -> list[tuple[str, str]]:
        """Damage met since the last call as (name, detail), each told once, at most 1,000 in all.

        Names: damaged-record, damaged-outbox, damaged-cursor, damaged-snapshot.
        """
        return self._findings.take()

    async def backup(self, to: Path) -> None:
        """Copy the journal, as it is at one moment, to the file `to` (0600, replaced in one step). The writer goes on.

        Raises `JournalFull` when the copy cannot be made; `to` is untouched then.
        """
        await self._long_reads.run(partial(_copy, to=to))

    async def close(self) -> None:
        """Finish what is queued and release the file. Harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._long_reads.close)
        await asyncio.to_thread(self._short_reads.close)
        if self._writer is not None:
            await self._writer.close()
        if self._lock is not None:
            os.close(self._lock)

    # ---- helpers -------------------------------------------------------------------------------------------------------

    def _writing(self) -> Writer:
        if self._writer is None:
            raise RuntimeError("the journal was opened for reading only")
        return self._writer

    async def _in_pieces(self, prune: Callable[..., retention.Piece]) -> int:
        """Run one kind of pruning piece by piece; return how many records went."""
        removed, after, more = 0, 0, True
        while more:
            piece = await self._writing().write(partial(prune, after=after), alone=True)
            removed, after, more = removed + piece.removed, piece.reached, piece.more
        return removed

    def _noted(self, found: list[Record | Damaged]) -> list[Record | Damaged]:
        for item in found:
            if isinstance(item, Damaged):
                self._findings.add("damaged-record", f"record {item.seq}: {item.detail}")
        return found


def _copy(connection: sqlite3.Connection, to: Path) -> None:
    """A copy beside `to`, renamed when it is durable: a half copy never carries the name."""
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        copy_connection(connection, part)
        part.replace(to)
        folder = os.open(to.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise JournalFull(f"{to}: the copy failed: {in_words(error)}") from error
