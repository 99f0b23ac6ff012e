"""Stands where a transport's kind is not built in: refuses every page at once, in words, so that the next contact is tried."""

from collections.abc import AsyncIterator

from gateway.outside.no_receipts import no_receipts
from gateway.runtime.ports import Message, Receipt, Rejected, SendResult


class UnavailableTransport:
    """A transport of a kind that this version cannot speak."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self._words = f"transport {name!r}: kind {kind} is not available in this version; use kind: apprise"

    def check(self) -> str | None:
        """What is wrong, in words."""
        return self._words

    async def send(self, message: Message) -> SendResult:  # noqa: ARG002  the answer is the same for every message
        """Refuse, for good."""
        return Rejected(self._words)

    def receipts(self) -> AsyncIterator[Receipt]:
        """None ever come."""
        return no_receipts()

    async def close(self) -> None:
        """Nothing is held."""
