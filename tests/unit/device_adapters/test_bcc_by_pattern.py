"""The BCC frame and its quadruples as patterns: slow, and plain to read beside the format. The adapter must say the same."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from device_adapters.bbraun_bcc import BbraunBcc
from device_adapters.bcc_framing import Frame, frame_of, unstuffed
from device_adapters.envelope import Sent
from gateway.domain.readings import Refusal
from tests.support.bcc_encoder import checked, wire

STUFFED = re.compile(rb"(?:[^DEde\x00]|E[EX]|e[ex])*")
PAIR = re.compile(rb"E[EX]|e[ex]")
PLAIN = {b"EE": b"E", b"EX": b"D", b"ee": b"e", b"ex": b"d"}
FRAME = re.compile(rb"\x01(\d{5})\x02([ -=?-~]{1,15})/1/1>([^\x00-\x1d\x1f]*)([\x03\x17])(\d{5})\x04")
QUADRUPLE = rb"[^,\x1e]*,501(?:00|[1-3][1-9A-O]),[^,\x1e]+(?:,[^\x1e]*)?"
INFORMATION = re.compile(rb"(?:%b(?:\x1e%b)*\x1e?)?" % (QUADRUPLE, QUADRUPLE))

ENDS = (b"\x03", b"\x17", b"\x04", b"")
PIECES = st.sampled_from(
    [b"E", b"X", b"D", b"e", b"x", b"d", b"\x00", b"a", b"/1/1>", b">", b"\x1e", b"\x1f", b"\x03", b"\x17", b"\xff"]
)
WORDS = st.sampled_from(
    [b"206", b"50111", b"5013O", b"50100", b"50110", b"INRT", b"0.6", b"", b",", b"\x1e", b"206,50111,INSYR,50"]
)


@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_stuffing_is_undone_pair_by_pair(raw: bytes):
    """From left to right; what was never stuffed text is not undone."""
    expected = PAIR.sub(lambda pair: PLAIN[pair[0]], raw) if STUFFED.fullmatch(raw) else None
    assert unstuffed(raw) == expected


@given(st.lists(PIECES, max_size=6).map(b"".join) | st.lists(PIECES, max_size=6).map(b"ward/1/1>".join), st.sampled_from(ENDS))
@example(b"D/1/1>", b"\x03")
@example(b"", b"")
def test_a_frame_is_one_that_fits_the_pattern(inner: bytes, end: bytes):
    """Of the length that it claims, with its check made right."""
    body = b"\x02" + inner + end
    raw = checked(b"\x01%05d" % (len(body) + 12) + body)
    fits, found = FRAME.fullmatch(raw), frame_of(raw)
    assert isinstance(found, Frame) == bool(fits)
    if fits and isinstance(found, Frame):
        assert (found.bed, found.information, found.last) == (fits[2], fits[3], end == b"\x03")


@given(st.lists(WORDS, max_size=12).map(b",".join) | st.lists(WORDS, max_size=12).map(b"".join))
def test_information_is_refused_unless_it_fits_the_pattern(information: bytes):
    """Time, address, parameter and perhaps a value, again and again."""
    refused = BbraunBcc().decode(wire(information), Sent(1)).refused
    is_malformed = any((one.reason, one.where) == (Refusal.MALFORMED, "information") for one in refused)
    assert is_malformed == (INFORMATION.fullmatch(information) is None)
