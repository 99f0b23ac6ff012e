"""Read-only by construction: what Dripwatch can say to a pump is walked in full, and none of it changes anything."""

import ast
from itertools import product

import pytest

from device_adapters import hl7
from device_adapters.bcc_framing import ACK
from device_adapters.bcc_polling import Ask, asked
from device_adapters.cutting import Cuts
from device_adapters.registry import ADAPTERS
from gateway.outside.mllp_answers import Code, answer
from tests.support.adapter_frames import captures
from tests.support.source_tree import sources

# Whatever makes bytes for a device, module by module. A new one fails here until it is walked below.
ENCODERS = {"bcc_polling": {"asked", "_stuffed", "due", "_wrote"}, "envelope": {"enveloped"}, "mllp": {"framed"}}

# What would start, stop or change an infusion, protocol by protocol, as it would stand on the line after unstuffing.
FORBIDDEN = {
    "BCC": [b"SET", b"PUT", b"WRITE", b"START", b"STOP", b"MEM:W", b"INRT", b"INVTB", b"INM3", b"CTRL", b"RATE", b","],
    "Agilia": [b"PR", b"PO", b"PB", b"PF", b"MO"],
    "Alaris": [b"INF_START", b"INF_STOP", b"REMOTE_CTRL", b"INF_RATE^"],
}
SLOTS = [f"{pillar}{pump}" for pillar, pump in product("123", "123456789ABCDEFGHIJKLMNO")]
READING = {b"ADMIN:ALIVE", b"ADMIN:VERSION", b"MEM:GET"} | {f"MEM:GETSLOT#{slot}".encode() for slot in SLOTS}


def everything_that_can_be_said() -> list[bytes]:
    """Every question to every slot, not stuffed, without its frame; and ACK."""
    said = []
    for ask in Ask:
        for slot in SLOTS if ask is Ask.GET_SLOT else [None]:
            raw = asked(ask, bed="1", slot=slot, stuffing=False)
            said.append(raw.partition(b"/1/1>")[2].partition(b"\x03")[0])
    return [*said, ACK]


@pytest.mark.hazard("H-18")
def test_the_questions_are_the_reading_ones():
    """All that can be written to a ComDevice is the closed list of its reading questions, and ACK."""
    assert set(everything_that_can_be_said()) == READING | {ACK}


@pytest.mark.hazard("H-18")
@pytest.mark.parametrize("protocol", FORBIDDEN)
def test_nothing_forbidden_can_be_said(protocol: str):
    """No question holds a word that starts, stops or changes an infusion, of its own protocol or another's."""
    found = [
        (said, word)
        for said in everything_that_can_be_said()
        for word in FORBIDDEN[protocol]
        if (word in said if protocol != "Agilia" else said.startswith(word))
    ]
    assert not found


def test_a_question_cannot_be_made_up():
    """A name that is not in the list is no question: neither a text nor a smuggled separator gets through."""
    for made_up in ("MEM:SET", "ADMIN:STOP", "MEM:GET\x1e206,50111,INRT,9", ""):
        with pytest.raises(ValueError, match="is not a valid Ask"):
            asked(made_up, bed="1")
    for bed in ("1/1/1>MEM:SET", "1\x03", "1\x1e"):
        with pytest.raises(ValueError, match="bed"):
            asked(Ask.GET, bed=bed)


@pytest.mark.hazard("H-18")
def test_no_other_module_makes_bytes_for_a_device():
    """Everything in the adapters that returns bytes is known here; an encoder that nobody walked fails."""
    found: dict[str, set[str]] = {}
    for source in sources("device_adapters"):
        module = source.path.rpartition("/")[2].removesuffix(".py")
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef) and node.returns is not None and "bytes" in ast.unparse(node.returns):
                found.setdefault(module, set()).add(node.name)
    simulated = {"simulated_parts", "simulated_pump"}  # they publish as a pump would, to a broker
    readers = {"bcc_framing": {"unstuffed"}, "cutting": {"fixed_frames"}, "envelope": {"opened"}, "mllp": {"feed", "finish"}}
    kept = {module: names - readers.get(module, set()) - {"cut"} for module, names in found.items() if module not in simulated}
    assert {module: names for module, names in kept.items() if names} == ENCODERS


@pytest.mark.hazard("H-18")
@pytest.mark.parametrize("code", list(Code))
def test_a_sender_of_hl7_hears_acknowledgements_only(code: Code):
    """Whatever its message says, the answer is MSH and MSA of an ACK: no order, and no segment smuggled in by its own fields."""
    tricky = b"MSH|^~\\&|RGV\x1c|\x0bORC|||20260302||ORU^RGV|1\x1c\rORC|P|2.6\rOBX|1||x"
    (message, *_) = hl7.parse(tricky)
    said = answer(code, message, site="haem-ward", at=1, number=1, why="a|b\rORC|NW")
    assert said.count(b"\x1c") == said.count(b"\x0b") == 1
    segments = [line.split("|") for line in said.strip(b"\x0b\x1c\r").decode().split("\r")]
    assert [segment[0] for segment in segments] == ["MSH", "MSA"]
    assert segments[0][8].startswith("ACK")


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_an_adapter_has_nothing_but_decode(name: str):
    """The adapter itself reads and does nothing else; what it cuts out of a stream is that stream."""
    public = {item for item in dir(ADAPTERS[name]) if not item.startswith("_")}
    assert public <= {"name", "decode", "decode_channel", "cut", "explain"}
    cutting = ADAPTERS[name]
    for data in (b"\x00" * 3_000, b"noise".join(captures(name).values())) if isinstance(cutting, Cuts) else ():
        parts, rest = cutting.cut(data)
        assert b"".join(part.body for part in parts) + rest == data
