"""HL7 as it is really sent: line ends, frames, fused and wrapped segments, times."""

import pytest

from device_adapters import hl7
from device_adapters.bounds import PAYLOAD_BYTES_MAX
from gateway.domain.readings import Refusal, Refused
from tests.unit.device_adapters.hl7_encoder import msh, obr, obx, pid, wire

AT = 1_772_409_600_000
TEXT = (msh("ORU^R01"), pid(), "PV1||I|Ward 3^1", obr(), obx("1^A^MDC", "5"), obx("2^B^MDC", "6"))


def shape(payload: bytes) -> list[list[str]]:
    """For each message, its results' identifiers."""
    messages = hl7.parse(payload)
    assert isinstance(messages, list)
    return [[result.field(3) for order in message.orders for result in order.results] for message in messages]


@pytest.mark.parametrize("ends", ["\r", "\n", "\r\n", "\n\n"])
def test_any_line_end_will_do(ends: str):
    """HL7 says CR; files and editors say otherwise."""
    assert shape(wire(*TEXT, ends=ends)) == [["1^A^MDC", "2^B^MDC"]]


@pytest.mark.parametrize("width", range(9, 90))
def test_wrapped_lines_are_joined(width: int):
    """A tool that wraps at a fixed width changes nothing, wherever the wrap falls."""
    lines = [text[start : start + width] for text in TEXT for start in range(0, len(text), width)]
    assert shape("\n".join(lines).encode()) == [["1^A^MDC", "2^B^MDC"]]


def test_fused_segments_are_parted():
    """A whole message on one line is still six segments."""
    assert shape(wire(*TEXT, ends="")) == [["1^A^MDC", "2^B^MDC"]]


def test_several_messages_in_one_payload():
    """MLLP frames may follow one another, with their frame bytes or without."""
    framed = b"\x0b" + wire(*TEXT) + b"\x1c\r"
    assert shape(framed + framed) == [["1^A^MDC", "2^B^MDC"]] * 2
    assert shape(wire(*TEXT) + wire(*TEXT)) == [["1^A^MDC", "2^B^MDC"]] * 2


def test_results_without_an_order_are_kept():
    """OBX before any OBR stand in an order of their own, without a header."""
    (message,) = hl7.parse(wire(msh("ORU^R01"), obx("1^A^MDC", "5")))
    assert [(order.header, len(order.results)) for order in message.orders] == [(None, 1)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Refusal.EMPTY),
        (b"\x0b\x1c\r", Refusal.EMPTY),
        (b"{}", Refusal.UNKNOWN_MESSAGE),
        ("MSH|^~\\&|".encode("utf-16"), Refusal.NOT_UTF8),
        (b"MSH|" * (PAYLOAD_BYTES_MAX // 4 + 1), Refusal.TOO_LARGE),
        (wire(msh("ORU^R01"), *[obx("1^A^MDC", "5")] * 5_000), Refusal.TOO_MANY),
        (wire(msh("ORU^R01", time="")) * 501, Refusal.TOO_MANY),
    ],
)
def test_what_is_not_hl7(payload: bytes, reason: Refusal):
    """Refused before anything is made of it, by name."""
    found = hl7.parse(payload)
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_old_encodings_are_read():
    """Bytes that are not UTF-8 are taken for ISO 8859-1, never refused: an alarm may stand beside the umlaut."""
    (message,) = hl7.parse("MSH|^~\\&|Küche\r".encode("latin-1"))
    assert message.header.field(3) == "Küche"


def test_fields_count_as_hl7_counts():
    """MSH-1 is the separator; absent fields are empty; a field has repetitions, and its components are unescaped."""
    (message,) = hl7.parse(b"MSH|^~\\&|A^b\\T\\c~second")
    assert message.header.field(2) == "^"
    assert message.header.whole(3) == "A^b\\T\\c~second"
    assert message.header.field(3) == "A^b\\T\\c"
    assert message.header.component(3, 2) == "b&c"
    assert message.header.component(3, 9) == ""
    assert message.header.field(40) == ""
    assert hl7.unescaped("a\\F\\b\\S\\c\\R\\d\\E\\e\\X0D\\") == "a|b^c~d\\e\\X0D\\"


def test_names_are_known_so_that_they_can_be_kept_in():
    """The words of the patient's segments are collected, in lower case."""
    (message,) = hl7.parse(wire(*TEXT))
    assert {"testperson", "nobody", "ward"} <= message.private_words


@pytest.mark.parametrize(
    ("text", "offset", "at"),
    [
        ("20260302080000+0800", None, AT),
        ("202603020800+0800", None, AT),
        ("20260302080000.2500+0800", None, AT + 250),
        ("20260302080000.123456789+0800", None, AT + 123),
        ("20260302080000", "+0800", AT),
        ("20260301163000-0730", "+0800", AT),
        ("20260302080000", None, None),
        ("20260302", "+0800", None),
        ("20260230080000+0800", None, None),
        ("20260302080000+2500", None, None),
        ("19991231235959+0000", None, None),
        ("21010101000000+0000", None, None),
        ("00010101000000+1400", None, None),
        ("", "+0800", None),
        ("2026-03-02T08:00:00+08:00", None, None),
        ("9" * 10_000, "+0800", None),
    ],
)
def test_times(text: str, offset: str | None, at: int | None):
    """A time is read to the millisecond with its own offset, else the given one, and refused when it is not exact."""
    assert hl7.instant(text, offset=offset) == at


def test_the_offset_of_a_time():
    """It stands at the end, or not at all."""
    assert hl7.offset_of("20260302080000-0730") == "-0730"
    assert hl7.offset_of("20260302080000") is None
