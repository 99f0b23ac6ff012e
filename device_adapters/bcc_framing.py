r"""B. Braun Space, BCC: bytes of a serial or TCP line into frames. A byte at a time or a megabyte at once gives the same events.

    01 NNNNN 02 bed "/1/1>" information 03|17 CCCCC 04
    SOH length STX                  ETX|ETB check EOT

N length of the whole frame, SOH to EOT, before stuffing   C sum of the bytes SOH to ETX or ETB, before stuffing, modulo 256
bed 1 to 15 characters                                     ETX the answer ends here; ETB another block follows on ACK (06)

Stuffing, which a ComDevice may have switched on or off: on the line D is sent as EX, E as EE, d as ex, e as ee. Nobody has to say
which it is: a frame as long as it claims to be was not stuffed (or held nothing to stuff), a longer one was.

After garbage the next SOH begins a frame anew. Bytes outside frames are one event a run, whatever its length; ACK and NAK there
are ordinary. What a line without an end can cost is FRAME_BYTES_MAX bytes of memory.

Refuses: MALFORMED (bytes outside frames, header, bed), LENGTH (no end; not the length claimed), TOO_LARGE, BAD_CHECKSUM.
Source: B. Braun BCC protocol as public drivers implement it; tests/captures/bbraun_bcc
"""

import re
from dataclasses import dataclass
from typing import Final

from device_adapters.checksums import sum_mod_256
from gateway.domain.readings import Refusal, Refused

SOH: Final = b"\x01"
EOT: Final = b"\x04"
ACK: Final = b"\x06"
NAK: Final = b"\x15"

FRAME_BYTES_MAX: Final = 8 * 1024  # real blocks have about 1,100, stuffed at most twice that; over it: TOO_LARGE
OUTSIDE_BYTES_KEPT: Final = 64  # of a run of bytes outside frames, for a technician to look at; the rest is dropped

_CLAIM: Final = re.compile(rb"\x01(\d{5})\x02")
_HEAD: Final = re.compile(rb"\x01\d{5}\x02([ -=?-~]{1,15})/1/1>")
_TAIL: Final = re.compile(rb"([\x03\x17])(\d{5})\x04")
_TAIL_BYTES: Final = 7
_TEXT: Final = bytes({*range(256)} - {*range(0x20)} | {0x1E})  # what an answer may say: text of any character set, and RS
_ENDS: Final = re.compile(rb"[\x01\x04]")

_OUTSIDE: Final = Refused(Refusal.MALFORMED, "outside", "bytes outside of any frame: noise, or another protocol or line speed")
_NO_END: Final = Refused(Refusal.LENGTH, "EOT", "the frame has no end: the line was cut")
_TOO_LARGE: Final = Refused(Refusal.TOO_LARGE, "frame", f"at most {FRAME_BYTES_MAX} bytes from SOH to EOT")
_HEADER: Final = Refused(Refusal.MALFORMED, "header", "SOH, five digits, STX")
_LENGTH: Final = Refused(Refusal.LENGTH, "length", "the frame is not as long as it says, stuffed or not")
_SHAPE: Final = Refused(
    Refusal.MALFORMED, "frame", "bed of at most 15 characters, /1/1>, information, ETX or ETB, five digits, EOT"
)
_CHECK: Final = Refused(Refusal.BAD_CHECKSUM, "check", "sum of the bytes from SOH to ETX or ETB, modulo 256")


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose length and check are right. `raw` is as it came over the line; `last` is False where blocks follow."""

    raw: bytes
    bed: bytes
    information: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that were no frame: why, and what they were (cut where they were more than the limits above)."""

    refused: Refused
    raw: bytes


class Framer:
    """One line's bytes in, its frames out. Holds at most FRAME_BYTES_MAX bytes."""

    def __init__(self) -> None:
        self._held = bytearray()  # empty, or a frame that begins with SOH and has not ended
        self._outside = bytearray()
        self._drops = False  # after a frame that was too large: its rest is no news

    def feed(self, data: bytes) -> list[Frame | Garbled]:
        """What came to its end with these bytes, in their order."""
        found: list[Frame | Garbled] = []
        rest = memoryview(data)
        while rest:
            rest = self._inside(rest, found) if self._held else self._between(rest, found)
        return found

    def finish(self) -> list[Frame | Garbled]:
        """The line is closed: what was left over. The framer is as new."""
        found: list[Frame | Garbled] = []
        self._tell_outside(found)
        if self._held:
            self._close(found, Garbled(_NO_END, bytes(self._held)))
        self._drops = False
        return found

    def _between(self, rest: memoryview, found: list[Frame | Garbled]) -> memoryview:
        data = bytes(rest)
        start = data.find(SOH)
        strange = (data if start < 0 else data[:start]).translate(None, ACK + NAK)
        if not self._drops:
            self._outside += strange[: OUTSIDE_BYTES_KEPT - len(self._outside)]
        if start < 0:
            return rest[:0]
        self._tell_outside(found)
        self._drops = False
        self._held += SOH
        return rest[start + 1 :]

    def _tell_outside(self, found: list[Frame | Garbled]) -> None:
        if self._outside:
            found.append(Garbled(_OUTSIDE, bytes(self._outside)))
            self._outside.clear()

    def _inside(self, rest: memoryview, found: list[Frame | Garbled]) -> memoryview:
        """Take bytes into the frame that is open, up to its end, the next SOH, or the limit."""
        room = FRAME_BYTES_MAX - len(self._held)
        data = bytes(rest[:room])
        end = _ENDS.search(data)
        if end is None:
            self._held += data
            if len(data) == room:
                self._drops = True
                self._close(found, Garbled(_TOO_LARGE, bytes(self._held)))
            return rest[len(data) :]
        self._held += data[: end.start()]
        if end.group() == SOH:
            self._close(found, Garbled(_NO_END, bytes(self._held)))
            return rest[end.start() :]
        self._held += EOT
        raw = bytes(self._held)
        self._close(found, frame_of(raw))
        return rest[end.end() :]

    def _close(self, found: list[Frame | Garbled], event: Frame | Garbled) -> None:
        found.append(event)
        self._held.clear()


def frames_in(payload: bytes) -> list[Frame | Garbled]:
    """What a framer makes of all these bytes and their end; the ordinary payload, which is one frame, by a shorter way."""
    if payload.startswith(SOH) and payload.find(EOT) == len(payload) - 1 < FRAME_BYTES_MAX and payload.find(SOH, 1) < 0:
        return [frame_of(payload)]
    framer = Framer()
    return framer.feed(payload) + framer.finish()


def frame_of(raw: bytes) -> Frame | Garbled:
    """Check one frame, SOH to EOT as it came over the line; the cheapest check first."""
    claim = _CLAIM.match(raw)
    if claim is None:
        return Garbled(_HEADER, raw)
    length = int(claim.group(1))
    plain = raw if len(raw) == length else unstuffed(raw)
    if plain is None or len(plain) != length:
        return Garbled(_LENGTH, raw)
    head, tail = _HEAD.match(plain), _TAIL.fullmatch(plain, length - _TAIL_BYTES)
    if head is None or tail is None or head.end() > tail.start():
        return Garbled(_SHAPE, raw)
    information = plain[head.end() : tail.start()]
    if information.translate(None, _TEXT):
        return Garbled(_SHAPE, raw)
    if sum_mod_256(plain[: tail.end(1)]) != int(tail[2]):
        return Garbled(_CHECK, raw)
    return Frame(raw, head[1], information, last=tail[1] == b"\x03")


def unstuffed(raw: bytes) -> bytes | None:
    """`raw` without its stuffing, read from left to right: `EEX` is `EX`. None where it was never stuffed text.

    On the line no D is left, and each E begins a pair. NUL, which no frame holds, stands for an E until the pairs are read.
    """
    if b"D" in raw or b"d" in raw or b"\x00" in raw:
        return None
    raw = raw.replace(b"EE", b"\x00").replace(b"EX", b"D")
    if b"E" in raw:
        return None
    raw = raw.replace(b"\x00", b"E").replace(b"ee", b"\x00").replace(b"ex", b"d")
    return None if b"e" in raw else raw.replace(b"\x00", b"e")
