"""A course in full: what its page says of bags, plan, interruptions and people."""

from gateway.core.bags import put_away
from gateway.core.care import BAGS_MAX
from gateway.core.course_sheet import CourseSheet
from gateway.core.plan import PlanKind
from gateway.core.sheets import Sheets
from gateway.domain.care import NextCycle, OpenWindow, OrderBag, StartBreak, WindowKind
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.core_world import COURSE, PROTOCOL, PUMP, World


def sheet(world: World, minute: float) -> CourseSheet:
    """The course as of that minute."""
    found = Sheets(world.monitor.state, world.at(minute)).course(COURSE)
    assert found is not None
    return found


def hang(kind: str = "48-hour", **more: object) -> HangBag:
    """A new bag."""
    return HangBag(course=COURSE, bag=kind, **more)


def planned(world: World, minute: float) -> list[tuple[PlanKind, float, bool]]:
    """(what, in how many hours, forecast) of all that is to come."""
    return [(one.kind, (one.at - world.at(minute)) / HOUR_MS, one.forecast) for one in sheet(world, minute).plan]


def test_a_bag_that_was_changed_is_remembered() -> None:
    """Who looks at the course sees which bags hung before, the newest first, each until the next took its place."""
    world = World()
    world.does(60, hang(primed_ml=4.0))
    world.does(600, hang("24-hour"))
    told = [(bag.kind, bag.hung_at, bag.until_at, bag.primed_ml) for bag in sheet(world, 700).bags]
    assert told == [
        ("48-hour", world.at(60), world.at(600), 4.0),
        ("7-day", world.at(0), world.at(60), 0.0),
    ]


def test_a_bag_of_which_pump_and_nurse_tell_is_one() -> None:
    """The nurse records the bag that the pump has just reported: it is not history, it hangs."""
    world = World()
    world.runs(range(10))
    world.hears(60, "event", event="bag-changed", bag_ml=110)
    assert [bag.until_at for bag in sheet(world, 61).bags] == [world.at(60)]
    world.does(65, hang("7-day"))
    seen = sheet(world, 66)
    assert len(seen.bags) == 1
    assert seen.bag is not None
    assert (seen.bag.told_by, seen.bag.hung_at) == ("both", world.at(60))


def test_the_bag_of_a_cycle_that_is_over_is_history() -> None:
    """In a break no bag hangs; the next cycle begins with its own, and the sums of the one before are kept."""
    world = World()
    world.does(60, StartBreak(course=COURSE, reason="fever"))
    seen = sheet(world, 61)
    assert seen.bag is None
    assert [bag.until_at for bag in seen.bags] == [world.at(60)]
    assert world.does(90, NextCycle(course=COURSE, bag="7-day", override_reason="well again")).ok
    seen = sheet(world, 91)
    assert len(seen.bags) == 1
    assert [cycle.number for cycle in seen.cycles] == [1]
    assert seen.cycle_at == world.at(90)


def test_bags_without_end_are_not_kept_without_end() -> None:
    """The oldest bags are forgotten; the journal has them."""
    world = World()
    for hour in range(BAGS_MAX + 5):
        put_away(world.course, world.at(hour * 60))
    assert next(bag.until_at for bag in world.course.care.bags) == world.at(5 * 60)
    assert len(world.course.care.bags) == BAGS_MAX


def test_the_plan_has_the_change_the_later_changes_and_the_end() -> None:
    """A 48-hour bag: its planned change, those that follow within a week as forecasts, dose step, end of the infusion days."""
    world = World()
    world.runs(range(5))
    world.does(5, hang())
    assert planned(world, 5) == [
        (PlanKind.BAG_CHANGE, 48, False),
        (PlanKind.BAG_CHANGE, 96, True),
        (PlanKind.BAG_CHANGE, 144, True),
        (PlanKind.DOSE_STEP, 7 * 24 - 5 / 60, True),
        (PlanKind.INFUSION_ENDS, 28 * 24 - 5 / 60, True),
    ]


def test_a_bag_that_expires_first_is_in_the_plan() -> None:
    """An expiry is said only where it comes before the planned change."""
    world = World()
    prepared_at = world.at(5) - 13 * DAY_MS
    world.does(5, hang("7-day", prepared_at=prepared_at))
    assert [kind for kind, _, _ in planned(world, 5)][:2] == [PlanKind.BAG_EXPIRES, PlanKind.BAG_CHANGE]
    world.does(6, hang("7-day", prepared_at=world.at(5)))
    assert PlanKind.BAG_EXPIRES not in [kind for kind, _, _ in planned(world, 6)]


def test_orders_and_windows_are_in_the_plan_and_a_missed_change_stays() -> None:
    """What people said is there by its time; a change that should have been made is still the first thing."""
    world = World()
    world.does(5, OrderBag(course=COURSE, bag="7-day", ready_at=world.at(60)))
    world.does(5, OpenWindow(course=COURSE, kind=WindowKind.BAG_CHANGE, for_ms=30 * MINUTE_MS))
    kinds = [kind for kind, _, _ in planned(world, 6)]
    assert kinds[:2] == [PlanKind.WINDOW_ENDS, PlanKind.ORDER_READY]
    week = 7 * 24 * 60 + 600
    first = next(one for one in planned(world, week) if one[0] is PlanKind.BAG_CHANGE)
    assert first == (PlanKind.BAG_CHANGE, -10, False)


def test_in_a_break_only_its_end_is_planned() -> None:
    """No bag, no dose: the next cycle."""
    world = World()
    world.does(60, StartBreak(course=COURSE, reason="fever"))
    assert planned(world, 60) == [(PlanKind.BREAK_ENDS, 14 * 24, True)]


def test_a_course_that_has_ended_is_shown_as_it_was() -> None:
    """Nothing is planned, the judgement is that of its last moment, and the list has it last."""
    world = World()
    world.runs(range(60))
    world.does(60, EndCourse(course=COURSE, reason="done"))
    world.does(61, Enrol(course="P-999", pump="p9", protocol=PROTOCOL.name, bag="7-day"))
    world.does(62, Enrol(course="P-018", pump=PUMP, protocol=PROTOCOL.name, bag="7-day"))
    seen = sheet(world, 600)
    assert (seen.plan, seen.ended_at) == ((), world.at(60))
    entries = Sheets(world.monitor.state, world.at(600)).courses()
    assert [entry.course for entry in entries] == ["P-018", "P-999", COURSE]
    assert entries[-1].infusion_days == seen.line.infusion_days


def test_an_interruption_says_what_it_rests_on() -> None:
    """An occlusion's stretch is estimated; the sheet says since when, until when, why, and when it was learnt."""
    world = World()
    world.runs(range(0, 120, 5))
    world.hears(120, "alarm", alarm="occlusion-downstream", phase="start", priority="high", stops_delivery=True)
    world.hears(130, "alarm", alarm="occlusion-downstream", phase="end")
    world.runs(range(131, 160, 5))
    (one,) = sheet(world, 160).interruptions
    assert (one.since, one.until, one.cause, one.estimated) == (world.at(60), world.at(131), "occlusion-downstream", True)
    assert one.noted_at == world.at(131)


def test_a_course_without_its_protocol_is_still_shown() -> None:
    """Its programme is unknown; nothing breaks."""
    world = World()
    world.monitor.state.protocols = {}
    seen = sheet(world, 5)
    assert seen.programme is None
    assert seen.plan == ()


def test_unknown_names_have_no_sheet() -> None:
    """Neither a course nor a pump is made by looking for it."""
    world = World()
    sheets = Sheets(world.monitor.state, world.at(1))
    assert sheets.course("P-000") is None
    assert sheets.pump("p0") is None
    assert "ward/p0" not in world.monitor.state.pumps
