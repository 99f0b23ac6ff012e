"""What the pipeline asks of anything that brings messages: the broker, and whatever listens beside it."""

from collections.abc import Sequence
from typing import Protocol

from gateway.runtime.ports import Dropped, Incoming, Session


class Listener(Protocol):
    """Where messages come from. Never drops what it was given, and never says that a message is kept before it is."""

    async def run(self) -> None:
        """Listen, until cancelled; what the world does wrong is a finding, never raised."""
        ...

    async def take(self) -> list[Incoming | Session | Dropped]:
        """Wait; then return everything in hand, in arrival order. Nothing is acknowledged by being taken."""
        ...

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """These are durable. Where the sender is gone: a no-op (it sends them again)."""
        ...
