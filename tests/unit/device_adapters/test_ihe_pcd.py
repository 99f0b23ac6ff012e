"""IHE PCD messages, beyond what the captures show."""

import pytest

from gateway.domain.readings import Observation, PumpEvent, Refusal
from gateway.domain.words import DeliveryStatus, NotDeliveringReason, Power, PumpEventKind
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import alarm_message, obx, status_message, wire
from tests.unit.device_adapters.ihe_answers import OBSERVED_AT, bare, decode, observation, reasons


@pytest.mark.hazard("H-20")
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


@pytest.mark.hazard("H-30")
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


@pytest.mark.hazard("H-71")
def test_no_name_and_no_drug_comes_out():
    """Whatever a reading or refusal says, it says nothing about the patient."""
    for payload in (status_message(rate="fast"), status_message(), alarm_message(hl7.OCCLUSION + "^^^^^^Nobody occluded")):
        said = repr(decode(payload))
        assert "Testperson" not in said
        assert "Nobody" not in said
        assert "Secretumab" not in said
