from collections.abc import Callable

import pytest

from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.outside.wall_clock import ScaledClock, WallClock

EIGHT = 1_772_409_600_000  # 2026-03-02T00:00:00Z


class System:
    """The system's two clocks, set by hand, in ms."""

    def __init__(self, wall: Instant = EIGHT) -> None:
        self.wall = wall
        self.monotonic = 7 * HOUR_MS
        self.naps_s: list[float] = []

    def pass_ms(self, passed: int) -> None:
        """Both run."""
        self.wall += passed
        self.monotonic += passed

    def clock(self, not_before: Instant = 0) -> WallClock:
        """A WallClock on these."""
        return WallClock(not_before, wall_ns=lambda: self.wall * 1_000_000, monotonic_ns=self.monotonic_ns)

    def monotonic_ns(self) -> int:
        """As `time.monotonic_ns`."""
        return self.monotonic * 1_000_000

    def sleep(self, then: Callable[[], None] = lambda: None) -> Callable[[float], object]:
        """A stand-in for `asyncio.sleep` that lets the time pass, and then whatever happens `then`."""

        async def nap(seconds: float) -> None:
            self.naps_s.append(seconds)
            self.pass_ms(round(seconds * SECOND_MS))
            then()

        return nap


def test_it_tells_the_systems_time() -> None:
    """In ordinary life the clock is the system's, to the millisecond."""
    system = System()
    clock = system.clock()
    assert clock.now() == EIGHT
    system.pass_ms(1_234)
    assert clock.now() == EIGHT + 1_234


def test_a_step_forward_is_followed_at_once() -> None:
    """A Pi that gets its first time from the network jumps ahead."""
    system = System()
    clock = system.clock()
    system.wall += HOUR_MS
    assert clock.now() == EIGHT + HOUR_MS


@pytest.mark.hazard("H-45")
def test_a_step_back_neither_turns_time_back_nor_stops_it() -> None:
    """After the system's clock was set back an hour, waits still end: a little late, never an hour late."""
    system = System()
    clock = system.clock()
    system.wall -= HOUR_MS
    assert clock.now() == EIGHT
    system.pass_ms(10 * MINUTE_MS)
    assert clock.now() == EIGHT + 9 * MINUTE_MS


def test_after_a_step_back_the_clocks_meet_again() -> None:
    """An hour's difference is made good in ten, and then the clock is the system's again."""
    system = System()
    clock = system.clock()
    system.wall -= HOUR_MS
    seen = []
    for _ in range(10 * 60):
        system.pass_ms(MINUTE_MS)
        seen.append(clock.now())
    assert seen == sorted(seen)
    assert seen[-1] == system.wall
    system.pass_ms(5)
    assert clock.now() == system.wall


def test_time_goes_on_from_the_newest_record_after_a_restart() -> None:
    """A journal whose last record is ahead of the system's clock does not get older records behind it."""
    system = System()
    clock = system.clock(not_before=EIGHT + MINUTE_MS)
    assert clock.now() == EIGHT + MINUTE_MS
    system.pass_ms(10 * SECOND_MS)
    assert clock.now() == EIGHT + MINUTE_MS + 9 * SECOND_MS


def test_the_real_clocks_never_run_back() -> None:
    """A thousand looks at the machine's own clocks."""
    clock = WallClock()
    seen = [clock.now() for _ in range(1_000)]
    assert seen == sorted(seen)


async def test_sleep_until_a_time_that_is_past_returns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overdue means now."""
    system = System()
    monkeypatch.setattr("gateway.outside.wall_clock.asyncio.sleep", system.sleep())
    await system.clock().sleep_until(EIGHT)
    assert system.naps_s == []


async def test_sleep_until_wakes_when_it_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sleeps in naps of a second at most, and returns when the time has come."""
    system = System()
    clock = system.clock()
    monkeypatch.setattr("gateway.outside.wall_clock.asyncio.sleep", system.sleep())
    await clock.sleep_until(EIGHT + 2_500)
    assert clock.now() == EIGHT + 2_500
    assert system.naps_s == [1.0, 1.0, 0.5]


@pytest.mark.hazard("H-45")
async def test_a_sleeper_notices_a_step_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system's clock jumps over the time that is waited for, the sleeper is at most a second late."""
    system = System()
    clock = system.clock()

    def jump() -> None:
        system.wall = EIGHT + HOUR_MS

    monkeypatch.setattr("gateway.outside.wall_clock.asyncio.sleep", system.sleep(jump))
    await clock.sleep_until(EIGHT + HOUR_MS)
    assert system.naps_s == [1.0]


async def test_it_really_sleeps() -> None:
    """With the real event loop and the real clocks."""
    clock = WallClock()
    until = clock.now() + 20
    await clock.sleep_until(until)
    assert clock.now() >= until


def test_scaled_time_starts_where_it_is_told_and_runs_faster() -> None:
    """At 240 times, a second is four minutes."""
    system = System()
    clock = ScaledClock(240, EIGHT, monotonic_ns=system.monotonic_ns)
    assert clock.now() == EIGHT
    system.pass_ms(SECOND_MS)
    assert clock.now() == EIGHT + 4 * MINUTE_MS


async def test_scaled_sleep_is_shorter_by_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four minutes of the demo take a second."""
    system = System()
    clock = ScaledClock(240, EIGHT, monotonic_ns=system.monotonic_ns)
    monkeypatch.setattr("gateway.outside.wall_clock.asyncio.sleep", system.sleep())
    await clock.sleep_until(EIGHT + 4 * MINUTE_MS)
    assert system.naps_s == [1.0]
    assert clock.now() == EIGHT + 4 * MINUTE_MS


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_time_that_would_not_go_forward_is_refused(speed: float) -> None:
    """A demo whose clock stands still would show nothing and say nothing."""
    with pytest.raises(ValueError, match="speed must be above 0"):
        ScaledClock(speed, EIGHT)
