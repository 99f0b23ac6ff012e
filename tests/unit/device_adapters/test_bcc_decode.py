"""What a B. Braun answer becomes, against the test-side encoder: units, bits, slots, privacy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_adapters.bbraun_bcc import BbraunBcc
from device_adapters.bcc_measures import CONDITIONS, PRE_ALARMS
from device_adapters.envelope import Sent
from gateway.domain.readings import AlarmChange, AlarmsClear, Decoded, Observation, Refusal
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus
from tests.support.bcc_encoder import ALARM_BITS, answer, pump_items, quads, wire

AT = 1_772_409_600_000
SENT = Sent(AT, "b1", 1)


def decoded(payload: bytes, slot: str | None = None) -> Decoded:
    """The adapter's answer."""
    return BbraunBcc().decode(payload, Sent(AT, "b1", 1, slot=slot))


def seen(found: Decoded) -> Observation:
    """The one observation."""
    (observation,) = [item for item in found.readings if isinstance(item, Observation)]
    return observation


def phases(found: Decoded) -> dict[Condition, AlarmPhase]:
    """Conditions that were told, those that are clear as ended."""
    raised = [item for item in found.readings if isinstance(item, AlarmChange)]
    clear = [end for item in found.readings if isinstance(item, AlarmsClear) for end in item.ends()]
    return {item.condition: item.phase for item in (*raised, *clear)}


@given(
    rate=st.integers(0, 180_000),
    infused=st.integers(0, 999_999),
    left=st.integers(0, 60_000),
    pumping=st.booleans(),
    mains=st.booleans(),
    locked=st.booleans(),
)
def test_measures_round_trip(rate: int, infused: int, left: int, *, pumping: bool, mains: bool, locked: bool):
    """mL/h and mL come out as they went in; a pump that stands has a set rate and no flow."""
    bits = {"INM3": str(int(pumping)), "INM8": str(int(mains)), "INM7": str(int(locked))}
    found = seen(decoded(answer(pump_items(INRT=f"{rate / 100}", INVI=f"{infused / 100}", INVOLACT=f"{left / 100}", **bits))))
    assert (found.set_rate_ml_h, found.rate_ml_h) == (rate / 100, rate / 100 if pumping else None)
    assert (found.infused_ml, found.remaining_ml) == (infused / 100, left / 100)
    assert (found.delivery_status == "delivering", found.power == "mains", found.locked) == (pumping, mains, locked)
    assert (found.observed_at, found.boot, found.seq) == (AT, "b1", 1)


@given(alarms=st.sets(st.sampled_from(ALARM_BITS)), per_block=st.integers(1, 40), stuffed=st.booleans())
def test_bits_become_conditions(alarms: set[int], per_block: int, *, stuffed: bool):
    """Every condition with a set bit goes on, every other ends; how the answer is cut into blocks makes no difference."""
    found = decoded(answer(pump_items(alarms=sorted(alarms)), per_block=per_block, stuffed=stuffed))
    active = {CONDITIONS[bit].condition for bit in alarms}
    everything = {alarm.condition for alarm in CONDITIONS.values()}
    assert not found.refused
    assert phases(found) == {item: AlarmPhase.CONTINUE if item in active else AlarmPhase.END for item in everything}


@pytest.mark.hazard("H-09")
@given(alarms=st.sets(st.sampled_from(ALARM_BITS)), keep=st.integers(1, 29))
def test_nothing_ends_by_what_was_not_said(alarms: set[int], keep: int):
    """Any block but the last may be the newest that came: what is set is told, and nothing ends."""
    blocks = answer(pump_items(alarms=sorted(alarms)), per_block=1).split(b"\x04")[:keep]
    assert AlarmPhase.END not in phases(decoded(b"\x04".join([*blocks, b""]))).values()


@pytest.mark.hazard("H-31")
@pytest.mark.parametrize("bit", range(1, 33))
def test_every_bit_is_told(bit: int):
    """A set bit gives a condition with its code, also one that no description names."""
    found = decoded(answer(pump_items(**{f"INA{bit}": "1"}, INM3="0")))
    alarm = next(item for item in found.readings if isinstance(item, AlarmChange) and item.phase is AlarmPhase.CONTINUE)
    assert alarm.code == f"INA{bit}"
    assert alarm.condition is (CONDITIONS[bit].condition if bit in CONDITIONS else Condition.OTHER)
    stopped_by_it = alarm.condition not in PRE_ALARMS
    assert seen(found).not_delivering_reason == ("alarm" if stopped_by_it else None)


@pytest.mark.hazard("H-30")
@pytest.mark.parametrize("absent", ["_NV", "_NA"])
def test_no_value_is_never_zero(absent: str):
    """Everything without a value: nothing measured, nothing ended, one refusal that says so."""
    items = [(slot, name, absent) for slot, name, _ in pump_items()]
    found = decoded(answer(items))
    assert not found.readings
    assert [refused.reason for refused in found.refused] == [Refusal.NO_MEASURE]


@pytest.mark.parametrize("value", ["", "1e3", "nan", "inf", "0x10", "1_0", " 1", "1,5", "--1", "+1", "1.", "9" * 30, "\uff11"])
def test_only_decimal_numbers_are_read(value: str):
    """What Python would take for a number is not what a pump sends."""
    found = decoded(answer([("11", "INRT", value), ("11", "INM3", "1")]))
    assert [(refused.reason, refused.where) for refused in found.refused] == [(Refusal.WRONG_TYPE, "INRT")]
    assert seen(found).delivery_status is DeliveryStatus.DELIVERING


@pytest.mark.parametrize("address", ["50111", "5011A", "5013O"])
def test_addresses(address: str):
    """Pillars 1 to 3, pumps 1 to 9 and A to O."""
    assert seen(decoded(wire(f"1,{address},INM3,1"))).delivery_status is DeliveryStatus.DELIVERING


@pytest.mark.parametrize(
    "information", ["1,50111", "50111", "1,50141,INM3,1", "1,5011P,INM3,1", "1,50110,INM3,1", "1,5011,INM3,1", "\x1e\x1e", ","]
)
def test_malformed_information_is_named(information: str):
    """A quadruple that is none, or an address that no rack has."""
    found = decoded(wire(information))
    assert [refused.reason for refused in found.refused] == [Refusal.MALFORMED]


def test_a_trailing_separator_is_no_news():
    """RS behind the last quadruple, as some versions send it."""
    found = decoded(wire(quads(pump_items()) + "\x1e"))
    assert not found.refused
    assert found == decoded(answer(pump_items()))


def test_a_bolus_is_not_the_set_rate():
    """While a bolus runs INRT is the bolus's: the prescription must not be compared with it."""
    found = seen(decoded(answer(pump_items(INM2="1", INRT="800"))))
    assert (found.rate_ml_h, found.set_rate_ml_h) == (800.0, None)


def test_a_rate_that_flows_nowhere_is_no_measure():
    """A bolus rate without a word whether it pumps: nothing that may be passed on."""
    assert not decoded(answer([("11", "INRT", "5"), ("11", "INM2", "1")])).readings


def test_the_slot_is_found_in_either_case():
    """Pump A of pillar 2, as people write it."""
    assert seen(decoded(answer(pump_items("11"), pump_items("2A", INRT="0.10")), slot="2a")).set_rate_ml_h == 0.1


def test_alarms_without_a_slot_are_told_once():
    """Two pumps with the same alarm and no slot: one word of it."""
    found = decoded(answer(pump_items("11", alarms=[15]), pump_items("12", alarms=[15])))
    assert phases(found) == {Condition.AIR_IN_LINE: AlarmPhase.CONTINUE}
    assert len(found.readings) == 1


def test_no_time_is_refused():
    """Frames tell no time of day: without a date from outside nothing can be said."""
    assert BbraunBcc().decode(answer(pump_items())).refused[0].reason is Refusal.MISSING_FIELD


@given(
    name=st.text(
        alphabet=st.characters(min_codepoint=0xE000, max_codepoint=0xF8FF) | st.sampled_from("DEdeX,Zxqjkv"), max_size=40
    )
)
def test_names_come_out_nowhere(name: str):
    """Drug names and serial numbers, in whatever characters, are in no reading and no refusal."""
    secret = f"Zxqjkv{name}"
    items = {"INSOL": secret, "INSOLSN": secret, "INSERNUM": secret, "INRT": secret, "INA3": secret, "GNNEW": secret}
    found = decoded(answer(pump_items(**items)))
    assert "Zxqjkv" not in repr(found)
    assert seen(found).infused_ml == 12.4
