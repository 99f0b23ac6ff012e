"""What a pump told before now, read back from the journal: for charts and timelines, and for whoever must see the very bytes.

The time-series store may be away or empty; the journal is what was said.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.readings import AlarmChange, Decoded, LinkStatus, PumpEvent
from gateway.domain.sentences import Sentence
from gateway.runtime.ports import Damaged, Record

POINTS_MAX = 600  # of one series
SPAN_MAX_MS = 31 * DAY_MS  # longer spans are refused: of a month 600 points are 75 minutes apart
MESSAGES_MAX = 200  # of one answer; older ones are asked for by `before`


class HistoryFailed(Exception):
    """The past cannot be read now: too many ask, it takes too long, or the disk does not play. What is said tells which."""

    def __init__(self, said: Sentence | str) -> None:
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True, slots=True)
class Measured:
    """What the pump measured at `at`, in its own time where that is believed. Volumes in mL, rates in mL/h.

    `delivering` is what the pump said of itself. None: it did not say.
    """

    at: Instant
    delivering: bool | None = None
    rate_ml_h: float | None = None
    set_rate_ml_h: float | None = None
    infused_ml: float | None = None
    remaining_ml: float | None = None
    battery_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An alarm condition that began or ended, something done at the pump, or its connection; `seq` is the journal's record."""

    at: Instant
    received_at: Instant
    seq: int
    reading: AlarmChange | PumpEvent | LinkStatus


@dataclass(frozen=True, slots=True)
class Series:
    """A pump's measures and happenings with `since` <= time < `until`, both in order of time.

    Of many points some are left out evenly, but never the one of a bunch at which the least flowed. Two neighbours further
    apart than `gap_ms` have nothing between them. `whole` is False where there was more than could be read: the oldest lack.
    """

    since: Instant
    until: Instant
    points: tuple[Measured, ...] = ()
    happened: tuple[Happened, ...] = ()
    gap_ms: int = 0
    refused: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came, and what its decoder makes of it today."""

    record: Record
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages, newest first. `next_before` is what to give as `before` for older ones; 0 where these were the last."""

    found: tuple[Message | Damaged, ...] = ()
    next_before: int = 0


class History(Protocol):
    """Reads a device's past; delays nobody who writes or judges. Methods raise `HistoryFailed`."""

    async def series(self, site: str, device: str, *, since: Instant, until: Instant, at_most: int = POINTS_MAX) -> Series:
        """What the device measured and what happened to it then; at most `at_most` points. `since` <= `until`."""
        ...

    async def messages(
        self, site: str, device: str, *, since: Instant, until: Instant, before: int = 0, limit: int = MESSAGES_MAX
    ) -> Messages:
        """Raw messages received then, newest first; only records below number `before` where it is not 0."""
        ...
