"""The simulated pump behaves like one: it counts, runs empty, keeps what it could not send, and forgets at each start."""

import random
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

START = 1_772_409_600_000


def pump(**settings_: object) -> SimulatedPump:
    """A pump with a seven-day bag, powered up at START, its first messages gone."""
    made = SimulatedPump("p1", **{"rate_ml_h": 0.6, "bag_ml": 110.0, "started_at": START, **settings_})
    made.power_up(START)
    return made


def said(messages: list[Outgoing]) -> list[tuple[object, ...]]:
    """What was published, in short: channel, and what tells one message from another."""
    keys = {"telemetry": ("delivery_status",), "alarm": ("alarm", "phase"), "event": ("event",)}
    return [(message.channel, *(message.body[key] for key in keys[message.channel])) for message in messages]


RUNS = ("telemetry", "delivering")
STOPS = ("telemetry", "not-delivering")


def test_power_up_says_so_and_reports():
    """The first messages are the start of the device and what it does."""
    made = SimulatedPump("p1", rate_ml_h=0.6, bag_ml=110, started_at=START)
    event, report = made.power_up(START)
    assert event.body == {"observed_at": START, "boot": "b1", "seq": 1, "event": "power-on"}
    assert report == Outgoing(
        START,
        "telemetry",
        {
            "observed_at": START,
            "boot": "b1",
            "seq": 2,
            "delivery_status": "delivering",
            "rate_ml_h": 0.6,
            "set_rate_ml_h": 0.6,
            "infused_ml": 0.0,
            "remaining_ml": 110,
            "battery_percent": 100.0,
            "power": "mains",
            "locked": True,
        },
    )
    assert report.payload().startswith(b'{"observed_at":1772409600000,"boot":"b1","seq":2,')


def test_it_counts_while_it_delivers_and_not_while_it_stands():
    """Ten hours at 0.6 mL/h are 6 mL; an hour of standing adds nothing."""
    made = pump()
    (report,) = made.report(START + 10 * HOUR_MS)
    assert (report.body["infused_ml"], report.body["remaining_ml"]) == (6.0, 104.0)
    assert said(made.stop(START + 10 * HOUR_MS)) == [("event", "delivery-stopped"), STOPS]
    (report,) = made.report(START + 11 * HOUR_MS)
    assert (report.body["infused_ml"], report.body["rate_ml_h"], report.body["set_rate_ml_h"]) == (6.0, 0.0, 0.6)
    assert report.body["not_delivering_reason"] == "user"
    assert said(made.run(START + 11 * HOUR_MS)) == [("event", "delivery-started"), RUNS]
    (report,) = made.report(START + 12 * HOUR_MS)
    assert report.body["infused_ml"] == 6.6


def test_reports_are_due_on_a_grid():
    """A report is due each minute from the start, however late the last one was."""
    made = pump()
    assert made.next_report_at == START + MINUTE_MS
    made.report(START + MINUTE_MS)
    assert made.next_report_at == START + 2 * MINUTE_MS
    made.report(START + 150 * SECOND_MS)
    assert made.next_report_at == START + 3 * MINUTE_MS


def test_time_runs_forward():
    """A story told backwards is a mistake of the teller."""
    made = pump()
    with pytest.raises(ValueError, match="forward"):
        made.report(START - 1)


@pytest.mark.parametrize("condition", list(Condition))
def test_which_alarms_stop_the_pump(condition: Condition):
    """Occlusions, air, an open door, no cassette, an empty reservoir, no battery and faults stop it; others do not."""
    stopping = {
        "occlusion",
        "occlusion-downstream",
        "occlusion-upstream",
        "air-in-line",
        "door-open",
        "cassette-detached",
        "reservoir-empty",
        "battery-depleted",
        "system-fault",
    }
    stops = condition.value in stopping
    alarm, *reports = pump().alarm(START, condition)
    assert alarm.body["stops_delivery"] is stops
    assert said(reports) == ([STOPS] if stops else [])


def test_an_alarm_carries_what_it_is_given():
    """Priority, code and text stand in the message when they are given, and `stops` overrules the default."""
    (message,) = pump().alarm(START, Condition.AIR_IN_LINE, Priority.HIGH, stops=False, code="E12", text="AIR IN LINE")
    assert message.body == {
        "observed_at": START,
        "boot": "b1",
        "seq": 3,
        "alarm": "air-in-line",
        "phase": "start",
        "stops_delivery": False,
        "priority": "high",
        "code": "E12",
        "text": "AIR IN LINE",
    }


def test_a_condition_repeats_as_continue_and_ends_once():
    """A pump that says the same thing again does not start again."""
    made = pump()
    assert said(made.alarm(START, Condition.AIR_IN_LINE)) == [("alarm", "air-in-line", "start"), STOPS]
    assert said(made.alarm(START, Condition.AIR_IN_LINE)) == [("alarm", "air-in-line", "continue")]
    assert said(made.clear(START, Condition.AIR_IN_LINE)) == [("alarm", "air-in-line", "end"), RUNS]
    assert said(made.alarm(START, Condition.AIR_IN_LINE)) == [("alarm", "air-in-line", "start"), STOPS]


def test_delivery_resumes_only_when_nothing_holds_it():
    """A second condition, or a hand on the stop key, keeps the pump standing."""
    made = pump()
    made.alarm(START, Condition.AIR_IN_LINE)
    made.alarm(START, Condition.DOOR_OPEN)
    assert said(made.clear(START, Condition.AIR_IN_LINE)) == [("alarm", "air-in-line", "end"), STOPS]
    made.stop(START)
    _, report = made.clear(START, Condition.DOOR_OPEN)
    assert report.body["not_delivering_reason"] == "user"
    assert said(made.run(START)) == [("event", "delivery-started"), RUNS]


def test_a_condition_counts_before_a_hand():
    """A stopped pump that alarms says that it alarms."""
    made = pump()
    made.stop(START, "clinician")
    made.alarm(START, Condition.DOOR_OPEN)
    (report,) = made.report(START)
    assert report.body["not_delivering_reason"] == "alarm"


def test_a_new_rate_is_delivered():
    """The event says the rate, and the counter follows it."""
    made = pump()
    event, _ = made.set_rate(START, 1.2)
    assert (event.body["event"], event.body["rate_ml_h"]) == ("rate-changed", 1.2)
    (report,) = made.report(START + HOUR_MS)
    assert (report.body["rate_ml_h"], report.body["infused_ml"]) == (1.2, 1.2)


def test_an_empty_reservoir_is_noticed_at_its_own_instant():
    """110 mL at 0.6 mL/h last 183 h 20 min; the next report says when it was, and then how it is."""
    made = pump()
    empty_at = START + 183 * HOUR_MS + 20 * MINUTE_MS
    messages = made.report(empty_at + 30 * SECOND_MS)
    assert said(messages) == [("alarm", "reservoir-empty", "start"), STOPS, STOPS]
    assert [message.at for message in messages] == [empty_at, empty_at, empty_at + 30 * SECOND_MS]
    assert (messages[-1].body["infused_ml"], messages[-1].body["remaining_ml"]) == (110.0, 0.0)


def test_an_empty_bag_alarms_again_however_often_it_is_cleared():
    """Clearing an alarm puts nothing into a bag."""
    made = pump(bag_ml=0.6)
    made.report(START + HOUR_MS)
    assert said(made.clear(START + HOUR_MS, Condition.RESERVOIR_EMPTY)) == [("alarm", "reservoir-empty", "end"), STOPS]
    assert said(made.report(START + HOUR_MS)) == [("alarm", "reservoir-empty", "start"), STOPS, STOPS]


def test_a_new_bag_ends_what_was_wrong_with_the_old_one():
    """The conditions of the reservoir end, others stay; the counter starts again, minus what was primed."""
    made = pump(bag_ml=0.6)
    made.alarm(START, Condition.NEAR_END)
    made.alarm(START, Condition.BATTERY_LOW)
    made.report(START + HOUR_MS)
    messages = made.hang_bag(START + 2 * HOUR_MS, 110.0, rate_ml_h=1.0, primed_ml=4.5)
    assert said(messages) == [
        ("alarm", "near-end", "end"),
        ("alarm", "reservoir-empty", "end"),
        ("event", "bag-changed"),
        RUNS,
    ]
    assert (messages[2].body["bag_ml"], messages[2].body["primed_ml"]) == (110.0, 4.5)
    body = messages[3].body
    assert (body["infused_ml"], body["remaining_ml"], body["set_rate_ml_h"]) == (0.0, 105.5, 1.0)
    assert made.active == {Condition.BATTERY_LOW}


def test_priming_leaves_the_bag_and_reaches_nobody():
    """The event says how much there was; the counter of infused volume stays."""
    made = pump(bag_ml=5.0)
    (event,) = made.prime(START, 4.5)
    assert (event.body["event"], event.body["primed_ml"]) == ("primed", 4.5)
    (event,) = made.prime(START, 4.5)
    assert event.body["primed_ml"] == 0.5
    assert made.works.bag.infused_ml == 0.0


def test_the_battery_drains_only_off_mains():
    """5 % an hour unless another drain is given; on mains it keeps what it has."""
    made = pump()
    assert made.unplug(START + HOUR_MS) == []
    (report,) = made.report(START + 3 * HOUR_MS)
    assert (report.body["battery_percent"], report.body["power"]) == (90.0, "battery")
    assert made.set_battery(START + 3 * HOUR_MS, 18) == []
    assert made.plug(START + 3 * HOUR_MS) == []
    (report,) = made.report(START + 30 * HOUR_MS)
    assert (report.body["battery_percent"], report.body["power"]) == (18, "mains")


def test_a_battery_at_zero_is_the_last_thing_that_a_pump_says():
    """It alarms at the instant at which the battery is empty, and is silent after that."""
    made = pump()
    made.unplug(START, drain_percent_h=50)
    messages = made.report(START + 3 * HOUR_MS)
    assert said(messages) == [("alarm", "battery-depleted", "start"), STOPS]
    assert {message.at for message in messages} == {START + 2 * HOUR_MS}
    assert made.report(START + 4 * HOUR_MS) == []
    assert said(made.reconnect(START + 5 * HOUR_MS)) == [("event", "power-on"), RUNS]
    assert made.works.battery_percent == 100.0


def test_an_occlusion_is_noticed_late():
    """From the blocking on nothing reaches the patient; the pump counts 0.6 mL more, an hour at 0.6 mL/h, then alarms."""
    made = pump()
    made.report(START + HOUR_MS)
    assert made.occlude(START + HOUR_MS) == []
    (report,) = made.report(START + 90 * MINUTE_MS)
    assert (report.body["delivery_status"], report.body["infused_ml"]) == ("delivering", 0.9)
    messages = made.report(START + 2 * HOUR_MS + 30 * SECOND_MS)
    assert said(messages) == [("alarm", "occlusion-downstream", "start"), STOPS, STOPS]
    assert messages[0].at == START + 2 * HOUR_MS
    assert made.works.to_patient_ml == pytest.approx(0.6)
    assert made.works.bag.infused_ml == pytest.approx(1.2)
    assert said(made.clear(START + 3 * HOUR_MS, Condition.OCCLUSION_DOWNSTREAM))[1] == RUNS
    made.report(START + 4 * HOUR_MS)
    assert made.works.to_patient_ml == pytest.approx(1.2)


def test_starting_a_pump_whose_line_is_still_blocked_brings_the_alarm_back():
    """Pressing start does not unclamp a line."""
    made = pump()
    made.occlude(START)
    made.report(START + HOUR_MS)
    made.run(START + HOUR_MS)
    assert said(made.report(START + 2 * HOUR_MS)) == [("alarm", "occlusion-downstream", "continue"), STOPS, STOPS]


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


def test_noise_is_seeded_and_wavers_only_the_pressure():
    """The same seed tells the same story; without one no pressure is reported."""
    (first,) = pump(noise=random.Random(4)).report(START)
    (second,) = pump(noise=random.Random(4)).report(START)
    assert first == second
    assert 20 < first.body["pressure_mmhg"] < 60
    (quiet,) = pump().report(START)
    assert "pressure_mmhg" not in quiet.body


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
