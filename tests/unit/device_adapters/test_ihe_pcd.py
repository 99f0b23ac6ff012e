"""IHE PCD messages, beyond what the captures show."""

import pytest

from device_adapters.ihe_pcd import IhePcd
from gateway.domain.readings import AlarmChange, Decoded, Observation, PumpEvent, Refusal
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, NotDeliveringReason, Power, Priority, PumpEventKind
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import PHASE, PRIORITY, STATE, alarm_message, obx, status_message, wire

OBSERVED_AT = 1_772_409_598_000  # OBR-7 of the encoder's messages


def decode(payload: bytes) -> Decoded:
    """What the adapter makes of it."""
    return IhePcd().decode(payload)


def alarm(payload: bytes) -> AlarmChange:
    """The only reading, an alarm."""
    decoded = decode(payload)
    assert not decoded.refused
    (found,) = decoded.readings
    assert isinstance(found, AlarmChange)
    return found


def observation(payload: bytes) -> Observation:
    """The only reading, an observation."""
    decoded = decode(payload)
    assert not decoded.refused
    (found,) = decoded.readings
    assert isinstance(found, Observation)
    return found


def reasons(payload: bytes) -> list[tuple[Refusal, str]]:
    """What was refused, and where."""
    return [(refused.reason, refused.where) for refused in decode(payload).refused]


def bare(*results: str, trigger: str = "ORU^R01", time: str = "20260302080000+0800", order: str | None = None) -> bytes:
    """A header, an order and these results."""
    return wire(hl7.msh(trigger, time=time), hl7.obr() if order is None else order, *results)


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


def test_alarms_of_a_message_with_two_pumps_are_kept():
    """Whose measures they are would be a guess; an alarm is worth the guess."""
    payload = status_message(hl7.device(place="2.0.0.0"), *hl7.alarm(hl7.OCCLUSION, [(PHASE, "start")]))
    decoded = decode(payload)
    assert [type(item) for item in decoded.readings] == [AlarmChange]
    assert [refused.reason for refused in decoded.refused] == [Refusal.TOO_MANY]


@pytest.mark.parametrize(
    "second",
    [
        (hl7.device(hl7.PUMP_VMD, place="1.2.0.0"),),
        (hl7.device(place="1.0.0.0", equipment="B^^0002^EUI-64"),),
        (obx(hl7.SYS_ID, "0001^^^EUI-64"), obx(hl7.SYS_ID, "0002^^^EUI-64")),
    ],
)
def test_two_pumps_are_seen_by_containment_equipment_or_system_id(second: tuple[str, ...]):
    """A rack that sends all its pumps in one message cannot be one device."""
    assert reasons(status_message(*second)) == [(Refusal.TOO_MANY, "OBX-4")]


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


def test_times_fall_back_from_result_to_order_to_header():
    """The most exact time that can be read counts; a time without an offset takes the header's."""
    flow = obx(hl7.FLOW, "1", unit=hl7.ML_H)
    assert observation(bare(obx(hl7.FLOW, "1", time="20260302075930"))).observed_at == OBSERVED_AT - 28_000
    assert observation(bare(obx(hl7.FLOW, "1", time="soon"))).observed_at == OBSERVED_AT
    assert observation(bare(flow, order=hl7.obr(time=""))).observed_at == OBSERVED_AT + 2_000
    assert observation(wire(hl7.msh("ORU^R01"), flow)).observed_at == OBSERVED_AT + 2_000
    assert reasons(bare(flow, time="", order=hl7.obr(time="20260302075930"))) == [(Refusal.BAD_TIME, "OBX-14")]


def test_an_event_without_a_time_is_refused():
    """When delivery started matters more than that it did."""
    payload = bare(obx(hl7.EVENT, hl7.STARTED), trigger="ORU^R42", time="", order=hl7.obr(time=""))
    assert reasons(payload) == [(Refusal.BAD_TIME, "OBX-14")]


@pytest.mark.parametrize(
    ("value", "unit", "rate_ml_h"),
    [
        ("0.60", hl7.ML_H, 0.6),
        ("0.60", "", 0.6),
        ("15", "265266^MDC_DIM_MILLI_L_PER_HR^MDC", 15.0),
        ("15", "ml/h", 15.0),
        ("0.5", "^MDC_DIM_MILLI_L_PER_MIN^MDC", 30.0),
        ("600", "^^^uL/h^uL/h^UCUM", 0.6),
        ("+1.5e1", hl7.ML_H, 15.0),
        (".5", hl7.ML_H, 0.5),
    ],
)
def test_rates_and_their_units(value: str, unit: str, rate_ml_h: float):
    """Units are read by number, REFID or UCUM; none at all means the profile's own."""
    assert observation(bare(obx(hl7.FLOW, value, unit=unit))).rate_ml_h == pytest.approx(rate_ml_h)


@pytest.mark.parametrize(
    ("result", "reason", "where"),
    [
        (obx(hl7.FLOW, "fast"), Refusal.WRONG_TYPE, "OBX-5"),
        (obx(hl7.FLOW, "nan"), Refusal.WRONG_TYPE, "OBX-5"),
        (obx(hl7.FLOW, "1_000"), Refusal.WRONG_TYPE, "OBX-5"),
        (obx(hl7.FLOW, "-0.1"), Refusal.OUT_OF_BOUNDS, "OBX-5"),
        (obx(hl7.FLOW, "1e99"), Refusal.OUT_OF_BOUNDS, "OBX-5"),
        (obx(hl7.FLOW, "1", unit="^^^drops/min^drops/min^UCUM"), Refusal.UNKNOWN_VALUE, "OBX-6"),
        (obx(hl7.REMAINING, "1", unit=hl7.ML_H), Refusal.UNKNOWN_VALUE, "OBX-6"),
        (obx(hl7.STATUS, "^pump-delivery-status-dreaming"), Refusal.UNKNOWN_VALUE, "OBX-5"),
    ],
)
def test_measures_that_are_refused(result: str, reason: Refusal, where: str):
    """A number that is none, or is impossible, or is in a unit that we would have to guess."""
    assert reasons(bare(hl7.device(), result)) == [(reason, where)]


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([obx(hl7.INFUSING, "^pump-status-infusing")], DeliveryStatus.DELIVERING),
        ([obx(hl7.INFUSING, "^pump-status-not-infusing")], DeliveryStatus.NOT_DELIVERING),
        (
            [obx(hl7.INFUSING, "^pump-status-infusing"), obx(hl7.STATUS, "^pump-delivery-status-kvo")],
            DeliveryStatus.KVO,
        ),
        ([obx("0^" + hl7.STATUS.split("^")[1], "pump-delivery-status-transitioning")], DeliveryStatus.TRANSITIONING),
    ],
)
def test_delivery_status(results: list[str], status: DeliveryStatus):
    """The delivery status counts before the infusing status, which serves alone too."""
    assert observation(bare(*results)).delivery_status is status


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("pump-stopped-alarming", NotDeliveringReason.ALARM),
        ("pump-stopped-by-clinician", NotDeliveringReason.CLINICIAN),
        ("pump-stopped-user", NotDeliveringReason.USER),
        ("pump-stopped-between-doses", NotDeliveringReason.BETWEEN_DOSES),
        ("pump-stopped-powered-off", NotDeliveringReason.POWERED_OFF),
        ("pump-stopped-not-specified", NotDeliveringReason.UNSPECIFIED),
        ("pump-abducted", NotDeliveringReason.UNSPECIFIED),
    ],
)
def test_reasons_for_not_delivering(word: str, reason: NotDeliveringReason):
    """Each of the profile's reasons; any other is a reason that we do not know."""
    assert observation(bare(obx(hl7.REASON, f"^{word}"))).not_delivering_reason is reason


def test_power_and_results_without_a_value():
    """Power is read from its words; a result that is withdrawn or empty is absent; other words say nothing."""
    power = "67925^MDC_ATTR_POWER_STAT^MDC"
    assert observation(bare(hl7.device(), obx(power, "onBattery"))).power is Power.BATTERY
    assert observation(bare(obx(hl7.FLOW, "1"), obx(power, "chargingOff"))).power is None
    assert observation(bare(obx(hl7.FLOW, "1"), obx(hl7.BATTERY, "80", status="X"))).battery_percent is None
    assert reasons(bare(hl7.device(), obx(hl7.DRUG, "Secretumab"))) == [(Refusal.NO_MEASURE, "OBX-3")]


def test_only_the_active_source_is_read():
    """A piggyback that does not run is not the main line."""
    idle = "0^MDC_DEV_PUMP_INFUSATE_SOURCE_SECONDARY^MDC"
    results = [
        hl7.device(idle, place="1.1.3.0"),
        obx(hl7.SET_FLOW, "99", place="1.1.3.4"),
        hl7.device("70071^MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY^MDC", place="1.1.2.0"),
        obx(hl7.SET_FLOW, "0.6", place="1.1.2.4"),
    ]
    active = obx("158016^MDC_DEV_PUMP_ACTIVE_SOURCES^MDC", "^pump-source-info-primary", place="1.1.1.3")
    assert observation(bare(active, *results)).set_rate_ml_h == 0.6
    assert observation(bare(*results)).set_rate_ml_h == 99.0


@pytest.mark.parametrize(
    ("coded", "event"),
    [
        ("197288^MDC_EVT_PUMP_DELIV_START^MDC", PumpEventKind.DELIVERY_STARTED),
        ("0^MDC_EVT_PUMP_DELIV_STOP^MDC", PumpEventKind.DELIVERY_STOPPED),
        ("197292", PumpEventKind.DELIVERY_COMPLETE),
        ("0^MDC_EVT_DEVICE_TIME_CHANGED", PumpEventKind.TIME_CHANGED),
    ],
)
def test_pump_events(coded: str, event: PumpEventKind):
    """Events are matched as conditions are."""
    (found,) = decode(bare(hl7.device(), obx(hl7.EVENT, coded), trigger="ORU^R42")).readings
    assert found == PumpEvent(observed_at=OBSERVED_AT, event=event)


def test_a_start_takes_the_set_rate_where_no_current_one_stands():
    """A stop does not: a set rate does not flow."""
    rate = obx(hl7.SET_FLOW, "5", unit=hl7.ML_H)
    event, _ = decode(bare(obx(hl7.EVENT, hl7.STARTED), rate)).readings
    assert event.rate_ml_h == 5.0
    event, _ = decode(bare(obx(hl7.EVENT, "0^MDC_EVT_PUMP_DELIV_STOP^MDC"), rate)).readings
    assert event.rate_ml_h is None


def test_an_event_survives_the_refusal_of_its_measures():
    """Delivery stopped, even if the rate beside it is nonsense; an event that we do not know is refused by name."""
    decoded = decode(bare(obx(hl7.EVENT, "0^MDC_EVT_PUMP_DELIV_STOP^MDC"), obx(hl7.FLOW, "fast")))
    assert [type(item) for item in decoded.readings] == [PumpEvent]
    assert [refused.reason for refused in decoded.refused] == [Refusal.WRONG_TYPE]
    assert reasons(bare(hl7.device(), obx(hl7.EVENT, "5^SUNRISE"))) == [(Refusal.UNKNOWN_VALUE, "OBX-5")]


def test_one_bad_message_of_several_costs_only_itself():
    """Each message of a payload stands for itself."""
    decoded = decode(wire(hl7.msh("ADT^A01")) + status_message())
    assert [type(item) for item in decoded.readings] == [Observation]
    assert [(refused.reason, refused.where) for refused in decoded.refused] == [(Refusal.UNKNOWN_MESSAGE, "MSH-9")]


def test_no_name_and_no_drug_comes_out():
    """Whatever a reading or refusal says, it says nothing about the patient."""
    for payload in (status_message(rate="fast"), status_message(), alarm_message(hl7.OCCLUSION + "^^^^^^Nobody occluded")):
        said = repr(decode(payload))
        assert "Testperson" not in said
        assert "Nobody" not in said
        assert "Secretumab" not in said
