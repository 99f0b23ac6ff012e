"""IHE PCD alarms, beyond what the captures show."""

import pytest

from gateway.domain.readings import AlarmChange, Refusal
from gateway.domain.words import AlarmPhase, Condition, Priority
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import PHASE, PRIORITY, STATE, alarm_message, obx, status_message, wire
from tests.unit.device_adapters.ihe_answers import OBSERVED_AT, alarm, bare, decode, reasons


@pytest.mark.parametrize(
    ("coded", "condition"),
    [
        ("196940^MDC_EVT_FLUID_LINE_OCCL^MDC", Condition.OCCLUSION),
        ("0^MDC_EVT_FLUID_LINE_OCCL_PROXIMAL^MDC", Condition.OCCLUSION_UPSTREAM),
        ("^MDC_EVT_FLUID_LINE_OCCL_DISTAL", Condition.OCCLUSION_DOWNSTREAM),
        ("1969400^MDC_EVT_FLUID_LINE_OCCL", Condition.OCCLUSION),
        ("196802^^MDC", Condition.BATTERY_LOW),
        ("196802^Batterie schwach^MDC", Condition.BATTERY_LOW),
        ("196802", Condition.BATTERY_LOW),
        ("7^low^VENDOR^196802^MDC_EVT_BATT_LO^MDC", Condition.BATTERY_LOW),
        ("7^low^VENDOR^196802^^MDC", Condition.BATTERY_LOW),
        ("0^EVT_BATT_DEPL^MDC", Condition.BATTERY_DEPLETED),
        ("197206^MDC_EVT_PUMP_FLOW_FREE^MDC", Condition.FREE_FLOW),
        ("196670^MDC_EVT_LO^MDC", Condition.OTHER),
        ("196940^MDC_EVT_MALF^MDC", Condition.SYSTEM_FAULT),
    ],
)
def test_conditions_are_matched_by_refid_then_by_number(coded: str, condition: Condition):
    """A known REFID counts, whatever the number says; a number helps where the REFID does not."""
    assert alarm(alarm_message(coded)).condition is condition


@pytest.mark.parametrize(
    ("facets", "phase"),
    [
        ([(PHASE, "start")], AlarmPhase.START),
        ([(PHASE, "START_ONLY")], AlarmPhase.START),
        ([(PHASE, "tpoint")], AlarmPhase.START),
        ([(PHASE, "continue")], AlarmPhase.CONTINUE),
        ([(PHASE, "escalate")], AlarmPhase.CONTINUE),
        ([(PHASE, "end")], AlarmPhase.END),
        ([(PHASE, "reset")], AlarmPhase.END),
        ([(PHASE, "stop")], AlarmPhase.END),
        ([(PHASE, "acknowledged")], AlarmPhase.INACTIVATED),
        ([(PHASE, "inactivate")], AlarmPhase.INACTIVATED),
        ([(PHASE, "continue"), (hl7.INACTIVATION, "alarm-paused")], AlarmPhase.INACTIVATED),
        ([(PHASE, "start"), (hl7.INACTIVATION, "audio-off")], AlarmPhase.START),
        ([(STATE, "active")], AlarmPhase.CONTINUE),
        ([(PHASE, "sunrise"), (STATE, "latched")], AlarmPhase.CONTINUE),
        ([(STATE, "inactive")], AlarmPhase.END),
    ],
)
def test_phases(facets: list[tuple[str, str]], phase: AlarmPhase):
    """All the profile's phases become our four; the state serves where the phase is missing or new."""
    assert alarm(alarm_message(facets=facets)).phase is phase


@pytest.mark.parametrize(
    "phase",
    [
        *("tpoint", "start", "start_only", "continue", "end", "present", "update", "escalate", "deescalate"),
        *("inactivate", "acknowledged", "reset", "stop"),
    ],
)
def test_every_phase_of_the_profile_is_read(phase: str):
    """None of them is refused, and none but an end ends."""
    found = alarm(alarm_message(facets=[(PHASE, phase)]))
    assert (found.phase is AlarmPhase.END) is (phase in ("end", "stop", "reset"))


def test_an_alarm_without_phase_and_state_is_refused():
    """Nobody knows whether it starts or ends."""
    assert reasons(alarm_message(facets=[])) == [(Refusal.MISSING_FIELD, "OBX-5")]
    assert reasons(alarm_message(facets=[(PHASE, "sunrise")])) == [(Refusal.UNKNOWN_VALUE, "OBX-5")]


@pytest.mark.parametrize(
    ("stated", "priority"),
    [("PN", Priority.INFORMATION), ("PL", Priority.LOW), ("pm", Priority.MEDIUM), ("PH", Priority.HIGH), ("20", None)],
)
def test_priorities(stated: str, priority: Priority | None):
    """The four letters are read; a number says nothing that we may trust."""
    assert alarm(alarm_message(facets=[(PHASE, "start"), (PRIORITY, stated)])).priority is priority


def test_the_priority_may_stand_among_the_flags():
    """Older senders put priority and type into OBX-8 of the alarm."""
    assert alarm(alarm_message(flags="PM~ST")).priority is Priority.MEDIUM


def test_facets_may_stand_before_the_alarm():
    """The order of the facets is not trusted, and stops_delivery is never guessed."""
    payload = bare(obx(PHASE, "start"), obx(hl7.SOURCE, hl7.PUMP_MDS), obx(hl7.ALARM, hl7.OCCLUSION), trigger="ORU^R40")
    found = alarm(payload)
    assert (found.phase, found.observed_at, found.stops_delivery) == (AlarmPhase.START, OBSERVED_AT, None)


def test_two_alarms_of_one_order_keep_their_own_facets():
    """The facets that follow an alarm are its own."""
    payload = bare(*hl7.alarm(hl7.OCCLUSION, [(PHASE, "end")]), *hl7.alarm("0^MDC_EVT_FLUID_LINE_AIR^MDC", [(PHASE, "start")]))
    found = [(item.condition, item.phase) for item in decode(payload).readings]
    assert found == [(Condition.OCCLUSION, AlarmPhase.END), (Condition.AIR_IN_LINE, AlarmPhase.START)]


def test_an_alarm_that_names_no_device_is_believed():
    """Its topic names the pump; only a message that names another device is a monitor's."""
    alone = bare(obx(hl7.ALARM, "196670^MDC_EVT_LO^MDC"), obx(PHASE, "start"), trigger="ORU^R40")
    assert alarm(alone).condition is Condition.OTHER
    monitor = obx(hl7.SOURCE, "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC")
    assert reasons(bare(obx(hl7.ALARM, "196670^MDC_EVT_LO^MDC"), obx(PHASE, "start"), monitor)) == [(Refusal.NOT_A_PUMP, "OBX-3")]


@pytest.mark.hazard("H-20")
def test_alarms_of_a_message_with_two_pumps_are_kept():
    """Whose measures they are would be a guess; an alarm is worth the guess."""
    payload = status_message(hl7.device(place="2.0.0.0"), *hl7.alarm(hl7.OCCLUSION, [(PHASE, "start")]))
    decoded = decode(payload)
    assert [type(item) for item in decoded.readings] == [AlarmChange]
    assert [refused.reason for refused in decoded.refused] == [Refusal.TOO_MANY]


@pytest.mark.parametrize(
    ("coded", "text", "code"),
    [
        ("56^AIR ALERT^VENDOR", "AIR ALERT", "56"),
        ("AIR^AIR ALERT^VENDOR", "AIR ALERT", None),
        ("999^MDC_EVT_NEW^MDC^^^^^^New \\T\\ odd", "New & odd", "MDC_EVT_NEW"),
        ("999^MDC_EVT_NEW^MDC^^^^^^Call Nobody", "MDC_EVT_NEW", "MDC_EVT_NEW"),
        ("999^MDC_EVT_NEW^MDC^^^^^^Secretumab low", "MDC_EVT_NEW", "MDC_EVT_NEW"),
    ],
)
def test_what_an_unknown_alarm_says(coded: str, text: str, code: str | None):
    """Its own words where they hold neither a name nor a drug, else its REFID."""
    payload = wire(hl7.msh("ORU^R40"), hl7.pid(), hl7.obr(), *hl7.alarm(coded, [(PHASE, "start")]), obx(hl7.DRUG, "Secretumab"))
    found = alarm(payload)
    assert (found.condition, found.text, found.code) == (Condition.OTHER, text, code)


def test_the_alert_text_serves_where_the_alarm_has_none():
    """MDC_ATTR_ALERT_TEXT says what the pump shows."""
    assert (
        alarm(alarm_message(facets=[(PHASE, "start"), ("68546^MDC_ATTR_ALERT_TEXT^MDC", "Line blocked")])).text == "Line blocked"
    )


def test_a_missing_pipe_moves_the_time_too():
    """Where the status stands in OBX-10, the time stands in OBX-13."""
    shifted = f"OBX|1|CWE|{hl7.ALARM}|1.0.0.0.1|{hl7.OCCLUSION}|||||F|||20260302075900+0800"
    found = alarm(bare(shifted, obx(PHASE, "start"), obx(hl7.SOURCE, hl7.PUMP_MDS), trigger="ORU^R40"))
    assert found.observed_at == OBSERVED_AT - 58_000


@pytest.mark.parametrize("phase", ["start", "end"])
def test_of_several_pumps_an_alarm_is_told_and_its_end_is_not(phase: str):
    """Whose it is would be a guess: another pump's end must not silence this one's alarm."""
    rows = hl7.alarm(hl7.OCCLUSION, [(PHASE, phase)])
    pumps = [hl7.device(equipment="P6013"), hl7.device(equipment="P6014", place="2.0.0.0")]
    payload = wire(hl7.msh("ORU^R40^ORU_R40"), hl7.obr(code=hl7.ALARM), *pumps, *rows)
    assert reasons(payload) == [(Refusal.TOO_MANY, "OBX-4")]
    assert [item.phase for item in decode(payload).readings if isinstance(item, AlarmChange)] == ["start"] * (phase == "start")
