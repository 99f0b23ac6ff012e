"""What the pump's volume counter proves about a silence, and what it does not."""

import pytest

from gateway.domain.commands import HangBag
from gateway.domain.words import DeliveryStatus
from tests.unit.core.test_delivery import DELIVERING, INTERRUPTED, judged
from tests.unit.core.world import World, minutes


def silent_with(before_ml: float, after_ml: float, status: DeliveryStatus = DeliveryStatus.DELIVERING) -> World:
    """A 24-hour bag at 10 mL/h; silent from minute 60 to minute 120, back with this counter and status."""
    world = World()
    world.enrol(bag="24-hour")
    world.runs(0, 59)
    world.report(60, infused_ml=before_ml, set_rate_ml_h=10.0)
    world.report(120, status, infused_ml=after_ml, set_rate_ml_h=10.0)
    world.tick(121)
    return world


@pytest.mark.parametrize("flowed_ml", [10.0, 9.41, 10.6])
def test_volume_of_the_whole_gap_confirms_delivery(flowed_ml):
    """Within the pump's own accuracy of 6 %, and never for more than the gap."""
    world = silent_with(5.0, 5.0 + flowed_ml)
    assert judged(world)[0] is DELIVERING
    assert world.course().delivery.confirmed_by_volume_at == minutes(120)
    assert world.course().delivery.interrupted_ms == 0
    assert world.course().delivery.unknown_ms == 0


@pytest.mark.hazard("H-06")
def test_missing_volume_is_an_interruption_of_the_missing_time():
    """5 mL of 10: half an hour is missing, somewhere in the gap."""
    world = silent_with(5.0, 10.0)
    assert judged(world)[0] is DELIVERING
    (found,) = world.course().delivery.interruptions
    assert (found.since, found.until, found.found, found.estimated) == (minutes(90), minutes(120), True, True)
    assert world.course().delivery.interrupted_ms == 30 * 60_000


def test_a_pump_that_comes_back_standing_is_interrupted_since_its_volume_ended_and_counted_once():
    """The missing half hour belongs to the interruption that goes on."""
    world = silent_with(5.0, 10.0, DeliveryStatus.NOT_DELIVERING)
    assert judged(world) == (INTERRUPTED, 90, "unspecified", True)
    assert world.course().delivery.interrupted_ms == 0
    world.report(130, infused_ml=10.0, set_rate_ml_h=10.0)
    assert world.course().delivery.interrupted_ms == 40 * 60_000


def test_a_counter_that_went_back_proves_nothing():
    """A restart took it to zero; so the silence stays unexplained."""
    world = silent_with(50.0, 1.0)
    assert world.course().delivery.interruptions == []
    assert world.course().delivery.confirmed_by_volume_at == 0
    assert world.course().delivery.unknown_ms == 60 * 60_000


@pytest.mark.hazard("H-22")
def test_what_was_counted_before_this_course_or_bag_proves_nothing():
    """A pump comes from the store with another patient's counter."""
    world = World()
    world.report(1, infused_ml=5.0, set_rate_ml_h=10.0)
    world.enrol(600, bag="24-hour")
    world.report(601, infused_ml=10.0, set_rate_ml_h=10.0)
    assert world.course().delivery.interruptions == []
    world.do(700, HangBag(course="P-017", bag="24-hour"))
    world.report(701, infused_ml=10.5, set_rate_ml_h=10.0)
    assert world.course().delivery.interruptions == []
