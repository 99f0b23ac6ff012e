"""Which page to hand to which transport now, and what to do with what came of it. Pure: time is an argument.

Highest priority first, then fair across courses: the course that was served least is next. A page is tried until it is accepted,
refused for good, or pointless; retries never delay another page. A test page comes behind everything else, and leaves room. How
many are in hand is limited by the open incidents and their people; a look costs what moves, never what waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core.turns import Item, Sending, Stage, Timers, Turns
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Outcome, WhyPaged

RETRY_MS = (1 * SECOND_MS, 5 * SECOND_MS, 15 * SECOND_MS)
RETRY_LATER_MS = 30 * SECOND_MS
ANSWER_KEPT_MS = 60 * MINUTE_MS  # an answer that could not be sent for so long answers nothing any more
TEST_KEPT_MS = 10 * MINUTE_MS  # a test page that could not be sent for so long has said what it was asked
ROOM_KEPT = 12  # a test page leaves so many places of its transport free: those that hang keep no real page waiting
RECHECK_MS = 5 * SECOND_MS  # a page that waits for an alert to fire again is looked at this often


@dataclass(frozen=True, slots=True)
class Decided:
    """What `due` found: items to send now, items that have become pointless, items whose receipt never came."""

    send: tuple[Sending, ...]
    withdrawn: tuple[Sending, ...]
    unreceipted: tuple[Sending, ...]


class Outbox:
    """Everything that is on its way to people."""

    def __init__(self, receipt_deadlines_ms: Mapping[str, int] | None = None) -> None:
        """`receipt_deadlines_ms`: transports that promise a receipt, and within what time."""
        self._items: dict[str, Sending] = {}
        self._timers = Timers()
        self._turns = Turns()
        self._count = 0
        self.receipt_deadlines_ms = dict(receipt_deadlines_ms or {})

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> tuple[Sending, ...]:
        """Everything in hand."""
        return tuple(self._items.values())

    def get(self, key: str) -> Sending | None:
        """The item of that key, if it is in hand."""
        return self._items.get(key)

    def plan(self, item: Item, at: Instant, *, attempts: int = 0) -> None:
        """Take an item in, to be sent as soon as a place is free. Known keys are left as they are."""
        self._take_in(Sending(item, attempts, at))

    def await_receipt(self, item: Item, at: Instant, *, attempts: int) -> None:
        """Take an accepted item in whose receipt was still open when the process ended."""
        deadline_ms = self.receipt_deadlines_ms.get(item.transport, 0)
        self._take_in(Sending(item, attempts, at + deadline_ms, Stage.AWAITING_RECEIPT))

    def due(self, at: Instant, room: Mapping[str, int], wanted: Callable[[Page], bool | None], *, elsewhere: int = 0) -> Decided:
        """What is to be done at `at`. What is to be sent is SENDING now.

        `room` is how many sends each transport may begin, `elsewhere` how many those may that it does not name. `wanted` is asked
        for what would be sent now and for nothing else: what waits for room is looked at when there is some.
        """
        unreceipted = []
        while (sending := self._timers.pop(at)) is not None:
            if sending.stage is Stage.AWAITING_RECEIPT:
                unreceipted.append(self._drop(sending))
            else:
                self._turns.add(sending)
        self._turns.count_owners()
        send: list[Sending] = []
        withdrawn: list[Sending] = []
        left = dict(room)
        while (sending := self._turns.next(left, elsewhere)) is not None:
            item = sending.item
            verdict = _verdict(item, at, wanted, left.get(item.transport, elsewhere))
            if verdict is None:
                self._wait(sending, at + RECHECK_MS)
            elif verdict:
                left[item.transport] = left.get(item.transport, elsewhere) - 1
                send.append(self._begin(sending))
            else:
                withdrawn.append(self._drop(sending))
        return Decided(tuple(send), tuple(withdrawn), tuple(unreceipted))

    def settle(self, key: str, outcome: Outcome, at: Instant) -> Stage | None:
        """Note what became of an attempt; returns where the item is now, None when it is done (or was not ours).

        A provider that accepts once more, on its way to deliver, gets no more time for its receipt.
        """
        sending = self._items.get(key)
        if sending is None:
            return None
        deadline_ms = self.receipt_deadlines_ms.get(sending.item.transport)
        if outcome in (Outcome.TEMPORARY, Outcome.UNKNOWN):
            sending.stage = Stage.WAITING
            self._wait(sending, at + _retry_ms(sending.attempts))
        elif outcome is Outcome.ACCEPTED and deadline_ms is not None:
            if sending.stage is not Stage.AWAITING_RECEIPT:
                sending.stage = Stage.AWAITING_RECEIPT
                self._wait(sending, at + deadline_ms)
        else:
            self._drop(sending)
            return None
        return sending.stage

    def next_due(self) -> Instant | None:
        """When `due` will next have something; attempts that are under way do not count. Past: something waits for room."""
        dues = (self.next_timer(), self._turns.waits_since())
        return min((due_at for due_at in dues if due_at is not None), default=None)

    def next_timer(self) -> Instant | None:
        """As `next_due`, without what has been found due already and waits for room."""
        return self._timers.next_due()

    def waiting(self, transport: str) -> int:
        """How many items of this transport wait for an attempt."""
        return sum(s.item.transport == transport and s.stage is Stage.WAITING for s in self._items.values())

    def _take_in(self, sending: Sending) -> None:
        key = sending.item.key
        if key not in self._items:
            self._items[key] = sending
            self._turns.begin(sending.item)
            self._wait(sending, sending.due_at)

    def _wait(self, sending: Sending, until_at: Instant) -> None:
        sending.due_at, sending.number = until_at, self._next_number()
        self._timers.add(sending, self._items.values(), len(self._items))

    def _begin(self, sending: Sending) -> Sending:
        self._turns.note_served(sending.item)
        sending.attempts += 1
        sending.stage, sending.number = Stage.SENDING, self._next_number()
        return sending

    def _drop(self, sending: Sending) -> Sending:
        sending.number = self._next_number()
        self._turns.end(sending.item)
        return self._items.pop(sending.item.key)

    def _next_number(self) -> int:
        self._count += 1
        return self._count


def _verdict(item: Item, at: Instant, wanted: Callable[[Page], bool | None], room: int) -> bool | None:
    """Whether to send it now: True, None (look again later), False (pointless)."""
    if not isinstance(item, Page):
        return at - item.decided_at <= ANSWER_KEPT_MS
    if item.why is not WhyPaged.TEST:
        return wanted(item)
    if at - item.decided_at > TEST_KEPT_MS:
        return False
    return wanted(item) if room > ROOM_KEPT else None


def _retry_ms(attempts: int) -> int:
    return RETRY_MS[attempts - 1] if 0 < attempts <= len(RETRY_MS) else RETRY_LATER_MS
