import json
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.domain.care import CloseWindow, OpenWindow
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.chances import Chances, spread_of
from gateway.scenario.habits import is_busy
from gateway.scenario.network import Arrival
from gateway.scenario.places import Told
from gateway.scenario.truth import Cause
from tests.unit.scenario.study_worlds import HOURLY, NOTHING_HAPPENS, lived

HOMES = 40
WEEKS = HOMES * 4


@pytest.fixture(scope="module")
def fleet():
    """Forty homes that nobody watches, after their cycles."""
    return [lived(number)[0] for number in range(1, HOMES + 1)]


def interruptions(fleet, *causes):
    """All true interruptions of these causes."""
    return [item for home in fleet for item in home.truth.interruptions if item.cause in causes]


def counted(fleet, word):
    """How often things of this name happened."""
    return sum(count for home in fleet for name, count in home.truth.alarms.items() if name.startswith(word))


def test_what_reached_the_patient_is_the_integral_of_the_true_flow(fleet):
    """Nothing comes from nowhere: stretches of flow at the true rate, the pump's own count times its error, the bags' volumes."""
    for home in fleet:
        truth = home.truth
        flowed_h = sum(until - since for since, until in truth.flows) / HOUR_MS
        by_pump_ml = home.pump.works.to_patient_ml * home.factor
        in_bags_ml = sum(bag.fill_ml - bag.primed_ml for bag in truth.bags)
        assert truth.delivered_ml == pytest.approx(flowed_h * truth.rate_ml_h, abs=1e-3)
        assert truth.delivered_ml == pytest.approx(by_pump_ml, abs=1e-6)
        assert truth.delivered_ml < in_bags_ml


def test_every_instant_of_a_cycle_flows_or_is_an_interruption(fleet):
    """The stretches of flow and the interruptions cover the cycle, without gaps and without overlaps."""
    for home in fleet:
        pieces = sorted([*home.truth.flows, *((item.since, item.until) for item in home.truth.interruptions)])
        assert pieces[0][0] == home.start_at
        assert pieces[-1][1] == home.end_at == home.start_at + 28 * DAY_MS
        assert all(before[1] == after[0] for before, after in pairwise(pieces))


def test_a_home_in_which_nothing_happens_gets_its_four_bags():
    """Without trouble only the changes of bag interrupt, every seven days, for five to fifteen minutes."""
    home, deeds = lived(1, NOTHING_HAPPENS)
    changes = home.truth.interruptions
    assert [item.cause for item in changes] == [Cause.BAG_CHANGE] * 3
    assert all(5 * MINUTE_MS <= item.length_ms <= 15 * MINUTE_MS for item in changes)
    assert all(abs(item.since - home.start_at - n * 7 * DAY_MS) < 6 * HOUR_MS for n, item in enumerate(changes, 1))
    stood_h = sum(item.length_ms for item in changes) / HOUR_MS
    assert home.truth.delivered_ml == pytest.approx((28 * 24 - stood_h) * 0.6 * home.factor, rel=1e-6)
    commands = [type(deed.command) for deed in deeds if isinstance(deed, Told)]
    change = [OpenWindow, HangBag, CloseWindow]
    bags = [kind for kind in commands if kind not in (OpenWindow, CloseWindow)]
    assert bags == [Enrol, HangBag, HangBag, HangBag, EndCourse]
    assert any(commands[n : n + 3] == change for n in range(len(commands)))


def test_what_happened_in_forty_homes_is_what_this_seed_gives(fleet):
    """The exact numbers of seed 1: whoever changes them has changed the simulated world."""
    names = ("transient", "technical", "stop", "unplugged", "gap", "pump died", "battery")
    assert [counted(fleet, name) for name in names] == [321, 23, 85, 1153, 4424, 1, 73]


def test_technical_events_come_as_often_as_in_dallas(fleet):
    """0.14 a seven-day bag: 22 in 160 weeks, within three deviations of chance; those that meet trouble are not counted."""
    expected = 0.14 * WEEKS
    assert abs(counted(fleet, "technical") - expected) < 3 * expected**0.5


def test_transient_alarms_come_as_often_as_assumed(fleet):
    """0.1 to 0.3 a day, seven and a half times as often for twelve and a half hours of each bag: about 0.3 a day on the whole."""
    expected = 0.2 * (1 + 6.5 * 12.5 / 168) * 28 * HOMES
    assert 0.75 * expected < counted(fleet, "transient") < 1.15 * expected


def test_the_internet_is_lost_as_often_as_assumed(fleet):
    """Four gaps a day, and one outage of hours a cycle."""
    gaps = counted(fleet, "gap")
    assert abs(gaps - 4 * 28 * HOMES) < 3 * (4 * 28 * HOMES) ** 0.5
    assert all(any(until - since > 1.9 * HOUR_MS for since, until in home.truth.losses) for home in fleet)


def test_an_occlusion_stops_the_flow_long_before_the_pump_tells(fleet):
    """The first sign comes when 0.4 to 0.98 mL have gone into the closed line: 40 to 98 minutes later at 0.6 mL/h."""
    occlusions = [item for item in interruptions(fleet, Cause.OCCLUSION) if item.first_sign_at is not None]
    lags_min = [(item.first_sign_at - item.since) / MINUTE_MS for item in occlusions]
    assert len(occlusions) > 20
    assert sum(40 <= lag <= 98.1 for lag in lags_min) > 0.9 * len(lags_min)  # the others were overtaken by an empty bag
    assert max(lags_min) < 98.1


def test_a_stop_by_hand_shows_at_once_and_a_dead_pump_never(fleet):
    """What the pump itself says, and when."""
    assert all(item.first_sign_at == item.since for item in interruptions(fleet, Cause.STOPPED, Cause.AIR, Cause.DOOR))
    assert all(item.first_sign_at is None for item in interruptions(fleet, Cause.DIED))


def test_pumps_are_off_by_up_to_six_percent_and_their_bags_run_dry_when_they_really_are_empty(fleet):
    """A pump that runs fast empties its bag before its counter does, and finds air."""
    assert all(0.94 <= home.factor <= 1.06 for home in fleet)
    dry = [(home, bag) for home in fleet for bag in home.truth.bags if bag.ran_dry]
    assert dry
    for home, bag in dry:
        stopped = next(item for item in home.truth.interruptions if item.since <= bag.empty_at <= item.until)
        assert stopped.cause in (Cause.BAG_EMPTY, Cause.OCCLUSION)
        assert bag.empty_at < bag.ended_at
        stretches = ((max(since, bag.hung_at), min(until, bag.empty_at)) for since, until in home.truth.flows)
        flowed_h = sum(max(0, until - since) for since, until in stretches) / HOUR_MS
        assert flowed_h * home.truth.rate_ml_h <= bag.fill_ml - bag.primed_ml + 1e-3


def test_nothing_is_lost_on_the_way_and_some_comes_twice_or_late():
    """QoS 1: every message of the pump arrives, about one in a hundred again, about one in a hundred overtaken."""
    assumed = replace(HOURLY, report_s=300.0, died_per_cycle=0.0, unplug_per_day=0.0)
    _, deeds = lived(3, assumed)
    bodies = [json.loads(deed.payload) for deed in deeds if isinstance(deed, Arrival) and not deed.topic.endswith("/status")]
    numbers = [body["seq"] for body in bodies]
    assert set(numbers) == set(range(1, max(numbers) + 1))
    repeated = len(numbers) - len(set(numbers))
    overtaken = sum(after < before for before, after in pairwise(numbers))
    assert 0.005 < repeated / len(numbers) < 0.02
    assert 0 < overtaken < 0.04 * len(numbers)


def test_an_alarm_is_counted_once_however_often_it_arrives():
    """The baseline pages for the first copy of an alarm's start."""
    _, deeds = lived(2)
    starts = {}
    for deed in deeds:
        body = json.loads(deed.payload) if isinstance(deed, Arrival) else {}
        if body.get("phase") == "start":
            starts.setdefault((body["boot"], body["seq"]), []).append(deed.starts_alarm)
    assert starts
    assert all(flags.count(True) == 1 for flags in starts.values())


def test_the_ends_of_a_bag_are_busy():
    """The last twelve hours before a change and the first half hour after it."""
    home, _ = lived(1, NOTHING_HAPPENS)
    bag = home.truth.bags[-1]
    assert is_busy(home, bag.hung_at + 29 * MINUTE_MS)
    assert not is_busy(home, bag.hung_at + 31 * MINUTE_MS)
    assert is_busy(home, bag.hung_at + 7 * DAY_MS - 11 * HOUR_MS)


@pytest.mark.parametrize("median_min", [2.0, 10.0])
def test_nine_percent_of_alarms_take_over_half_an_hour_to_clear(median_min):
    """By day and by night, with their own medians."""
    chances = Chances(7, "clear")
    spread = spread_of(median_min, 30.0, Assumptions().clear_over_half_hour)
    lengths_min = sorted(chances.lognormal_ms(median_min, spread) / MINUTE_MS for _ in range(4_000))
    assert lengths_min[2_000] == pytest.approx(median_min, rel=0.1)
    assert 0.08 < sum(length > 30 for length in lengths_min) / 4_000 < 0.10


def test_another_home_is_another_story_and_the_same_home_the_same():
    """A home's dice are its own: neither the number of homes nor their order changes its story."""
    first, second = lived(4)[1], lived(4)[1]
    assert first == second
    assert lived(5)[1] != first
    assert lived(4, seed=2)[1] != first
