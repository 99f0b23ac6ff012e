"""The journal's only writer: one thread, one connection, and one fsync for everything that waits.

Callers queue their writes and sleep. The thread takes what has gathered while its last commit ran, stores it in one
transaction in call order, and wakes all callers of one event loop with one call. That order (durable first, then awake) is what
lets a caller acknowledge to the broker.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from gateway.outside.sqlite_operations import insert_records
from gateway.outside.sqlite_schema import code_of, in_words, is_trouble, last_seq
from gateway.runtime.ports import Entry, JournalFull

RECORDS_MAX = 500  # in one transaction; a single larger append still goes in one piece
CALLS_MAX = 500  # in one transaction, so that one fsync never waits for an unbounded amount of outbox work

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class _Call:
    """One queued write: entries to append or work to do, and whom to wake. `alone`: in a transaction of its own."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    entries: Sequence[Entry] | None
    work: Work | None
    alone: bool

    @property
    def records(self) -> int:
        return len(self.entries) if self.entries is not None else 0


class Writer:
    """Takes writes from any event loop and makes them durable in call order."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._held: _Call | None = None  # taken from the queue, but no longer fitting into the group
        self._closed = False
        # A daemon: a program that dies without closing must not hang, and SQLite survives being cut off.
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store the entries; return the seq of the first once all are durable. Raises `JournalFull`."""
        seq: int = await self._submit(entries, None, alone=False)
        return seq

    async def write(self, work: Callable[[sqlite3.Connection], Result], *, alone: bool = False) -> Result:
        """Run `work` inside a transaction on the writer's thread; return its result once it is durable.

        `alone` keeps long housekeeping out of everybody else's transaction. Raises `JournalFull`, or what `work` raised;
        nothing of it was kept then.
        """
        result: Result = await self._submit(None, work, alone=alone)
        return result

    async def close(self) -> None:
        """Finish what is queued, fold the write-ahead log into the file and close it. Harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(self, entries: Sequence[Entry] | None, work: Work | None, *, alone: bool) -> asyncio.Future[Any]:
        """Queue a call. A caller that is cancelled later leaves its write in the queue: it may become durable."""
        if self._closed:
            raise RuntimeError("the journal is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(_Call(loop, future, entries, work, alone))
        return future

    # ---- on the writer's thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while group := self._next_group():
            self._store(group)
        with contextlib.suppress(sqlite3.Error):  # the log is complete without this; the next opening folds it in
            self._connection.close()

    def _next_group(self) -> list[_Call]:
        """Wait for a call, then add what else is queued and fits; empty when the journal closes and the queue is done."""
        first = self._held or self._queue.get()
        self._held = None
        if first is None:
            return []
        group, records = [first], first.records
        while not first.alone and len(group) < CALLS_MAX:
            try:
                call = self._queue.get_nowait()
            except Empty:
                break
            if call is None:
                self._queue.put(None)  # nothing can be queued behind it: take it again when this group is stored
                break
            if call.alone or records + call.records > RECORDS_MAX:
                self._held = call
                break
            group.append(call)
            records += call.records
        return group

    def _store(self, group: Sequence[_Call]) -> None:
        """One transaction for the group. An error of one call is found by giving each its own; trouble hits all alike."""
        try:
            results = self._transaction(group)
        except Exception as error:  # noqa: BLE001 — whatever it is belongs to the callers; the thread must live on
            self._roll_back()
            if len(group) > 1 and not is_trouble(error):
                for call in group:
                    self._store([call])
                return
            _wake((call, _refusal(error)) for call in group)
        else:
            _wake(zip(group, results, strict=True))

    def _transaction(self, group: Sequence[_Call]) -> list[Any]:
        """Store everything of the group and commit; return each call's result."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        next_seq = last_seq(connection) + 1  # asked each time: a rolled-back group must leave no hole
        results: list[Any] = []
        entries: list[Entry] = []
        for call in group:
            if call.entries is not None:
                results.append(next_seq + len(entries))
                entries.extend(call.entries)
            elif call.work is not None:
                results.append(call.work(connection))
        insert_records(connection, next_seq, entries)
        connection.execute("COMMIT")
        return results

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors; what cannot be rolled back is not in the log either.
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _refusal(error: Exception) -> Exception:
    """What the caller gets to see: `JournalFull` for the world's failures, the error itself for a wrong argument."""
    return JournalFull(in_words(error)) if code_of(error) and not isinstance(error, _CALLERS_FAULT) else error


_CALLERS_FAULT = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)


def _wake(settled: Iterable[tuple[_Call, Any]]) -> None:
    """Hand results (or exceptions) to the callers: one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for call, result in settled:
        by_loop.setdefault(call.loop, []).append((call.future, result))
    for loop, pairs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # a closed loop has nobody left to tell
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in pairs:
        if future.done():
            continue  # its caller was cancelled
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
