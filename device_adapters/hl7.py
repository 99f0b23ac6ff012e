r"""HL7 version 2, as it is really sent: segments, fields and times. A helper of adapters, not an adapter.

    MSH|^~\&|sender|…|time|…|ORU^R40^ORU_R40|id|P|2.6        one segment a line, ended by CR
    OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|…           | fields  ^ components  ~ repetitions  & subcomponents

Met in real messages and read all the same: lines ended by LF; MLLP frame bytes around the message; several messages in one
payload; segments fused without a line end (MSH+PID, PV1+OBR); lines that some tool wrapped at a fixed width.

Everything is bounded by the payload's size. Nothing raises. Segments that may hold a patient's name are kept apart.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from device_adapters.bounds import MESSAGES_MAX, PAYLOAD_BYTES_MAX
from device_adapters.times import EARLIEST_AT, LATEST_AT, to_instant
from gateway.domain.instants import Instant
from gateway.domain.readings import Refusal, Refused

SEGMENTS_MAX: Final = 5_000  # an LVP with four channels needs about 200; over it: refused whole as too-many

# `MSH`, and segments that begin with a set number or an order control word: enough to find one in the middle of a line.
_NUMBERED: Final = ("OBX", "OBR", "PID", "PD1", "PV1", "PV2", "NTE", "PRT", "TQ1")
_START: Final = rf"MSH(?=\|[^|\s]{{2,5}}\|)|(?:{'|'.join(_NUMBERED)})(?=\|\d{{0,4}}\|)|ORC(?=\|[A-Z]{{0,2}}\|)"
_FUSED = re.compile(_START)
_FUSIBLE: Final = tuple(f"{name}|" for name in (*_NUMBERED, "MSH", "ORC"))  # counting them is quicker than searching
_KNOWN: Final = frozenset({*_NUMBERED, *["MSH", "EVN", "NK1", "ORC", "TQ2", "SFT", "UAC", "DSC", "MSA", "ERR"]})
_OF_THE_SITE = re.compile(r"Z[A-Z0-9]{2}(?=\||$)")  # segments that a site or a maker defines for itself
_LINE_ENDS = re.compile(r"[\r\n]+")
_MLLP: Final = bytes.maketrans(b"\x0b\x1c\x00", b"\r\r\r")
_PRIVATE = frozenset({"PID", "PD1", "NK1", "PV1", "PV2"})
_ESCAPES = {"\\F\\": "|", "\\S\\": "^", "\\T\\": "&", "\\R\\": "~", "\\E\\": "\\"}
_ESCAPE = re.compile(r"\\[FSTRE]\\")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Segment(NamedTuple):
    """One segment. Fields are numbered as HL7 numbers them; what is absent reads as empty text."""

    name: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Field `number` (MSH-1 is the separator itself), first repetition."""
        return self.whole(number).split("~", 1)[0]

    def whole(self, number: int) -> str:
        """Field `number` with all its repetitions."""
        index = number - 1 if self.name == "MSH" else number
        return self.fields[index].strip() if 0 < index < len(self.fields) else ""

    def component(self, number: int, part: int) -> str:
        """Component `part` (from 1) of field `number`, unescaped."""
        return component(self.field(number), part)


@dataclass(slots=True)
class Order:
    """One OBR with the OBX segments that follow it; `header` is None where OBX came without one."""

    header: Segment | None
    results: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """One message: its MSH, its orders, its PRT segments, and what may name a patient: words that must never leave."""

    header: Segment
    orders: list[Order] = field(default_factory=list)
    participants: list[Segment] = field(default_factory=list)
    private: list[Segment] = field(default_factory=list)

    @property
    def private_words(self) -> set[str]:
        """The words of two letters and more in the segments that name the patient, the kin, the ward and the doctors."""
        return words("|".join(text for segment in self.private for text in segment.fields[1:]))


def parse(payload: bytes) -> list[Message] | Refused:
    """All messages of a payload, in order; at least one.

    Refuses: EMPTY, TOO_LARGE, NOT_UTF8 (UTF-16 and the like), UNKNOWN_MESSAGE (no MSH at its beginning), TOO_MANY.
    """
    body = payload[: PAYLOAD_BYTES_MAX + 1].translate(_MLLP).strip()
    objection = _objection(payload, body)
    if objection is not None:
        return objection
    segments = _segments(_text(body))
    if len(segments) > SEGMENTS_MAX:
        return Refused(Refusal.TOO_MANY, detail=f"at most {SEGMENTS_MAX} segments")
    messages = _messages(segments)
    if len(messages) > MESSAGES_MAX:
        return Refused(Refusal.TOO_MANY, "MSH", f"at most {MESSAGES_MAX} messages")
    return messages


def _objection(payload: bytes, body: bytes) -> Refused | None:
    """What is wrong before anything is parsed; `body` is the payload without its frame."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Refused(Refusal.TOO_LARGE, detail=f"at most {PAYLOAD_BYTES_MAX} bytes")
    if payload[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Refused(Refusal.NOT_UTF8, detail="send UTF-8, ASCII or ISO 8859-1")
    if not body:
        return Refused(Refusal.EMPTY, detail="a message without content")
    if not body.startswith(b"MSH|"):
        return Refused(Refusal.UNKNOWN_MESSAGE, "MSH", "an HL7 message begins with MSH|")
    return None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")  # maps every byte; older senders mean it


def _segments(text: str) -> list[Segment]:
    """Mend the line ends: a line that begins like no segment continues the one before; one with two segments is parted."""
    parted: list[list[str]] = []
    pieces = _LINE_ENDS.split(text) if "\n" in text else text.split("\r")
    for piece in pieces:
        if not parted or (piece[:3] in _KNOWN and piece[3:4] in ("", "|")) or _OF_THE_SITE.match(piece):
            parted.append([piece])
        else:
            parted[-1].append(piece)
    lines = ["".join(line) for line in parted]
    whole = text if len(lines) == len(pieces) else "\r".join(lines)
    if sum(map(whole.count, _FUSIBLE)) != sum(line[:4] in _FUSIBLE for line in lines):
        lines = [part for line in lines for part in _unfused(line)]
    return [Segment(fields[0], fields) for fields in (tuple(line.split("|")) for line in lines)]


def _unfused(line: str) -> list[str]:
    starts = [0, *(found.start() for found in _FUSED.finditer(line) if found.start() > 0)]
    return [line[start:end] for start, end in pairwise([*starts, len(line)])]


def _messages(segments: list[Segment]) -> list[Message]:
    messages: list[Message] = []
    for segment in segments:
        if segment.name == "MSH":
            messages.append(Message(segment))
            continue
        message = messages[-1]  # the first segment is MSH: `parse` saw to it
        if segment.name == "OBR":
            message.orders.append(Order(segment))
        elif segment.name == "OBX":
            if not message.orders:
                message.orders.append(Order(None))
            message.orders[-1].results.append(segment)
        elif segment.name == "PRT":
            message.participants.append(segment)
            message.private.append(Segment("PRT", ("PRT", segment.whole(5))))  # a person; the rest is devices and places
        elif segment.name in _PRIVATE:
            message.private.append(segment)
    return messages


def component(text: str, part: int) -> str:
    """Component `part` (from 1) of a field's text, unescaped; empty where there is none."""
    parts = text.split("^", part)
    return unescaped(parts[part - 1].strip()) if part <= len(parts) else ""


def words(text: str) -> set[str]:
    """The words of two letters and more, in lower case."""
    return {word.lower() for word in _WORD.findall(text)}


def unescaped(text: str) -> str:
    """Delimiters that were escaped in a text, restored."""
    return _ESCAPE.sub(lambda found: _ESCAPES[found.group()], text) if "\\" in text else text


_TIME = re.compile(r"(\d{12})(\d\d)?(?:\.(\d{1,6})\d*)?([+-]\d{4})?", re.ASCII)
_OFFSET = re.compile(r"[+-]\d{4}$", re.ASCII)
_TIME_CHARS_MAX: Final = 40


def offset_of(text: str) -> str | None:
    """The `+0800` at the end of an HL7 time; None when it states none."""
    found = _OFFSET.search(text[:_TIME_CHARS_MAX])
    return found.group() if found else None


def instant(text: str, *, offset: str | None) -> Instant | None:
    """`YYYYMMDDHHMM[SS[.ffff]][±ZZZZ]` as an Instant; `offset` serves where the time states none.

    None: coarser than a minute, not a time, no offset anywhere, or outside the years 2000-2100.
    """
    found = _TIME.fullmatch(text[:_TIME_CHARS_MAX])
    if found is None:
        return None
    stamp, seconds, fraction, own_offset = found.groups()
    zone = own_offset or offset
    if zone is None:
        return None
    try:
        at = to_instant(datetime.fromisoformat(f"{stamp[:8]}T{stamp[8:]}{seconds or '00'}.{fraction or '0'}{zone}"))
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST_AT <= at <= LATEST_AT else None
