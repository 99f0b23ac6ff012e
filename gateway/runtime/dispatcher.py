"""Hands pages to transports: many at once, each channel with its own room, none waiting for another.

The order of things a page goes through: planned (durable, by the pipeline) → marked as being sent → handed over → its outcome
journalled. A crash in between leaves it to be sent again under the same key: twice perhaps, never not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from gateway.core.outbox import Item, Outbox, Sending, Stage
from gateway.domain.effects import Page
from gateway.domain.instants import Instant
from gateway.domain.words import Outcome, Priority
from gateway.runtime.effects import item_of
from gateway.runtime.ports import (
    Accepted,
    Clock,
    EffectKind,
    Entry,
    Journal,
    JournalFull,
    Message,
    Rejected,
    Sends,
    SendState,
    Transport,
)
from gateway.runtime.records import outcome_entry

SENDS_AT_ONCE = 16  # a transport; more wait, the most urgent first
SEND_DEADLINE_S = 20.0  # beyond every transport's own deadline
RESTORED_MAX = 100_000

_log = logging.getLogger(__name__)

Report = Callable[[Entry], Awaitable[object]]


class Dispatcher:
    """Owns the outbox of this run. `report` journals an outcome; `wanted` asks whether a page is still to be sent."""

    def __init__(
        self, transports: Mapping[str, Transport], outbox: Outbox, wanted: Sends, clock: Clock, journal: Journal
    ) -> None:
        self._transports, self._outbox, self._wanted = transports, outbox, wanted
        self._clock, self._journal = clock, journal
        self._in_flight: dict[str, int] = dict.fromkeys(transports, 0)
        self._accepted: dict[tuple[str, str], str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self.report: Report = _nowhere

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

    async def restore(self) -> None:
        """Pick up what an earlier run left: what was being sent is sent again, under the same key."""
        at = self._clock.now()
        for kind in (EffectKind.PAGE, EffectKind.ANSWER):
            states = (SendState.PLANNED, SendState.SENDING, SendState.AWAITING_RECEIPT)
            for row in await self._journal.outbox(kind, states, RESTORED_MAX):
                if row.state is SendState.AWAITING_RECEIPT:
                    self._outbox.await_receipt(item_of(row), at, attempts=row.attempts)
                else:
                    self._outbox.plan(item_of(row), at, attempts=row.attempts)
        self._wake.set()

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
        unknown = {s.item.transport: SENDS_AT_ONCE for s in self._outbox.items() if s.item.transport not in room}
        decided = self._outbox.due(now, room | unknown, self._wanted.wanted)
        for sending in decided.send:
            self._spawn(self._send(sending))
        for sending in decided.withdrawn:
            self._spawn(self._close(sending, Outcome.WITHDRAWN, ""))
        for sending in decided.unreceipted:
            self._spawn(self._close(sending, Outcome.NO_RECEIPT, "no receipt within its deadline"))

    async def _sleep(self) -> None:
        """Until woken, or the next item is due. A channel without room wakes us when a send ends."""
        due_at = self._outbox.next_due()
        waker = asyncio.create_task(self._wake.wait())
        waits: set[asyncio.Task[object]] = {waker}
        if due_at is not None and due_at > self._clock.now():
            waits.add(asyncio.create_task(self._clock.sleep_until(due_at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _send(self, sending: Sending) -> None:
        item = sending.item
        self._in_flight[item.transport] = self._in_flight.get(item.transport, 0) + 1
        try:
            await self._mark(item.key, SendState.SENDING, sending.attempts)
            outcome, reason, provider_id = await self._hand_over(item)
        finally:
            self._in_flight[item.transport] -= 1
        stage = self._outbox.settle(item.key, outcome, self._clock.now())
        if stage is Stage.AWAITING_RECEIPT:
            self._accepted[item.transport, provider_id] = item.key
        await self._note(sending, outcome, reason, provider_id)
        await self._mark(item.key, _STATES[stage], sending.attempts)
        self._wake.set()

    async def _hand_over(self, item: Item) -> tuple[Outcome, str, str]:
        transport = self._transports.get(item.transport)
        if transport is None:
            return Outcome.REJECTED, f"the ward has no transport {item.transport!r} any more", ""
        urgent = isinstance(item, Page) and item.priority is Priority.HIGH
        message = Message(item.key, item.address, item.text, item.text.split("\n", 1)[0], urgent)
        try:
            result = await asyncio.wait_for(transport.send(message), SEND_DEADLINE_S)
        except TimeoutError:
            return Outcome.UNKNOWN, f"no answer within {SEND_DEADLINE_S:g} s", ""
        except Exception as error:  # noqa: BLE001  a transport's bug must not cost the page: it is tried again, and said
            _log.exception("transport %s failed in a way it should not", item.transport)
            return Outcome.TEMPORARY, f"internal error in the transport: {type(error).__name__}", ""
        if isinstance(result, Accepted):
            return Outcome.ACCEPTED, "", result.provider_id
        if isinstance(result, Rejected):
            return (Outcome.TEMPORARY if result.temporary else Outcome.REJECTED), result.reason, ""
        return Outcome.UNKNOWN, result.reason, ""

    async def _close(self, sending: Sending, outcome: Outcome, reason: str) -> None:
        await self._note(sending, outcome, reason, "")
        await self._mark(sending.item.key, SendState.DONE, sending.attempts)

    async def _listen(self, name: str, transport: Transport) -> None:
        async for receipt in transport.receipts():
            key = self._accepted.pop((name, receipt.provider_id), None)
            if key is None:
                continue
            sending = next((s for s in self._outbox.items() if s.item.key == key), None)
            if sending is not None:
                self._outbox.settle(key, receipt.outcome, self._clock.now())
                self._spawn(self._close(sending, receipt.outcome, ""))

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
        await self.report(entry)

    async def _mark(self, key: str, state: SendState, attempts: int) -> None:
        try:
            await self._journal.mark(key, state, attempts)
        except JournalFull as full:
            _log.warning("page %s goes on without its mark: %s", key, full)  # a full disk must not silence a page

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[None]) -> None:
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


async def _nowhere(_entry: Entry) -> None:
    raise AssertionError("the dispatcher was started before it was told where to report")
