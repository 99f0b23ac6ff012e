"""Journals and their entries for tests."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from gateway.outside.memory_journal import MemoryJournal
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import EffectKind, Entry, Journal, Kind, OutboxRow, Record

NO_LIMIT = 10**15  # bytes or ms, as it is needed
SORTS = ("sqlite", "memory")


def open_journal(sort: str, folder: Path) -> Journal:
    """An empty journal of this sort; the file, where there is one, lies in `folder`."""
    return SqliteJournal.open(folder / "journal.db") if sort == "sqlite" else MemoryJournal()


def entry(body: bytes = b"{}", *, at: int = 1_000, kind: Kind = Kind.MESSAGE, topic: str = "dw/v1/home/pump-1/event") -> Entry:
    """A message of pump-1 at home, unless told otherwise."""
    return Entry(at, kind, "home", "pump-1", topic, body)


def page(key: str, *, at: int = 1_000) -> OutboxRow:
    """A planned page."""
    return OutboxRow(key, EffectKind.PAGE, at, key.encode())


async def seqs(journal: Journal) -> list[int]:
    """The numbers of all records."""
    return [record.seq for record in await journal.read(0, 100_000)]


async def bodies(journal: Journal) -> list[bytes]:
    """The bodies of all sound records."""
    return [record.body for record in await journal.read(0, 100_000) if isinstance(record, Record)]


async def inside(journal: SqliteJournal, work: Callable[[sqlite3.Connection], Any]) -> Any:
    """Run `work` on the write connection, in a transaction of its own."""
    return await journal._writing().write(work, alone=True)


async def ask(journal: SqliteJournal, query: str) -> Any:
    """Run a statement on the write connection; the first column of its first row."""
    row = await inside(journal, lambda connection: connection.execute(query).fetchone())
    return None if row is None else row[0]


class HeldWriter:
    """Keeps the writer busy inside a with-block until `release`, so that calls gather in its queue; counts the commits."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._let_go = threading.Event()
        self.commits = 0

    async def __aenter__(self) -> Self:
        loop, busy = asyncio.get_running_loop(), asyncio.Event()

        def wait(connection: sqlite3.Connection) -> None:
            loop.call_soon_threadsafe(busy.set)
            self._let_go.wait()
            connection.set_trace_callback(self._count)

        self._holding = asyncio.ensure_future(inside(self._journal, wait))
        await busy.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.release()

    def let_go(self) -> None:
        """Let the writer go on, without waiting for it."""
        self._let_go.set()

    async def release(self) -> None:
        """Let the writer go on; return when it has committed what held it. Calls made before have taken their places."""
        await asyncio.sleep(0)
        self._let_go.set()
        await self._holding

    def _count(self, statement: str) -> None:
        self.commits += statement == "COMMIT"
