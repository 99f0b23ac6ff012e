"""When things were seen, on a machine whose clock may be wrong until the network is there.

A Raspberry Pi has no clock that runs without power: after a power cut without network it continues from the time when it was last
used. Frames that it sees then are `free`. The kernel's own count since its start is right all along: once the clock follows a
reference, what was seen since that start gets its true time when it is sent. And once it did, that count dates everything: a
clock that somebody sets by hand would make a frame look years old, and the gateway lets no old word overrule a newer one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.bridge.frames import Seen
from gateway.domain.instants import DAY_MS, HOUR_MS, SECOND_MS, Instant
from gateway.domain.words import ClockQuality

HOLDOVER_MS = 7 * DAY_MS  # a quartz of 50 ppm is 30 s off by then; the gateway believes a clock up to 2 min ahead
REMEMBER_EVERY_MS = HOUR_MS
_REMEMBERED = re.compile(r"(\S*) ([0-9]+) ([0-9]+)")
STEPPED_MS = SECOND_MS  # a reference that moves the clock by more than this is remembered at once


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineClock:
    """What the machine tells. `wall` in ms UTC; `uptime` in ms since the start of the kernel `kernel`; `follows`: a reference."""

    wall: Callable[[], Instant]
    uptime: Callable[[], int]
    follows: Callable[[], bool]
    kernel: str


class Stamper:
    """Knows how good the clock is. `look` asks the machine; `remembered` is what an earlier process returned from it."""

    def __init__(self, machine: MachineClock, remembered: str = "") -> None:
        self._machine = machine
        self._followed_ms, self._started_at = _recalled(remembered, machine.kernel)
        self._remembered = (self._followed_ms, self._started_at)
        self.follows = False

    def look(self) -> str | None:
        """Ask whether the clock follows a reference now; returns what to remember, where that has become due."""
        now_ms, self.follows = self._machine.uptime(), self._machine.follows()
        if not self.follows:
            return None
        self._followed_ms, self._started_at = now_ms, self._machine.wall() - now_ms
        known_ms, known_at = self._remembered
        is_known = known_at is not None and abs(self._started_at - known_at) <= STEPPED_MS
        if is_known and known_ms is not None and now_ms - known_ms < REMEMBER_EVERY_MS:
            return None
        self._remembered = (now_ms, self._started_at)
        return f"{self._machine.kernel} {now_ms} {self._started_at}"

    @property
    def quality(self) -> ClockQuality:
        """Synced while it follows a reference, and for the holdover after that."""
        return ClockQuality.FREE if self.holdover_ms is None or self.holdover_ms > HOLDOVER_MS else ClockQuality.SYNCED

    @property
    def holdover_ms(self) -> int | None:
        """How long ago it last followed a reference, 0 while it does; None where it never did since this kernel's start."""
        if self.follows:
            return 0
        return None if self._followed_ms is None else self._machine.uptime() - self._followed_ms

    def now(self) -> Seen:
        """The stamp of what is seen now."""
        uptime_ms = self._machine.uptime()
        return Seen(self._at(uptime_ms), self.quality, self._machine.kernel, uptime_ms)

    def mended(self, seen: Seen) -> Seen:
        """The stamp as it is to be sent: with its true time, where that has come to be known."""
        same_start = seen.kernel == self._machine.kernel != ""
        if seen.clock is ClockQuality.SYNCED or not same_start or self.quality is ClockQuality.FREE:
            return seen
        return Seen(self._at(seen.uptime_ms), ClockQuality.SYNCED, seen.kernel, seen.uptime_ms)

    def _at(self, uptime_ms: int) -> Instant:
        """The time at a count of the kernel: by the last reference; before there was one, by the clock as it stands."""
        started_at = self._machine.wall() - self._machine.uptime() if self._started_at is None else self._started_at
        return started_at + uptime_ms


def _recalled(remembered: str, kernel: str) -> tuple[int | None, Instant | None]:
    """What `look` returned under this kernel: when it last followed (its uptime), and when the kernel started (wall clock)."""
    known = _REMEMBERED.fullmatch(remembered)
    return (int(known[2]), int(known[3])) if known is not None and known[1] == kernel else (None, None)
