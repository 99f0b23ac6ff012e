"""Receipts as centres write them, and messages in parts."""

import pytest

from gateway.domain.words import Outcome
from gateway.outside.smpp_pdu import Short
from gateway.outside.smpp_receipts import REMEMBERED_MAX, Parts, Whole, is_receipt, is_written, read_receipt, written_text
from gateway.runtime.ports import Receipt


def receipt(text: str, **tags: bytes) -> Short:
    """A deliver_sm with a receipt's text and these optional parameters."""
    numbers = {"id": 0x001E, "state": 0x0427}
    return Short("85290000001", 0x04, 0, text.encode(), {numbers[name]: value for name, value in tags.items()})


@pytest.mark.parametrize(
    ("short", "read"),
    [
        (receipt("id:m1 sub:001 dlvrd:001 done date:2603020801 stat:DELIVRD err:000 text:hi"), ("m1", Outcome.DELIVERED)),
        (receipt("ID: m1 STAT: delivrd"), ("m1", Outcome.DELIVERED)),
        (receipt("id:m1 stat:EXPIRED err:1"), ("m1", Outcome.REJECTED)),
        (receipt("id:m1 stat:UNDELIV"), ("m1", Outcome.REJECTED)),
        (receipt("id:m1 stat:REJECTD"), ("m1", Outcome.REJECTED)),
        (receipt("id:m1 stat:DELETED"), ("m1", Outcome.REJECTED)),
        (receipt("id:m1 stat:ACCEPTD"), None),
        (receipt("id:m1 stat:ENROUTE"), None),
        (receipt("id:m1 stat:UNKNOWN"), None),
        (receipt("id:m1"), None),
        (receipt("stat:DELIVRD"), None),
        (receipt(""), None),
        (receipt("", id=b"m2\0", state=b"\x02"), ("m2", Outcome.DELIVERED)),
        (receipt("id:m1 stat:DELIVRD", id=b"m2\0", state=b"\x05"), ("m2", Outcome.REJECTED)),
        (receipt("", id=b"m2", state=b"\x01"), None),
    ],
)
def test_what_a_receipt_says(short, read):
    """Final states only, by optional parameter or text, whatever its case."""
    assert read_receipt(short) == read


def test_messages_and_receipts_are_told_apart_by_their_class():
    """Bits 2 to 5; intermediate reports are neither."""
    assert is_receipt(Short("1", 0x04, 0, b""))
    assert is_receipt(Short("1", 0x44, 0, b""))
    assert is_written(Short("1", 0x00, 0, b""))
    assert is_written(Short("1", 0x40, 0, b""))
    assert not is_written(Short("1", 0x20, 0, b""))
    assert not is_receipt(Short("1", 0x20, 0, b""))


@pytest.mark.parametrize(
    ("coding", "esm_class", "raw", "text"),
    [
        (0, 0, b"ack 4711", "ack 4711"),
        (0, 0, b"\x00\x1b\x65", "@€"),
        (1, 0, b"ack@", "ack@"),
        (3, 0, "é".encode("latin-1"), "é"),
        (8, 0, "收到 4711".encode("utf-16-be"), "收到 4711"),
        (8, 0, b"\xd8\x3d", "\N{REPLACEMENT CHARACTER}"),
        (0, 0x40, b"\x05\x00\x03\x01\x02\x01ack", "ack"),
        (0, 0x40, b"", ""),
        (0, 0x40, b"\xff", ""),
    ],
)
def test_what_a_person_wrote(coding, esm_class, raw, text):
    """In every coding; nothing that arrives is too odd to be read."""
    assert written_text(Short("1", esm_class, coding, raw)) == text


class Told(list):
    """The receipts that came of it."""


@pytest.fixture
def told() -> Told:
    """Nothing yet."""
    return Told()


def sent(parts: Parts, *ids: str) -> str:
    """A message whose parts were accepted under these ids."""
    with parts.sending() as whole:
        for part in ids:
            parts.accepted(whole, part)
        return parts.finish(whole)


def test_a_message_is_delivered_when_all_its_parts_are(told):
    """And it is told once, under the last part's id, whatever comes after."""
    parts = Parts(told.append)
    assert sent(parts, "a", "b") == "b"
    parts.receipt("b", Outcome.DELIVERED)
    parts.receipt("b", Outcome.DELIVERED)
    assert told == []
    parts.receipt("a", Outcome.DELIVERED)
    parts.receipt("a", Outcome.REJECTED)
    assert told == [Receipt("b", Outcome.DELIVERED)]


def test_a_message_fails_with_its_first_part(told):
    """Half a page is none."""
    parts = Parts(told.append)
    sent(parts, "a", "b", "c")
    parts.receipt("a", Outcome.REJECTED)
    parts.receipt("b", Outcome.DELIVERED)
    assert told == [Receipt("c", Outcome.REJECTED)]


def test_a_receipt_may_come_before_the_last_part_is_sent(told):
    """It counts, but nothing is told of a message whose id nobody knows yet."""
    parts, whole = Parts(told.append), Whole()
    parts.accepted(whole, "a")
    parts.receipt("a", Outcome.DELIVERED)
    parts.accepted(whole, "b")
    parts.receipt("b", Outcome.DELIVERED)
    assert told == []
    assert parts.finish(whole) == "b"
    assert told == [Receipt("b", Outcome.DELIVERED)]


def test_a_receipt_may_overtake_the_answer_that_names_its_part(told):
    """Both were read at once: it waits until the part is known."""
    parts = Parts(told.append)
    with parts.sending() as whole:
        parts.receipt("a", Outcome.DELIVERED)
        parts.accepted(whole, "a")
        parts.receipt("b", Outcome.DELIVERED)
        parts.accepted(whole, "b")
        assert parts.finish(whole) == "b"
    assert told == [Receipt("b", Outcome.DELIVERED)]


def test_a_receipt_that_belongs_to_nothing_in_hand_is_told_when_nothing_is_being_sent(told):
    """It may be that of a message from before the restart."""
    parts = Parts(told.append)
    with parts.sending() as whole:
        parts.receipt("older", Outcome.DELIVERED)
        parts.accepted(whole, "a")
        parts.finish(whole)
        assert told == []
    assert told == [Receipt("older", Outcome.DELIVERED)]


def test_parts_of_a_message_that_was_never_whole_tell_nothing(told):
    """It is sent again, under other ids."""
    parts, whole = Parts(told.append), Whole()
    parts.accepted(whole, "a")
    parts.receipt("a", Outcome.DELIVERED)
    assert told == []


@pytest.mark.parametrize(("answered", "reported"), [("1A2F", "6703"), ("6703", "1a2f"), ("6703", "00001A2F"), ("M1", "m1")])
def test_an_id_in_another_spelling_is_known(told, answered, reported):
    """Hex in the answer and decimal in the receipt is common among centres."""
    parts = Parts(told.append)
    sent(parts, answered)
    parts.receipt(reported, Outcome.DELIVERED)
    assert told == [Receipt(answered, Outcome.DELIVERED)]


def test_after_a_restart_a_part_speaks_for_itself(told):
    """Its id may be the one that the journal has."""
    Parts(told.append).receipt("b", Outcome.DELIVERED)
    assert told == [Receipt("b", Outcome.DELIVERED)]


def test_what_is_remembered_has_a_limit(told):
    """The oldest are forgotten."""
    parts = Parts(told.append)
    for number in range(REMEMBERED_MAX + 5):
        sent(parts, f"x{number}")
    assert len(parts._wholes) == REMEMBERED_MAX
