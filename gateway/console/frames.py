"""Messages as they came, for people who must see the very bytes: in hex, as text, and as what they were decoded to."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from gateway.domain.instants import Instant
from gateway.domain.readings import Reading, Refused
from gateway.runtime.history import Message
from gateway.runtime.ports import Damaged

BYTES_SHOWN = 4_096  # of one message; the page says how many there are
READINGS_SHOWN = 20  # of a catch-up of hundreds
ROW = 16

_PLACE = ("boot", "seq", "clock", "observed_at")  # shown beside the reading, or not at all


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """One reading: its kind, when it was observed by the sender's clock, its place in the sender's numbering, its values."""

    kind: str
    observed_at: Instant
    boot: str
    seq: int | None
    values: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A message. `damaged` says why its bytes cannot be believed; then there is nothing else. `size` is in bytes."""

    seq: int
    received_at: Instant = 0
    topic: str = ""
    size: int = 0
    hex: str = ""
    text: str = ""
    readings: tuple[ReadingLine, ...] = ()
    readings_left: int = 0
    refused: tuple[Refused, ...] = ()
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class RefusedFrame:
    """A message of which something was refused, without its bytes: they may hold names."""

    seq: int
    received_at: Instant
    topic: str
    size: int
    refused: tuple[Refused, ...]


def frame_lines(found: Sequence[Message | Damaged]) -> list[Frame]:
    """Messages in full."""
    return [Frame(each.seq, damaged=each.detail) if isinstance(each, Damaged) else _frame(each) for each in found]


def refused_lines(found: Sequence[Message | Damaged]) -> list[RefusedFrame]:
    """Those of which something was refused, in the same order."""
    messages = (each for each in found if isinstance(each, Message) and each.decoded.refused)
    return [
        RefusedFrame(each.record.seq, each.record.received_at, each.record.topic, len(each.record.body), each.decoded.refused[:5])
        for each in messages
    ]


def _frame(message: Message) -> Frame:
    record, decoded = message.record, message.decoded
    return Frame(
        seq=record.seq,
        received_at=record.received_at,
        topic=record.topic,
        size=len(record.body),
        hex="\n".join(hex_rows(record.body[:BYTES_SHOWN])),
        text=record.body[:BYTES_SHOWN].decode("utf-8", "replace"),
        readings=tuple(_reading(each) for each in decoded.readings[:READINGS_SHOWN]),
        readings_left=max(0, len(decoded.readings) - READINGS_SHOWN),
        refused=decoded.refused[:READINGS_SHOWN],
    )


def hex_rows(body: bytes) -> Iterator[str]:
    """`0010  7b 22 6f 62 …  {"ob…`: sixteen bytes a row with what of them can be printed."""
    for start in range(0, len(body), ROW):
        row = body[start : start + ROW]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{start:04x}  {row.hex(' '):<{3 * ROW}} {shown}"


def _reading(reading: Reading) -> ReadingLine:
    values = {
        field.name: value
        for field in fields(reading)
        if field.name not in _PLACE and (value := getattr(reading, field.name)) is not None
    }
    return ReadingLine(
        kind=type(reading).__name__,
        observed_at=reading.observed_at,
        boot=reading.boot or "",
        seq=reading.seq,
        values=json.dumps(values, ensure_ascii=False),
    )
