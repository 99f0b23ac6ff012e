"""The simulated pump without a link and without power, and the laws of any story."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_adapters.registry import decode
from device_adapters.simulated_parts import KEPT_MAX, Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.words import Condition, Priority
from tests.unit.device_adapters.pump_stories import RUNS, START, STOPS, pump, said


def test_what_could_not_be_sent_comes_later_with_its_own_times():
    """A silent pump lives on: reports and alarms are kept in order, then a live report follows."""
    made = pump()
    assert made.disconnect(START) == []
    assert made.report(START + MINUTE_MS) == []
    assert made.alarm(START + 90 * SECOND_MS, Condition.AIR_IN_LINE) == []
    messages = made.reconnect(START + 3 * MINUTE_MS)
    assert said(messages) == [RUNS, ("alarm", "air-in-line", "start"), STOPS, STOPS, STOPS]
    minutes = [(message.at - START) / MINUTE_MS for message in messages]
    assert minutes == [1, 1.5, 1.5, 2, 3]
    assert [message.seq for message in messages] == [3, 4, 5, 6, 7]
    assert made.kept == 0


def test_a_pump_that_keeps_nothing_leaves_a_gap():
    """Without a memory the numbers go on, and the gateway sees what it missed."""
    made = pump()
    made.disconnect(START, keeps=False)
    (report,) = made.reconnect(START + 10 * MINUTE_MS)
    assert report.seq == 12
    assert report.at == START + 10 * MINUTE_MS


def test_the_memory_is_bounded_and_gives_up_reports_first():
    """After eight days of silence 10,000 messages are left: the alarms of the first day, and the latest reports."""
    made = pump()
    made.disconnect(START)
    for minute in range(5):
        made.alarm(START + minute * MINUTE_MS, Condition.BATTERY_LOW)
    made.report(START + 8 * DAY_MS)
    messages = made.reconnect(START + 8 * DAY_MS)
    assert made.kept == 0
    assert len(messages) <= KEPT_MAX + 1
    assert [message.channel for message in messages[:5]] == ["alarm"] * 5


def test_the_memory_of_a_pump_that_only_alarms_is_bounded_too():
    """When there is no report left to give up, the oldest alarm goes."""
    made = pump()
    made.disconnect(START)
    for _ in range(KEPT_MAX + 3):
        made.alarm(START, Condition.BATTERY_LOW)
    assert made.kept == KEPT_MAX
    first, *_ = made.reconnect(START)
    assert first.seq == 6


def test_a_dead_pump_starts_anew():
    """A new boot, new numbers, a counter at zero; the bag is as empty as it was; it delivers again."""
    made = pump()
    made.report(START + HOUR_MS)
    made.alarm(START + HOUR_MS, Condition.SYSTEM_FAULT)
    assert made.die(START + HOUR_MS) == []
    assert made.report(START + 2 * HOUR_MS) == []
    event, report = made.reconnect(START + 3 * HOUR_MS)
    assert (event.body["event"], event.body["boot"], event.seq) == ("power-on", "b2", 1)
    body = report.body
    assert (body["delivery_status"], body["infused_ml"], body["remaining_ml"]) == ("delivering", 0.0, 109.4)
    assert made.next_report_at == START + 3 * HOUR_MS + MINUTE_MS
    assert made.works.bag.infused_ml == pytest.approx(0.6)


def test_what_a_pump_kept_dies_with_it():
    """No power, no memory; it starts anew when its power is back, link or no link."""
    made = pump(boot="home")
    made.disconnect(START)
    made.report(START + MINUTE_MS)
    made.die(START + MINUTE_MS)
    assert made.kept == 0
    assert said(made.power_up(START + HOUR_MS)) == [("event", "power-on"), RUNS]
    assert made.boot == "home2"


def test_reconnecting_a_connected_pump_is_just_a_report():
    """Nothing was kept, nothing is lost."""
    made = pump()
    assert said(made.reconnect(START + 5 * MINUTE_MS)) == [RUNS]


Act = Callable[[SimulatedPump, int], list[Outgoing]]
ACTS: list[Act] = [
    lambda made, at: made.report(at),
    lambda made, at: made.alarm(at, Condition.AIR_IN_LINE),
    lambda made, at: made.alarm(at, Condition.BATTERY_LOW, Priority.LOW),
    lambda made, at: made.clear(at, Condition.AIR_IN_LINE),
    lambda made, at: made.clear(at, Condition.RESERVOIR_EMPTY),
    lambda made, at: made.clear(at, Condition.OCCLUSION_DOWNSTREAM),
    lambda made, at: made.stop(at),
    lambda made, at: made.run(at),
    lambda made, at: made.set_rate(at, 7.5),
    lambda made, at: made.set_rate(at, 0.0),
    lambda made, at: made.set_battery(at, 3.0),
    lambda made, at: made.unplug(at),
    lambda made, at: made.plug(at),
    lambda made, at: made.prime(at, 2.5),
    lambda made, at: made.occlude(at),
    lambda made, at: made.disconnect(at),
    lambda made, at: made.reconnect(at),
    lambda made, at: made.die(at),
    lambda made, at: made.hang_bag(at, 20.0, 0.6, 1.5),
]
STORIES = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 12 * HOUR_MS)), max_size=40)


@settings(max_examples=150, deadline=None)
@given(story=STORIES)
def test_laws_of_any_story(story: list[tuple[Act, int]]):
    """Volume is conserved, numbers rise by one within a boot, times never fall, and our own decoders read every word."""
    made = pump(bag_ml=12.0, rate_ml_h=1.5)
    at, sent = START, []
    for act, later_ms in story:
        at += later_ms
        sent += act(made, at)
        bag = made.works.bag
        assert bag.infused_ml + bag.primed_ml + bag.remaining_ml == pytest.approx(bag.volume_ml, abs=1e-6)
        assert made.works.to_patient_ml >= 0
        assert 0 <= made.works.battery_percent <= 100
        assert made.kept <= KEPT_MAX
    sent += made.reconnect(at)
    assert all(earlier.at <= later.at for earlier, later in pairwise(sent))
    for earlier, later in pairwise(sent):
        assert later.seq == (earlier.seq + 1 if later.body["boot"] == earlier.body["boot"] else 1)
    for message in sent:
        assert message.body["observed_at"] == message.at
        decoded = decode(message.channel, message.payload())
        assert not decoded.refused
        assert len(decoded.readings) == 1
