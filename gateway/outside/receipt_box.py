"""Where a transport that hears of deliveries puts its receipts until the dispatcher takes them."""

import asyncio
from collections.abc import AsyncIterator

from gateway.runtime.ports import Receipt

KEPT_MAX = 10_000  # full: the oldest is dropped; a page whose receipt is missing goes to the next contact


class ReceiptBox:
    """First in, first out; closing ends whoever waits."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Receipt | None] = asyncio.Queue()

    def put(self, receipt: Receipt) -> None:
        """A receipt came."""
        if self._queue.qsize() >= KEPT_MAX:
            self._queue.get_nowait()
        self._queue.put_nowait(receipt)

    async def receipts(self) -> AsyncIterator[Receipt]:
        """As they come, until closed."""
        while (receipt := await self._queue.get()) is not None:
            yield receipt

    def close(self) -> None:
        """No more will come."""
        self._queue.put_nowait(None)
