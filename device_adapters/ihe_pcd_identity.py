r"""Which pump an IHE PCD message is about: the names by which it calls the pump, and the sender's own. A part of `ihe_pcd`.

    OBX|1||67972^MDC_ATTR_SYS_ID^MDC|1.0.0.1|0012210000000001         the pump, most exactly
    OBX|1||70049^…_MDS^MDC|1.0.0.0|||||||X|||||||LVP-P6013^^0012210000000001^EUI-64      OBX-18: a label and an EUI-64
    PRT|1|UC||…^^^^|…|||||P6013^^0012210000000001^EUI-64              PRT-10: the same, in newer messages
    MSH|^~\&|RACK^0012211839000001^EUI-64|…                           MSH-3: the sender, often a rack with many pumps

The three forms of one pump seldom agree: an alarm (PCD-04) has no SYS_ID, and drops the type in front of the label. So all names
that are said are gathered, and a map of the ward's own says whose they are. What names the pump itself always goes before the
sender, which serves only where no pump is named: a rack's message must not land on the first pump of the rack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from device_adapters import hl7, mdc
from device_adapters.ihe_pcd_measures import Result

NAME_CHARS_MAX: Final = 64  # of one name; longer ones are no pump's
NAMES_MAX: Final = 64  # of one message; a rack of four channels says about ten

_EUI_DIGITS: Final = 16
_HEX: Final = frozenset("0123456789abcdef")
_ENTITY: Final = (1, 3)  # `label^namespace^EUI-64^EUI-64`; a bare value is its own first part
_SENDER: Final = (1, 2)  # `label^EUI-64^EUI-64`


@dataclass(frozen=True, slots=True)
class Identities:
    """The names as `normal` spells them, in the message's order; without those that hold a word of the patient's segments."""

    pump: tuple[str, ...]
    sender: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name, the pump's own first."""
        return (*self.pump, *self.sender)


def normal(name: str) -> str:
    """How a name is compared: capitals, blanks around it and the marks inside an EUI-64 do not matter."""
    plain = name.strip().lower()
    digits = plain.translate({ord(mark): None for mark in "-: ."})
    return digits if len(digits) == _EUI_DIGITS and set(digits) <= _HEX else plain


def identities(message: hl7.Message) -> Identities:
    """The names that this message says."""
    private = message.private_words
    pump = (name for text in _of_pump(message) for name in _names(text, _ENTITY, private))
    sender = _names(message.header.field(3), _SENDER, private)
    return Identities(tuple(dict.fromkeys(pump))[:NAMES_MAX], tuple(dict.fromkeys(sender)))


def device_of(found: Identities, devices: Mapping[str, str]) -> str | tuple[str, ...]:
    """The one device that these names stand for; else those that they might stand for: none, or several.

    `devices`: device by name, spelt as `normal` does.
    """
    names = found.pump or found.sender
    known = tuple(dict.fromkeys(devices[name] for name in names if name in devices))
    return known[0] if len(known) == 1 else known


def _of_pump(message: hl7.Message) -> Iterator[str]:
    for order in message.orders:
        for segment in order.results:
            result = Result.of(segment)
            if result.refid == mdc.SYS_ID:
                yield result.raw
            yield result.equipment
            yield from segment.whole(18).split("~")[1:]
    for segment in message.participants:
        yield from segment.whole(10).split("~")


def _names(text: str, parts: tuple[int, ...], private: set[str]) -> Iterator[str]:
    for name in (hl7.component(text, part) for part in parts):
        if name and len(name) <= NAME_CHARS_MAX and name.isprintable() and not hl7.words(name) & private:
            yield normal(name)
