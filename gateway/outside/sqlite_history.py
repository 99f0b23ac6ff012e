"""Looks back in the journal's file, beside the gateway that writes it: own connection, own thread, everything bounded.

Times become record numbers first (our clock never runs backwards, so they rise together); then the index by device leads to
the device's own records, however many others there are. Short telemetry is thinned out in that index, before a row is read.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.sentences import sentence
from gateway.outside.sqlite_reader import Reader, checked
from gateway.outside.sqlite_schema import ROUTINE, JournalRefused, last_seq, open_for_reading
from gateway.runtime.history import MESSAGES_MAX, POINTS_MAX, SPAN_MAX_MS, HistoryFailed, Message, Messages, Series
from gateway.runtime.ports import Damaged, JournalFull, Record
from gateway.runtime.series import decoded, series_of

ASKING_MAX = 8  # readers that wait for one another; more are told to come again
READ_S = 10.0  # one reading may take so long; then it is broken off
LATE_MS = 6 * HOUR_MS  # how much later than it was measured a point may have come in and still be looked for
ROUTINE_MAX = 2 * POINTS_MAX  # short telemetry messages read for one series, evenly spread
OTHERS_MAX = 2_000  # other messages of one series: alarms, events, backlogs, a vendor's own frames; the newest of them
BYTES_MAX = 4 * 1_048_576  # bodies decoded for one series, about half a second

Result = TypeVar("Result")

_COLUMNS = "seq, received_at, kind, site, device, topic, body, crc32"
_OF_DEVICE = "journal INDEXED BY journal_by_device WHERE kind = 'message' AND device = :device"
_ROUTINE = f"{_OF_DEVICE} AND {ROUTINE} = 1 AND seq >= :first AND seq < :last"
_COUNT = f"SELECT count(*) FROM {_ROUTINE}"  # noqa: S608 — constants, here and below
_SPREAD = f"""
    SELECT {_COLUMNS} FROM journal WHERE seq IN (
        SELECT seq FROM (SELECT seq, row_number() OVER (ORDER BY seq DESC) AS n FROM {_ROUTINE}) WHERE n % :stride = 0
    ) ORDER BY seq DESC
"""  # noqa: S608
_OTHERS = f"""
    SELECT {_COLUMNS} FROM {_OF_DEVICE} AND {ROUTINE} = 0 AND seq >= :first AND seq < :last ORDER BY seq DESC LIMIT :most
"""  # noqa: S608
_ANY = f"""
    SELECT {_COLUMNS} FROM journal WHERE seq IN (
        SELECT seq FROM (
            SELECT * FROM (SELECT seq FROM {_OF_DEVICE} AND {ROUTINE} = 0 AND seq >= :first AND seq < :last
                           ORDER BY seq DESC LIMIT :most)
            UNION ALL
            SELECT * FROM (SELECT seq FROM {_ROUTINE} ORDER BY seq DESC LIMIT :most)
        ) ORDER BY seq DESC LIMIT :most
    ) ORDER BY seq DESC
"""  # noqa: S608
_NEXT = "SELECT seq, received_at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1"


@dataclass(frozen=True, slots=True)
class _Span:
    """Whose records, from number `first` up to `last` (not included)."""

    site: str
    device: str
    first: int
    last: int

    @property
    def values(self) -> dict[str, object]:
        """As the statements name them."""
        return {"device": self.device, "first": self.first, "last": self.last}


class SqliteHistory:
    """Implements `gateway.runtime.history.History` on the journal at `path`, which its gateway has opened before."""

    def __init__(self, path: Path, read_s: float = READ_S) -> None:
        self._path = path
        self._read_s = read_s
        self._opened: tuple[sqlite3.Connection, Reader] | None = None
        self._asking = 0

    async def series(self, site: str, device: str, *, since: Instant, until: Instant, at_most: int = POINTS_MAX) -> Series:
        """What the device measured and what happened to it then; messages up to 6 h late are found. Raises `HistoryFailed`."""
        _check_span(since, until)
        asked = partial(_series, site=site, device=device, since=since, until=until, at_most=at_most)
        return await self._ask(asked)

    async def messages(
        self, site: str, device: str, *, since: Instant, until: Instant, before: int = 0, limit: int = MESSAGES_MAX
    ) -> Messages:
        """Raw messages received then, newest first. Raises `HistoryFailed`."""
        most = min(limit, MESSAGES_MAX)
        return await self._ask(partial(_messages, site=site, device=device, since=since, until=until, before=before, most=most))

    async def close(self) -> None:
        """Break off what is being read, and release the file."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].interrupt()
            await asyncio.to_thread(opened[1].close)

    async def _ask(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._asking >= ASKING_MAX:
            raise HistoryFailed(sentence("many people look back at once; try again in a moment"))
        self._asking += 1
        try:
            connection, reader = self._open()
            reading = asyncio.ensure_future(reader.run(query))
            done, _ = await asyncio.wait({reading}, timeout=self._read_s)
            if not done:
                connection.interrupt()  # what it read so far is dropped, and the next reader has its turn
            return await reading
        except JournalRefused as refused:
            raise HistoryFailed(str(refused)) from None
        except JournalFull as full:
            raise HistoryFailed(sentence("the past could not be read: {why}; ask for a shorter time", why=str(full))) from None
        finally:
            self._asking -= 1

    def _open(self) -> tuple[sqlite3.Connection, Reader]:
        if self._opened is None:
            connection = open_for_reading(self._path)
            self._opened = (connection, Reader(connection, "journal-history"))
        return self._opened


def _check_span(since: Instant, until: Instant) -> None:
    if not 0 <= until - since <= SPAN_MAX_MS:
        raise HistoryFailed("a series begins before it ends, and spans 31 days at most")


def _series(connection: sqlite3.Connection, *, site: str, device: str, since: Instant, until: Instant, at_most: int) -> Series:
    span = _Span(site, device, _first_at(connection, since), _first_at(connection, until + LATE_MS))
    (count,) = connection.execute(_COUNT, span.values).fetchone()
    stride = max(1, -(-count // min(ROUTINE_MAX, 2 * at_most)))
    others, routine = _Taken(site), _Taken(site)
    records = [
        *others.of(connection.execute(_OTHERS, span.values | {"most": OTHERS_MAX + 1})),
        *routine.of(connection.execute(_SPREAD, span.values | {"stride": stride})),
    ]
    whole = others.bytes <= BYTES_MAX and others.rows <= OTHERS_MAX
    return series_of(records, since=since, until=until, at_most=at_most, whole=whole)


class _Taken:
    """Sound records of one site, newest first, until enough was read."""

    def __init__(self, site: str) -> None:
        self._site = site
        self.bytes = 0
        self.rows = 0

    def of(self, rows: sqlite3.Cursor) -> Iterator[Record]:
        """Records of these rows."""
        for row in rows:
            record = checked(row)
            if isinstance(record, Damaged) or record.site != self._site:
                continue
            self.rows += 1
            self.bytes += len(record.body)
            if self.bytes > BYTES_MAX:
                return
            yield record


def _messages(
    connection: sqlite3.Connection, *, site: str, device: str, since: Instant, until: Instant, before: int, most: int
) -> Messages:
    last = _first_at(connection, until)
    span = _Span(site, device, _first_at(connection, since), min(last, before) if before else last)
    rows = connection.execute(_ANY, span.values | {"most": most + 1}).fetchall()
    found: list[Message | Damaged] = []
    for row in rows[:most]:
        item = checked(row)
        if isinstance(item, Damaged):
            found.append(item)
        elif item.site == site:
            found.append(Message(item, decoded(item)))
    return Messages(tuple(found), int(rows[most - 1][0]) if len(rows) > most else 0)


def _first_at(connection: sqlite3.Connection, at: Instant) -> int:
    """The number of the first record received at `at` or later; one beyond the last where there is none. Halves the numbers."""
    low, high = 1, last_seq(connection) + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(_NEXT, (middle,)).fetchone()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = int(found[0]) + 1
    return low
