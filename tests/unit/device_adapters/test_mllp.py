"""MLLP: streams into messages, however they are cut and whatever stands between them."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_adapters import mllp
from device_adapters.mllp import MllpFramer, Unframed
from gateway.domain.readings import Refusal
from tests.support.mllp import wrapped as framed

pieces = st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"MSH|", b"x", b"\x1c\r", b"\x0bMSH|a\x1c\r"]), max_size=30)


def told(data: bytes, size: int = 1 << 20) -> list[bytes | Refusal]:
    """What comes of a stream that is fed in pieces of one size: messages, and the reasons of what was none."""
    framer = MllpFramer()
    found = [item for at in range(0, len(data), size) for item in framer.feed(data[at : at + size])]
    return [item.refused.reason if isinstance(item, Unframed) else item for item in found + framer.finish()]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"", []),
        (b"\x0bMSH|1\x1c\r", [b"MSH|1"]),
        (b"\x0bMSH|1\rPID\x1c\r\x0bMSH|2\x1c\r", [b"MSH|1\rPID", b"MSH|2"]),
        (b"\x0bMSH|1\x1c\x0bMSH|2\x1c", [b"MSH|1", b"MSH|2"]),
        (b"\x0bMSH|1\x1c\n\r\n\x0bMSH|2\x1c\r", [b"MSH|1", b"MSH|2"]),
        (b"noise\x0bMSH|1\x1c\r", [Refusal.MALFORMED, b"MSH|1"]),
        (b"\x0bMSH|1\x0bMSH|2\x1c\r", [Refusal.LENGTH, b"MSH|2"]),
        (b"\x0bMSH|1", [Refusal.LENGTH]),
        (b"\x0b \r\x1c\r", [Refusal.EMPTY]),
        (b"GET / HTTP/1.1\r\n\r\n", [Refusal.MALFORMED]),
        (b"\x16\x03\x01\x02\x00\x01" * 50, [Refusal.MALFORMED]),
    ],
)
def test_messages_and_what_is_none(data: bytes, events: list[bytes | Refusal]):
    """Messages without their frame; garbage is one event a run, and the next message is read."""
    assert told(data) == events


@given(pieces, st.integers(1, 9))
def test_a_byte_at_a_time_or_all_at_once(parts: list[bytes], size: int):
    """The same events."""
    data = b"".join(parts)
    assert told(data, size) == told(data, 1) == told(data)


@pytest.mark.parametrize("size", [1_000, 65_536, 1 << 20])
@pytest.mark.parametrize("more", [0, 1, 50_000])
def test_the_longest_message_and_one_byte_more(size: int, more: int):
    """A message of the allowed length is read; a longer one is refused once, and the next is read."""
    body = b"x" * (mllp.MESSAGE_BYTES_MAX + more)
    assert told(framed(body) + framed(b"MSH|2"), size) == [Refusal.TOO_LARGE if more else body, b"MSH|2"]


@pytest.mark.parametrize("start", [b"", b"\x0b"])
def test_memory_is_bounded(start: bytes):
    """A stream without an end costs no more than one message."""
    framer = MllpFramer()
    framer.feed(start)
    tracemalloc.start()
    try:
        for _ in range(400):
            framer.feed(b"x" * 65_536)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * mllp.MESSAGE_BYTES_MAX
    assert framer.is_open is bool(start)


def test_what_is_framed_is_read_back():
    """Round trip, and the framer is as new after its end."""
    framer = MllpFramer()
    assert framer.feed(framed(b"MSH|1")[:4]) == []
    assert [item.raw for item in framer.finish() if isinstance(item, Unframed)] == [b"MSH"]
    assert framer.feed(framed(b"MSH|1")) == [b"MSH|1"]
