"""A pump in full, as technicians see it."""

from gateway.core.pump_sheet import PumpSheet
from gateway.core.sheets import Sheets
from gateway.domain.commands import ClearCondition, EndCourse
from gateway.domain.words import Condition, Priority
from tests.support.core_world import COURSE, PUMP, World


def sheet(world: World, minute: float) -> PumpSheet:
    """The pump as of that minute."""
    found = Sheets(world.monitor.state, world.at(minute)).pump(PUMP)
    assert found is not None
    return found


def test_measures_have_their_own_times() -> None:
    """A volume that is older than the newest telemetry says so; rate and pressure are never newer than that."""
    world = World()
    world.hears(1, delivery_status="delivering", rate_ml_h=0.6, infused_ml=1.5, remaining_ml=90.0, pressure_mmhg=40)
    world.hears(9, rate_ml_h=0.6, battery_percent=80, power="battery", locked=True)
    told = sheet(world, 10).measures
    assert (told.told_at, told.infused_at, told.remaining_at) == (world.at(9), world.at(1), world.at(1))
    assert (told.infused_ml, told.rate_ml_h, told.pressure_mmhg, told.locked) == (1.5, 0.6, 40, True)
    assert (told.delivering, told.said_at) == (True, world.at(1))
    assert told.battery_empty_at is not None


def test_a_pump_that_was_never_heard_says_nothing() -> None:
    """Enrolled only: nothing is measured, and it is silent."""
    seen = sheet(World(), 5)
    assert seen.silent
    assert seen.measures.told_at is None
    assert (seen.conditions, seen.boots, seen.scale) == ((), (), None)


def test_conditions_show_both_priorities_and_the_active_first() -> None:
    """Ours beside the pump's own; one that is over stays below."""
    world = World()
    world.hears(1, "alarm", alarm="battery-low", phase="start", priority="medium", text="LOW BATT")
    world.hears(2, "alarm", alarm="door-open", phase="start", priority="high")
    world.does(3, ClearCondition(pump=PUMP, condition="door-open"))
    active, over = sheet(world, 4).conditions
    assert (active.condition, active.active, active.priority, active.device_priority, active.text) == (
        Condition.BATTERY_LOW,
        True,
        Priority.LOW,
        Priority.MEDIUM,
        "LOW BATT",
    )
    assert (over.condition, over.active) == (Condition.DOOR_OPEN, False)


def test_boots_show_what_is_missing() -> None:
    """Numbers 1, 2 and 6 of the first start: three never arrived; the newest start stands first."""
    world = World()
    for minute, seq in ((1, 1), (2, 2), (3, 6)):
        world.hears(minute, boot="b1", seq=seq, delivery_status="delivering")
    world.hears(4, boot="b2", seq=0, delivery_status="delivering")
    seen = sheet(world, 5)
    assert [(boot.boot, boot.first, boot.highest, boot.missing) for boot in seen.boots] == [("b2", 0, 0, 0), ("b1", 1, 6, 3)]
    assert seen.line.missing == 3


def test_a_scale_is_shown_where_there_is_one() -> None:
    """Its newest weight with its time."""
    world = World()
    world.runs(range(3))
    world.hears(4, bag_weight_g=105.2)
    seen = sheet(world, 5).scale
    assert seen is not None
    assert (seen.weight_g, seen.weighed_at, seen.falls) == (105.2, world.at(4), None)


def test_a_pump_without_a_course_has_no_priorities_of_ours() -> None:
    """Nobody's protocol says how urgent its conditions are; it is shown all the same."""
    world = World()
    world.runs(range(3))
    world.does(3, EndCourse(course=COURSE))
    world.hears(4, "alarm", alarm="door-open", phase="start", priority="high")
    seen = sheet(world, 5)
    assert seen.line.course == ""
    assert [(one.condition, one.priority) for one in seen.conditions] == [(Condition.DOOR_OPEN, None)]
    assert seen.stretches == ()
