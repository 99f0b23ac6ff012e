"""The spine: append → acknowledge → step, one record after the other, in journal order.

Two tasks share the work. `ingest` takes messages from the source, makes them durable, acknowledges them. `judge` folds records
into the monitor, makes the effects durable together with the cursor, and only then does them. When the journal cannot store,
nothing is acknowledged: the broker keeps it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from gateway.core.events import Event
from gateway.core.turns import Item
from gateway.domain.effects import Answer, CommandResult, Effect, Heeded, Page
from gateway.domain.instants import Instant
from gateway.domain.sentences import sentence
from gateway.runtime.effects import heeded_body, row_of
from gateway.runtime.fold import Fold
from gateway.runtime.listener import Listener
from gateway.runtime.ports import (
    Clock,
    Dropped,
    EffectKind,
    Entry,
    Incoming,
    Journal,
    JournalFull,
    OutboxRow,
    Record,
    Session,
    Source,
)
from gateway.runtime.records import clock_entry, dropped_entry, message_entry
from gateway.runtime.snapshots import Snapshotter

JUDGED_AT_ONCE = 250  # records folded before their effects are made durable: about 20 ms of work
QUEUE_MAX = 20_000  # durable records that wait to be judged; full: stop taking, the broker keeps the rest
CURSOR_EVERY_RECORDS = 2_000
CURSOR = "monitor"
RETRY_MS = 1_000
OWED_MAX = 100_000  # effects that wait for the journal to take them; more: judging waits, and then the broker keeps the rest
NOT_JUDGED = sentence("the gateway could not carry this out; its findings say why")

_log = logging.getLogger(__name__)


class Pipeline:
    """Runs the monitor on the journal. `keeps_points`: whether a store wants our judgement points."""

    def __init__(  # noqa: PLR0913  the composition root names them
        self,
        *,
        journal: Journal,
        source: Source,
        clock: Clock,
        fold: Fold,
        keeps_points: bool,
        send: Callable[[Item, int], None],
        as_sent: Callable[[Sequence[OutboxRow]], list[OutboxRow]],
        on_judged: Callable[[Record, Event], None],
        on_effects: Callable[[Sequence[Effect]], None],
        on_full: Callable[[str | None], None],
    ) -> None:
        self._journal, self._source, self._clock, self._fold = journal, source, clock, fold
        self._keeps_points = keeps_points
        self._send, self._as_sent = send, as_sent
        self._on_judged, self._on_effects, self._on_full = on_judged, on_effects, on_full
        self._snapshots = Snapshotter(journal, fold.monitor.state)
        self._arrived: dict[int, list[Record]] = {}
        self._queue: deque[Record] = deque()
        self._next_seq = 1
        self._judged_seq = 0
        self._cursor = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._results: dict[int, asyncio.Future[CommandResult]] = {}
        self._owed: list[OutboxRow] = []
        self._refused: dict[str, str] = {}
        self._ticked_at = 0
        self.on_stored: Callable[[Sequence[Entry]], None] | None = None

    # ---- for others ------------------------------------------------------------------------------------------------

    @property
    def lag(self) -> int:
        """Durable records that wait to be judged."""
        return len(self._queue)

    @property
    def judged_seq(self) -> int:
        """The newest record that was judged."""
        return self._judged_seq

    @property
    def snapshot_seq(self) -> int:
        """The record of the newest complete snapshot: a restart needs what comes after it."""
        return self._snapshots.as_of

    @property
    def full(self) -> str | None:
        """Why the journal does not store, or None."""
        return next(iter(self._refused.values()), None)

    def resume(self, *, judged: int, cursor: int, snapshot: int, stale: Sequence[str] = ()) -> None:
        """Everything up to record `judged` was folded before this start; the next record has the number after it."""
        self._judged_seq, self._next_seq, self._cursor = judged, judged + 1, cursor
        self._snapshots.resume(snapshot, stale)

    async def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable and hand them to `judge`; returns the seq of the first. Raises `JournalFull`.

        A caller that is cancelled meanwhile leaves them behind: they may be durable, and the records after them wait for them.
        """
        return await asyncio.shield(self._append(entries, None))

    async def command(self, entry: Entry) -> CommandResult:
        """Append a command and wait for what becomes of it. Raises `JournalFull`."""
        result: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._append([entry], result))
        return await result

    async def _append(self, entries: Sequence[Entry], result: asyncio.Future[CommandResult] | None) -> int:
        try:
            first = await self._journal.append(entries)
        except JournalFull as full:
            self._note_full("append", str(full))
            raise
        self._note_full("append", None)
        if self.on_stored is not None:
            self.on_stored(entries)
        if result is not None:
            self._results[first] = result
        self._arrived[first] = [
            Record(first + index, e.received_at, e.kind, e.site, e.device, e.topic, e.body) for index, e in enumerate(entries)
        ]
        while (records := self._arrived.pop(self._next_seq, None)) is not None:
            self._queue.extend(records)
            self._next_seq += len(records)
        if len(self._queue) >= QUEUE_MAX:
            self._room.clear()
        self._wake.set()
        return first

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Append entries that must not be lost, however long it takes."""
        while True:
            try:
                await self.append(entries)
            except JournalFull:
                await self._clock.sleep_until(self._clock.now() + RETRY_MS)
            else:
                return

    # ---- ingest ----------------------------------------------------------------------------------------------------

    async def ingest(self, listener: Listener) -> None:
        """Listener → journal → acknowledgement, until cancelled."""
        while True:
            await self._room.wait()
            await self._take_in(listener, await listener.take())

    async def _take_in(self, listener: Listener, items: list[Incoming | Session | Dropped]) -> None:
        now = self._clock.now()
        messages: list[Incoming] = []
        entries: list[Entry] = []
        for item in items:
            if isinstance(item, Incoming):
                messages.append(item)
                entries.append(message_entry(item.topic, item.payload, now, retained=item.retained))
            elif isinstance(item, Session):
                entries.append(clock_entry(now, item.value))
            else:
                entries.append(dropped_entry(now, item.total))
        if entries:
            await self.keep(entries)
        listener.acknowledge(messages)

    def note_hung(self, reason: str | None) -> None:
        """The disk does not answer; None: it does again."""
        self._note_full("disk", reason)

    def _note_full(self, work: str, reason: str | None) -> None:
        """What kind of work the journal refuses and why, or that it takes it again."""
        before = self.full
        if reason is None:
            self._refused.pop(work, None)
        else:
            self._refused[work] = reason
        if (now := self.full) != before:
            _log.error("the journal stores nothing: %s", now) if now else _log.warning("the journal stores again")
            self._on_full(now)

    # ---- judge -----------------------------------------------------------------------------------------------------

    async def judge(self) -> None:
        """Journal → monitor → durable effects → their doing, until cancelled."""
        while True:
            if not self._queue:
                await self._wait()
            await self._judge_some()
            while len(self._owed) > OWED_MAX:
                await self._clock.sleep_until(self._clock.now() + RETRY_MS)
                await self._commit([])
            if not self._owed and self._snapshots.is_due(self._judged_seq):
                self._snapshots.begin(self._judged_seq)  # never beyond effects that a restart would still have to decide again
            await self._save_some()
            await asyncio.sleep(0)

    async def _judge_some(self) -> None:
        done: list[Effect] = []
        rows: list[OutboxRow] = []
        for _ in range(min(JUDGED_AT_ONCE, len(self._queue))):
            record = self._queue.popleft()
            event = self._fold.read(record)
            effects = self._fold.judge(event, record.received_at)
            for number, effect in enumerate(effects):
                row = row_of(effect, record.seq, number)
                if row is not None and (self._keeps_points or row.kind is not EffectKind.POINT):
                    rows.append(row)
            done += effects
            if record.seq in self._results and not any(isinstance(effect, CommandResult) for effect in effects):
                done.append(CommandResult(record.seq, ok=False, message=str(NOT_JUDGED), said=NOT_JUDGED))
            self._judged_seq = record.seq
            self._on_judged(record, event)
        if len(self._queue) < QUEUE_MAX // 2:
            self._room.set()
        if rows or self._owed or self._judged_seq - self._cursor >= CURSOR_EVERY_RECORDS:
            await self._commit(rows)
        self._do(done)

    async def _commit(self, rows: list[OutboxRow]) -> None:
        """Make effects durable, with those owed from before. With a full disk pages go out all the same, and these are owed.

        The cursor stays before effects that are owed: after a restart they are decided again.
        """
        try:
            await self._journal.commit(CURSOR, self._judged_seq, [*self._as_sent(self._owed), *rows])
        except JournalFull as full:
            self._note_full("commit", str(full))
            self._owed += rows
        else:
            self._note_full("commit", None)
            self._cursor, self._owed = self._judged_seq, []

    async def _save_some(self) -> None:
        try:
            await self._snapshots.work()
        except JournalFull as full:
            _log.warning("the snapshot waits: %s", full)

    def _do(self, effects: list[Effect]) -> None:
        now = self._clock.now()
        for effect in effects:
            if isinstance(effect, Page | Answer):
                self._send(effect, now)
            elif isinstance(effect, Heeded):
                self._source.tell(f"dwack/{effect.site}/{effect.device}", heeded_body(effect))
            elif isinstance(effect, CommandResult):
                future = self._results.pop(effect.seq, None)
                if future is not None and not future.done():
                    future.set_result(effect)
        if any(not isinstance(effect, Heeded) for effect in effects):
            self._on_effects(effects)

    async def _wait(self) -> None:
        """Until a record arrives; when a deadline passes first, append the `clock` record that makes it happen."""
        self._wake.clear()
        due_at = self._next_tick_at()
        waker = asyncio.create_task(self._wake.wait())
        waits: set[asyncio.Task[object]] = {waker}
        if due_at is not None:
            waits.add(asyncio.create_task(self._clock.sleep_until(due_at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        if due_at is not None and not self._queue and self._clock.now() >= due_at:
            await self._tick()

    def _next_tick_at(self) -> Instant | None:
        """The next deadline. A second after the last try where that one helped nothing, or while the journal takes nothing."""
        due_at = self._fold.monitor.next_deadline()
        if self._refused or (due_at is not None and due_at <= self._ticked_at):
            return self._ticked_at + RETRY_MS
        return due_at

    async def _tick(self) -> None:
        self._ticked_at = self._clock.now()
        try:
            await self.append([clock_entry(self._ticked_at)])
        except JournalFull:
            _log.debug("no clock record: the next try is in %d ms", RETRY_MS)  # `append` has told why
