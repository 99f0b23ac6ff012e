"""A transport over which people answer, as the gateway needs it."""

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

TakeReply = Callable[[str, str], Awaitable[None]]
"""Takes what a person wrote: (address, text). Returns when it is durable. Raises `JournalFull`."""


@runtime_checkable
class TwoWay(Protocol):
    """A transport that hears over its own connection what people write."""

    def take_replies(self, take: TakeReply) -> None:
        """Hand every message to `take` from now on; the provider may forget it when `take` returns."""
        ...
