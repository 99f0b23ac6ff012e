"""What a pump told lately: starts, battery stretches, volumes, rates, settings, each within its limit."""

from dataclasses import replace

import pytest

from gateway.core import history
from gateway.core.state import Bag, Course, Pump
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.readings import Observation, PumpEvent
from gateway.domain.view import Facet
from gateway.domain.words import Condition, DeliveryState, DeliveryStatus, Power, PumpEventKind

PROMISE_MS = 5 * MINUTE_MS
START = 100 * HOUR_MS


def a_course() -> tuple[Course, Pump]:
    """A course whose pump delivers a 7-day bag since START."""
    course = Course("P-017", site="ward", pump="p1", bag=Bag("7-day", START, 0.6, 110.0, 0.0, START + 168 * HOUR_MS))
    course.delivery.state, course.delivery.since = DeliveryState.DELIVERING, START
    return course, Pump("ward", "p1", course="P-017")


def count(course: Course, pump: Pump, minutes: range, per_hour: float, infused_ml: float = 0.0) -> int:
    """Tell the volume every minute; returns the facets that woke."""
    woken = 0
    for minute in minutes:
        at = START + minute * MINUTE_MS
        infused_ml += per_hour / 60
        reading = Observation(observed_at=at, infused_ml=infused_ml, delivery_status=DeliveryStatus.DELIVERING)
        woken |= history.note_volume(course, pump, reading, at, PROMISE_MS)
        pump.infused_ml, pump.infused_at = infused_ml, at
    return woken


def on_battery(pump: Pump, at: int, percent: float, power: Power = Power.BATTERY) -> int:
    """One word about the battery, noted and copied."""
    woken = history.note_battery(pump, Observation(observed_at=at, battery_percent=percent, power=power), at)
    pump.battery_percent, pump.on_battery = percent, power is Power.BATTERY
    return woken


def event(kind: PumpEventKind, **more: object) -> PumpEvent:
    """A pump event."""
    return replace(PumpEvent(observed_at=0, event=kind), **more)


def test_starts_of_more_than_an_hour_before_go():
    """Only the last 60 minutes are of interest."""
    pump = Pump("ward", "p1")
    for minute in (0, 30, 90):
        history.note_start(pump, Condition.AIR_IN_LINE, minute * MINUTE_MS)
    assert [at for _, at in pump.starts] == [30 * MINUTE_MS, 90 * MINUTE_MS]


def test_starts_are_bounded_and_in_order():
    """However often a pump cries, and in whatever order its words arrive."""
    pump = Pump("ward", "p1")
    for second in range(200, 0, -1):
        history.note_start(pump, Condition.DOOR_OPEN, second * SECOND_MS)
    assert len(pump.starts) == history.STARTS_MAX
    assert list(pump.starts) == sorted(pump.starts, key=lambda start: start[1])


def test_two_hours_of_delivery_are_needed_before_a_share_is_known():
    """23 full buckets tell nothing, the 24th tells all."""
    course, pump = a_course()
    count(course, pump, range(120), 0.6)
    assert history.delivered_percent(course.volume) is None
    assert count(course, pump, range(120, 121), 0.6, 120 * 0.01) == Facet.VOLUME
    assert history.delivered_percent(course.volume) == 100


@pytest.mark.hazard("H-07")
def test_the_share_is_that_of_the_last_two_hours():
    """Two full hours and then one at half the volume: three quarters."""
    course, pump = a_course()
    count(course, pump, range(121), 0.6)
    count(course, pump, range(121, 181), 0.3, 121 * 0.01)
    assert history.delivered_percent(course.volume) == 75


def test_a_counter_that_went_back_or_was_silent_or_restarted_proves_nothing():
    """None of them adds to the bucket."""
    course, pump = a_course()
    count(course, pump, range(3), 0.6, 5.0)
    assert course.volume is not None
    before = course.volume.ms
    reset = Observation(observed_at=START + 3 * MINUTE_MS, infused_ml=0.0)
    assert history.note_volume(course, pump, reset, reset.observed_at, PROMISE_MS) == 0
    late = Observation(observed_at=START + 9 * MINUTE_MS, infused_ml=9.0)
    assert history.note_volume(course, pump, late, late.observed_at, PROMISE_MS) == 0
    other = Observation(observed_at=START + 3 * MINUTE_MS, infused_ml=9.0, boot="b2")
    assert history.note_volume(course, pump, other, other.observed_at, PROMISE_MS) == 0
    assert course.volume.ms == before


@pytest.mark.parametrize("state", [DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN, DeliveryState.NOT_EXPECTED])
def test_time_that_is_not_judged_delivering_does_not_count(state: DeliveryState):
    """Stops are no under-delivery: they have rules of their own."""
    course, pump = a_course()
    course.delivery.state = state
    count(course, pump, range(30), 0.0)
    assert course.volume is None


def test_whole_percent_make_the_points_of_a_stretch_on_battery():
    """Tenths say nothing new; mains ends the stretch and keeps what it taught."""
    pump = Pump("ward", "p1")
    assert on_battery(pump, 0, 90.0) == Facet.BATTERY
    assert on_battery(pump, MINUTE_MS, 89.9) == Facet.BATTERY
    assert on_battery(pump, 2 * MINUTE_MS, 89.5) == 0
    for minute in range(3, 61):
        on_battery(pump, minute * MINUTE_MS, 90.0 - minute / 3)
    assert on_battery(pump, 61 * MINUTE_MS, 70.0, Power.MAINS) == Facet.BATTERY
    assert pump.battery_points == ()
    assert pump.learnt_percent_h == pytest.approx(20, abs=1)
    assert on_battery(pump, 62 * MINUTE_MS, 70.0, Power.MAINS) == 0


def test_a_swapped_battery_begins_a_new_stretch():
    """By its event, or by a percentage that jumps up."""
    pump = Pump("ward", "p1")
    on_battery(pump, 0, 30.0)
    on_battery(pump, MINUTE_MS, 29.0)
    on_battery(pump, 2 * MINUTE_MS, 98.0)
    assert [percent for _, percent in pump.battery_points] == [98.0]
    assert history.note_event(pump, None, event(PumpEventKind.BATTERY_CHANGED), 3 * MINUTE_MS, 3 * MINUTE_MS) == Facet.BATTERY
    assert pump.battery_points == ()


def test_the_rules_look_at_the_bag_when_its_end_moved_by_ten_minutes():
    """A steady fall moves nothing; a priming of 1 mL moves the end by 100 minutes."""
    pump = Pump("ward", "p1", set_rate_ml_h=0.6)

    def told(ml: float, minute: int) -> int:
        woken = history.note_remaining(pump, ml, minute * MINUTE_MS)
        pump.remaining_ml = ml
        return woken

    assert told(100.0, 0) == Facet.BAG
    assert [told(100.0 - minute * 0.01, minute) for minute in range(1, 60)] == [0] * 59
    assert told(98.4, 60) == Facet.BAG


def test_a_count_that_jumps_up_means_a_new_bag():
    """The instant of the jump is remembered."""
    pump = Pump("ward", "p1", remaining_ml=2.0)
    history.note_remaining(pump, 110.0, 5 * MINUTE_MS)
    assert pump.refilled_at == 5 * MINUTE_MS


def test_priming_takes_volume_from_the_bag_and_from_the_pumps_older_count():
    """Until the pump tells a newer one."""
    course, pump = a_course()
    pump.remaining_ml, pump.remaining_at = 100.0, START + MINUTE_MS
    primed = event(PumpEventKind.PRIMED, primed_ml=4.5)
    assert history.note_event(pump, course, primed, START + 2 * MINUTE_MS, START) == Facet.BAG
    assert course.bag is not None
    assert (course.bag.primed_ml, pump.remaining_ml) == (4.5, 95.5)


def test_rates_wake_the_rules_only_when_a_whole_percent_changes():
    """A rate that wavers within a percent is nobody's business."""
    course, pump = a_course()
    woken = []
    for rate in (0.6, 0.605, 0.595, 0.607, 0.608, 0.6):
        pump.set_rate_ml_h = rate
        woken.append(history.note_rates(course, pump))
    assert woken == [0, 0, 0, Facet.RATES, 0, Facet.RATES]


def test_settings_keep_the_newest_of_each_kind():
    """The rate has its own rule; what is older than what is known changes nothing."""
    pump = Pump("ward", "p1")
    assert history.note_event(pump, None, event(PumpEventKind.SETTINGS_CHANGED, setting="rate_ml_h"), 10_000, 10_000) == 0
    unlocked = event(PumpEventKind.UNLOCKED)
    assert history.note_event(pump, None, unlocked, 20_000, 21_000) == Facet.SETTINGS
    assert history.note_event(pump, None, unlocked, 15_000, 22_000) == 0
    assert history.note_event(pump, None, event(PumpEventKind.TIME_CHANGED, shift_s=200.0), 30_000, 30_000) == Facet.SETTINGS
    assert [(change.kind, change.observed_at) for change in pump.settings] == [("unlocked", 20_000), ("time-changed", 30_000)]


@pytest.mark.hazard("H-19")
def test_unlocking_that_only_telemetry_tells_of_is_noted_once():
    """The event and the telemetry of one act are one change."""
    pump = Pump("ward", "p1", locked=True)
    assert history.note_lock(pump, HOUR_MS, HOUR_MS) == Facet.SETTINGS
    assert history.note_lock(pump, HOUR_MS + SECOND_MS, HOUR_MS + SECOND_MS) == 0
    pump.locked = False
    assert history.note_lock(pump, 2 * HOUR_MS, 2 * HOUR_MS) == 0
