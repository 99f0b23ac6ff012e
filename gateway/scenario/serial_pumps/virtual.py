"""What a virtual pump on a line can do: hear, speak by itself, and obey who plays with it. Time is an argument (ms)."""

from collections.abc import Callable
from typing import Protocol

from gateway.domain.instants import Instant

Order = Callable[[Instant], str]
"""Something done to the pump by hand; returns what was done, in words."""


class VirtualPump(Protocol):
    """One device at the far end of a line."""

    @property
    def next_at(self) -> Instant | None:
        """When it speaks by itself; None: only when it is asked."""
        ...

    def hear(self, data: bytes, at: Instant) -> bytes:
        """What it answers to these bytes; empty for nothing."""
        ...

    def speak(self, at: Instant) -> bytes:
        """What it says by itself at `at`; empty before `next_at`."""
        ...

    def understand(self, text: str) -> Order:
        """The order that somebody typed. Raises ValueError with the orders that there are."""
        ...


def words_of(text: str, orders: str) -> tuple[str, str]:
    """(verb, rest) of an order. Raises ValueError where it is empty."""
    verb, _, rest = text.strip().lower().partition(" ")
    if not verb:
        raise ValueError(orders)
    return verb, rest.strip()


def number_of(text: str, *, most: float, what: str) -> float:
    """A number from 0 to `most`. Raises ValueError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ValueError(f"{what} is a number from 0 to {most:g}, not {text!r}")
    return value
