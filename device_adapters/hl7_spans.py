"""HL7 explained field by field. Helper of `ihe_pcd`.

What is shown is what cannot be a name by its shape: numbers of NM results, times, MDC codes, places in the containment tree,
units and the words of the alarm and pump vocabularies. Everything else is hidden, whole segments of the patient first; a line
that some tool wrapped belongs to the segment before it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from device_adapters import mdc
from device_adapters.span import Span

_BETWEEN: Final = re.compile(r"[\r\n\x0b\x1c\x00]+")
_SEGMENT: Final = re.compile(
    r"(?:MSH|EVN|PID|PD1|NK1|PV1|PV2|ORC|OBR|OBX|NTE|PRT|TQ1|TQ2|SFT|UAC|DSC|MSA|ERR|Z[A-Z0-9]{2})(?=\|)"
)
_PATIENT: Final = frozenset({"PID", "PD1", "NK1", "PV1", "PV2"})
_CODE: Final = re.compile(r"(\d{0,9}\^MDCX?_[A-Z0-9_]{1,60}(?:\^MDC)?)(?:\^.*)?", re.DOTALL)
_TIME: Final = re.compile(r"\d{12}(?:\d\d)?(?:\.\d{1,6})?(?:[+-]\d{4})?")
_NUMBER: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_PLACE: Final = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,5}")
_TYPE: Final = re.compile(r"ORU\^R4[0-2](?:\^ORU_R4[0-2])?|ORU\^R01(?:\^ORU_R01)?|ACK(?:\^[A-Z0-9]{3}(?:\^ACK)?)?")
_SMALL: Final = re.compile(r"[A-Z]{1,3}|\d{1,4}(?:\.\d{1,2})?")
_MEASURED: Final = frozenset({mdc.FLOW_CURRENT, mdc.FLOW_SET, mdc.DELIVERED_TOTAL, mdc.REMAINING, mdc.BATTERY})
_WORDS: Final = frozenset({"enabled", *mdc.PHASES, *mdc.STATES, *mdc.INACTIVATIONS, *map(str.lower, mdc.PRIORITIES), *mdc.POWERS})
_STATUS: Final = re.compile(r"\^?(?:pump|vol|kvo)-[a-z-]{1,60}")

# (segment, field) → what it is, and the shapes in which it may be shown.
_FIELDS: Final = {
    ("MSH", 1): ("separators", (re.compile(r"\^~\\&"),)),
    ("MSH", 6): ("sent at", (_TIME,)),
    ("MSH", 8): ("message type", (_TYPE,)),
    ("MSH", 10): ("processing", (_SMALL,)),
    ("MSH", 11): ("version", (_SMALL,)),
    ("OBR", 1): ("order number", (_SMALL,)),
    ("OBR", 4): ("what was asked", (_CODE,)),
    ("OBR", 7): ("observed at", (_TIME,)),
    ("OBR", 8): ("observed until", (_TIME,)),
    ("OBX", 1): ("result number", (_SMALL,)),
    ("OBX", 2): ("type of the value", (_SMALL,)),
    ("OBX", 3): ("what is told", (_CODE,)),
    ("OBX", 4): ("place: device.unit.channel.item", (_PLACE,)),
    ("OBX", 5): ("value", (_CODE, _STATUS)),
    ("OBX", 6): ("unit", (_CODE,)),
    ("OBX", 8): ("flags", (re.compile(r"[A-Z]{1,4}(?:~[A-Z]{1,4})*"),)),
    ("OBX", 11): ("result status", (_SMALL,)),
    ("OBX", 14): ("observed at", (_TIME,)),
    ("MSA", 1): ("answer", (_SMALL,)),
}


def hl7_spans(payload: bytes) -> Iterator[Span]:
    """Adjacent spans of all of `payload`."""
    text = payload.decode("latin-1")  # a character a byte
    before, at = "", 0
    for gap in [*_BETWEEN.finditer(text), None]:
        end = gap.start() if gap is not None else len(text)
        for start, stop, name in _segments(text, at, end, before):
            before = name
            yield from _segment(text, start, stop, name)
        if gap is not None:
            at = gap.end()
            yield Span(end, at, "line end" if gap.group().isspace() and "\x1c" not in gap.group() else "MLLP", "ends or begins")


def _segments(text: str, start: int, end: int, before: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, name) of a line's parts: fused segments apart; what begins like none continues the one before."""
    if start == end:
        return
    starts = [found.start() for found in _SEGMENT.finditer(text, start, end)]
    if not starts or starts[0] > start:
        yield start, starts[0] if starts else end, before and f"{before[:3]} …"
    for here, there in pairwise([*starts, end]):
        yield here, there, text[here : here + 3]


def _segment(text: str, start: int, end: int, name: str) -> Iterator[Span]:
    if name[:3] in _PATIENT:
        yield Span(start, end, name, "the patient's: not read, not shown", hidden=True)
    elif name[:3] not in ("MSH", "OBR", "OBX", "MSA") or len(name) > 3:
        yield Span(start, end, name or "text", "not shown", hidden=True)
    else:
        yield from _fields(text, start, end, name)


def _fields(text: str, start: int, end: int, name: str) -> Iterator[Span]:
    """A span for each field with the separator behind it; fields that are empty are one."""
    pieces = [(piece.start() + start, piece.group()) for piece in re.finditer(r"[^|]*\||[^|]+", text[start:end])]
    values = [piece.removesuffix("|") for _, piece in pieces]
    unit = _unit(values) if name == "OBX" and _is_number(values) else None
    empty_from: tuple[int, int] | None = None
    for number, ((at, piece), value) in enumerate(zip(pieces, values, strict=True)):
        if not value.strip():
            empty_from = empty_from or (at, number)
            continue
        if empty_from is not None:
            yield _empty(name, *empty_from, at, number - 1)
            empty_from = None
        yield _field(name, number, at, at + len(piece), value.strip(), unit)
    if empty_from is not None:
        yield _empty(name, *empty_from, end, len(pieces) - 1)


def _empty(name: str, at: int, first: int, end: int, last: int) -> Span:
    shift = 1 if name == "MSH" else 0  # MSH-1 is the separator itself
    numbers = f"{first + shift}" if first == last else f"{first + shift} to {last + shift}"
    return Span(at, end, f"{name}-{numbers}", "empty")


def _is_number(values: list[str]) -> bool:
    """OBX-2 says so; some senders leave it out, and then the measure's name must."""
    named = values[3].split("^")[1:2] if len(values) > 3 else []
    return values[2:3] == ["NM"] or (len(named) == 1 and named[0] in _MEASURED)


def _unit(values: list[str]) -> str:
    """The unit of a number, by its name in OBX-6."""
    found = _CODE.fullmatch(values[6].strip()) if len(values) > 6 else None
    return found.group(1).split("^")[1] if found is not None else ""


def _field(name: str, number: int, at: int, end: int, value: str, unit: str | None) -> Span:
    """`unit` is None where the segment is no number's."""
    if number == 0:
        return Span(at, end, name, "a segment begins")
    field = f"{name}-{number + (name == 'MSH')}"
    what, shapes = _FIELDS.get((name, number), ("not read", ()))
    shown = _shown(value, shapes)
    if shown is None and (name, number) == ("OBX", 5):
        if unit is not None and _NUMBER.fullmatch(value):
            return Span(at, end, field, f"{what}: {value}", unit)
        shown = value if value.lower() in _WORDS else None
    if shown is None:
        return Span(at, end, field, f"{what}: not shown", hidden=True)
    return Span(at, end, field, f"{what}: {shown}", hidden=shown != value)


def _shown(value: str, shapes: tuple[re.Pattern[str], ...]) -> str | None:
    """The part of a value that cannot be a name, where it has one of the shapes."""
    for shape in shapes:
        found = shape.fullmatch(value)
        if found is not None:
            return found.group(1) if shape.groups else value
    return None
