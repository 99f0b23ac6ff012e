"""A worked adapter to copy. The pump is invented: 14-byte frames, big-endian, one a message, on `raw/template`.

To add a device family: copy this file; draw the frame as below; name every refusal; add one line to `registry.py`; put real
frames under `tests/captures/<adapter>/`, good ones with `decoded.json` and bad ones with `refused.txt`.

Three habits, in this order:

1. Refuse before you parse: length, header, checksum, ranges; only then build a reading.
2. Never invent. "No value" (here FFFF for the rate) is None, never zero.
3. Never raise, and never put payload text into a refusal: it may hold a name.
"""

from struct import Struct
from typing import Final

from device_adapters.bounds import VOLUME_ML, within
from device_adapters.checksums import crc16_ccitt_false
from device_adapters.cutting import Part, fixed_frames
from device_adapters.envelope import Sent
from device_adapters.span import Span
from device_adapters.times import bounded
from gateway.domain.instants import SECOND_MS
from gateway.domain.readings import Decoded, Observation, Refusal, Refused
from gateway.domain.words import DeliveryStatus

_FRAME: Final = Struct(">BIBHI")  # sync, seconds, status, rate, volume: 12 bytes; the check follows
_FRAME_BYTES: Final = _FRAME.size + 2
_SYNC: Final = 0xA5
_NO_RATE: Final = 0xFFFF
_RATE_MAX: Final = 12_000  # 1,200 mL/h, what this pump can do; above it the frame is not this pump's
_STATUSES: Final = {0: DeliveryStatus.NOT_DELIVERING, 1: DeliveryStatus.DELIVERING, 2: DeliveryStatus.KVO}


class Template:
    """The adapter: a name, `decode`, and what is optional: `cut` and `explain`."""

    name = "template"

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:  # noqa: ARG002  its frames tell the time themselves
        """Invented ambulatory pump, wire format 1.

        Frame, 14 bytes, big-endian:

            A5 TT TT TT TT SS RR RR VV VV VV VV CC CC

        A5 sync                          T seconds since 1970-01-01T00:00:00Z
        S delivery status: 0 stopped, 1 delivering, 2 KVO
        R rate, 0.1 mL/h; FFFF no value  V infused volume, 0.001 mL
        C CRC-16/CCITT-FALSE over bytes 0-11

        Refuses: LENGTH, MALFORMED (no sync), BAD_CHECKSUM, UNKNOWN_VALUE (status), OUT_OF_BOUNDS (rate, volume), BAD_TIME.
        Source: tests/captures/template/README.md
        """
        found = _read(payload)
        return Decoded(refused=(found,)) if isinstance(found, Refused) else Decoded((found,))

    def cut(self, data: bytes) -> tuple[list[Part], bytes]:
        """Where frames begin and end on a line, for bridge and bench. Leave it out where MQTT or TCP delimits them."""
        return fixed_frames(data, _SYNC, _FRAME_BYTES, _is_checked)

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """The drawing above on these bytes; what does not fit it is one span."""
        if len(payload) != _FRAME_BYTES:
            return (Span(0, len(payload), "frame", f"not {_FRAME_BYTES} bytes"),) if payload else ()
        sync, seconds, status, tenths_ml_h, thousandths_ml = _FRAME.unpack_from(payload)
        return (
            Span(0, 1, "sync", "a frame begins" if sync == _SYNC else "not A5"),
            Span(1, 5, "T", f"seconds since 1970: {seconds}", "s"),
            Span(5, 6, "S", f"delivery status: {_STATUSES.get(status, 'unknown')}"),
            Span(6, 8, "R", "no value") if tenths_ml_h == _NO_RATE else Span(6, 8, "R", f"rate: {tenths_ml_h / 10}", "mL/h"),
            Span(8, 12, "V", f"infused: {thousandths_ml / 1000}", "mL"),
            Span(12, 14, "C", f"check: {'right' if _is_checked(payload) else 'wrong'}"),
        )


def _read(frame: bytes) -> Observation | Refused:
    objection = _objection(frame)
    if objection is not None:
        return objection
    _, seconds, status, tenths_ml_h, thousandths_ml = _FRAME.unpack_from(frame)
    at = bounded(seconds * SECOND_MS)
    if isinstance(at, Refused):
        return at
    return Observation(
        observed_at=at,
        delivery_status=_STATUSES[status],
        rate_ml_h=None if tenths_ml_h == _NO_RATE else tenths_ml_h / 10,
        infused_ml=thousandths_ml / 1000,
    )


def _objection(frame: bytes) -> Refused | None:
    """What is wrong with the frame, cheapest check first; None when it may be read."""
    if len(frame) != _FRAME_BYTES:
        return Refused(Refusal.LENGTH, detail=f"{_FRAME_BYTES} bytes")
    if frame[0] != _SYNC:
        return Refused(Refusal.MALFORMED, "byte 0", "A5")
    if not _is_checked(frame):
        return Refused(Refusal.BAD_CHECKSUM, "byte 12", "CRC-16/CCITT-FALSE over bytes 0-11")
    _, _, status, tenths_ml_h, thousandths_ml = _FRAME.unpack_from(frame)
    if status not in _STATUSES:
        return Refused(Refusal.UNKNOWN_VALUE, "byte 5", "status 0, 1 or 2")
    if tenths_ml_h != _NO_RATE and tenths_ml_h > _RATE_MAX:
        return Refused(Refusal.OUT_OF_BOUNDS, "byte 6", "at most 1,200 mL/h")
    if not within(thousandths_ml / 1000, VOLUME_ML):
        return Refused(Refusal.OUT_OF_BOUNDS, "byte 8", f"at most {VOLUME_ML[1]:g} mL")
    return None


def _is_checked(frame: bytes) -> bool:
    return crc16_ccitt_false(frame[:-2]) == int.from_bytes(frame[-2:], "big")
