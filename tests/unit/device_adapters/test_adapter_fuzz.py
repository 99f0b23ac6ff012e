"""Whatever arrives: no crash, a named outcome, no payload in a refusal, and no memory kept."""

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_adapters.checksums import crc16_ccitt_false
from device_adapters.registry import decode
from device_adapters.template import Template
from gateway.domain.readings import Decoded, Refusal
from tests.unit.device_adapters.hl7_encoder import alarm_message, status_message

MARK = b"Zxqjkv"  # stands in every payload, where a name could stand; must never come out of a refusal
HL7 = [status_message(), alarm_message(), alarm_message("0^MDC_EVT_FLUID_LINE_AIR^MDC^^^^^^" + MARK.decode())]
VALID = {
    "telemetry": [b'{"observed_at": "2026-03-02T08:00:00+08:00", "boot": "b1", "seq": 4, "rate_ml_h": 0.6, "power": "mains"}'],
    "alarm": [b'{"observed_at": 1772409600000, "alarm": "air-in-line", "phase": "start", "priority": "high", "text": "AIR"}'],
    "event": [b'[{"observed_at": 1772409600000, "event": "bag-changed", "bag_ml": 110}, {"observed_at": 1, "event": "x"}]'],
    "status": [b'{"online": true}'],
    "diary": [b'{"observed_at": 1772409600000, "entry": "note", "text": "well"}'],
    "raw/ihe-pcd": HL7,
    "raw/generic-json": [b'[{"online": true}, {"observed_at": 1772409600000, "entry": "temperature", "temperature_c": 38.4}]'],
}
PIECES = [
    b"|",
    b"^",
    b"\r",
    b"\n",
    b"OBX|",
    b"MSH|",
    b'"',
    b"{",
    b"[",
    b"null",
    b"NaN",
    b"1e999",
    b"\xff",
    b"\x00",
    b"\\u0000",
    MARK,
]


def mutated(payload: bytes, dice: random.Random) -> bytes:
    """A valid payload after a few accidents."""
    body = bytearray(payload)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(body) + 1)
        accident = dice.randrange(5)
        if accident == 0:
            body[at : at + dice.randint(1, 12)] = b""
        elif accident == 1:
            body[at:at] = dice.choice(PIECES)
        elif accident == 2:
            body[at : at + 1] = bytes([dice.randrange(256)])
        elif accident == 3:
            body[at:at] = body[: dice.randint(0, 200)]
        else:
            body[at : at + len(MARK)] = MARK
    return bytes(body)


def sealed(body: bytes) -> bytes:
    """A frame of the worked example around any eleven bytes."""
    return b"\xa5" + body + crc16_ccitt_false(b"\xa5" + body).to_bytes(2, "big")


def check(decoded: Decoded) -> None:
    """An outcome with a name, and without the payload."""
    assert decoded.readings or decoded.refused
    for refused in decoded.refused:
        assert (refused.reason, refused.where) != (Refusal.MALFORMED, ""), "an adapter raised"
        assert MARK.decode() not in refused.detail + refused.where
        assert len(refused.detail) < 400


@pytest.mark.hazard("H-30")
def test_ten_thousand_accidents():
    """Valid messages, broken in 10,000 ways, are read or refused; none crashes an adapter."""
    dice = random.Random(20_260_302)
    channels = sorted(VALID)
    for turn in range(10_000):
        channel = channels[turn % len(channels)]
        check(decode(channel, mutated(dice.choice(VALID[channel]), dice)))


def test_nothing_is_kept_of_what_was_refused():
    """Decoding the same flood again leaves no more memory in use than the first time."""
    dice = random.Random(7)
    flood = [(channel, mutated(dice.choice(VALID[channel]), dice)) for channel in sorted(VALID) for _ in range(200)]
    for channel, payload in flood:
        decode(channel, payload)
    tracemalloc.start()
    try:
        for channel, payload in flood:
            decode(channel, payload)
        first, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            for channel, payload in flood:
                decode(channel, payload)
        last, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last - first < 64 * 1024


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=2_000), channel=st.sampled_from([*VALID, "raw/unknown", "gossip", ""]))
def test_any_bytes_on_any_channel(payload: bytes, channel: str):
    """Arbitrary bytes give a reading or a named refusal."""
    check(decode(channel, payload))


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="MSHOBXPIDRUZ|^~\\&\r\n0123456789_ ", max_size=400))
def test_any_text_in_the_shape_of_hl7(text: str):
    """A header followed by any jumble of HL7's own characters."""
    check(decode("raw/ihe-pcd", b"MSH|^~\\&|||||20260302080000+0800||ORU^R01\rOBX|1|NM|" + text.encode()))


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=20) | st.binary(min_size=11, max_size=11).map(sealed))
def test_any_bytes_for_the_worked_example(payload: bytes):
    """The adapter that others are copied from refuses as well as it reads, also behind a right checksum."""
    check(Template().decode(payload))


@pytest.mark.parametrize("payload", [b"MSH|" + b"\n|" * 120_000, b"MSH|^~\\&|\r" + b"OBX|1|" * 40_000, b"MSH|" + b"~" * 250_000])
def test_hostile_sizes_are_bounded(payload: bytes):
    """The largest payloads, made of nothing but structure, are done with quickly enough to be a test."""
    check(decode("raw/ihe-pcd", payload))
