"""The simulated pump behaves like one: it counts, runs empty, keeps what it could not send, and forgets at each start."""

import random

import pytest

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.words import Condition, Priority
from tests.unit.device_adapters.pump_stories import RUNS, START, STOPS, pump, said


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


def test_noise_is_seeded_and_wavers_only_the_pressure():
    """The same seed tells the same story; without one no pressure is reported."""
    (first,) = pump(noise=random.Random(4)).report(START)
    (second,) = pump(noise=random.Random(4)).report(START)
    assert first == second
    assert 20 < first.body["pressure_mmhg"] < 60
    (quiet,) = pump().report(START)
    assert "pressure_mmhg" not in quiet.body
