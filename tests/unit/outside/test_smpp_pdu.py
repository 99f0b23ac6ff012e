"""Our packets, read by another implementation of SMPP; and packets that are none."""

import pytest
import smpp34

from gateway.outside.smpp_pdu import (
    Command,
    Malformed,
    Pdu,
    Status,
    bind_body,
    body_length,
    decode,
    next_sequence,
    read_short,
    read_text,
    submit_body,
)


def submitted(**changed) -> smpp34.SubmitSm:
    """A submit_sm of ours as smpp34 reads it."""
    facts = {"sender": "13013", "to": "85290000001", "message": b"P-017", "heading": False, "gsm7": True, "receipt": False}
    return smpp34.decode(Pdu(Command.SUBMIT_SM, 7, body=submit_body(**{**facts, **changed})).encode())


def test_another_implementation_reads_what_we_submit():
    """Addresses, text, and nothing that we do not mean."""
    read = submitted()
    assert (read.sequence_number, read.source_addr, read.destination_addr) == (7, "13013", "85290000001")
    assert (read.short_message, read.data_coding, read.esm_class, read.registered_delivery) == (b"P-017", 0, 0, 0)


def test_coding_heading_and_receipt_are_flags():
    """UCS-2 is data coding 8, a heading esm_class 0x40, a receipt registered_delivery 1."""
    read = submitted(gsm7=False, heading=True, receipt=True, message=b"\x05\x00\x03\x01\x02\x01\x8f\x38")
    assert (read.data_coding, read.esm_class, read.registered_delivery) == (8, 0x40, 1)


@pytest.mark.parametrize(
    ("address", "kind", "plan", "digits"),
    [
        ("+85290000001", 1, 1, "85290000001"),
        ("13013", 0, 1, "13013"),
        ("Ward", 5, 0, "Ward"),
        ("0085290000001", 0, 1, "0085290000001"),
    ],
)
def test_numbers_have_a_type(address, kind, plan, digits):
    """International with a plus, a name as a name; other digits are the centre's to judge."""
    read = submitted(sender=address, to=address)
    assert (read.source_addr_ton, read.source_addr_npi, read.source_addr) == (kind, plan, digits)
    assert (read.dest_addr_ton, read.dest_addr_npi, read.destination_addr) == (kind, plan, digits)


def test_a_text_cannot_end_early():
    """A zero byte in an account's name would shift all that follows."""
    body = bind_body(system_id="g\0w", password="p€", system_type="")
    assert body == b"gw\0p?\0\0\x34\0\0\0"


def test_we_read_what_another_implementation_delivers():
    """Text, coding, optional parameters."""
    tags = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"m1\0"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02")]
    raw = smpp34.DeliverSm("85290000001", "13013", b"ack", esm_class=4, data_coding=3, tlvs=tags, sequence_number=9).encode()
    pdu = decode(raw[:16], raw[16:])
    short = read_short(pdu.body)
    assert (pdu.command, pdu.sequence, pdu.is_answer) == (Command.DELIVER_SM, 9, False)
    assert (short.source, short.message, short.esm_class, short.data_coding) == ("85290000001", b"ack", 4, 3)
    assert short.tags == {0x001E: b"m1\0", 0x0427: b"\x02"}


def test_a_payload_stands_for_an_empty_message():
    """Long replies may come so."""
    tags = [smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, b"ack 4711")]
    raw = smpp34.DeliverSm("1", "2", b"", tlvs=tags).encode()
    assert read_short(raw[16:]).message == b"ack 4711"


def test_no_prefix_of_a_message_is_a_message():
    """Each is refused by name; nothing is guessed."""
    body = smpp34.DeliverSm("1", "2", b"abc", tlvs=[smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02")]).encode()[16:]
    whole = [size for size in range(len(body) + 1) if size in (len(body), len(body) - 5)]  # without its optional parameter, too
    for size in range(len(body) + 1):
        if size in whole:
            read_short(body[:size])
        else:
            with pytest.raises(Malformed):
                read_short(body[:size])


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_refused(length):
    """Before anything is read for it."""
    with pytest.raises(Malformed, match=f"a packet of {length} bytes"):
        body_length(length.to_bytes(4, "big") + bytes(12))


def test_answers_carry_the_question_s_number():
    """With the top bit of the command set."""
    answer = Pdu(Command.DELIVER_SM, 5).answer(Status.TRY_LATER, b"\0")
    assert (answer.command, answer.sequence, answer.status, answer.is_answer) == (0x8000_0005, 5, 0x64, True)
    assert answer.encode() == bytes.fromhex("00000011 80000005 00000064 00000005 00")


def test_sequence_numbers_start_again():
    """0 is none of them."""
    assert [next_sequence(0), next_sequence(1), next_sequence(0x7FFF_FFFF)] == [1, 2, 1]


@pytest.mark.parametrize(("body", "text"), [(b"m1\0", "m1"), (b"", ""), (b"m1", "m1"), (b"\0x", "")])
def test_an_answer_s_id_may_lack_its_end(body, text):
    """Some centres leave it out, others send no body with a refusal."""
    assert read_text(body) == text
