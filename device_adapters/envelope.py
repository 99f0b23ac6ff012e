"""The header that a bridge puts in front of raw bytes: when, in which order, and from which slot they came.

    dw1 {"observed_at": 1772409600000, "boot": "b7", "seq": 41, "clock": "free", "slot": "11"}⏎
    …the vendor's bytes, untouched, to the end of the payload

`dw1 `, one line of JSON, a line feed, the rest. A payload that does not begin with `dw1 ` has no header: all of it is the
vendor's. `observed_at` is required (RFC 3339 with offset, or epoch milliseconds): when the last of the bytes came in, by the
bridge's clock. `boot`, `seq` and `clock` mean what they mean on every channel (docs/adapters-wire.md); `slot` says which of
several pumps in the bytes is the topic's. Keys that we do not know are ignored: a newer bridge must not lose its alarm over them.

Refuses: TOO_LARGE, MALFORMED (no line feed), NOT_JSON, NOT_AN_OBJECT, MISSING_FIELD, WRONG_TYPE, BAD_TIME, UNKNOWN_VALUE,
OUT_OF_BOUNDS.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from device_adapters.bounds import NAME_CHARS_MAX
from device_adapters.times import sender_time
from gateway.domain.instants import Instant
from gateway.domain.readings import Decoded, LinkStatus, Reading, Refusal, Refused
from gateway.domain.words import ClockQuality

MAGIC: Final = b"dw1 "
HEADER_BYTES_MAX: Final = 1024  # the magic and the line feed included; a full header has about 120. Over it: TOO_LARGE
SEQ_MAX: Final = 2**63 - 1  # what a journal can keep
SLOT_CHARS_MAX: Final = 16

_CLOCKS: Final = {None: ClockQuality.SYNCED, "synced": ClockQuality.SYNCED, "free": ClockQuality.FREE}
_SEPARATORS: Final = (",", ":")


@dataclass(frozen=True, slots=True)
class Sent:
    """How the raw bytes came: `observed_at` by the bridge's clock, their number within a start of the bridge, the pump's slot."""

    observed_at: Instant
    boot: str | None = None
    seq: int | None = None
    clock: ClockQuality = ClockQuality.SYNCED
    slot: str | None = None


def enveloped(sent: Sent, body: bytes) -> bytes:
    """The payload to publish: a header, and the vendor's bytes as they are."""
    header: dict[str, Any] = {"observed_at": sent.observed_at}
    header |= {key: value for key in ("boot", "seq", "slot") if (value := getattr(sent, key)) is not None}
    if sent.clock is not ClockQuality.SYNCED:
        header["clock"] = sent.clock.value
    return MAGIC + json.dumps(header, separators=_SEPARATORS, ensure_ascii=True).encode() + b"\n" + body


def opened(payload: bytes) -> tuple[Sent | None, bytes] | Refused:
    """The header (None where there is none) and the vendor's bytes."""
    if not payload.startswith(MAGIC):
        return None, payload
    end = payload.find(b"\n", len(MAGIC), HEADER_BYTES_MAX)
    if end < 0:
        reason = Refusal.TOO_LARGE if len(payload) >= HEADER_BYTES_MAX else Refusal.MALFORMED
        return Refused(reason, "header", f"one line of JSON, at most {HEADER_BYTES_MAX} bytes, ended by a line feed")
    sent = _header(payload[len(MAGIC) : end])
    return sent if isinstance(sent, Refused) else (sent, payload[end + 1 :])


def numbered(decoded: Decoded, sent: Sent) -> Decoded:
    """The readings of one payload under its number, as far as the adapter left that to us."""
    if decoded.one_message or (sent.boot is None and sent.seq is None):
        return decoded
    return Decoded(tuple(_under(reading, sent) for reading in decoded.readings), decoded.refused, one_message=True)


def _under(reading: Reading, sent: Sent) -> Reading:
    if isinstance(reading, LinkStatus) or (reading.seq is sent.seq and reading.boot is sent.boot):
        return reading
    return replace(reading, boot=sent.boot, seq=sent.seq)


def _header(line: bytes) -> Sent | Refused:
    try:
        found = json.loads(line.decode())  # of bytes it would guess the encoding
    except (ValueError, RecursionError):
        return Refused(Refusal.NOT_JSON, "header", "one JSON object on one line, in UTF-8")
    if not isinstance(found, dict):
        return Refused(Refusal.NOT_AN_OBJECT, "header", "one JSON object")
    if "observed_at" not in found:
        return Refused(Refusal.MISSING_FIELD, "header.observed_at", "required")
    at = sender_time(found["observed_at"])
    if isinstance(at, Refused):
        return replace(at, where="header.observed_at")
    boot, seq, clock, slot = found.get("boot"), found.get("seq"), found.get("clock"), found.get("slot")
    wrong = _text("boot", boot, NAME_CHARS_MAX) or _text("slot", slot, SLOT_CHARS_MAX) or _number(seq)
    if wrong is not None:
        return wrong
    if not (clock is None or isinstance(clock, str)) or clock not in _CLOCKS:
        return Refused(Refusal.UNKNOWN_VALUE, "header.clock", "synced or free")
    return Sent(at, boot, seq, _CLOCKS[clock], slot)


def _text(key: str, value: object, chars_max: int) -> Refused | None:
    """What is wrong with an optional text; `null` means absent."""
    if value is None or (isinstance(value, str) and len(value) <= chars_max):
        return None
    if isinstance(value, str):
        return Refused(Refusal.OUT_OF_BOUNDS, f"header.{key}", f"at most {chars_max} characters")
    return Refused(Refusal.WRONG_TYPE, f"header.{key}", "text")


def _number(seq: object) -> Refused | None:
    if seq is None:
        return None
    if isinstance(seq, bool) or not isinstance(seq, int):
        return Refused(Refusal.WRONG_TYPE, "header.seq", "a whole number, without quotes")
    return None if 0 <= seq <= SEQ_MAX else Refused(Refusal.OUT_OF_BOUNDS, "header.seq", f"from 0 to {SEQ_MAX}")
