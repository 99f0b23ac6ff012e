"""The part of SMPP 3.4 that a transceiver needs: its packets as bytes, and bytes as packets. No input or output here.

    LL LL LL LL  CC CC CC CC  SS SS SS SS  QQ QQ QQ QQ  body …

    L length of all, header included     C command, with the top bit set for an answer
    S status, 0 is yes                   Q sequence number, the same in question and answer

Source: SMPP Protocol Specification v3.4, issue 1.2 (section numbers below).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

HEADER_BYTES = 16
PDU_MAX_BYTES = 70_000  # a message_payload holds up to 64 KiB; longer is not SMPP
VERSION = 0x34

_HEADER = struct.Struct(">IIII")
_TAG = struct.Struct(">HH")
_ANSWER_BIT = 0x8000_0000
_SEQUENCE_MAX = 0x7FFF_FFFF


class Command(IntEnum):
    """5.1.2.1, those that we say or hear."""

    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x8000_0000


class Tag(IntEnum):
    """5.3.2, optional parameters that we read."""

    RECEIPTED_MESSAGE_ID = 0x001E
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class EsmClass(IntEnum):
    """5.2.12, bits of esm_class."""

    KIND = 0x3C  # mask: what kind of message a centre delivers
    RECEIPT = 0x04
    HEADING = 0x40  # the message begins with a user data header


class DataCoding(IntEnum):
    """5.2.19."""

    DEFAULT = 0x00
    ASCII = 0x01
    LATIN1 = 0x03
    UCS2 = 0x08


class Status(IntEnum):
    """5.1.3, those that we say or treat in a way of their own."""

    OK = 0x00
    INVALID_COMMAND = 0x03
    NOT_BOUND = 0x04
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TRY_LATER = 0x64  # "ESME receiver temporary application error": the centre keeps the message


class Malformed(Exception):
    """The bytes are not SMPP; the text says why."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One packet."""

    command: int
    sequence: int
    status: int = Status.OK
    body: bytes = b""

    @property
    def is_answer(self) -> bool:
        """Whether it answers something of ours."""
        return bool(self.command & _ANSWER_BIT)

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return _HEADER.pack(HEADER_BYTES + len(self.body), self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = Status.OK, body: bytes = b"") -> "Pdu":
        """Our answer to it."""
        return Pdu(self.command | _ANSWER_BIT, self.sequence, status, body)


@dataclass(frozen=True, slots=True)
class Short:
    """A message as a centre delivers it (4.6.1), the fields that we use."""

    source: str
    esm_class: int
    data_coding: int
    message: bytes
    tags: Mapping[int, bytes] = field(default_factory=dict)


def body_length(header: bytes) -> int:
    """How many bytes follow these 16. Raises `Malformed`."""
    length: int = _HEADER.unpack(header)[0]
    if not HEADER_BYTES <= length <= PDU_MAX_BYTES:
        raise Malformed(f"a packet of {length} bytes")
    return length - HEADER_BYTES


def decode(header: bytes, body: bytes) -> Pdu:
    """A packet from its header and the body that `body_length` asked for."""
    _, command, status, sequence = _HEADER.unpack(header)
    return Pdu(command, sequence, status, body)


def next_sequence(sequence: int) -> int:
    """Sequence numbers run from 1 to 0x7FFFFFFF and start again (3.2)."""
    return sequence % _SEQUENCE_MAX + 1


def bind_body(*, system_id: str, password: str, system_type: str) -> bytes:
    """4.1.5; any address of ours may be written to."""
    return _text(system_id) + _text(password) + _text(system_type) + bytes([VERSION, 0, 0]) + _text("")


def submit_body(*, sender: str, to: str, message: bytes, heading: bool, gsm7: bool, receipt: bool) -> bytes:
    """4.4.1. `message` has at most 140 bytes (160 septets, one a byte); `heading`: it begins with a user data header."""
    return b"".join(
        (
            _text(""),
            _address(sender),
            _address(to),
            bytes([EsmClass.HEADING if heading else 0, 0, 0]),
            _text("") + _text(""),  # at once; for as long as the centre keeps messages
            bytes([1 if receipt else 0, 0, DataCoding.DEFAULT if gsm7 else DataCoding.UCS2, 0, len(message)]),
            message,
        )
    )


def read_text(body: bytes) -> str:
    """The first text of a body: the message id of a submit_sm_resp (4.4.2). Empty where there is none."""
    return body.partition(b"\0")[0].decode("latin-1")


def read_short(body: bytes) -> Short:
    """A deliver_sm's body. Raises `Malformed`."""
    reader = _Reader(body)
    reader.text()
    source, _ = reader.address(), reader.address()
    esm_class, _, _ = reader.take(3)
    reader.text()
    reader.text()
    _, _, data_coding, _, length = reader.take(5)
    message = reader.take(length)
    tags = reader.tags()
    return Short(source, esm_class, data_coding, message or tags.get(Tag.MESSAGE_PAYLOAD, b""), tags)


def _text(text: str) -> bytes:
    """A C string; what is not Latin-1 becomes a question mark, and nothing can end it early."""
    return text.replace("\0", "").encode("latin-1", "replace") + b"\0"


def _address(address: str) -> bytes:
    """Type of number, numbering plan, digits: `+852…` is international, a name alphanumeric, the rest unknown."""
    if address.startswith("+"):
        return bytes([1, 1]) + _text(address[1:])
    return bytes([0, 1] if address.isdigit() else [5, 0]) + _text(address)


class _Reader:
    """Takes a body apart from its beginning."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Malformed("a packet that ends too early")
        self._at += count
        return taken

    def text(self) -> str:
        """The next C string."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a text without an end")
        return self.take(end + 1 - self._at)[:-1].decode("latin-1")

    def address(self) -> str:
        """The next address, without its types."""
        self.take(2)
        return self.text()

    def tags(self) -> dict[int, bytes]:
        """All that follows, as optional parameters; of those that come twice the last."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = _TAG.unpack(self.take(_TAG.size))
            found[tag] = self.take(length)
        return found
