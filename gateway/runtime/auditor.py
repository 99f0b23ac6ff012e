"""Looks whether what was due has happened: at the state and at the outbox table themselves, never at the timers that serve them.

What is overdue by a minute is repaired and told. A disk that does not answer, and what a repair does not mend, are trouble: the
gateway is not ready then, and the fallback people are paged by the path that needs none of this.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from gateway.core import overdue
from gateway.core.overdue import Overdue
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.runtime.dispatcher import Dispatcher
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Clock, EffectKind, Journal, JournalFull, OutboxRow, SendState
from rules.durations import say_ms

EVERY_MS = 15 * SECOND_MS
OVERDUE_MS = 60 * SECOND_MS
STILL_AUDITS = 2 * OVERDUE_MS // EVERY_MS  # so often none of the records that wait was judged: what is overdue had its repair
HUNG_MS = 30 * SECOND_MS  # a commit takes milliseconds; a disk that takes this long for one stores nothing
SUBJECTS_AT_ONCE = 200  # about 2 ms; then pages and messages have their turn
ROWS_MAX = 5_000  # the oldest unfinished outbox rows of a kind that are looked at; the others come when these are done
FINDINGS_MAX = 20
SHOWN_MS = DAY_MS
CURSOR = "auditor"  # its moves are the writes that prove the disk

_UNFINISHED = (SendState.PLANNED, SendState.SENDING, SendState.AWAITING_RECEIPT)
_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


class Auditor:
    """`progress` tells (newest judged record, records that wait); `tick` journals that time has passed.

    `on_hung` hears that the disk does not answer, `on_standstill` that a repair did not help; both hear None when it is over.
    `alive` is called at each audit after which a new start of the process would be no help.
    """

    def __init__(  # noqa: PLR0913  the gateway names them
        self,
        *,
        journal: Journal,
        clock: Clock,
        fold: Fold,
        dispatcher: Dispatcher,
        progress: Callable[[], tuple[int, int]],
        tick: Callable[[], Awaitable[object]],
        on_hung: Callable[[str | None], None],
        on_standstill: Callable[[str | None], None],
        alive: Callable[[], None],
    ) -> None:
        self._journal, self._clock, self._fold, self._dispatcher = journal, clock, fold, dispatcher
        self._progress, self._tick = progress, tick
        self._on_hung, self._on_standstill, self._alive = on_hung, on_standstill, alive
        self._writing: asyncio.Task[None] | None = None
        self._judged_before = -1
        self._still = 0  # audits, one after the other, between which nothing that waits was judged
        self._refused = False  # the disk answers, but takes nothing
        self._repaired: Overdue | None = None
        self._unstuck: set[str] = set()
        self._findings: deque[tuple[Instant, str]] = deque(maxlen=FINDINGS_MAX)
        self.trouble: str | None = None

    async def run(self) -> None:
        """Audit until cancelled."""
        try:
            while True:
                await self._clock.sleep_until(self._clock.now() + EVERY_MS)
                await self.audit()
        finally:
            if self._writing is not None:
                self._writing.cancel()

    def findings(self) -> list[str]:
        """What was found in the last 24 hours, the newest last."""
        now = self._clock.now()
        return [text for at, text in self._findings if now - at < SHOWN_MS]

    async def audit(self) -> None:
        """Look once at everything."""
        if not await self._disk_answers():
            self._alive()  # a new start would not mend the disk, and would end the one way by which people are told
            return  # nothing that was found could be mended, and the people are told
        found = [await self._escalations(), await self._outbox()]
        self._set_trouble(next((text for text in found if text), None))
        if self.trouble is None or self._refused:  # a new start would make no room on the disk either
            self._alive()

    # ---- the disk --------------------------------------------------------------------------------------------------

    async def _disk_answers(self) -> bool:
        """Whether a small durable write comes back in time. One that does not is waited for, also over the next audits."""
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await self._patiently(self._writing)
        if not self._writing.done():
            self._on_hung(f"the disk has not answered for {say_ms(HUNG_MS)}")
            return False
        self._writing = None
        self._on_hung(None)
        return True

    async def _write(self) -> None:
        try:
            await self._journal.commit(CURSOR, self._progress()[0])
            self._refused = False
        except JournalFull as full:
            self._refused = True
            _log.debug("the disk answers, with a refusal: %s", full)  # whoever needs it has told people

    async def _patiently(self, task: asyncio.Task[_Answer]) -> None:
        """Wait for the task, but not longer than a disk may take."""
        patience = asyncio.create_task(self._clock.sleep_until(self._clock.now() + HUNG_MS))
        try:
            await asyncio.wait({task, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()

    async def _read(self, reading: Coroutine[object, object, list[OutboxRow]]) -> list[OutboxRow]:
        """What a reading gives; nothing, and a finding, where the disk does not answer it."""
        task = asyncio.create_task(reading)
        await self._patiently(task)
        if task.done():
            return task.result()
        task.cancel()
        self._note(f"the journal could not be read within {say_ms(HUNG_MS)}")
        return []

    # ---- escalations -----------------------------------------------------------------------------------------------

    async def _escalations(self) -> str | None:
        """Steps, attempts, leases, milestones and all else that time alone should have done; returns trouble in words."""
        late = await self._late()
        judged, waiting = self._progress()
        moves, self._judged_before = judged > self._judged_before, judged
        self._still = self._still + 1 if waiting and not moves and not self._refused else 0
        if late is None:
            self._repaired = None
            return self._standing_still(waiting)
        lateness = say_ms(self._clock.now() - late.due_at)
        if waiting and moves:  # it comes when its turn comes: the records before it are judged first
            self._note(f"judging is {lateness} behind: {waiting} records wait")
            return None
        if self._repaired == late:
            return f"{late.subject} ({late.what}) is overdue by {lateness}, and setting its timer anew did not help"
        self._repaired = late
        self._note(f"{late.subject} ({late.what}) was overdue by {lateness}: all timers were set anew")
        self._fold.replan()
        await self._pass_time()
        return self._standing_still(waiting)

    def _standing_still(self, waiting: int) -> str | None:
        """In a quiet ward nothing is due for minutes, and an alarm that waits to be judged is known to nobody."""
        if self._still < STILL_AUDITS:
            return None
        return f"{waiting} records wait, and none has been judged for {say_ms(self._still * EVERY_MS)}"

    async def _late(self) -> Overdue | None:
        """What is overdue the longest."""
        state = self._fold.monitor.state
        found: list[Overdue] = []
        before = self._clock.now() - OVERDUE_MS
        for number, name in enumerate(list(state.subjects()), 1):
            late = overdue.find(state, name, before)
            if late is not None:
                found.append(late)
            if number % SUBJECTS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return min(found, key=lambda one: one.due_at, default=None)

    async def _pass_time(self) -> None:
        ticking = asyncio.ensure_future(self._tick())
        await self._patiently(asyncio.create_task(_settled(ticking)))

    # ---- outbox ----------------------------------------------------------------------------------------------------

    async def _outbox(self) -> str | None:
        """Pages and answers on their way; returns trouble in words."""
        await self._dispatcher.marks.write_owed()
        await self._put_back_lost()
        stuck = self._dispatcher.stuck(self._clock.now() - OVERDUE_MS)
        again = [sending.item.key for sending in stuck if sending.item.key in self._unstuck]
        self._unstuck = {sending.item.key for sending in stuck}
        for sending in stuck:
            self._note(f"{sending.item.key} stood still in the outbox: it was set going again")
            self._dispatcher.unstick(sending)
        return (
            f"{len(again)} pages stand still in the outbox ({again[0]} …), and setting them going did not help" if again else None
        )

    async def _put_back_lost(self) -> None:
        """Rows that the table calls unfinished and nobody has in hand."""
        in_hand, before = self._dispatcher.keys(), self._clock.now() - OVERDUE_MS
        for kind in (EffectKind.PAGE, EffectKind.ANSWER):
            rows = await self._read(self._journal.outbox(kind, _UNFINISHED, ROWS_MAX))
            in_hand |= self._dispatcher.keys()  # what was finished while we read, and what was begun
            for row in rows:
                if row.planned_at < before and row.key not in in_hand:
                    self._put_back(row)

    def _put_back(self, row: OutboxRow) -> None:
        lateness = say_ms(self._clock.now() - row.planned_at)
        try:
            self._dispatcher.put_back(row)
        except ValueError as wrong:
            self._note(f"{row.key} has been lost from the outbox for {lateness} and cannot be read: {wrong}")
        else:
            self._note(f"{row.key} was lost from the outbox for {lateness}: it was put back")

    # ---- telling ---------------------------------------------------------------------------------------------------

    def _note(self, text: str) -> None:
        if not any(known == text for _, known in self._findings):
            _log.error("audit: %s", text)
            self._findings.append((self._clock.now(), text))

    def _set_trouble(self, text: str | None) -> None:
        if text is not None and self.trouble is None:
            _log.critical("audit: %s", text)
        if text != self.trouble:
            self._on_standstill(text)
        self.trouble = text


async def _settled(work: asyncio.Future[object]) -> None:
    """The work is done, or was refused by a full disk: of that people have been told."""
    try:
        await work
    except JournalFull as full:
        _log.debug("no time could be journalled: %s", full)
