"""Whose page is next: the highest priority first, then the owner that was served least, then the longest wait. Pure.

A queue for each transport, priority and owner, and of each transport's queues a heap: to name the next item costs the logarithm
of how many wait. The heaps are put right when they are looked at: a place in them can only be too good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heappop, heappush, heapreplace

from gateway.domain.effects import Answer, Page
from gateway.domain.instants import Instant
from gateway.domain.words import Priority

STALE_MAX = 1_000  # stale entries that a heap of timers may hold beyond the living ones; more: it is built anew

Item = Page | Answer


class Stage(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    SENDING = "sending"
    AWAITING_RECEIPT = "awaiting-receipt"


@dataclass(slots=True)
class Sending:
    """An item in hand. `due_at` is the next attempt, or the deadline of the receipt.

    `number` changes whenever `due_at` does: what a heap holds under an older number counts no more.
    """

    item: Item
    attempts: int
    due_at: Instant
    stage: Stage = Stage.WAITING
    number: int = field(default=0, compare=False, repr=False)


Queue = tuple[str, int, str]  # transport, rank, owner
Place = tuple[int, int, Instant, str, int]  # rank, how often the owner was served, due, owner, number


class Turns:
    """Everything that could be sent now if there were room for it."""

    def __init__(self) -> None:
        self._queues: dict[Queue, list[tuple[Instant, int, Sending]]] = {}
        self._places: dict[Queue, Place] = {}
        self._heaps: dict[str, list[Place]] = {}
        self._owned: dict[str, int] = {}
        self._served: dict[str, int] = {}
        self._changed: set[str] = set()
        self._turn = 0

    # ---- owners ----------------------------------------------------------------------------------------------------

    def begin(self, item: Item) -> None:
        """An item of this owner is in hand."""
        owner = owner_of(item)
        self._owned[owner] = self._owned.get(owner, 0) + 1
        self._changed.add(owner)

    def end(self, item: Item) -> None:
        """It is so no longer."""
        owner = owner_of(item)
        self._owned[owner] -= 1
        self._changed.add(owner)

    def count_owners(self) -> None:
        """Who has nothing here any more is forgotten; who is new comes before the others, and owes nothing for their past."""
        for owner in self._changed:
            if self._owned.get(owner):
                self._served.setdefault(owner, self._turn - 1)
            else:
                self._served.pop(owner, None)
                self._owned.pop(owner, None)
        self._changed.clear()

    def note_served(self, item: Item) -> None:
        """The owner had a turn."""
        owner = owner_of(item)
        self._turn = max(self._turn, self._served[owner])
        self._served[owner] += 1

    # ---- queues ----------------------------------------------------------------------------------------------------

    def add(self, sending: Sending) -> None:
        """It is due."""
        transport, owner = sending.item.transport, owner_of(sending.item)
        name = (transport, -rank_of(sending.item), owner)
        queue = self._queues.setdefault(name, [])
        heappush(queue, (sending.due_at, sending.number, sending))
        if queue[0][2] is sending:
            self._places[name] = place = (name[1], self._served.get(owner, self._turn - 1), sending.due_at, owner, sending.number)
            heappush(self._heaps.setdefault(transport, []), place)

    def next(self, room: Mapping[str, int], elsewhere: int) -> Sending | None:
        """Take the next item out for which its transport has room; `elsewhere` is the room of those that `room` does not name."""
        tops = [(place, name) for name in list(self._heaps) if room.get(name, elsewhere) > 0 and (place := self._top(name))]
        if not tops:
            return None
        (rank, _, _, owner, _), transport = min(tops)
        return heappop(self._queues[transport, rank, owner])[2]

    def waits_since(self) -> Instant | None:
        """Since when something waits here: of each transport's next item, the earliest; None when nothing waits."""
        return min((place[2] for name in list(self._heaps) if (place := self._top(name))), default=None)

    def _top(self, transport: str) -> Place | None:
        """The best place of this transport's queues, put right; what has become stale or empty is dropped on the way."""
        heap = self._heaps[transport]
        while heap:
            place = heap[0]
            name = (transport, place[0], place[3])
            if self._places.get(name) != place:
                heappop(heap)
                continue
            queue = self._queues[name]
            while queue and queue[0][2].number != queue[0][1]:
                heappop(queue)
            if not queue:
                heappop(heap)
                del self._queues[name], self._places[name]
                continue
            now = (place[0], self._served.get(place[3], self._turn - 1), queue[0][0], place[3], queue[0][1])
            if now == place:
                return place
            self._places[name] = now
            heapreplace(heap, now)
        del self._heaps[transport]
        return None


class Timers:
    """What waits for its time: the next attempt, or the deadline of a receipt."""

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, int, Sending]] = []

    def add(self, sending: Sending, living: Iterable[Sending], count: int) -> None:
        """It is due at its `due_at`. `living` are all `count` items in hand: with too many stale entries only theirs are kept."""
        heappush(self._heap, (sending.due_at, sending.number, sending))
        if len(self._heap) > 2 * count + STALE_MAX:
            kept = {each.number for each in living}
            self._heap = [entry for entry in self._heap if entry[1] in kept and entry[2].number == entry[1]]
            heapify(self._heap)

    def pop(self, at: Instant) -> Sending | None:
        """Take out what was due first, if its time has come."""
        due_at = self.next_due()
        return heappop(self._heap)[2] if due_at is not None and due_at <= at else None

    def next_due(self) -> Instant | None:
        """When the next one is due; None when nothing waits."""
        while self._heap and self._heap[0][2].number != self._heap[0][1]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None


def rank_of(item: Item) -> int:
    """How urgent: an answer to a person counts as medium."""
    return item.priority.rank if isinstance(item, Page) else Priority.MEDIUM.rank


def owner_of(item: Item) -> str:
    """Between whom turns are taken: courses, a site's incidents, people who get an answer."""
    return (item.course or item.incident) if isinstance(item, Page) else item.person
