"""What will run out when: bag intervals and battery slopes, as forecasts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.forecast import POINTS_MAX, bag_forecast, battery_forecast, slope_percent_h, with_point
from gateway.core.state import Bag
from gateway.domain.instants import HOUR_MS, MINUTE_MS

WEEK_H = 168


def bag(fill_ml: float = 110.0, primed_ml: float = 0.0, rate_ml_h: float = 0.6) -> Bag:
    """A 7-day bag, hung at 0."""
    return Bag("7-day", 0, rate_ml_h, fill_ml, primed_ml, WEEK_H * HOUR_MS)


def fallen(start: float, per_hour: float, minutes: range) -> tuple[tuple[int, float], ...]:
    """Points of a battery that falls evenly."""
    points: tuple[tuple[int, float], ...] = ()
    for minute in minutes:
        points = with_point(points, minute * MINUTE_MS, start - per_hour * minute / 60)
    return points


def test_a_full_bag_lasts_beyond_its_week_even_at_its_earliest():
    """110 mL at 0.6 mL/h are 183 h 20 min, give or take 11 h."""
    forecast = bag_forecast(bag(), 0, rate_ml_h=0.6, remaining_ml=None, stopped_ms=0)
    assert forecast is not None
    assert forecast.central_at == pytest.approx(183.3333 * HOUR_MS, abs=MINUTE_MS)
    assert forecast.early_at == pytest.approx(172.3333 * HOUR_MS, abs=MINUTE_MS)
    assert forecast.late_at == pytest.approx(194.3333 * HOUR_MS, abs=MINUTE_MS)


def test_priming_takes_hours_off_the_bag():
    """9 mL are 15 h at 0.6 mL/h."""
    whole = bag_forecast(bag(), 0, rate_ml_h=0.6, remaining_ml=None, stopped_ms=0)
    primed = bag_forecast(bag(primed_ml=9.0), 0, rate_ml_h=0.6, remaining_ml=None, stopped_ms=0)
    assert whole is not None
    assert primed is not None
    assert whole.central_at - primed.central_at == 15 * HOUR_MS


def test_a_stop_moves_the_end_by_its_length():
    """What did not flow while the pump stood is still in the bag."""
    at = 24 * HOUR_MS
    running = bag_forecast(bag(), at, rate_ml_h=0.6, remaining_ml=None, stopped_ms=0)
    stopped = bag_forecast(bag(), at, rate_ml_h=0.6, remaining_ml=None, stopped_ms=2 * HOUR_MS)
    assert running is not None
    assert stopped is not None
    assert stopped.central_at - running.central_at == 2 * HOUR_MS


def test_the_pumps_own_count_of_what_remains_is_believed_up_to_what_can_be_there():
    """60 mL left are 100 h; 200 mL cannot be in a bag of 110."""
    counted = bag_forecast(bag(), HOUR_MS, rate_ml_h=0.6, remaining_ml=60.0, stopped_ms=0)
    absurd = bag_forecast(bag(), HOUR_MS, rate_ml_h=0.6, remaining_ml=200.0, stopped_ms=0)
    full = bag_forecast(bag(), HOUR_MS, rate_ml_h=0.6, remaining_ml=110.0, stopped_ms=0)
    assert counted is not None
    assert counted.central_at == 101 * HOUR_MS
    assert absurd == full


def test_a_pump_that_is_set_to_nothing_empties_no_bag():
    """At rate 0 there is no forecast."""
    assert bag_forecast(bag(), 0, rate_ml_h=0.0, remaining_ml=50.0, stopped_ms=0) is None


@given(
    fill_ml=st.floats(20, 300),
    primed_ml=st.floats(0, 15),
    rate_ml_h=st.floats(0.1, 12),
    at_h=st.integers(0, 300),
    remaining_ml=st.none() | st.floats(0, 300),
    stopped_h=st.integers(0, 24),
)
def test_early_never_comes_after_central_nor_central_after_late(
    fill_ml: float, primed_ml: float, rate_ml_h: float, at_h: int, remaining_ml: float | None, stopped_h: int
) -> None:
    """The interval stands in its order, and never begins before now."""
    at = at_h * HOUR_MS
    told = bag_forecast(
        bag(fill_ml, primed_ml, rate_ml_h), at, rate_ml_h=rate_ml_h, remaining_ml=remaining_ml, stopped_ms=stopped_h * HOUR_MS
    )
    assert told is not None
    assert at <= told.early_at <= told.central_at <= told.late_at


@pytest.mark.hazard("H-11")
def test_the_interval_covers_the_end_of_at_least_95_of_100_bags():
    """Pumps that are up to 6 percent off, primed once or twice, watched from any hour on."""
    dice = random.Random(20260302)
    covered = 0
    for _ in range(400):
        off, primed_ml = dice.uniform(0.94, 1.06), dice.choice((0.0, 4.5, 9.0))
        truth_at = round((110.0 - primed_ml) / (0.6 * off) * HOUR_MS)
        at = dice.randrange(0, 150) * HOUR_MS
        counted_ml = 110.0 - primed_ml - 0.6 * at / HOUR_MS  # the pump counts what it means to deliver
        told = bag_forecast(bag(primed_ml=primed_ml), at, rate_ml_h=0.6, remaining_ml=counted_ml, stopped_ms=0)
        assert told is not None
        covered += told.early_at <= truth_at <= told.late_at + 40 * MINUTE_MS  # 1/0.94 is a little more than 1.06
    assert covered >= 380


@pytest.mark.hazard("H-14")
def test_a_battery_that_falls_evenly_is_learnt():
    """30 percent an hour from a quarter of an hour on is 30 percent an hour."""
    assert slope_percent_h(fallen(90, 30, range(61))) == pytest.approx(30)


def test_a_stretch_of_less_than_twenty_minutes_or_two_percent_teaches_nothing():
    """Too short, or too flat, to tell."""
    assert slope_percent_h(fallen(90, 30, range(20))) is None
    assert slope_percent_h(fallen(90, 1, range(61))) is None
    assert slope_percent_h(()) is None


def test_one_odd_reading_moves_the_slope_little():
    """The median of all pairs does not follow an outlier."""
    points = list(fallen(90, 10, range(0, 121, 10)))
    points[5] = (points[5][0], 40.0)
    slope = slope_percent_h(points)
    assert slope == pytest.approx(10, abs=2)


def test_points_are_few_and_cover_the_whole_stretch():
    """However long the stretch, the first reading stays and their number is bounded."""
    points = fallen(100, 5, range(1200))
    assert len(points) <= POINTS_MAX
    assert points[0] == (0, 100.0)
    assert points[-1][0] == 1199 * MINUTE_MS


def test_readings_out_of_order_or_unchanged_are_no_points():
    """Only news counts."""
    points = with_point((), 10, 80.0)
    assert with_point(points, 10, 79.0) == points
    assert with_point(points, 20, 80.0) == points


def test_the_makers_figure_counts_until_the_pumps_own_fall_is_known():
    """50 percent at 5 an hour are 10 h; at 25 an hour 2 h."""
    assert battery_forecast(50, learnt_percent_h=None, vendor_percent_h=5).left_ms == 10 * HOUR_MS
    learnt = battery_forecast(50, learnt_percent_h=25, vendor_percent_h=5)
    assert (learnt.left_ms, learnt.learnt) == (2 * HOUR_MS, True)
