"""Text as short messages carry it: GSM-7 where every character has a place in it, else UCS-2; in parts where one is too short.

Sources: 3GPP TS 23.038 (alphabets), 3GPP TS 23.040 section 9.2.3.24.1 (concatenation).
"""

import re
from dataclasses import dataclass

from gateway.domain.gsm7 import BASIC, ESCAPE, SECOND

_TO_GSM = {letter: bytes([place]) for place, letter in enumerate(BASIC) if place != ESCAPE} | {
    letter: bytes([ESCAPE, place]) for letter, place in SECOND.items()
}
_FROM_SECOND = {place: letter for letter, place in SECOND.items()}

_ALONE = {True: 160, False: 140}  # what one message holds: septets in GSM-7, bytes in UCS-2
_IN_PARTS = {True: 153, False: 134}  # less what the heading of each part takes
PARTS_MAX = 255  # the heading counts in one byte; more is cut off

_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_SEPARATORS = re.compile(r"[\s().-]")


@dataclass(frozen=True, slots=True)
class Coded:
    """A text ready for the air: `gsm7` (one septet a byte) or UTF-16 big-endian. Each of `parts` fits into one message."""

    gsm7: bool
    parts: tuple[bytes, ...]


def is_gsm7(text: str) -> bool:
    """Whether every character has a place in the GSM alphabet."""
    return all(letter in _TO_GSM for letter in text)


def coded(text: str) -> Coded:
    """The text in the narrower of the two codings. No part ends inside an escape or a surrogate pair."""
    gsm7 = is_gsm7(text)
    letters = [_TO_GSM[letter] if gsm7 else letter.encode("utf-16-be", "replace") for letter in text]
    if sum(map(len, letters)) <= _ALONE[gsm7]:
        return Coded(gsm7, (b"".join(letters),))
    parts: list[bytes] = [b""]
    for letter in letters:
        if len(parts[-1]) + len(letter) > _IN_PARTS[gsm7]:
            parts.append(b"")
        parts[-1] += letter
    return Coded(gsm7, tuple(parts[:PARTS_MAX]))


def with_headings(parts: tuple[bytes, ...], reference: int) -> list[bytes]:
    """Each part behind the heading by which a telephone puts them together; a single part stays as it is.

        05 00 03 RR NN II

    R reference, the same in all parts     N number of parts     I this part, from 1
    """
    if len(parts) == 1:
        return list(parts)
    return [bytes([5, 0, 3, reference & 0xFF, len(parts), i]) + part for i, part in enumerate(parts, 1)]


def from_gsm7(septets: bytes) -> str:
    """The text of unpacked septets; what has no meaning becomes U+FFFD."""
    text, escaped = "", False
    for septet in septets:
        if escaped:
            text += _FROM_SECOND.get(septet, "\N{REPLACEMENT CHARACTER}")
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text += BASIC[septet] if septet < len(BASIC) else "\N{REPLACEMENT CHARACTER}"
    return text


def phone_number(address: str) -> str | None:
    """The address as one telephone number, digits with or without a leading plus; None where it is not exactly one.

    `+852 9000-0001` is one number. `0085290000001` is left to the provider: what 00 means depends on where it stands.
    """
    number = _SEPARATORS.sub("", address)
    return number if _NUMBER.fullmatch(number) else None
