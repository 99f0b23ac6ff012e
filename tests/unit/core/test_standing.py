"""What is said of the ward from time to time, and what a page and an incident say of themselves once."""

from gateway.core.standing import course_point, interruption_points, standing_points
from gateway.core.state import INTERRUPTIONS_MAX, Interruption
from gateway.domain.commands import Acknowledge
from gateway.domain.effects import Page, Point
from gateway.domain.words import DeliveryState, NotDeliveringReason, WhyPaged
from gateway.runtime.points import line_of
from tests.unit.core.world import World, minutes, stopped


def fields(point: Point) -> dict:
    """A point's fields by name."""
    return dict(point.fields)


def points_of(effects, measurement: str) -> list[Point]:
    """The points of one measurement among effects."""
    return [one for one in effects if isinstance(one, Point) and one.measurement == measurement]


def stopped_ward() -> World:
    """P-017 runs for 5 min, then somebody stops its pump and forgets it."""
    world = World()
    world.enrol(0)
    world.runs(0, 5)
    world.hear(6, stopped(6, NotDeliveringReason.USER))
    world.tick(20)
    return world


def test_what_stands_is_said_again():
    """Open incidents and the delivery of a running course, as its changes were told."""
    world = stopped_ward()
    said = standing_points(world.monitor.state, world.course(), minutes(20))
    assert [one.measurement for one in said] == ["incident", "delivery"]
    incident, delivery = map(fields, said)
    assert (incident["state"], incident["holder"], incident["cause"]) == ("triggered", "", "delivery-interrupted")
    assert (delivery["state"], delivery["interruption_s"]) == ("interrupted", (20 - 6) * 60)
    assert all(line_of(one) for one in said)


def test_a_course_that_ended_stands_no_more():
    """Only incidents that are still open are told of it."""
    world = stopped_ward()
    world.course().ended_at = minutes(20)
    assert [one.measurement for one in standing_points(world.monitor.state, world.course(), minutes(20))] == ["incident"]


def test_a_course_as_it_stands():
    """Forecasts and the last word as instants, the counts that were given; what is not known is absent."""
    world = stopped_ward()
    point = course_point(world.monitor.state, world.course(), minutes(20), pages=3, watched_ms=300_000)
    said = fields(point)
    assert (said["pages"], said["watched_s"], said["incidents"]) == (3, 300.0, 1)
    assert said["heard_at"] == minutes(6)
    assert said["limit_at"] == minutes(20) - said["worst_s"] * 1_000 + 4 * 3_600_000
    assert said["bag_empty_early_at"] < said["bag_empty_at"] < said["bag_empty_late_at"]
    assert "battery_empty_at" not in said
    assert line_of(point)


def test_a_course_without_a_bag():
    """No forecast is invented."""
    world = World()
    world.enrol(0)
    world.course().bag = None
    said = fields(course_point(world.monitor.state, world.course(), minutes(1), pages=0, watched_ms=0))
    assert said["bag"] == ""
    assert not [name for name in said if name.startswith("bag_")]


def test_interruptions_are_points_where_they_began():
    """One that is over, and one that goes on until now."""
    world = stopped_ward()
    course = world.course()
    course.delivery.interruptions = [Interruption(minutes(1), minutes(3), "user", estimated=True)]
    said = interruption_points(course, {}, minutes(20))
    assert [(one.at, fields(one)["length_s"], fields(one)["open"]) for one in said.values()] == [
        (minutes(1), 120, 0),
        (minutes(6), 14 * 60, 1),
    ]
    assert all(line_of(one) for one in said.values())


def test_an_interruption_that_a_late_word_takes_back_has_no_length():
    """The point cannot be deleted: it is overwritten, once, also when it was the only one."""
    world = stopped_ward()
    course = world.course()
    before = interruption_points(course, {}, minutes(20))
    course.delivery.state = DeliveryState.DELIVERING
    now = interruption_points(course, before, minutes(25))
    (point,) = now.values()
    assert (point.at, fields(point)["length_s"], fields(point)["until"]) == (minutes(6), 0, minutes(6))
    assert interruption_points(course, now, minutes(30)) == now


def test_what_is_forgotten_is_not_taken_back():
    """Interruptions of an earlier cycle, and those beyond what a course remembers, keep their length in the store."""
    world = stopped_ward()
    course = world.course()
    before = interruption_points(course, {}, minutes(20))
    course.delivery.state, course.care.cycle_started_at = DeliveryState.DELIVERING, minutes(25)
    assert interruption_points(course, before, minutes(30)) == {}
    course.care.cycle_started_at = None
    newer = [Interruption(minutes(30 + n), minutes(30.5 + n), "user", estimated=False) for n in range(INTERRUPTIONS_MAX)]
    course.delivery.interruptions = newer
    assert minutes(6) not in {at for at, _ in interruption_points(course, before, minutes(200))}


def test_a_page_is_told_when_it_is_decided():
    """With its rule, and whether the day staff was there; the word that all is well again is told too, by its reason."""
    world = stopped_ward()
    pages = [one for one in world.effects if isinstance(one, Page)]
    decided = [one for one in points_of(world.effects, "page") if fields(one)["outcome"] == "decided"]
    assert [(dict(one.tags)["to"], dict(one.tags)["why"], dict(one.tags)["rule"], one.at) for one in decided] == [
        (page.person, page.why.value, page.about[0], page.decided_at) for page in pages
    ]
    assert pages[0].why is WhyPaged.OPENED
    assert {fields(one)["off_hours"] for one in decided} == {0}
    assert all(line_of(one) for one in decided)


def test_pages_at_night_are_off_hours():
    """By the ward's own clock, whatever the server's."""
    world = World()
    world.enrol(12 * 60)
    world.runs(12 * 60, 12 * 60 + 2)
    world.hear(12 * 60 + 3, stopped(12 * 60 + 3, NotDeliveringReason.USER))
    world.tick(12 * 60 + 20)
    decided = [one for one in points_of(world.effects, "page") if fields(one)["outcome"] == "decided"]
    assert decided
    assert {fields(one)["off_hours"] for one in decided} == {1}


def test_the_first_ack_is_told_once():
    """A lease that is taken again, and an incident that is said again, do not bend the percentiles."""
    world = stopped_ward()
    opened_at = world.incident().opened_at
    world.do(22, Acknowledge(incident="P-017"))
    world.do(25, Acknowledge(incident="P-017"))
    told = [fields(one)["acked_ms"] for one in points_of(world.effects, "incident") if "acked_ms" in fields(one)]
    assert set(told) == {minutes(22) - opened_at}
    again = standing_points(world.monitor.state, world.course(), minutes(26))
    assert "acked_ms" not in fields(again[0])
    assert fields(again[0])["holder"] == "nurse-a"


def test_the_end_is_told_once():
    """With the incident's whole age."""
    world = stopped_ward()
    opened_at = world.incident().opened_at
    world.runs(23, 30)
    ends = [one for one in points_of(world.effects, "incident") if "resolved_ms" in fields(one)]
    assert [fields(one)["resolved_ms"] for one in ends] == [ends[0].at - opened_at]
