"""Which page to hand to which transport now, and what to do with what came of it. Pure: time is an argument.

Highest priority first, then fair across courses: the course that was served least is next. A page is tried until it is accepted,
refused for good, or pointless; retries never delay another page.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush

from gateway.domain.effects import Answer, Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Outcome, Priority

RETRY_MS = (1 * SECOND_MS, 5 * SECOND_MS, 15 * SECOND_MS)
RETRY_LATER_MS = 30 * SECOND_MS
ANSWER_KEPT_MS = 60 * MINUTE_MS  # an answer that could not be sent for so long answers nothing any more
RECHECK_MS = 5 * SECOND_MS  # a page that waits for an alert to fire again is looked at this often

Item = Page | Answer


class Stage(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    SENDING = "sending"
    AWAITING_RECEIPT = "awaiting-receipt"


@dataclass(slots=True)
class Sending:
    """An item in hand. `due_at` is the next attempt, or the deadline of the receipt."""

    item: Item
    attempts: int
    due_at: Instant
    stage: Stage = Stage.WAITING


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
        self._served: dict[str, int] = {}
        self._turn = 0
        self.receipt_deadlines_ms = dict(receipt_deadlines_ms or {})

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> tuple[Sending, ...]:
        """Everything in hand."""
        return tuple(self._items.values())

    def plan(self, item: Item, at: Instant, *, attempts: int = 0) -> None:
        """Take an item in, to be sent as soon as a place is free. Known keys are left as they are."""
        self._items.setdefault(item.key, Sending(item, attempts, at))

    def await_receipt(self, item: Item, at: Instant, *, attempts: int) -> None:
        """Take an accepted item in whose receipt was still open when the process ended."""
        deadline_ms = self.receipt_deadlines_ms.get(item.transport, 0)
        self._items.setdefault(item.key, Sending(item, attempts, at + deadline_ms, Stage.AWAITING_RECEIPT))

    def due(self, at: Instant, room: Mapping[str, int], wanted: Callable[[Page], bool | None]) -> Decided:
        """What is to be done at `at`; `room` is how many sends each transport may begin. What is to be sent is SENDING now."""
        withdrawn, unreceipted, ready = [], [], []
        for sending in list(self._items.values()):
            if sending.due_at > at or sending.stage is Stage.SENDING:
                continue
            if sending.stage is Stage.AWAITING_RECEIPT:
                unreceipted.append(self._items.pop(sending.item.key))
                continue
            item = sending.item
            verdict = wanted(item) if isinstance(item, Page) else at - item.decided_at <= ANSWER_KEPT_MS
            if verdict is None:
                sending.due_at = at + RECHECK_MS
            elif verdict:
                ready.append(sending)
            else:
                withdrawn.append(self._items.pop(sending.item.key))
        return Decided(tuple(self._pick(ready, room)), tuple(withdrawn), tuple(unreceipted))

    def _pick(self, ready: Iterable[Sending], room: Mapping[str, int]) -> list[Sending]:
        """By priority, then by turns among the owners, then by time; as far as the transports have room."""
        self._count_owners()
        queues: dict[tuple[int, str], deque[Sending]] = {}
        for sending in sorted(ready, key=lambda sending: sending.due_at):
            queues.setdefault((-_rank(sending.item), _owner(sending.item)), deque()).append(sending)
        turns = [(rank, self._served[owner], queue[0].due_at, owner) for (rank, owner), queue in queues.items()]
        heapify(turns)
        left, picked = dict(room), []
        while turns:
            rank, served, _, owner = heappop(turns)
            queue = queues[rank, owner]
            sending = queue.popleft()
            if left.get(sending.item.transport, 0) > 0:
                left[sending.item.transport] -= 1
                self._turn = max(self._turn, served)
                served += 1
                self._served[owner] = served
                sending.attempts += 1
                sending.stage = Stage.SENDING
                picked.append(sending)
            if queue:
                heappush(turns, (rank, served, queue[0].due_at, owner))
        return picked

    def _count_owners(self) -> None:
        """Who has nothing here any more is forgotten; who is new comes before the others, and owes nothing for their past."""
        owners = {_owner(sending.item): None for sending in self._items.values()}
        self._served = {owner: self._served.get(owner, self._turn - 1) for owner in owners}

    def settle(self, key: str, outcome: Outcome, at: Instant) -> Stage | None:
        """Note what became of an attempt; returns where the item is now, None when it is done (or was not ours)."""
        sending = self._items.get(key)
        if sending is None:
            return None
        if outcome in (Outcome.TEMPORARY, Outcome.UNKNOWN):
            sending.stage, sending.due_at = Stage.WAITING, at + _retry_ms(sending.attempts)
        elif outcome is Outcome.ACCEPTED and sending.item.transport in self.receipt_deadlines_ms:
            sending.stage = Stage.AWAITING_RECEIPT
            sending.due_at = at + self.receipt_deadlines_ms[sending.item.transport]
        else:
            del self._items[key]
            return None
        return sending.stage

    def next_due(self) -> Instant | None:
        """When `due` will next have something; attempts that are under way do not count."""
        return min((s.due_at for s in self._items.values() if s.stage is not Stage.SENDING), default=None)

    def waiting(self, transport: str) -> int:
        """How many items of this transport wait for an attempt."""
        return sum(s.item.transport == transport and s.stage is Stage.WAITING for s in self._items.values())


def _retry_ms(attempts: int) -> int:
    return RETRY_MS[attempts - 1] if 0 < attempts <= len(RETRY_MS) else RETRY_LATER_MS


def _rank(item: Item) -> int:
    return item.priority.rank if isinstance(item, Page) else Priority.MEDIUM.rank


def _owner(item: Item) -> str:
    return (item.course or item.incident) if isinstance(item, Page) else item.person
