"""Hands pages to transports: many at once, each channel with its own room, none waiting for another.

The order of things a page goes through: planned (durable, by the pipeline) → marked as being sent → handed over → its outcome
journalled. A crash in between leaves it to be sent again under the same key: twice perhaps, never not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace

from gateway.core.outbox import Outbox
from gateway.core.turns import Item, Sending, Stage
from gateway.domain.effects import Page
from gateway.domain.instants import Instant
from gateway.domain.words import Outcome, Priority
from gateway.runtime.effects import item_of
from gateway.runtime.marks import Marks, outcome_of
from gateway.runtime.ports import (
    Clock,
    EffectKind,
    Entry,
    Journal,
    JournalFull,
    Message,
    OutboxRow,
    Receipt,
    Record,
    Sends,
    SendState,
    Transport,
)
from gateway.runtime.receipts import OUTCOME_KINDS, OUTCOMES_READ, Receipts
from gateway.runtime.records import outcome_entry

SENDS_AT_ONCE = 16  # a transport; more wait, the most urgent first
SEND_DEADLINE_S = 20.0  # beyond every transport's own deadline
RESTORED_MAX = 100_000
RETRY_MS = 1_000  # a journal that is full, or a transport whose receipts ended in an error, is tried again so soon

_log = logging.getLogger(__name__)

Report = Callable[[Sequence[Entry]], Awaitable[object]]


class Dispatcher:
    """Owns the outbox of this run. `report` journals outcomes; `wanted` asks whether a page is still to be sent."""

    def __init__(
        self, transports: Mapping[str, Transport], outbox: Outbox, wanted: Sends, clock: Clock, journal: Journal
    ) -> None:
        self._transports, self._outbox, self._wanted = transports, outbox, wanted
        self._clock, self._journal = clock, journal
        self._in_flight: dict[str, int] = dict.fromkeys(transports, 0)
        self._receipts = Receipts()
        self._tasks: set[asyncio.Task[None]] = set()  # each named after the key that it works on
        self.marks = Marks(journal)
        self._wake = asyncio.Event()
        self.report: Report = _nowhere
        self.on_handing_over: Callable[[Item], None] | None = None
        self.text_of: Callable[[Item], str] = _as_it_is

    def plan(self, item: Item, at: Instant) -> None:
        """A page or answer is durable: send it."""
        self._outbox.plan(item, at)
        self._wake.set()

    def nudge(self) -> None:
        """Something changed that may make a waiting page due."""
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many pages and answers are in hand."""
        return len(self._outbox)

    def keys(self) -> set[str]:
        """Keys of all that is in hand, or not yet written down as done."""
        in_work = {task.get_name() for task in self._tasks}
        return {sending.item.key for sending in self._outbox.items()} | in_work | self.marks.owed.keys()

    def stuck(self, before: Instant) -> list[Sending]:
        """What should have moved before `before`: sends whose task has died, and what has room and is not begun."""
        under_way = {task.get_name() for task in self._tasks}
        return [
            sending
            for sending in self._outbox.items()
            if sending.due_at < before
            and sending.item.key not in under_way
            and (sending.stage is not Stage.WAITING or self._in_flight.get(sending.item.transport, 0) < SENDS_AT_ONCE)
        ]

    def unstick(self, sending: Sending) -> None:
        """Let it go on: nobody knows what became of a send whose task has died, so it is tried again."""
        if sending.stage is Stage.SENDING:
            self._outbox.settle(sending.item.key, Outcome.UNKNOWN, self._clock.now())
        self._wake.set()

    def as_sent(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Rows that could not be made durable before they were sent, as they stand by now."""
        caught_up = []
        for row in rows:
            sending = self._outbox.get(row.key)
            if sending is not None:
                row = replace(row, state=_STATES[sending.stage], attempts=sending.attempts)  # noqa: PLW2901
            elif row.kind is not EffectKind.POINT:
                row = replace(row, state=SendState.DONE)  # noqa: PLW2901
            caught_up.append(row)
        return caught_up

    async def restore(self) -> None:
        """Pick up what an earlier run left: what was being sent is sent again, under the same key."""
        accepted: dict[str, str] = {}
        for kind in (EffectKind.PAGE, EffectKind.ANSWER):
            states = (SendState.PLANNED, SendState.SENDING, SendState.AWAITING_RECEIPT)
            for row in await self._journal.outbox(kind, states, RESTORED_MAX):
                item = self.put_back(row)
                if row.state is SendState.AWAITING_RECEIPT:
                    accepted[item.key] = item.transport
                elif row.state is SendState.SENDING:
                    sending = Sending(item, row.attempts, self._clock.now())
                    await self._note(sending, Outcome.UNKNOWN, "the gateway ended while this was being sent", "")
        if accepted:
            await self._recall(accepted)

    def put_back(self, row: OutboxRow) -> Item:
        """Take an outbox row in hand (again) as it stands in the journal."""
        item, at = item_of(row), self._clock.now()
        if row.state is SendState.AWAITING_RECEIPT:
            self._outbox.await_receipt(item, at, attempts=row.attempts)
        else:
            self._outbox.plan(item, at, attempts=row.attempts)
        self._wake.set()
        return item

    async def _recall(self, transports: Mapping[str, str]) -> None:
        """Learn again under which provider's id each page was accepted, so that its receipt is known when it comes."""
        last_seq = await self._journal.last_seq()
        outcomes = await self._journal.read_kinds(OUTCOME_KINDS, max(0, last_seq - OUTCOMES_READ), last_seq)
        self._receipts.recall(transports, [record for record in outcomes if isinstance(record, Record)])

    async def run(self) -> None:
        """Send what is due until cancelled."""
        listeners = [asyncio.create_task(self._listen(name, transport)) for name, transport in self._transports.items()]
        try:
            while True:
                self._wake.clear()
                self._start_due()
                await self._sleep()
        finally:
            for task in (*listeners, *self._tasks):
                task.cancel()

    def _start_due(self) -> None:
        now = self._clock.now()
        room = {name: SENDS_AT_ONCE - count for name, count in self._in_flight.items()}
        decided = self._outbox.due(now, room, self._wanted.wanted, elsewhere=SENDS_AT_ONCE)
        for sending in decided.send:
            self._in_flight[sending.item.transport] = self._in_flight.get(sending.item.transport, 0) + 1
            self._spawn(sending.item.key, self._send(sending))
        for sending in decided.withdrawn:
            self._spawn(sending.item.key, self._close(sending, Outcome.WITHDRAWN, ""))
        for sending in decided.unreceipted:
            self._receipts.forget(sending.item.key)
            late = self._close(sending, Outcome.NO_RECEIPT, "no receipt within its deadline")
            self._spawn(sending.item.key, late)

    async def _sleep(self) -> None:
        """Until woken, or the next item is due. What is due already waits for room: a send that ends wakes us."""
        due_at = self._outbox.next_timer()
        waker = asyncio.create_task(self._wake.wait())
        waits: set[asyncio.Task[object]] = {waker}
        if due_at is not None:
            waits.add(asyncio.create_task(self._clock.sleep_until(due_at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _send(self, sending: Sending) -> None:
        item = sending.item
        try:
            await self.marks.write(item.key, SendState.SENDING, sending.attempts)
            outcome, reason, provider_id = await self._hand_over(item)
        finally:
            self._in_flight[item.transport] -= 1
        stage = self._outbox.settle(item.key, outcome, self._clock.now())
        if stage is Stage.AWAITING_RECEIPT:
            self._receipts.expect(item.transport, provider_id, item.key)
        self._wake.set()  # there is room again, whatever the journal says to the outcome
        await self._note(sending, outcome, reason, provider_id)
        await self._mark(sending)
        stray = self._receipts.stray(item.transport, provider_id, self._clock.now())
        if stray is not None and stage is Stage.AWAITING_RECEIPT:
            await self._receive(item.transport, stray)

    async def _hand_over(self, item: Item) -> tuple[Outcome, str, str]:
        transport = self._transports.get(item.transport)
        if transport is None:
            return Outcome.REJECTED, f"the ward has no transport {item.transport!r} any more", ""
        urgent = isinstance(item, Page) and item.priority is Priority.HIGH
        if self.on_handing_over is not None:
            self.on_handing_over(item)
        message = Message(item.key, item.address, self.text_of(item), item.text.split("\n", 1)[0], urgent)
        try:
            async with asyncio.timeout(SEND_DEADLINE_S):
                return outcome_of(await transport.send(message))
        except TimeoutError:
            return Outcome.UNKNOWN, f"no answer within {SEND_DEADLINE_S:g} s", ""
        except Exception as error:  # noqa: BLE001  a transport's bug must not cost the page: it is tried again, and said
            _log.exception("transport %s failed in a way it should not", item.transport)
            return Outcome.TEMPORARY, f"internal error in the transport: {type(error).__name__}", ""

    async def _close(self, sending: Sending, outcome: Outcome, reason: str) -> None:
        await self._note(sending, outcome, reason, "")
        await self.marks.write(sending.item.key, SendState.DONE, sending.attempts)

    async def _listen(self, name: str, transport: Transport) -> None:
        while True:
            try:
                async for receipt in transport.receipts():
                    self._spawn(self._receipts.key_of(name, receipt) or "", self._receive(name, receipt))
            except Exception:  # noqa: BLE001  as above: it must not cost the receipts of the next pages either
                _log.exception("the receipts of transport %s ended in a way they should not", name)
                await self._clock.sleep_until(self._clock.now() + RETRY_MS)
            else:
                return

    async def _receive(self, transport: str, receipt: Receipt) -> None:
        """A receipt may overtake the answer to its own send, or our writing that down: it waits for us then."""
        key = self._receipts.key_of(transport, receipt)
        sending = self._outbox.get(key) if key is not None else None
        if key is None:
            self._receipts.keep_stray(transport, receipt, self._clock.now())
        elif sending is not None:
            stage = self._outbox.settle(key, receipt.outcome, self._clock.now())
            if stage is not Stage.AWAITING_RECEIPT:
                self._receipts.forget(key)
            self._wake.set()
            await self._note(sending, receipt.outcome, "", receipt.provider_id)
            await self._mark(sending)

    async def _mark(self, sending: Sending) -> None:
        """Write down where it is now: a receipt, or the next attempt, may have overtaken what is being noted."""
        found = self._outbox.get(sending.item.key)
        await self.marks.write(sending.item.key, _STATES[found.stage if found is not None else None], sending.attempts)

    async def _note(self, sending: Sending, outcome: Outcome, reason: str, provider_id: str) -> None:
        if not isinstance(sending.item, Page):
            return
        entry = outcome_entry(
            sending.item.key,
            outcome,
            self._clock.now(),
            attempt=sending.attempts,
            reason=reason,
            provider_id=provider_id,
        )
        while True:
            try:
                await self.report([entry])
            except JournalFull:
                if outcome in _TRIED_AGAIN:
                    return  # a line of history: with a full disk it would be one more for each try, for hours
                await self._clock.sleep_until(self._clock.now() + RETRY_MS)
            else:
                return

    def _spawn(self, key: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=key)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("sending failed", exc_info=task.exception())
        self._wake.set()


_STATES: Mapping[Stage | None, SendState] = {
    None: SendState.DONE,
    Stage.WAITING: SendState.PLANNED,
    Stage.SENDING: SendState.SENDING,
    Stage.AWAITING_RECEIPT: SendState.AWAITING_RECEIPT,
}


_TRIED_AGAIN = frozenset({Outcome.TEMPORARY, Outcome.UNKNOWN})


def _as_it_is(item: Item) -> str:
    return item.text


async def _nowhere(_entries: Sequence[Entry]) -> None:
    raise AssertionError("the dispatcher was started before it was told where to report")
