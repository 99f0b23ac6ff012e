"""Our last knowledge of a pump: numbering, silence, conditions; older words never overrule newer ones."""

import pytest

from gateway.core import twin
from gateway.core.events import Heard
from gateway.core.state import BOOTS_MAX, HOLES_MAX, Pump
from gateway.domain.readings import Decoded, LinkStatus
from gateway.domain.view import Facet
from gateway.domain.words import AlarmPhase, ClockQuality, Condition, DeliveryState, DeliveryStatus, Power, PumpEventKind
from tests.unit.core.world import START, World, alarm, event, minutes, observation, stopped


def numbered(pump: Pump, *seqs: int, boot: str = "b1") -> list[bool]:
    """For each number whether it was a repeat."""
    return [twin.is_repeat(pump, observation(0, boot=boot, seq=seq)) for seq in seqs]


# ---- numbering -----------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-28", "H-34")
def test_a_number_counts_once():
    """In order, repeated, and again much later."""
    pump = Pump("s", "d")
    assert numbered(pump, 1, 2, 2, 3, 1, 3, 4) == [False, False, True, False, True, True, False]
    assert twin.missing(pump) == 0


def test_late_messages_fill_the_gap_that_they_left_from_either_side_and_from_the_middle():
    """A gap is counted until its messages come, each once."""
    pump = Pump("s", "d")
    assert numbered(pump, 10, 20) == [False, False]
    assert twin.missing(pump) == 9
    assert numbered(pump, 11, 19, 15, 15, 11) == [False, False, False, True, True]
    assert twin.missing(pump) == 6
    assert numbered(pump, 12, 13, 14, 16, 17, 18) == [False] * 6
    assert twin.missing(pump) == 0


def test_what_came_before_the_first_number_is_new_but_not_missing():
    """A gateway that was installed later misses nothing of before, and takes it when it comes."""
    pump = Pump("s", "d")
    assert numbered(pump, 100, 99, 0, 99) == [False, False, False, True]
    assert twin.missing(pump) == 0


def test_a_boot_has_numbers_of_its_own():
    """A new boot is a restart, never a gap; the numbers of the last boot are still known."""
    pump = Pump("s", "d")
    assert numbered(pump, 1, 2) == [False, False]
    assert numbered(pump, 1, 2, boot="b2") == [False, False]
    assert numbered(pump, 2, 3) == [True, False]
    assert (pump.restarts, twin.missing(pump)) == (1, 0)


def test_messages_without_a_number_are_never_repeats():
    """There is nothing to tell them apart by; taking one twice is harmless."""
    pump = Pump("s", "d")
    assert [twin.is_repeat(pump, observation(0)) for _ in range(2)] == [False, False]


def test_memory_of_numbers_is_bounded_and_forgets_towards_taking_a_message():
    """Of too many gaps the oldest are forgotten: their late messages are taken, perhaps twice, never lost."""
    pump = Pump("s", "d")
    numbered(pump, *range(0, 4 * HOLES_MAX, 2))
    assert len(pump.boots["b1"].holes) == HOLES_MAX
    assert numbered(pump, 1, 1) == [False, False]
    assert numbered(pump, 4 * HOLES_MAX - 3, 4 * HOLES_MAX - 3) == [False, True]
    for boot in range(2 * BOOTS_MAX):
        numbered(pump, 1, boot=f"c{boot}")
    assert len(pump.boots) == BOOTS_MAX


def test_a_repeat_changes_only_its_count():
    """The second copy of a stop that is over stops nothing."""
    world = World()
    world.enrol()
    world.report(1, boot="b1", seq=1)
    world.hear(2, stopped(2, boot="b1", seq=2))
    world.report(3, boot="b1", seq=3)
    world.hear(4, stopped(4, boot="b1", seq=2))
    assert world.course().delivery.state is DeliveryState.DELIVERING
    assert world.pump().repeats == 1


# ---- clocks --------------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-29")
@pytest.mark.parametrize(("ahead", "believed"), [(2.0, True), (2.001, False)])
def test_a_clock_may_be_two_minutes_ahead(ahead, believed):
    """Beyond that our own time stands in, and the clock is marked as doubtful."""
    pump = Pump("s", "d")
    reading = observation(10 + ahead)
    assert twin.observed_at(pump, reading, minutes(10)) == (reading.observed_at if believed else minutes(10))
    assert pump.clock_doubtful is not believed


@pytest.mark.hazard("H-29")
def test_a_free_clock_is_never_believed_and_a_late_one_is():
    """Old times are what catch-up looks like; a free clock says nothing at all."""
    pump = Pump("s", "d")
    assert twin.observed_at(pump, observation(1), minutes(600)) == minutes(1)
    assert twin.observed_at(pump, observation(599, clock=ClockQuality.FREE), minutes(600)) == minutes(600)
    assert pump.clock_offset_ms == -60_000


# ---- silence -------------------------------------------------------------------------------------------------------


def interval_after(*steps: float) -> float:
    """The reporting interval in minutes that these steps teach."""
    pump, at = Pump("s", "d"), 1.0
    twin.observe(pump, observation(at), minutes(at))
    for step in steps:
        at += step
        twin.observe(pump, observation(at), minutes(at))
    return pump.interval_ms / 60_000


def test_the_interval_is_learnt_but_one_silence_teaches_little():
    """A pump that reports every 20 minutes is believed after a few reports; an outage of 50 minutes is not a habit."""
    assert interval_after(1, 1, 1) == 1
    assert interval_after(1, 1, 50) == 2
    assert interval_after(1, 1, 50, 1, 1, 1) < 1.5
    assert interval_after(20, 20, 20, 20, 20) == 20
    assert interval_after(20, 20, 20, 20, 20, 1) < 16


@pytest.mark.hazard("H-05", "H-34")
def test_a_link_status_is_no_sign_of_life():
    """A Last Will says that the connection is gone, not that the pump spoke."""
    world = World()
    world.enrol()
    world.report(1)
    world.hear(6, LinkStatus(observed_at=minutes(6), online=True))
    assert world.pump().online is True
    world.tick(6.1)
    assert world.course().delivery.state is DeliveryState.UNKNOWN


# ---- conditions ----------------------------------------------------------------------------------------------------


def active(pump: Pump) -> set[Condition]:
    """Conditions that stand."""
    return {known.condition for known in pump.conditions.values() if known.active}


@pytest.mark.hazard("H-09")
def test_an_end_that_comes_before_its_start_is_not_undone_by_it():
    """The later word wins, in whatever order the two arrive."""
    pump = Pump("s", "d")
    assert twin.change_alarm(pump, alarm(2, phase=AlarmPhase.END), minutes(2)) == 0
    assert twin.change_alarm(pump, alarm(1), minutes(1)) == Facet.CONDITIONS
    assert pump.starts == ((Condition.SYSTEM_FAULT, minutes(1)),)
    assert active(pump) == set()
    assert twin.change_alarm(pump, alarm(3), minutes(3)) & Facet.CONDITIONS
    assert active(pump) == {Condition.SYSTEM_FAULT}


@pytest.mark.hazard("H-09")
def test_an_inactivated_alarm_is_still_an_alarm():
    """Its sound is off; what is wrong is still wrong."""
    pump = Pump("s", "d")
    twin.change_alarm(pump, alarm(1), minutes(1))
    twin.change_alarm(pump, alarm(2, phase=AlarmPhase.INACTIVATED), minutes(2))
    assert active(pump) == {Condition.SYSTEM_FAULT}
    assert pump.conditions[Condition.SYSTEM_FAULT].started_at == minutes(1)


@pytest.mark.hazard("H-09")
def test_a_minute_of_delivery_ends_only_what_had_stopped_it():
    """A condition that was sent as stopping is over; one that was not, or that began since, stays."""
    world = World()
    world.enrol()
    world.report(1)
    world.hear(2, alarm(2, stops_delivery=True))
    world.hear(2, alarm(2, Condition.OVER_INFUSION, stops_delivery=False), alarm(2, Condition.BATTERY_LOW))
    world.report(3)
    world.report(3.99)
    assert active(world.pump()) == {Condition.SYSTEM_FAULT, Condition.OVER_INFUSION, Condition.BATTERY_LOW}
    world.report(4)
    assert active(world.pump()) == {Condition.OVER_INFUSION, Condition.BATTERY_LOW}


def test_a_condition_keeps_what_was_said_of_it_before():
    """A later word that leaves out priority or text does not take them away."""
    pump = Pump("s", "d")
    twin.change_alarm(pump, alarm(1, Condition.OTHER, text="GIZMO", priority="medium", stops_delivery=False), minutes(1))
    twin.change_alarm(pump, alarm(2, Condition.OTHER, AlarmPhase.CONTINUE), minutes(2))
    known = pump.conditions[Condition.OTHER]
    assert (known.text, known.device_priority, known.stops_delivery) == ("GIZMO", "medium", False)


# ---- measures ------------------------------------------------------------------------------------------------------


def test_an_older_reading_changes_no_measure():
    """A late report does not take the battery back up."""
    pump = Pump("s", "d")
    full = {"rate_ml_h": 0.6, "set_rate_ml_h": 0.6, "remaining_ml": 80.0, "pressure_mmhg": 40.0, "locked": True}
    twin.observe(pump, observation(5, battery_percent=50.0, power=Power.BATTERY, **full), minutes(5))
    twin.observe(pump, observation(4, battery_percent=90.0, power=Power.MAINS), minutes(4))
    assert (pump.battery_percent, pump.on_battery, pump.rate_ml_h, pump.locked) == (50.0, True, 0.6, True)


def test_transitioning_says_nothing_about_flow():
    """Neither as telemetry nor as an event."""
    pump = Pump("s", "d")
    twin.observe(pump, observation(1), minutes(1))
    twin.observe(pump, observation(2, DeliveryStatus.TRANSITIONING), minutes(2))
    twin.note_event(pump, event(2, PumpEventKind.DELIVERY_STOPPED, transitioning=True), minutes(2))
    assert (pump.flow.delivering, pump.flow.at) == (True, minutes(1))


def test_messages_are_counted_by_the_minute_for_five_minutes():
    """(refused, all) of the last five minutes; older minutes are forgotten."""
    pump = Pump("s", "d")
    for minute in range(20):
        twin.count_messages(pump, minutes(minute), all_=2, refused=minute % 2)
    assert twin.messages_of(pump, minutes(19)) == (3, 10)
    assert len(pump.minutes) <= 7
    assert pump.minutes[-1][0] == START + 19 * 60_000


# ---- an alarm that overtook what was seen before it ----------------------------------------------------------------


@pytest.mark.hazard("H-29", "H-35")
@pytest.mark.parametrize("clock", list(ClockQuality))
def test_what_was_seen_before_an_alarm_and_comes_after_it_ends_nothing(clock):
    """A bridge sends alarms first. Without a clock its backlog looks newer, and says that nothing is wrong and all flows."""
    world = World()
    world.enrol()

    def frame(at: float, seq: int, status: DeliveryStatus, phase: AlarmPhase) -> None:
        sent = {"boot": "b", "seq": seq, "clock": clock}
        readings = (observation(seq / 100, status, **sent), alarm(seq / 100, phase=phase, **sent))
        world.step(at, Heard, "haem-ward", "p1", "raw/x", Decoded(readings, one_message=True))

    frame(1, 100, DeliveryStatus.NOT_DELIVERING, AlarmPhase.CONTINUE)
    for seq in range(90, 100):
        frame(1 + seq / 1000, seq, DeliveryStatus.DELIVERING, AlarmPhase.END)
    assert world.pump().conditions[Condition.SYSTEM_FAULT].active
    assert world.pump().flow.delivering is False
    frame(1.5, 101, DeliveryStatus.DELIVERING, AlarmPhase.END)
    assert not world.pump().conditions[Condition.SYSTEM_FAULT].active
    assert world.pump().flow.delivering


@pytest.mark.hazard("H-29")
def test_a_pump_whose_clock_is_set_back_is_still_believed_about_its_alarms():
    """By years: within a boot the numbers say what is newer."""
    pump = Pump("s", "d")
    twin.change_alarm(pump, alarm(600, phase=AlarmPhase.END, boot="b", seq=1), minutes(600))
    twin.change_alarm(pump, alarm(1, boot="b", seq=2), minutes(1))
    assert pump.conditions[Condition.SYSTEM_FAULT].active
    twin.change_alarm(pump, alarm(700, phase=AlarmPhase.END, boot="b", seq=1), minutes(700))
    assert pump.conditions[Condition.SYSTEM_FAULT].active
