"""A BCC answer explained byte by byte, as it came over the line. Helper of `bbraun_bcc`; the frame is drawn in `bcc_framing`.

Bytes are told apart by their place, so that a frame with a wrong length or check is explained too. Values of parameters that are
not known, texts and the ComDevice's name are hidden.
"""

import re
from collections.abc import Iterator
from typing import Final

from device_adapters.bcc_framing import FRAME_BYTES_MAX, Garbled, frame_of, unstuffed
from device_adapters.bcc_measures import BITS_MAX, CONDITIONS
from device_adapters.checksums import sum_mod_256
from device_adapters.span import Span

_CUT: Final = re.compile(rb"\x01[^\x01\x04]*+\x04?|[^\x01]++")
_PARTS: Final = re.compile(rb"\x01(\d{5})\x02([ -=?-~]{1,30}/1/1>)(.*)([\x03\x17])(\d{5})\x04", re.DOTALL)
_ADDRESS: Final = re.compile(rb"501(00|[1-3][1-9A-O])")
_VALUE: Final = re.compile(rb"-?\d{1,9}(?:\.\d{1,9})?|_NV|_NA")
_ABSENT: Final = {"_NV": "no value", "_NA": "not available now"}
_QUADRUPLE: Final = re.compile(rb"[^\x1e]*+\x1e|[^\x1e]++")
_TIME_DIGITS_MAX: Final = 12
_BITS: Final = {"0": "no", "1": "yes"}

# parameter → (what it is, unit). What the adapter does not carry says so.
_KNOWN: Final = {
    "INRT": ("rate", "mL/h"),
    "INVI": ("infused", "mL"),
    "INVOLACT": ("left in the syringe", "mL"),
    "INVTB": ("volume to be infused; not carried", "mL"),
    "INRMT": ("time remaining, 65535 is no value; not carried", "s"),
    "INTIME": ("infusion time; not carried", "min"),
    "INAKKU": ("battery time; not carried", "min"),
    "INSTBY": ("standby time left; not carried", "min"),
    "INP2": ("pressure; not carried", "%"),
    "INSYR": ("syringe; not carried", "mL"),
    "GNACK": ("the ComDevice answers", ""),
    "GNERR": ("the ComDevice refuses, code", ""),
}
_TRUTHS: Final = {
    "INM1": "ready; not carried",
    "INM2": "bolus",
    "INM3": "pumping",
    "INM6": "standby",
    "INM7": "data lock",
    "INM8": "on mains",
    "INM10": "keeps the vein open",
} | {
    f"INA{number}": f"alarm: {alarm.text} ({alarm.condition})"
    for number in range(1, BITS_MAX + 1)
    if (alarm := CONDITIONS.get(number)) is not None
}
_UNKNOWN_ALARM: Final = re.compile(r"INA\d{1,2}")


def bcc_spans(payload: bytes) -> Iterator[Span]:
    """Adjacent spans of all of `payload`, frames and what stands between them."""
    for cut in _CUT.finditer(payload):
        raw = cut.group()
        spans = _frame(raw) if raw.startswith(b"\x01") else _outside(raw)
        yield from (span.moved(cut.start()) for span in spans)


def _outside(raw: bytes) -> Iterator[Span]:
    if raw.strip(b"\x06\x15"):
        yield Span(0, len(raw), "outside", "bytes outside of any frame: noise, or another line speed", hidden=True)
    else:
        yield Span(0, len(raw), "ACK, NAK", "between the frames")


def _frame(raw: bytes) -> Iterator[Span]:
    found = frame_of(raw)
    objection = found.refused if isinstance(found, Garbled) else None
    parts = _PARTS.fullmatch(raw) if len(raw) <= FRAME_BYTES_MAX else None
    if parts is None:
        detail = objection.detail if objection is not None else "not to be told apart"
        yield Span(0, len(raw), "frame", f"not read: {detail}", hidden=True)
        return
    claimed = int(parts[1])
    plain = raw if len(raw) == claimed else unstuffed(raw)
    is_stuffed = plain is not None and plain != raw
    plain = raw if plain is None else plain
    right = len(plain) == claimed
    stuffing = ", sent stuffed" if is_stuffed else ""
    yield Span(0, 1, "SOH", "a frame begins")
    yield Span(1, 6, "length", f"{claimed} bytes{stuffing}: {'right' if right else f'wrong, it has {len(plain)}'}")
    yield Span(6, 7, "STX", "its text begins")
    yield Span(parts.start(2), parts.end(2), "bed", "the ComDevice's own name and /1/1>; not shown", hidden=True)
    yield from _quadruples(parts[3], parts.start(3), stuffed=is_stuffed)
    end, check = parts.start(4), sum_mod_256(plain[:-6])
    yield Span(end, end + 1, *(("ETX", "the answer ends") if parts[4] == b"\x03" else ("ETB", "another block follows")))
    word = "right" if check == int(parts[5]) else f"wrong, the bytes from SOH to here make {check}"
    yield Span(end + 1, end + 6, "check", f"{int(parts[5])}: {word}")
    yield Span(end + 6, end + 7, "EOT", "the frame ends")


def _quadruples(information: bytes, start: int, *, stuffed: bool) -> Iterator[Span]:
    """One span each, with the RS behind it. RS and commas are never stuffed: the wire's bytes can be parted by them."""
    for piece in _QUADRUPLE.finditer(information):
        raw = piece.group().removesuffix(b"\x1e")
        plain = (unstuffed(raw) or raw) if stuffed else raw
        field, meaning, unit, is_hidden = _meaning(plain)
        yield Span(start + piece.start(), start + piece.end(), field, meaning, unit, hidden=is_hidden)


def _meaning(quadruple: bytes) -> tuple[str, str, str, bool]:
    """(field, meaning, unit, hidden) of `time,address,parameter,value`."""
    time, address, parameter, value, *_ = *quadruple.split(b",", 3), b"", b"", b"", b""
    place = _ADDRESS.fullmatch(address)
    if place is None or not time.isdigit() or len(time) > _TIME_DIGITS_MAX:
        return "text", "not time,address,parameter,value", "", True
    whose = "ComDevice" if place[1] == b"00" else f"pump {place[1].decode()}"
    name = parameter.decode("latin-1")
    known, unit = _KNOWN.get(name) or (_TRUTHS.get(name), "")
    if known is None and _UNKNOWN_ALARM.fullmatch(name):
        known = "alarm that nobody has described (other)"
    if known is None or _VALUE.fullmatch(value) is None:
        return "parameter", f"{whose}: not read, may be a name", "", True
    said = value.decode()
    said = _ABSENT.get(said) or (said if unit or name.startswith("GN") else _BITS.get(said, said))
    return name, f"{whose}, {int(time)} s: {known}: {said}", "" if value in (b"_NV", b"_NA") else unit, False
