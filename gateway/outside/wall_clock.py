"""The one place that reads a clock."""

import asyncio
import time
from collections.abc import Callable

from gateway.domain.instants import SECOND_MS, Instant

_NS_PER_MS = 1_000_000

# While we are ahead of the system's clock we run at this many tenths of our speed, until it has caught up: an hour's step back is
# made good in ten hours, and no wait is stretched by more than a ninth. Standing still would silence every deadline meanwhile.
_SLOWED_TENTHS = 9

# A sleeper looks again this often, so that a step forward of the system's clock cannot make it oversleep by more.
_LONGEST_NAP_MS = SECOND_MS


def system_ms() -> Instant:
    """The system's clock as it stands, in ms UTC, also when it was wrong or is set back: for stamps that can be mended later."""
    return time.time_ns() // _NS_PER_MS


class WallClock:
    """UTC wall time that never runs backwards, also when the system's clock is set back.

    `not_before` (ms) is the newest time that is known from before this start, e.g. of the journal's last record. A step forward
    is followed at once; after a step back time goes on at nine tenths of its speed until the system's clock has caught up.
    For one thread. `wall_ns` and `monotonic_ns` are the system's clocks, in nanoseconds.
    """

    def __init__(
        self,
        not_before: Instant = 0,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._now_ns = max(wall_ns(), not_before * _NS_PER_MS)
        self._looked_ns = monotonic_ns()

    def now(self) -> Instant:
        """UTC now, in ms; never less than before."""
        looked_ns, wall_ns = self._monotonic_ns(), self._wall_ns()
        passed_ns = looked_ns - self._looked_ns
        self._looked_ns = looked_ns
        if wall_ns < self._now_ns + passed_ns:
            passed_ns = passed_ns * _SLOWED_TENTHS // 10
        self._now_ns = max(self._now_ns + passed_ns, wall_ns)
        return self._now_ns // _NS_PER_MS

    async def sleep_until(self, at: Instant) -> None:
        """Return when `now() >= at`; at most a second late when the system's clock is set forward meanwhile."""
        while (left_ms := at - self.now()) > 0:  # noqa: ASYNC110 - a clock is not an event
            await asyncio.sleep(min(left_ms, _LONGEST_NAP_MS) / SECOND_MS)


class ScaledClock:
    """Time that starts at `start_at` (ms) and runs `speed` times as fast as real time: a day of the demo in minutes."""

    def __init__(self, speed: float, start_at: Instant, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._speed = speed
        self._start_at = start_at
        self._monotonic_ns = monotonic_ns
        self._started_ns = monotonic_ns()

    def now(self) -> Instant:
        """Virtual now, in ms; never less than before."""
        return self._start_at + int((self._monotonic_ns() - self._started_ns) * self._speed / _NS_PER_MS)

    async def sleep_until(self, at: Instant) -> None:
        """Return when `now() >= at`."""
        while (left_ms := at - self.now()) > 0:  # noqa: ASYNC110 - as above
            await asyncio.sleep(left_ms / self._speed / SECOND_MS)
