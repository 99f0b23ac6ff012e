"""A pump on a technician's bench: mute, with an end, never a patient's; and what is remembered of its commissioning."""

import pytest

from gateway.core.bench_state import COMMISSIONINGS_MAX
from gateway.core.board import build_board
from gateway.core.monitor import Monitor
from gateway.domain.bench import Commissioned, EndBench, StartBench, Verdict
from gateway.domain.commands import EndCourse, Enrol
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.runtime.snapshots import dump, restore
from tests.support.core_world import PROTOCOL, PUMP, SITE, World

NEW = "pump-new"
DIGEST = "ab" * 32


def alarms(world: World, minute: float, phase: str = "start") -> None:
    """The new pump shows air in its line, high."""
    world.hears(minute, "alarm", pump=NEW, alarm="air-in-line", phase=phase, priority="high")


def incidents(world: World) -> list[str]:
    """What is open about the site."""
    return [note.kind for one in world.monitor.state.sites[SITE].open.values() for note in one.alerts.values()]


def test_a_pump_on_the_bench_calls_nobody_until_its_end() -> None:
    """The same alarm on the same pump pages when nobody announced it, and at the end of the announcement."""
    told, untold = World(enrol=False), World(enrol=False)
    assert told.does(1, StartBench(pump=NEW, for_ms=HOUR_MS), "tech").ok
    for world in (told, untold):
        alarms(world, 2)
        world.waits(60.9)
    assert (incidents(told), incidents(untold)) == ([], [NEW])
    assert (told.pages, len(untold.pages) > 0) == ([], True)
    told.waits(61)
    assert incidents(told) == [NEW]
    assert [minute for minute, _ in told.paged()] == [61]


def test_an_alert_that_fires_when_the_work_begins_is_over() -> None:
    """Whoever announces the work has found the pump; taken off the bench it counts at once again."""
    world = World(enrol=False)
    alarms(world, 1)
    assert incidents(world) == [NEW]
    world.does(5, StartBench(pump=NEW, for_ms=HOUR_MS), "tech")
    world.waits(8)
    assert incidents(world) == []
    assert world.does(10, EndBench(pump=NEW), "tech").message == f"pump {NEW} is off the bench; whatever it shows counts again"
    assert incidents(world) == [NEW]


def test_a_patients_pump_is_never_mute() -> None:
    """It cannot go on the bench; one on the bench that gets a course is off it at once."""
    world = World()
    refused = world.does(1, StartBench(pump=PUMP, for_ms=HOUR_MS), "tech")
    assert (refused.ok, refused.message[:21]) == (False, "pump p1 serves P-017:")
    assert world.does(2, StartBench(pump=NEW, for_ms=HOUR_MS), "tech").ok
    assert world.does(3, Enrol(course="P-9", pump=NEW, protocol=PROTOCOL.name, bag="7-day")).ok
    world.does(4, EndCourse(course="P-9"))
    assert not world.does(5, EndBench(pump=NEW), "tech").ok
    alarms(world, 6)
    assert incidents(world) == [NEW]


@pytest.mark.parametrize("for_ms", [0, -1, 4 * HOUR_MS + 1])
def test_the_bench_has_an_end_within_reason(for_ms: int) -> None:
    """At most four hours, then it is announced again."""
    assert not World().does(1, StartBench(pump=NEW, for_ms=for_ms), "tech").ok


@pytest.mark.parametrize("name", ["", "Pump 1", "p/1", "x" * 64])
def test_a_name_that_is_no_topic_is_refused(name: str) -> None:
    """Nothing is made for it."""
    world = World()
    assert not world.does(1, StartBench(pump=name, for_ms=HOUR_MS), "tech").ok
    assert list(world.monitor.state.pumps) == [f"{SITE}/{PUMP}"]


def test_the_board_shows_the_bench_while_it_lasts() -> None:
    """Who announced it and until when."""
    world = World()
    world.does(1, StartBench(pump=NEW, for_ms=30 * MINUTE_MS), "tech")
    line = next(line for line in build_board(world.monitor.state, world.at(2)).pumps if line.device == NEW)
    assert (line.bench_until, line.bench_who) == (world.at(31), "tech")
    later = next(line for line in build_board(world.monitor.state, world.at(31)).pumps if line.device == NEW)
    assert later.bench_until is None


def test_commissionings_are_remembered_newest_last_and_bounded() -> None:
    """Digest and verdict, when and by whom; a digest that is none is refused."""
    world = World()
    for number in range(COMMISSIONINGS_MAX + 2):
        digest = f"{number:064x}"
        assert world.does(number, Commissioned(pump=NEW, digest=digest, verdict=Verdict.PASSED), "tech").ok
    kept = world.monitor.state.pumps[f"{SITE}/{NEW}"].commissioned
    assert [int(one.digest, 16) for one in kept] == [2, 3, 4, 5, 6]
    assert (kept[-1].at, kept[-1].who) == (world.at(6), "tech")
    for wrong in ("", "AB" * 32, "ab" * 31, "zz" * 32):
        assert not world.does(9, Commissioned(pump=NEW, digest=wrong, verdict=Verdict.PASSED), "tech").ok


def test_a_restored_state_ends_the_bench_at_the_same_minute() -> None:
    """From a snapshot in the middle: the same page at the same time as without a restart."""
    world = World(enrol=False)
    world.does(1, StartBench(pump=NEW, for_ms=HOUR_MS), "tech")
    world.does(1, Commissioned(pump=NEW, digest=DIGEST, verdict=Verdict.FAILED), "tech")
    alarms(world, 2)
    world.waits(30)
    before = world.monitor.state
    state = restore({key: dump(before, key) or b"" for key in (f"pump:{SITE}/{NEW}", f"site:{SITE}", "desk:")})
    state.ward, state.protocols = before.ward, before.protocols
    state.index_rules()
    world.monitor = Monitor(state)
    world.waits(60.9)
    assert world.paged() == []
    world.waits(61)
    assert [minute for minute, _ in world.paged()] == [61]
    assert world.monitor.state.pumps[f"{SITE}/{NEW}"].commissioned == before.pumps[f"{SITE}/{NEW}"].commissioned
