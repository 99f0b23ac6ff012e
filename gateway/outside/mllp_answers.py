r"""What a sender of HL7 is answered.

    MSH|^~\&|DRIPWATCH|site|sender|…|time||ACK^R40^ACK|number|P|2.6
    MSA|AA|its control id|why not, in words

AA the journal has it     AE it names no pump, or more than one: somebody has to mend a setting
AR it is no message that we take, or there is no room now
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from device_adapters.hl7 import Message
from device_adapters.mllp import framed
from gateway.domain.instants import Instant

ECHOED_CHARS_MAX: Final = 250  # of a sender's own field
VERSION: Final = "2.6"
_MARKS: Final = {ord("|"): "\\F\\", ord("^"): "\\S\\", ord("~"): "\\R\\", ord("&"): "\\T\\", ord("\r"): " ", ord("\n"): " "}


class Code(StrEnum):
    """HL7 table 0008."""

    KEPT = "AA"
    MEND = "AE"
    REFUSED = "AR"


def answer(code: Code, to: Message | None, *, site: str, at: Instant, number: int, why: str = "") -> bytes:
    """An acknowledgement in its frame; `to` is None where the message could not be read; `number` tells our answers apart."""
    said = [] if to is None else [to.header.whole(field)[:ECHOED_CHARS_MAX] for field in (3, 4, 10, 11, 12)]
    sender, facility, control_id, processing, version = said or ["", "", "", "P", VERSION]
    trigger = "" if to is None else to.header.component(9, 2)[:ECHOED_CHARS_MAX]
    kind = f"ACK^{trigger}^ACK" if trigger.isalnum() else "ACK"
    time = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d%H%M%S+0000")
    header = ["MSH", "^~\\&", "DRIPWATCH", site, sender, facility, time, "", kind, f"{at}-{number}", processing, version]
    body = ["MSA", code.value, control_id, *([why.translate(_MARKS)] if why else [])]
    return framed("".join("|".join(segment) + "\r" for segment in (header, body)).encode(errors="replace"))
