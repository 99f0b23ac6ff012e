"""Virtual pumps on a line: what they say to the adapters, what they obey, and what a bad line does to it."""

import pytest

from device_adapters.envelope import Sent, enveloped
from device_adapters.registry import decode
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.readings import AlarmChange, AlarmsClear, Observation, Refusal
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power
from gateway.field.adapter_talks import Asking, cut
from gateway.scenario.serial_pumps.bcc_pump import ALARMS, BccPump
from gateway.scenario.serial_pumps.faults import BadLine, Faults
from gateway.scenario.serial_pumps.relay_box import RelayBox
from gateway.scenario.serial_pumps.virtual import VirtualPump

AT = 1_772_409_600_000


def asked(pump: VirtualPump, at: int, line: BadLine | None = None) -> list[bytes]:
    """What a poller hears of the pump within two seconds, each answer spoilt by the line."""
    talk, heard = Asking((), at), []
    for now in range(at, at + 2_000, 50):
        said, _ = talk.say(now)
        answer = pump.hear(said, now) if said else b""
        heard += [piece.body for piece in talk.receive(line.spoil(answer) if line and answer else answer, now)]
    return heard


def readings(adapter: str, body: bytes) -> tuple[object, ...]:
    """What the adapter makes of a frame."""
    return decode(f"raw/{adapter}", enveloped(Sent(AT), body)).readings


def does(pump: VirtualPump, text: str, at: int) -> str:
    """Type an order."""
    return pump.understand(text)(at)


@pytest.mark.parametrize("word", sorted(ALARMS))
def test_every_alarm_of_the_bcc_pump_is_the_adapters(word: str):
    """Raised by its word, it is that condition, and the others are clear; cleared, it is among them."""
    pump = BccPump(AT)
    assert does(pump, f"alarm {word}", AT) == f"raised {word}"
    _, raised, others = readings("bbraun-bcc", asked(pump, AT)[0])
    assert isinstance(raised, AlarmChange)
    assert (raised.condition, raised.phase) == (Condition(word), AlarmPhase.CONTINUE)
    does(pump, "clear", AT + 2_000)
    _, clear = readings("bbraun-bcc", asked(pump, AT + 2_000)[0])
    assert isinstance(others, AlarmsClear)
    assert isinstance(clear, AlarmsClear)
    assert {*others.conditions, Condition(word)} == {*clear.conditions}


def test_the_bcc_pump_obeys():
    """Rate, stop, battery, keys; an hour at 1.2 mL/h is 1.2 mL, and none while it stands."""
    pump = BccPump(AT)
    for order in ("rate 1.2", "battery", "unlock"):
        does(pump, order, AT)
    does(pump, "STOP", AT + HOUR_MS)
    (seen, *_) = readings("bbraun-bcc", asked(pump, AT + 2 * HOUR_MS)[0])
    assert isinstance(seen, Observation)
    assert (seen.set_rate_ml_h, seen.infused_ml, seen.delivery_status) == (1.2, 13.2, DeliveryStatus.NOT_DELIVERING)
    assert (seen.power, seen.locked) == (Power.BATTERY, False)


@pytest.mark.parametrize(
    "text", ["", "alarm", "alarm fire", "rate", "rate fast", "rate -1", "rate 1e9", "rate nan", "stop now", "x"]
)
@pytest.mark.parametrize("pump", [BccPump(AT), RelayBox(AT)], ids=["bcc", "box"])
def test_what_is_no_order_is_told(pump: VirtualPump, text: str):
    """With the orders that there are, or the bounds."""
    if isinstance(pump, RelayBox) and text == "alarm":
        text = "alarm air-in-line"  # nobody can tell which alarm it is
    with pytest.raises(ValueError, match=r"stop, start|number from 0"):
        pump.understand(text)


def test_the_box_speaks_at_each_change_and_once_a_minute():
    """Its frames are read by the adapter; a brief call is told once; the bag grows lighter."""
    box = RelayBox(AT, rate_ml_h=60.0)
    first = box.speak(AT)
    assert box.speak(AT + 1) == b""
    assert box.next_at == AT + MINUTE_MS
    assert [item.bag_weight_g for item in readings("relay-and-scale", first) if isinstance(item, Observation)] == [None, 108.4]
    does(box, "brief", AT + 10)
    called = box.speak(AT + 10)
    assert b'"called"' in called
    assert b'"idle"' in box.speak(AT + 10 + MINUTE_MS)
    assert [item.phase for item in readings("relay-and-scale", called) if isinstance(item, AlarmChange)] == [AlarmPhase.CONTINUE]
    does(box, "light blue", AT + MINUTE_MS + 20)
    does(box, "start", AT + MINUTE_MS + 30)
    later = box.speak(AT + MINUTE_MS + 30)
    assert b'"light_seen": ["blue"]' in later
    (weight,) = [
        item.bag_weight_g for item in readings("relay-and-scale", later) if isinstance(item, Observation) and item.bag_weight_g
    ]
    assert weight == pytest.approx(107.4, abs=0.05)


def test_each_third_answer_has_a_wrong_check():
    """So many are refused by name, and no more."""
    pump, line = BccPump(AT), BadLine(Faults(wrong_check=3), 1)
    bodies = [line.spoil(asked(pump, AT + turn * 2_000)[0]) for turn in range(6)]
    refused = [[item.reason for item in decode("raw/bbraun-bcc", enveloped(Sent(AT), body)).refused] for body in bodies]
    assert refused == [[], [], [Refusal.BAD_CHECKSUM]] * 2


def test_noise_is_found_and_the_next_answer_is_read():
    """A noisy line garbles some answers, by name; between them the pump is read."""
    pump, line = BccPump(AT), BadLine(Faults(noise=0.001), 3)
    found = [
        decode("raw/bbraun-bcc", enveloped(Sent(AT), body))
        for turn in range(20)
        for answer in asked(pump, AT + turn * 2_000)
        for body in [piece.body for piece in cut("bbraun-bcc", line.spoil(answer))]
    ]
    assert any(item.refused for item in found)
    assert sum(bool(item.readings) and not item.refused for item in found) >= 5


def test_the_same_seed_makes_the_same_noise():
    """A fault that was seen can be seen again."""
    body = bytes(500)
    first, second, other = (BadLine(Faults(noise=0.05), seed).spoil(body) for seed in (1, 1, 2))
    assert first == second != other
