"""The time-series store as the forwarder needs it. Another store implements this and nothing else changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Poison:
    """A line that the store will never take, with its reason; the others of the batch were stored."""

    line: bytes
    reason: str


class StoreUnavailable(Exception):
    """The store did not take the batch and may take it later: try the same again after a backoff."""


class PointSink(Protocol):
    """A time-series store that takes line protocol with millisecond timestamps; writing a point twice is harmless."""

    async def write(self, lines: Sequence[bytes]) -> list[Poison]:
        """Store the lines; return those that it will never take. Raises `StoreUnavailable`."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
