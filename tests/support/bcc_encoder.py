"""What a B. Braun ComDevice would send, written from the format's description and not from the decoder.

wire(quads([("11", "INRT", "0.60"), …]), bed="SpaceCOM")
"""

from collections.abc import Iterable, Sequence

BED = "SpaceCOM"
_ESCAPES = {"D": "EX", "E": "EE", "d": "ex", "e": "ee"}


def escaped(plain: bytes) -> bytes:
    """Character by character, as a ComDevice sends it with stuffing on."""
    return b"".join(_ESCAPES.get(chr(byte), "").encode() or bytes([byte]) for byte in plain)


def checked(body: bytes) -> bytes:
    """`body` (SOH to ETX or ETB) with its check and EOT."""
    total = 0
    for byte in body:
        total = (total + byte) & 0xFF
    return body + str(total).zfill(5).encode("ascii") + bytes([4])


def wire(
    information: bytes | str, *, bed: str = BED, more: bool = False, stuffed: bool = True, claims: int | None = None
) -> bytes:
    """One frame. `more`: ended by ETB, for blocks follow; `claims`: a length other than its own."""
    inner = bed.encode() + b"/1/1>" + (information.encode() if isinstance(information, str) else information)
    whole = 1 + 5 + 1 + len(inner) + 1 + 5 + 1
    head = bytes([1]) + str(whole if claims is None else claims).zfill(5).encode("ascii") + bytes([2])
    plain = checked(head + inner + bytes([0x17 if more else 3]))
    return escaped(plain) if stuffed else plain


def quad(slot: str, parameter: str, value: str, *, time: int = 206) -> str:
    """One quadruple of the pump in a slot (`00`: the ComDevice)."""
    return ",".join([str(time), "501" + slot, parameter, value])


def quads(items: Iterable[tuple[str, str, str]]) -> str:
    """Quadruples of (slot, parameter, value), parted by RS."""
    return "\x1e".join(quad(*item) for item in items)


ALARM_BITS = (1, 2, 3, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16)


def pump_items(slot: str = "11", *, alarms: Sequence[int] = (), **values: str) -> list[tuple[str, str, str]]:
    """What one pump says when asked: running at 0.6 mL/h on mains, unless `values` say otherwise (`INRT="1.5"`)."""
    ordinary = {
        "INRT": "0.60",
        "INVI": "12.40",
        "INVOLACT": "36.10",
        "INVTB": "48.50",
        "INRMT": "65535",
        "INSYR": "50",
        "INSOL": "Testdrug \ue0e4\uf8ff",
        "INSERNUM": "123456",
        "INAKKU": "240",
        "INP2": "12",
        "INM1": "1",
        "INM2": "0",
        "INM3": "1",
        "INM6": "0",
        "INM7": "1",
        "INM8": "1",
        "INM10": "0",
    }
    bits = {f"INA{number}": "1" if number in alarms else "0" for number in ALARM_BITS}
    return [(slot, name, value) for name, value in {**ordinary, **bits, **values}.items()]


def answer(*items: list[tuple[str, str, str]], per_block: int | None = None, stuffed: bool = True, bed: str = BED) -> bytes:
    """A whole answer of some pumps, in blocks of at most `per_block` quadruples."""
    everything = [item for pump in items for item in pump]
    size = per_block or max(1, len(everything))
    blocks = [everything[start : start + size] for start in range(0, len(everything), size)] or [[]]
    return b"".join(
        wire(quads(block), more=number < len(blocks) - 1, stuffed=stuffed, bed=bed) for number, block in enumerate(blocks)
    )
