"""Our judgement of delivery: since when not, what proves it, what silence and volume mean."""

import pytest

from gateway.core import delivery
from gateway.domain.commands import EndCourse, HangBag
from gateway.domain.words import Condition, DeliveryState, DeliveryStatus, NotDeliveringReason, PumpEventKind
from tests.unit.core.world import World, alarm, event, minutes, observation, stopped

HOUR = 60
DELIVERING, INTERRUPTED, UNKNOWN, NOT_EXPECTED = (
    DeliveryState.DELIVERING,
    DeliveryState.INTERRUPTED,
    DeliveryState.UNKNOWN,
    DeliveryState.NOT_EXPECTED,
)


def judged(world: World, course: str = "P-017") -> tuple[DeliveryState, float, str, bool]:
    """(state, since in minutes, cause, estimated)."""
    now = world.course(course).delivery
    return now.state, (now.since - minutes(0)) / 60_000, now.cause, now.estimated


def running(*, until: int = 60, **enrol) -> World:
    """A course whose pump has delivered and reported every minute so far."""
    world = World()
    world.enrol(**enrol)
    world.runs(1, until)
    return world


# ---- expected or not -----------------------------------------------------------------------------------------------


def test_a_course_that_ended_expects_nothing():
    """Its pump may stop as it likes."""
    world = running()
    assert world.do(61, EndCourse(course="P-017")).ok
    assert judged(world) == (NOT_EXPECTED, 61, "course ended", False)
    world.hear(62, stopped(62))
    world.tick(600)
    assert judged(world)[0] is NOT_EXPECTED
    assert world.pages == []


def test_a_pump_that_has_said_nothing_is_unknown_since_the_enrolment():
    """Not delivering, not stopped: nobody knows."""
    world = World()
    world.enrol(5, hung_at=minutes(-600))
    assert judged(world) == (UNKNOWN, 5, "silence", False)


def test_a_pump_that_speaks_of_other_things_is_unknown_since_the_enrolment():
    """A battery says nothing about a line."""
    world = World()
    world.enrol(5)
    world.report(7, None, battery_percent=50.0)
    world.report(9, None, battery_percent=50.0)
    assert judged(world) == (UNKNOWN, 5, "unsaid", False)
    world.tick(15)
    assert judged(world) == (UNKNOWN, 5, "silence", False)
    world.report(16)
    assert judged(world)[0] is DELIVERING


# ---- the onset -----------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-01")
def test_a_stop_counts_from_when_it_was_observed_not_from_when_it_was_heard():
    """A message that took five minutes tells of a stop five minutes ago."""
    world = running()
    world.hear(66, stopped(61))
    assert judged(world) == (INTERRUPTED, 61, "user", False)


@pytest.mark.hazard("H-02")
@pytest.mark.parametrize(("bag", "lag"), [("7-day", 60), ("48-hour", 7.2), ("24-hour", 3.6)])
def test_an_occlusion_is_dated_back_by_what_the_line_swallowed(bag, lag):
    """0.6 mL take an hour at 0.6 mL/h and 3.6 minutes at 10."""
    world = running(until=120, bag=bag)
    world.hear(121, alarm(121, Condition.OCCLUSION_DOWNSTREAM, stops_delivery=True))
    assert judged(world) == (INTERRUPTED, pytest.approx(121 - lag), "occlusion-downstream", True)


@pytest.mark.hazard("H-02")
def test_an_occlusion_is_never_dated_back_before_the_bag_or_the_last_interruption():
    """A new bag, and delivery after an interruption, were flow for certain."""
    world = running(until=20)
    world.hear(21, alarm(21, Condition.OCCLUSION, stops_delivery=True))
    assert judged(world)[1] == 0
    world = running(until=60)
    world.hear(61, stopped(61))
    world.runs(71, 80)
    world.hear(81, alarm(81, Condition.OCCLUSION, stops_delivery=True))
    assert judged(world)[1] == 71
    world = running(until=60)
    world.do(61, HangBag(course="P-017", bag="7-day"))
    world.runs(61, 80)
    world.hear(81, alarm(81, Condition.OCCLUSION, stops_delivery=True))
    assert judged(world)[1] == 61


def test_an_occlusion_that_is_told_after_the_stop_explains_it():
    """Telemetry says "alarm" first, the alarm message comes second: same interruption, dated back."""
    world = running(until=120)
    world.hear(121, stopped(121, NotDeliveringReason.ALARM))
    assert judged(world) == (INTERRUPTED, 121, "alarm", False)
    world.hear(121.2, alarm(121, Condition.OCCLUSION))
    assert judged(world) == (INTERRUPTED, 61, "occlusion", True)


def test_an_interruption_keeps_its_onset_and_cause_when_the_alarm_ends_and_the_pump_still_stands():
    """What stopped it is still what stopped it."""
    world = running(until=120)
    world.hear(121, alarm(121, Condition.AIR_IN_LINE, stops_delivery=True), stopped(121, NotDeliveringReason.ALARM))
    world.hear(125, alarm(125, Condition.AIR_IN_LINE, "end"), stopped(125, NotDeliveringReason.USER))
    assert judged(world) == (INTERRUPTED, 121, "air-in-line", False)


def test_an_alarm_that_explained_the_stop_still_explains_it_after_its_end():
    """Telemetry said only "alarm"; which one is remembered while the pump stands."""
    world = running(until=120)
    world.hear(121, stopped(121, NotDeliveringReason.ALARM), alarm(121, Condition.AIR_IN_LINE))
    assert judged(world) == (INTERRUPTED, 121, "air-in-line", False)
    world.hear(125, alarm(125, Condition.AIR_IN_LINE, "end"), stopped(125, NotDeliveringReason.ALARM))
    assert judged(world) == (INTERRUPTED, 121, "air-in-line", False)


def test_a_late_word_says_more_exactly_when_it_stopped():
    """Back from silence with a live report first, and then with what it had kept."""
    world = running()
    world.hear(90, stopped(90))
    assert judged(world) == (INTERRUPTED, 60, "user", True)
    world.hear(90.1, stopped(70))
    assert judged(world) == (INTERRUPTED, 60, "user", True)
    world.hear(90.2, observation(69))
    assert judged(world) == (INTERRUPTED, 70, "user", False)


def test_a_pump_that_never_delivered_is_interrupted_since_the_bag_hangs():
    """And never since before the course: nobody expected anything then."""
    world = World()
    world.enrol(10)
    world.hear(20, stopped(20))
    assert judged(world)[:2] == (INTERRUPTED, 10)
    world = World()
    world.enrol(10, hung_at=minutes(-6000))
    world.hear(20, stopped(20))
    assert judged(world)[:2] == (INTERRUPTED, 10)


@pytest.mark.hazard("H-08")
def test_keeping_the_vein_open_and_completion_are_interruptions():
    """Flow without dose, and no flow at all."""
    world = running()
    world.report(61, DeliveryStatus.KVO)
    assert judged(world)[:3] == (INTERRUPTED, 61, "kvo")
    world = running()
    world.hear(61, event(61, PumpEventKind.DELIVERY_COMPLETE))
    assert judged(world)[:3] == (INTERRUPTED, 61, "infusion-complete")


# ---- totals --------------------------------------------------------------------------------------------------------


def test_a_stop_of_a_minute_is_not_counted_and_a_longer_one_is():
    """A stop and a start within 60 s are nothing."""
    world = running()
    world.hear(61, stopped(61))
    world.runs(62, 69)
    assert (world.course().delivery.interrupted_ms, world.course().delivery.interruptions) == (0, [])
    world.hear(70, stopped(70))
    world.report(71.1)
    assert world.course().delivery.interrupted_ms == 66_000
    assert [(i.cause, i.until - i.since) for i in world.course().delivery.interruptions] == [("user", 66_000)]


@pytest.mark.hazard("H-03")
def test_the_worst_case_counts_what_nobody_can_vouch_for():
    """Silent from minute 60, standing at minute 90: interrupted since 60 at the worst."""
    world = running()
    course, pump = world.course(), world.pump()
    assert (delivery.current_ms(course, minutes(60)), delivery.worst_ms(course, pump, minutes(60))) == (0, 0)
    world.tick(80)
    assert (delivery.current_ms(course, minutes(80)), delivery.worst_ms(course, pump, minutes(80))) == (0, 20 * 60_000)
    world.hear(90, stopped(90, infused_ml=None))
    assert delivery.current_ms(course, minutes(100)) == delivery.worst_ms(course, pump, minutes(100)) == 40 * 60_000


@pytest.mark.hazard("H-22")
def test_the_worst_case_never_reaches_back_before_the_course():
    """A pump that served somebody else brings none of that along."""
    world = World()
    world.report(1)
    world.hear(2, stopped(2))
    world.enrol(600)
    world.hear(601, stopped(601))
    assert delivery.worst_ms(world.course(), world.pump(), minutes(610)) == 10 * 60_000


# ---- silence -------------------------------------------------------------------------------------------------------


def test_silence_after_delivery_is_unknown_and_after_a_stop_still_a_stop():
    """The promise is five minutes, or three intervals."""
    world = running()
    world.tick(64.999)
    assert judged(world)[0] is DELIVERING
    world.tick(65)
    assert judged(world) == (UNKNOWN, 60, "silence", False)
    world = running()
    world.hear(61, stopped(61))
    world.tick(300)
    assert judged(world)[:2] == (INTERRUPTED, 61)


def test_a_slow_reporter_has_a_longer_promise():
    """Three intervals of ten minutes."""
    world = World()
    world.enrol()
    for at in range(0, 200, 10):
        world.report(at)
    world.tick(219.9)
    assert judged(world)[0] is DELIVERING
    world.tick(220)
    assert judged(world)[0] is UNKNOWN


def test_a_returned_pump_is_judged_when_it_speaks_of_now_or_after_half_a_minute():
    """Its old words are read first; nobody is called for them meanwhile."""
    world = running()
    world.hear(74, stopped(61))
    assert world.incident_or_none() is None
    world.tick(74.49)
    assert world.incident_or_none() is None
    world.tick(74.5)
    assert world.incident().alerts.keys() == {"delivery-interrupted"}
    world = running()
    world.hear(74, stopped(61))
    world.hear(74.2, stopped(74.2))
    assert world.incident().alerts.keys() == {"delivery-interrupted"}


def test_a_deadline_within_the_reading_of_a_backlog_is_not_asked_for_ever():
    """An alert that is due while the backlog is read waits for its end, and the next deadline is that end."""
    world = running()
    world.report(74.9, observed=61)
    assert world.monitor.next_deadline() == minutes(75.4)
    world.tick(76)
    assert judged(world)[0] is DELIVERING
