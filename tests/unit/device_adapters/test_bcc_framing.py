"""Bytes of a line into BCC frames, against the test-side encoder: chunking, resynchronising, bounds, stuffing, refusals."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_adapters.bcc_framing import (
    FRAME_BYTES_MAX,
    OUTSIDE_BYTES_KEPT,
    Frame,
    Framer,
    Garbled,
    frame_of,
    frames_in,
    unstuffed,
)
from gateway.domain.readings import Refusal
from tests.support.bcc_encoder import answer, checked, escaped, pump_items, wire

GOOD = answer(pump_items(), per_block=9)
TEXT = st.binary(max_size=200).map(lambda raw: bytes(byte for byte in raw if byte >= 32 or byte == 0x1E))
BEDS = st.text(alphabet=[chr(code) for code in range(32, 127) if chr(code) != ">"], min_size=1, max_size=15)
PIECES = st.one_of(
    st.binary(max_size=30),
    st.just(GOOD),
    TEXT.map(wire),
    TEXT.map(lambda text: wire(text)[:-3]),
    st.sampled_from([b"\x01", b"\x04", b"\x06", b"\x15", b"\x0100031\x02", b"\x01" + b"a" * (FRAME_BYTES_MAX - 1)]),
)


def fed(data: bytes, cuts: list[int]) -> list[Frame | Garbled]:
    """What a framer tells of `data`, cut at these places."""
    framer = Framer()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [event for start, end in pairwise(edges) for event in framer.feed(data[start:end])] + framer.finish()


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(PIECES, max_size=6), cuts=st.lists(st.integers(0, 100_000), max_size=12))
def test_chunks_make_no_difference(pieces: list[bytes], cuts: list[int]):
    """However the bytes are cut, a byte at a time or all at once, the events are the same."""
    data = b"".join(pieces)
    at_once = fed(data, [])
    assert fed(data, cuts) == at_once
    assert frames_in(data) == at_once
    if len(data) < 3_000:
        assert fed(data, list(range(len(data)))) == at_once


@given(text=TEXT, bed=BEDS, more=st.booleans(), stuffed=st.booleans())
def test_round_trip(text: bytes, bed: str, *, more: bool, stuffed: bool):
    """What the encoder wrote comes back, stuffed or not, without anybody saying which."""
    raw = wire(text, bed=bed, more=more, stuffed=stuffed)
    assert Framer().feed(raw) == [Frame(raw, bed.encode(), text, last=not more)]


@given(text=st.binary(max_size=300).filter(lambda raw: b"\x00" not in raw))
def test_stuffing_is_undone(text: bytes):
    """Any text of D, E, d, e and X survives."""
    assert unstuffed(escaped(text)) == text


@pytest.mark.parametrize(("stuffed", "plain"), [(b"EEX", b"EX"), (b"EEEX", b"ED"), (b"eex", b"ex"), (b"EXEEEX", b"DED")])
def test_pairs_are_read_from_left_to_right(stuffed: bytes, plain: bytes):
    """`EEX` is an E and an X, never an escaped D."""
    assert unstuffed(stuffed) == plain


@pytest.mark.parametrize("text", [b"D", b"d", b"E", b"eE", b"Ex", b"eX", b"a\x00b", b"EEE"])
def test_what_was_never_stuffed_is_known(text: bytes):
    """A bare D, or an E without its pair, was never sent by a ComDevice that stuffs."""
    assert unstuffed(text) is None


@given(noise=st.binary(max_size=200).map(lambda raw: raw.replace(b"\x01", b"")), text=TEXT)
def test_after_garbage_the_next_frame_is_read(noise: bytes, text: bytes):
    """Noise costs itself only."""
    raw = wire(text)
    assert [event for event in fed(noise + raw + noise + raw + noise, []) if isinstance(event, Frame)] == [frame_of(raw)] * 2


def test_a_frame_cut_short_does_not_cost_the_next():
    """SOH begins a frame, whatever went before."""
    raw = wire("206,50111,INRT,0.60")
    cut, good = fed(raw[:20] + raw, [])
    assert isinstance(cut, Garbled)
    assert (cut.refused.reason, cut.refused.where, cut.raw) == (Refusal.LENGTH, "EOT", raw[:20])
    assert isinstance(good, Frame)


def test_noise_is_one_event_a_run():
    """A babbling line is told once, with its beginning; ACK and NAK are no noise."""
    events = fed(b"\x06\x15\x06" + wire("a") + b"noise" * 1_000 + wire("b") + b"\x06", [])
    assert [type(event) for event in events] == [Frame, Garbled, Frame]
    assert events[1].raw == (b"noise" * 1_000)[:OUTSIDE_BYTES_KEPT]


def test_a_line_without_an_end_costs_bounded_memory():
    """A megabyte after SOH: one refusal by name at the limit, the rest is dropped, and the next frame is read."""
    framer = Framer()
    tracemalloc.start()
    try:
        events = framer.feed(b"\x01")
        for _ in range(1_000):
            events += framer.feed(b"x" * 1_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * FRAME_BYTES_MAX
    (event,) = events
    assert isinstance(event, Garbled)
    assert (event.refused.reason, len(event.raw)) == (Refusal.TOO_LARGE, FRAME_BYTES_MAX)
    assert [type(event) for event in framer.feed(wire("a"))] == [Frame]


@pytest.mark.parametrize(
    ("raw", "reason", "where"),
    [
        (b"\x01\x04", Refusal.MALFORMED, "header"),
        (b"\x010003x\x02abc\x04", Refusal.MALFORMED, "header"),
        (wire("a", claims=99), Refusal.LENGTH, "length"),
        (wire("a").replace(b"\x03", b"\x05"), Refusal.MALFORMED, "frame"),
        (wire("a", bed="x" * 16), Refusal.MALFORMED, "frame"),
        (wire("a", bed=""), Refusal.MALFORMED, "frame"),
        (wire("a\x0bb"), Refusal.MALFORMED, "frame"),
        (wire("a")[:-6] + b"00999\x04", Refusal.BAD_CHECKSUM, "check"),
        (checked(b"\x0100021\x02abcdefg\x03"), Refusal.MALFORMED, "frame"),
    ],
)
def test_refusals(raw: bytes, reason: Refusal, where: str):
    """Each thing that can be wrong with a frame has its name."""
    found = frame_of(raw)
    assert isinstance(found, Garbled)
    assert (found.refused.reason, found.refused.where, found.raw) == (reason, where, raw)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_passes(at: int, bit: int):
    """One flipped bit anywhere gives no frame other than the one that was sent."""
    raw = wire("206,50111,INRT,0.60", stuffed=False)
    broken = bytearray(raw)
    broken[at % len(raw)] ^= 1 << bit
    assert not [event for event in fed(bytes(broken), []) if isinstance(event, Frame)]
