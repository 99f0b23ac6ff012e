"""What a source has in hand: a plain list and a wake-up, because a queue would cost more than the rest of the way."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Items in arrival order, taken all at once by one reader.

    `limit` items are in hand: `has_room` is cleared until the next `take`. The writer stops reading then; `put` itself never
    refuses and never drops.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: list[T] = []
        self._something = asyncio.Event()
        self.has_room = asyncio.Event()
        self.has_room.set()

    def put(self, item: T) -> None:
        """Keep `item`."""
        self._items.append(item)
        self._something.set()
        if len(self._items) >= self._limit:
            self.has_room.clear()

    async def take(self) -> list[T]:
        """Everything, as soon as there is something. A cancelled `take` takes nothing."""
        await self._something.wait()
        taken, self._items = self._items, []
        self._something.clear()
        self.has_room.set()
        return taken
