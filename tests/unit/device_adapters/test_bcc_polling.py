"""The conversation with a ComDevice in invented time: waits, slots, silence, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_adapters.bcc_framing import ACK, Frame, Framer, Garbled
from device_adapters.bcc_polling import (
    ACK_AFTER_MS,
    ASK_AFTER_MS,
    BLOCKS_MAX,
    PATIENCE_MS,
    Answer,
    Ask,
    NoAnswer,
    Poller,
    Step,
    asked,
)
from gateway.domain.readings import Refusal
from tests.support.bcc_encoder import answer, pump_items, wire

HELLO = wire("206,50100,GNACK,0")
BLOCKS = answer(pump_items(), per_block=10)
FIRST = BLOCKS.index(b"\x04") + 1


def said(raw: bytes) -> tuple[str, str]:
    """(bed, question) of what the poller wrote."""
    (frame,) = Framer().feed(raw)
    assert isinstance(frame, Frame)
    return frame.bed.decode(), frame.information.decode()


def greeted(**options: object) -> Poller:
    """A poller that knows its ComDevice; the clock stands at 100, and the first question is due at 600."""
    poller = Poller(started_at=0, **options)
    assert said(poller.due(0)[0]) == ("1", "ADMIN:ALIVE")
    assert poller.receive(HELLO, 100) == []
    return poller


def test_the_first_question_is_for_the_name():
    """ALIVE to `1`; the answer says who it is, and half a second later it is asked under its own name."""
    poller = greeted()
    assert (poller.bed, poller.next_at) == ("SpaceCOM", 100 + ASK_AFTER_MS)
    assert poller.due(599) == (b"", ())
    assert said(poller.due(600)[0]) == ("SpaceCOM", "MEM:GET")


def test_blocks_are_acknowledged_after_a_tenth_of_a_second():
    """ETB, 100 ms, ACK, the next block; the answer is all of them."""
    poller = greeted()
    poller.due(600)
    assert poller.receive(BLOCKS[:FIRST], 700) == []
    assert (poller.step, poller.next_at) == (Step.ACKING, 700 + ACK_AFTER_MS)
    assert poller.due(799) == (b"", ())
    assert poller.due(800) == (ACK, ())
    second = BLOCKS.index(b"\x04", FIRST) + 1
    assert poller.receive(BLOCKS[FIRST:second], 900) == []
    assert poller.due(1_000) == (ACK, ())
    assert poller.receive(BLOCKS[second:], 1_100) == [Answer(BLOCKS, None, whole=True)]
    assert poller.next_at == 600 + 10_000


def test_slots_are_asked_in_turn():
    """Each slot has its question; half a second between them, the period between the rounds."""
    poller = greeted(slots=("11", "2A"), every_ms=5_000)
    assert said(poller.due(600)[0])[1] == "MEM:GETSLOT#11"
    (first,) = poller.receive(answer(pump_items("11")), 700)
    assert (first.slot, poller.next_at) == ("11", 1_200)
    assert said(poller.due(1_200)[0])[1] == "MEM:GETSLOT#2A"
    (second,) = poller.receive(answer(pump_items("2A")), 1_300)
    assert (second.slot, poller.next_at) == ("2A", 5_600)


def test_silence_is_told_and_begun_anew():
    """No answer within the patience: told each time, and ALIVE again, for ever."""
    poller = greeted()
    poller.due(600)
    for turn in range(1, 4):
        at = 600 + turn * PATIENCE_MS
        assert poller.due(at - 1) == (b"", ())
        question, events = poller.due(at)
        assert said(question) == ("1", "ADMIN:ALIVE")
        assert events == (NoAnswer(),)
    assert poller.receive(HELLO, 20_000) == []
    assert poller.step is Step.RESTING


def test_a_cable_pulled_in_the_middle_keeps_what_came():
    """One block, half of the next, then nothing: the first is told as part of an answer, the half as garbled."""
    poller = greeted()
    poller.due(600)
    poller.receive(BLOCKS[:FIRST], 700)
    poller.due(800)
    poller.receive(BLOCKS[FIRST : FIRST + 20], 900)
    _, (garbled, part, silence) = poller.due(800 + PATIENCE_MS)
    assert (garbled.refused.reason, garbled.raw) == (Refusal.LENGTH, BLOCKS[FIRST : FIRST + 20])
    assert part == Answer(BLOCKS[:FIRST], None, whole=False)
    assert silence == NoAnswer()


def test_a_babbling_line_does_not_count_as_an_answer():
    """Noise, however much, does not put off the end of patience."""
    poller = greeted()
    poller.due(600)
    for at in range(700, 600 + PATIENCE_MS, 100):
        assert poller.receive(b"\xff" * 50, at) == []
    assert NoAnswer() in poller.due(600 + PATIENCE_MS)[1]


def test_a_late_answer_is_no_answer_to_the_next_question():
    """What comes while nothing was asked is dropped."""
    poller = greeted()
    assert poller.receive(BLOCKS, 300) == []
    assert poller.step is Step.RESTING


def test_an_answer_without_end_is_given_up():
    """Blocks for ever: what came is told, the limit is named, and the next question is asked."""
    poller = greeted()
    poller.due(600)
    at, events = 700, []
    for _ in range(BLOCKS_MAX):
        events += poller.receive(BLOCKS[:FIRST], at)
        poller.due(at + ACK_AFTER_MS)
        at += 2 * ACK_AFTER_MS
    part, named = events
    assert isinstance(part, Answer)
    assert not part.whole
    assert isinstance(named, Garbled)
    assert named.refused.reason is Refusal.TOO_MANY
    assert poller.step is Step.RESTING


def test_a_garbled_block_makes_the_answer_less_than_whole():
    """The bad block is told with its bytes; the answer that follows says that something is missing."""
    poller = greeted()
    poller.due(600)
    bad = bytearray(wire("206,50111,INM3,1", more=True))
    bad[-10] ^= 1
    garbled, part = poller.receive(bytes(bad) + wire("206,50111,INM3,1"), 700)
    assert (garbled.refused.reason, garbled.raw) == (Refusal.BAD_CHECKSUM, bytes(bad))
    assert not part.whole


@pytest.mark.parametrize(
    ("ask", "bed", "slot"),
    [
        (Ask.GET, "", None),
        (Ask.GET, "a>b", None),
        (Ask.GET, "x" * 16, None),
        (Ask.GET, "a\n", None),
        (Ask.GET, "a", "11"),
        (Ask.GET_SLOT, "a", None),
        (Ask.GET_SLOT, "a", "41"),
        (Ask.GET_SLOT, "a", "11\n"),
        (Ask.ALIVE, "ä", None),
    ],
)
def test_what_is_no_question_is_not_encoded(ask: Ask, bed: str, slot: str | None):
    """A bed or a slot that could smuggle something else is refused."""
    with pytest.raises(ValueError, match=r"bed|slot"):
        asked(ask, bed=bed, slot=slot)


@given(
    ask=st.sampled_from([Ask.ALIVE, Ask.VERSION, Ask.GET]),
    bed=st.from_regex(r"[ -=?-~]{1,15}", fullmatch=True),
    stuffing=st.booleans(),
)
def test_questions_are_what_the_encoder_of_the_tests_writes(ask: Ask, bed: str, *, stuffing: bool):
    """Two encoders that share nothing agree byte for byte."""
    assert asked(ask, bed=bed, stuffing=stuffing) == wire(ask.value, bed=bed, stuffed=stuffing)


LINES = st.binary(max_size=60) | st.sampled_from([HELLO, BLOCKS, BLOCKS[:FIRST]])


@given(script=st.lists(st.tuples(LINES, st.integers(0, 9_000)), max_size=30))
def test_whatever_comes_the_waits_are_kept(script: list[tuple[bytes, int]]):
    """Any bytes at any time: no ACK and no question sooner than the ComDevice wants, and always a deadline ahead."""
    poller, at, ready_at = Poller(started_at=0), 0, 0
    for raw, wait_ms in script:
        at += wait_ms
        written, _ = poller.due(at)
        assert not written or at >= ready_at
        before = (poller.step, poller.next_at)
        poller.receive(raw, at)
        if (poller.step, poller.next_at) != before:
            ready_at = at + (ACK_AFTER_MS if poller.step is Step.ACKING else ASK_AFTER_MS)
            assert poller.next_at >= ready_at
        assert poller.next_at <= at + 10_000 + PATIENCE_MS
