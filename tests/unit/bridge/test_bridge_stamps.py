"""Stamps on a machine whose clock is wrong until the network is there."""

from dataclasses import dataclass, replace

import pytest

from gateway.bridge.stamps import HOLDOVER_MS, REMEMBER_EVERY_MS, MachineClock, Stamper
from gateway.domain.words import ClockQuality
from tests.support.bridge_parts import AT


@dataclass
class FakeMachine:
    """A machine whose clocks the test sets."""

    wall_ms: int = 1_000
    uptime_ms: int = 10_000
    synced: bool = False
    kernel: str = "k1"

    def clock(self) -> MachineClock:
        """As the stamper sees it."""
        return MachineClock(
            wall=lambda: self.wall_ms, uptime=lambda: self.uptime_ms, follows=lambda: self.synced, kernel=self.kernel
        )

    def pass_ms(self, length_ms: int) -> None:
        """Time passes."""
        self.wall_ms += length_ms
        self.uptime_ms += length_ms


def test_what_was_seen_before_the_clock_was_right_gets_its_true_time():
    """The kernel's count knows how long ago it was."""
    machine = FakeMachine(wall_ms=5_000)
    stamper = Stamper(machine.clock())
    stamper.look()
    early = stamper.now()
    assert (early.observed_at, early.clock) == (5_000, ClockQuality.FREE)
    assert stamper.mended(early) == early
    machine.pass_ms(3_600_000)
    machine.wall_ms, machine.synced = AT, True
    stamper.look()
    mended = stamper.mended(early)
    assert (mended.observed_at, mended.clock) == (AT - 3_600_000, ClockQuality.SYNCED)


@pytest.mark.hazard("H-29")
def test_what_was_seen_before_a_power_cut_stays_free():
    """Nobody knows how long the power was away."""
    machine = FakeMachine()
    early = Stamper(machine.clock()).now()
    nameless = FakeMachine(kernel="", synced=True)
    stamper = Stamper(nameless.clock())
    stamper.look()
    assert stamper.mended(replace(early, kernel="")).clock is ClockQuality.FREE
    after = FakeMachine(wall_ms=AT, kernel="k2", synced=True)
    stamper = Stamper(after.clock())
    stamper.look()
    assert stamper.mended(early).clock is ClockQuality.FREE


def test_a_right_stamp_is_left_alone_when_the_clock_is_set():
    """A step of the clock moves no frame that was dated by a good one."""
    machine = FakeMachine(wall_ms=AT, synced=True)
    stamper = Stamper(machine.clock())
    stamper.look()
    good = stamper.now()
    machine.wall_ms -= 600_000
    assert stamper.mended(good) == good


@pytest.mark.hazard("H-29")
@pytest.mark.parametrize("step_ms", [-56 * 365 * 86_400_000, 5 * 365 * 86_400_000])
def test_a_clock_that_is_set_by_hand_moves_no_stamp(step_ms: int):
    """By years, while no reference is there, also across a restart of the process: the kernel's count goes on."""
    machine = FakeMachine(wall_ms=AT, synced=True)
    stamper = Stamper(machine.clock())
    remembered = stamper.look() or ""
    machine.synced = False
    machine.pass_ms(60_000)
    machine.wall_ms += step_ms
    for one in (stamper, Stamper(machine.clock(), remembered)):
        assert (one.now().observed_at, one.now().clock) == (AT + 60_000, ClockQuality.SYNCED)  # set a moment ago
        one.look()
        assert (one.now().observed_at, one.now().clock) == (AT + 60_000, ClockQuality.SYNCED)


def test_a_step_by_the_reference_is_followed_and_remembered_at_once():
    """It was wrong by an hour when it first counted as good."""
    machine = FakeMachine(wall_ms=AT - 3_600_000, synced=True)
    stamper = Stamper(machine.clock())
    stamper.look()
    machine.wall_ms = AT
    assert stamper.look() == f"k1 10000 {AT - 10_000}"
    assert stamper.now().observed_at == AT


def test_holdover_ends():
    """The clock counts as good for a week after its reference went, then as free; and its age is told."""
    machine = FakeMachine(wall_ms=AT, synced=True)
    stamper = Stamper(machine.clock())
    stamper.look()
    machine.synced = False
    machine.pass_ms(HOLDOVER_MS)
    stamper.look()
    assert (stamper.quality, stamper.holdover_ms) == (ClockQuality.SYNCED, HOLDOVER_MS)
    machine.pass_ms(1)
    assert stamper.quality is ClockQuality.FREE


def test_a_restarted_process_remembers_that_the_clock_was_right():
    """Within one start of the kernel; it asks to be remembered once an hour."""
    machine = FakeMachine(wall_ms=AT, synced=True)
    stamper = Stamper(machine.clock())
    remembered = stamper.look()
    assert remembered == f"k1 10000 {AT - 10_000}"
    assert stamper.look() is None
    machine.pass_ms(REMEMBER_EVERY_MS)
    assert stamper.look() is not None
    machine.synced = False
    again = Stamper(machine.clock(), remembered)
    again.look()
    assert again.quality is ClockQuality.SYNCED
    for other in (FakeMachine(kernel="k2"), machine):
        rubbish = "rubbish" if other is machine else remembered
        assert Stamper(other.clock(), rubbish).quality is ClockQuality.FREE
