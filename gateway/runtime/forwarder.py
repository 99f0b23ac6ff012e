"""Carries points to the time-series store: at least once, in bounded memory, and never in the way of a page.

The store holds a view of the journal. Nothing waits for it: the pipeline offers the lines of each record as it judges it, and
goes on. Where the offered lines do not reach back to the cursor (after an outage, a restart, an overflow) the records are read
from the journal and made into lines again.

    journal   1 ────────────── cursor ──────── position ──────── ring_after ──────── ring_to
               the store has it │  in flight    │  read from the   │  offered lines    │
                                                │  journal         │  wait in the ring

The cursor moves only when the store took (or refused for ever, set aside) every line of every record up to it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from gateway.runtime.point_sink import PointSink, Poison, StoreUnavailable
from gateway.runtime.points import line_of, point_from_json
from gateway.runtime.ports import Clock, Damaged, EffectKind, Journal, JournalFull, Kind, OutboxRow, Record, SendState

P = ParamSpec("P")
T = TypeVar("T")

CURSOR = "influx"
RING_MAX_LINES = 100_000  # about 40 MB; full: the ring is emptied and its records are read from the journal instead
BATCH_LINES = 5_000  # a batch ends with the record that reaches this: at most 499 more
LINGER_MS = 250  # how long the first line of a small batch waits for company
IN_FLIGHT_MAX = 2  # batches of records being written at once; more wait in the ring
READ_RECORDS = 1_000  # records read at once
SLICE = 200  # records and lines made before other tasks get a turn: about a millisecond
BACKOFF_MS = (1_000, 2_000, 5_000, 10_000, 30_000)  # the last one repeats
POISON_SHOWN_MAX = 100  # the newest refused lines, for people to look at; all of them go to `set_aside`

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ForwarderHealth:
    """How far the store is behind. `lag_records` counts journal records; `last_error` is empty while the store takes lines."""

    lag_records: int
    lines_written: int
    poisoned: int
    last_error: str


class Forwarder:
    """Forwards the points of journal messages, and the judgement points that wait in the outbox.

    `lines_for` gives the lines of a message record as `offer` would have been given them: pure, and never raising.
    `set_aside` keeps a refused line with its reason where people find it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        sink: PointSink,
        clock: Clock,
        lines_for: Callable[[Record], list[bytes]],
        set_aside: Callable[[Poison], None],
    ) -> None:
        self.poison_shown: deque[Poison] = deque(maxlen=POISON_SHOWN_MAX)
        self._journal = journal
        self._sink = sink
        self._clock = clock
        self._lines_for = lines_for
        self._set_aside = set_aside
        self._ring: deque[tuple[int, list[bytes]]] = deque()
        self._ring_lines = 0
        self._ring_after = 0
        self._ring_to = 0
        self._position = 0
        self._cursor = 0
        self._read_ahead: deque[Record | Damaged] = deque()
        self._offered = asyncio.Event()
        self._enough = asyncio.Event()
        self._planned = asyncio.Event()
        self._lines_written = 0
        self._poisoned = 0
        self._last_error = ""

    def resume(self, judged: int) -> None:
        """All records up to `judged` have been judged before this start; what the store lacks of them is read again."""
        self._restart_ring(judged)

    def offer(self, seq: int, lines: list[bytes]) -> None:
        """Take the lines of record `seq`, just judged: every record, in journal order, also of other kinds and without lines.

        Never blocks. A record that was left out costs a reading of the journal, never a line.
        """
        if seq != self._ring_to + 1:
            self._restart_ring(seq - 1)
        if lines:
            if self._ring_lines + len(lines) > RING_MAX_LINES:
                self._restart_ring(seq)
                return
            self._ring.append((seq, lines))
            self._ring_lines += len(lines)
            if self._ring_lines >= BATCH_LINES:
                self._enough.set()
        self._ring_to = seq
        self._offered.set()

    def wake(self) -> None:
        """Say that new judgement points wait in the outbox."""
        self._planned.set()

    def health(self) -> ForwarderHealth:
        """Numbers for the console, the metrics and the watchdog."""
        return ForwarderHealth(
            lag_records=max(0, self._ring_to - self._cursor),
            lines_written=self._lines_written,
            poisoned=self._poisoned,
            last_error=self._last_error,
        )

    async def run(self) -> None:
        """Forward until cancelled. Cancelled at any point, nothing is lost: what was not confirmed is written again."""
        self._cursor = self._position = await self._patiently(self._journal.cursor, CURSOR)
        self._read_ahead.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forward_records(tasks))
            tasks.create_task(self._forward_judgements())

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _forward_records(self, tasks: asyncio.TaskGroup) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        before: asyncio.Task[None] | None = None
        while True:
            await slots.acquire()
            lines = await self._next_batch()
            before = tasks.create_task(self._deliver(lines, up_to=self._position, before=before, slots=slots))

    async def _deliver(
        self, lines: list[bytes], *, up_to: int, before: asyncio.Task[None] | None, slots: asyncio.Semaphore
    ) -> None:
        """Write one batch, wait for the one before it, then move the cursor."""
        await self._write(lines)
        if before is not None:
            await before
        await self._patiently(self._journal.commit, CURSOR, up_to)
        self._cursor = up_to
        slots.release()

    async def _next_batch(self) -> list[bytes]:
        """Wait for records after the position; return their lines with the position at the last of them."""
        while True:
            if self._position < self._ring_after:
                return await self._from_journal()
            if self._position < self._ring_to:
                await self._linger()
                if self._position >= self._ring_after:  # else the ring overflowed meanwhile
                    return self._from_ring()
            else:
                self._offered.clear()
                await self._offered.wait()

    async def _linger(self) -> None:
        """Return when a full batch waits in the ring, or after `LINGER_MS`."""
        if self._ring_lines >= BATCH_LINES:
            return
        self._enough.clear()
        await _first_of(self._enough.wait(), self._clock.sleep_until(self._clock.now() + LINGER_MS))

    def _from_ring(self) -> list[bytes]:
        lines: list[bytes] = []
        taken_to = self._ring_after
        while self._ring and len(lines) < BATCH_LINES:
            taken_to, of_record = self._ring.popleft()
            self._ring_lines -= len(of_record)
            if taken_to > self._position:
                lines += of_record
        self._ring_after = taken_to if self._ring else self._ring_to
        self._position = max(self._position, self._ring_after)
        self._read_ahead.clear()
        return lines

    async def _from_journal(self) -> list[bytes]:
        """Read on towards the ring, for at most one batch. Not beyond it: those records may not have been judged."""
        lines: list[bytes] = []
        made = 0
        while self._position < self._ring_after and len(lines) < BATCH_LINES:
            if not self._read_ahead and not await self._read_on():
                break
            if self._read_ahead[0].seq > self._ring_after:
                self._position = self._ring_after  # there is no record between here and the ring
                break
            record = self._read_ahead.popleft()
            self._position = record.seq
            if isinstance(record, Record) and record.kind is Kind.MESSAGE:
                of_record = self._lines_for(record)
                lines += of_record
                made += len(of_record)
            made += 1
            if made >= SLICE:
                made = 0
                await asyncio.sleep(0)
        return lines

    async def _read_on(self) -> bool:
        """Fill `_read_ahead`; where the journal has nothing more (it was pruned by hand), step over the hole: False."""
        position, wanted_to = self._position, self._ring_after  # the ring may restart further on while the journal reads
        self._read_ahead.extend(await self._patiently(self._journal.read, position, READ_RECORDS))
        if not self._read_ahead:
            self._position = wanted_to
        return bool(self._read_ahead)

    def _restart_ring(self, after: int) -> None:
        self._ring.clear()
        self._ring_lines = 0
        self._ring_after = self._ring_to = after
        self._offered.set()

    # ── judgements ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _forward_judgements(self) -> None:
        while True:
            self._planned.clear()
            rows = await self._patiently(self._journal.outbox, EffectKind.POINT, [SendState.PLANNED], BATCH_LINES)
            if not rows:
                await self._planned.wait()
                continue
            await self._write(self._judgement_lines(rows))
            await self._patiently(self._journal.forget, [row.key for row in rows])

    def _judgement_lines(self, rows: Sequence[OutboxRow]) -> list[bytes]:
        """The lines of outbox rows; one that does not fit the schema is set aside instead of standing in the way for ever."""
        lines = []
        for row in rows:
            try:
                lines.append(line_of(point_from_json(row.body)))
            except ValueError as error:
                self._poison(Poison(line=row.body, reason=f"outbox row {row.key}: {error}"))
        return lines

    # ── the store and the journal may both be away ───────────────────────────────────────────────────────────────────

    async def _write(self, lines: list[bytes]) -> None:
        """Return when the store has all lines but the poisonous ones, which are set aside."""
        if not lines:
            return
        poison = await self._patiently(self._sink.write, lines)
        for each in poison:
            self._poison(each)
        self._lines_written += len(lines) - len(poison)

    def _poison(self, poison: Poison) -> None:
        self._poisoned += 1
        self.poison_shown.append(poison)
        self._set_aside(poison)

    async def _patiently(self, attempt: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Try until it succeeds, with backoff; `last_error` says meanwhile what is wrong."""
        failures = 0
        while True:
            try:
                result = await attempt(*args, **kwargs)
            except (StoreUnavailable, JournalFull) as error:
                self._last_error = str(error) or type(error).__name__
                if not failures:
                    log.warning("points wait: %s", self._last_error)
                wait_ms = BACKOFF_MS[min(failures, len(BACKOFF_MS) - 1)]
                failures += 1
                await self._clock.sleep_until(self._clock.now() + wait_ms)
            else:
                if failures:
                    self._last_error = ""
                return result


async def _first_of(*waits: Awaitable[object]) -> None:
    """Return when one of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
