"""A frame for a reader: byte by byte, then what was read of it and what was refused. Names are in neither.

What a device or a person wrote freely (`text`) is left out: its condition and code say what a technician needs.
"""

import dataclasses
import json
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from device_adapters.span import Span
from gateway.console.times import rfc3339
from gateway.domain.readings import AlarmsClear, Decoded, Reading, Refused
from gateway.field.adapter_frames import Caught, spans_of
from gateway.field.speaking import WIDTH, printable

BYTES_A_LINE: Final = 8
_FIELD_WIDTH: Final = 12
_MEANING_AT: Final = 6 + 2 + 3 * BYTES_A_LINE + 1 + _FIELD_WIDTH + 1
_NOT_SAID: Final = frozenset({"text", "boot", "seq"})


def frame_lines(number: int, caught: Caught, found: Decoded, *, with_bytes: bool) -> Iterator[str]:
    """Everything about one frame."""
    slot = f", slot {caught.slot}" if caught.slot else ""
    topic = f", {caught.topic}" if caught.topic else ""
    yield printable(
        f"frame {number}, {rfc3339(caught.at)}, {len(caught.body)} bytes, {caught.channel or 'no channel'}{slot}{topic}"
    )
    if with_bytes:
        for span in spans_of(caught):
            yield from _span_lines(span, caught.body)
    yield from _reading_lines(found)
    for refused in found.refused:
        yield f"  refused: {refusal(refused)}"


def refusal(refused: Refused) -> str:
    """Reason, place and mend."""
    where = f" at {printable(refused.where)}" if refused.where else ""
    return f"{refused.reason}{where}{f': {refused.detail}' if refused.detail else ''}"


def frame_json(caught: Caught, found: Decoded) -> str:
    """The same as one JSON object on one line."""
    said: dict[str, Any] = {"at": rfc3339(caught.at), "channel": caught.channel, "slot": caught.slot, "topic": caught.topic}
    said["bytes"] = [_span_object(span, caught.body) for span in spans_of(caught)]
    said["readings"] = [{"reading": _kind(reading)} | _values(reading) for reading in found.readings]
    said["refused"] = [{"reason": item.reason, "where": item.where, "mend": item.detail} for item in found.refused]
    return json.dumps(said, ensure_ascii=False)


def _span_object(span: Span, body: bytes) -> dict[str, Any]:
    shown = None if span.hidden else body[span.start : span.end].hex(" ")
    found = {"offset": span.start, "length": span.end - span.start, "hex": shown, "field": span.field, "meaning": span.meaning}
    return found | ({"unit": span.unit} if span.unit else {})


def _span_lines(span: Span, body: bytes) -> Iterator[str]:
    """Offset, bytes, field, meaning; what is long goes on below."""
    length = span.end - span.start
    chunks = [body[at : min(at + BYTES_A_LINE, span.end)].hex(" ") for at in range(span.start, span.end, BYTES_A_LINE)]
    shown = [f"({length} not shown)"] if span.hidden else chunks
    meaning = printable(f"{span.meaning} {span.unit}".rstrip())
    words = textwrap.wrap(meaning, max(20, WIDTH + 20 - _MEANING_AT)) or [""]
    for row, (text, said) in enumerate(zip_longest(shown, words, fillvalue="")):
        offset = span.start + row * BYTES_A_LINE if row < len(shown) else None
        field = printable(span.field) if row == 0 else ""
        place = "" if offset is None else str(offset)
        yield f"{place:>6}  {text:<{3 * BYTES_A_LINE}} {field:<{_FIELD_WIDTH}} {said}".rstrip()


def _reading_lines(found: Decoded) -> Iterator[str]:
    """One reading after the other."""
    for reading in found.readings:
        said = ", ".join(f"{name} {value}" for name, value in _values(reading).items())
        if isinstance(reading, AlarmsClear):
            said = ", ".join(reading.conditions)
        yield from textwrap.wrap(
            printable(f"{_kind(reading)}: {said}"), WIDTH + 20, initial_indent="  ", subsequent_indent="    "
        )


def _kind(reading: Reading) -> str:
    words = {
        "AlarmChange": "alarm",
        "AlarmsClear": "not set",
        "PumpEvent": "event",
        "DiaryEntry": "diary",
        "LinkStatus": "status",
    }
    return words.get(type(reading).__name__, "observation")


def _values(reading: Reading) -> dict[str, Any]:
    """Field by field what was told, without free texts; times in RFC 3339."""
    told = {
        field.name: getattr(reading, field.name)
        for field in dataclasses.fields(reading)
        if field.name not in _NOT_SAID and getattr(reading, field.name) != field.default
    }
    told["observed_at"] = rfc3339(reading.observed_at)
    if (health := told.pop("bridge", None)) is not None:
        told["bridge"] = "; ".join(health.findings) or "well"
    return told
