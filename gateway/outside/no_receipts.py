"""For transports that never hear what became of a message."""

from collections.abc import AsyncIterator

from gateway.runtime.ports import Receipt

_NOTHING: tuple[Receipt, ...] = ()


async def no_receipts() -> AsyncIterator[Receipt]:
    """End at once."""
    for receipt in _NOTHING:
        yield receipt
