r"""MLLP: bytes of a TCP stream into HL7 messages. A byte at a time or a megabyte at once gives the same events.

    0B message 1C 0D        0B message 1C 0D
    VT ...     FS CR

After bytes that belong to no message the next VT begins one anew; a VT inside a message begins another, for the sender has
started again. FS without CR is an end too. What a stream without an end can cost is MESSAGE_BYTES_MAX bytes of memory.

Refuses: MALFORMED (bytes between messages), LENGTH (a message without its end), TOO_LARGE, EMPTY.
Source: HL7 version 2, Minimal Lower Layer Protocol; tests/captures/ihe_pcd
"""

import re
from dataclasses import dataclass
from typing import Final

from device_adapters.bounds import PAYLOAD_BYTES_MAX
from gateway.domain.readings import Refusal, Refused

VT: Final = b"\x0b"
FS: Final = b"\x1c"
CR: Final = b"\r"
MESSAGE_BYTES_MAX: Final = PAYLOAD_BYTES_MAX  # over it: TOO_LARGE, and the rest of that message is passed over
OUTSIDE_BYTES_KEPT: Final = 64  # of a run of bytes between messages, for a technician to look at

_ENDS: Final = re.compile(rb"[\x0b\x1c]")
_OUTSIDE: Final = Refused(Refusal.MALFORMED, "outside", "bytes between messages: another protocol, or TLS on one side only")
_NO_END: Final = Refused(Refusal.LENGTH, "FS", "the message has no end: the connection was cut, or the sender began anew")
_TOO_LARGE: Final = Refused(Refusal.TOO_LARGE, "message", f"at most {MESSAGE_BYTES_MAX} bytes between VT and FS")
_EMPTY: Final = Refused(Refusal.EMPTY, "message", "nothing between VT and FS")


@dataclass(frozen=True, slots=True)
class Unframed:
    """Bytes that were no message: why, and what they were (cut where they were more than the limits above)."""

    refused: Refused
    raw: bytes


class MllpFramer:
    """One stream's bytes in, its messages out. Holds at most MESSAGE_BYTES_MAX bytes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._outside = bytearray()
        self._inside = False
        self._drops = False  # the rest of a message that was too large is no news

    @property
    def is_open(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._inside or self._drops

    def feed(self, data: bytes) -> list[bytes | Unframed]:
        """What came to its end with these bytes, in their order; messages without their frame."""
        found: list[bytes | Unframed] = []
        at = 0
        while at < len(data):
            at = self._take(data, at, found) if self._inside else self._skip(data, at, found)
        return found

    def finish(self) -> list[bytes | Unframed]:
        """The stream is closed: what was left over. The framer is as new."""
        found: list[bytes | Unframed] = []
        self._tell_outside(found)
        if self._inside:
            self._close(found, Unframed(_NO_END, bytes(self._held)))
        self._drops = False
        return found

    def _skip(self, data: bytes, at: int, found: list[bytes | Unframed]) -> int:
        """Pass over what lies between messages; line ends there are ordinary."""
        if self._drops:
            end = _ENDS.search(data, at)
            if end is None:
                return len(data)
            self._drops = False
            return end.start() if end.group() == VT else end.end()
        start = data.find(VT, at)
        strange = data[at : start if start >= 0 else len(data)].translate(None, b"\r\n\x1c")
        self._outside += strange[: OUTSIDE_BYTES_KEPT - len(self._outside)]
        if start < 0:
            return len(data)
        self._tell_outside(found)
        self._inside = True
        return start + 1

    def _tell_outside(self, found: list[bytes | Unframed]) -> None:
        if self._outside:
            found.append(Unframed(_OUTSIDE, bytes(self._outside)))
            self._outside.clear()

    def _take(self, data: bytes, at: int, found: list[bytes | Unframed]) -> int:
        """Take bytes into the message that is open, up to its end, the next VT, or the limit."""
        end = _ENDS.search(data, at, at + MESSAGE_BYTES_MAX - len(self._held) + 1)
        if end is None:
            part = data[at : at + MESSAGE_BYTES_MAX - len(self._held) + 1]
            self._held += part
            if len(self._held) > MESSAGE_BYTES_MAX:
                self._drops = True
                self._close(found, Unframed(_TOO_LARGE, bytes(self._held[:OUTSIDE_BYTES_KEPT])))
            return at + len(part)
        self._held += data[at : end.start()]
        if end.group() == VT:
            self._close(found, Unframed(_NO_END, bytes(self._held)))
            return end.start()
        message = bytes(self._held)
        self._close(found, message if message.strip() else Unframed(_EMPTY, message))
        return end.end()

    def _close(self, found: list[bytes | Unframed], event: bytes | Unframed) -> None:
        found.append(event)
        self._held.clear()
        self._inside = False


def framed(message: bytes) -> bytes:
    """A message as it goes over the line; a frame's own bytes inside it are left out."""
    return VT + message.translate(None, VT + FS) + FS + CR
