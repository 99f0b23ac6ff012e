"""The header in front of raw bytes: round trip, refusals, and what it does to readings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_adapters.envelope import HEADER_BYTES_MAX, MAGIC, SEQ_MAX, Sent, enveloped, opened
from device_adapters.registry import decode
from gateway.domain.readings import Refusal, Refused
from gateway.domain.words import ClockQuality
from tests.support.bcc_encoder import answer, pump_items
from tests.unit.device_adapters.hl7_encoder import alarm_message

AT = 1_772_409_600_000
HEADERS = st.builds(
    Sent,
    st.integers(946_684_800_000, 4_133_980_799_999),
    st.none() | st.text(max_size=64),
    st.none() | st.integers(0, SEQ_MAX),
    st.sampled_from(ClockQuality),
    st.none() | st.text(max_size=16),
)


@given(sent=HEADERS, body=st.binary(max_size=300))
def test_what_goes_in_comes_out(sent: Sent, body: bytes):
    """Any header and any bytes survive, and the header stays within its limit and on its line."""
    payload = enveloped(sent, body)
    assert opened(payload) == (sent, body)
    assert payload.index(b"\n") < HEADER_BYTES_MAX


@given(body=st.binary(max_size=300).filter(lambda body: not body.startswith(MAGIC)))
def test_without_a_header_all_of_it_is_the_device_s(body: bytes):
    """Nothing is cut from a plain payload."""
    assert opened(body) == (None, body)


@pytest.mark.parametrize(
    ("header", "reason", "where"),
    [
        (b"", Refusal.NOT_JSON, "header"),
        (b"{" * 500, Refusal.NOT_JSON, "header"),
        (b'"text"', Refusal.NOT_AN_OBJECT, "header"),
        (b"{}", Refusal.MISSING_FIELD, "header.observed_at"),
        (b'{"observed_at": "2026-03-02T08:00:00"}', Refusal.BAD_TIME, "header.observed_at"),
        (b'{"observed_at": 1.5}', Refusal.WRONG_TYPE, "header.observed_at"),
        (b'{"observed_at": 1772409600000, "boot": 7}', Refusal.WRONG_TYPE, "header.boot"),
        (b'{"observed_at": 1772409600000, "boot": "%b"}' % (b"b" * 65), Refusal.OUT_OF_BOUNDS, "header.boot"),
        (b'{"observed_at": 1772409600000, "slot": 11}', Refusal.WRONG_TYPE, "header.slot"),
        (b'{"observed_at": 1772409600000, "seq": true}', Refusal.WRONG_TYPE, "header.seq"),
        (b'{"observed_at": 1772409600000, "seq": -1}', Refusal.OUT_OF_BOUNDS, "header.seq"),
        (b'{"observed_at": 1772409600000, "clock": "sundial"}', Refusal.UNKNOWN_VALUE, "header.clock"),
        (b'{"observed_at": 1772409600000, "clock": ["free"]}', Refusal.UNKNOWN_VALUE, "header.clock"),
        (b'{"observed_at": 1772409600000, "x": "%b"}' % (b"x" * 1024), Refusal.TOO_LARGE, "header"),
        (b"\xff\xfe", Refusal.NOT_JSON, "header"),
    ],
)
def test_a_header_is_refused_by_name(header: bytes, reason: Refusal, where: str):
    """What is wrong with a header has a name and a place, and never a traceback."""
    found = opened(MAGIC + header + b"\nbody")
    assert isinstance(found, Refused)
    assert (found.reason, found.where) == (reason, where)
    assert decode("raw/bbraun-bcc", MAGIC + header + b"\nbody").refused == (found,)


def test_a_header_without_an_end_is_refused():
    """The line feed is missing: short, and endless."""
    short, endless = opened(MAGIC + b'{"observed_at": 1}'), opened(MAGIC + b"x" * 5_000)
    assert isinstance(short, Refused)
    assert isinstance(endless, Refused)
    assert (short.reason, endless.reason) == (Refusal.MALFORMED, Refusal.TOO_LARGE)


def test_unknown_keys_and_null_are_ignored():
    """A newer bridge says more; `null` means absent."""
    header = {"observed_at": "2026-03-02T08:00:00+08:00", "boot": None, "seq": None, "clock": None, "colour": "blue"}
    assert opened(MAGIC + json.dumps(header).encode() + b"\nb") == (Sent(AT), b"b")


def test_frames_that_tell_the_time_keep_it_and_get_the_number():
    """An HL7 message in an envelope: its own time, the bridge's number, one message."""
    plain = decode("raw/ihe-pcd", alarm_message())
    found = decode("raw/ihe-pcd", enveloped(Sent(AT + 3_600_000, "b1", 9), alarm_message()))
    assert found.one_message
    assert not plain.one_message
    assert [(item.observed_at, item.boot, item.seq) for item in found.readings] == [
        (item.observed_at, "b1", 9) for item in plain.readings
    ]


def test_a_header_without_a_number_numbers_nothing():
    """A time alone: the readings stand for themselves, and none is a repeat."""
    found = decode("raw/bbraun-bcc", enveloped(Sent(AT), answer(pump_items())))
    assert not found.one_message
    assert {(item.observed_at, item.boot, item.seq) for item in found.readings} == {(AT, None, None)}


def test_a_link_status_is_not_numbered():
    """The connection's own word belongs to nobody's numbering."""
    found = decode("raw/generic-json", enveloped(Sent(AT, "b1", 9), b'{"online": true}'))
    assert [(item.boot, item.seq) for item in found.readings] == [(None, None)]


def test_frames_without_time_or_envelope_are_dated_by_their_arrival():
    """No envelope: the arrival counts, and the clock is marked as one that nobody set."""
    found = decode("raw/bbraun-bcc", answer(pump_items()), received_at=AT)
    assert {(item.observed_at, item.clock) for item in found.readings} == {(AT, ClockQuality.FREE)}


def test_a_payload_beyond_the_limit_is_refused_whole():
    """An envelope does not make room for more."""
    assert decode("raw/bbraun-bcc", b"\x01" * 300_000).refused[0].reason is Refusal.TOO_LARGE
