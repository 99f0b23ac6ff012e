"""Frames explained byte by byte: the law of every adapter that explains, and what each says of ordinary frames."""

import pytest

from device_adapters.bcc_spans import bcc_spans
from device_adapters.contract import Adapter
from device_adapters.envelope import MAGIC
from device_adapters.quality import Standing, shipped_quality
from device_adapters.registry import ADAPTERS
from device_adapters.span import Span
from device_adapters.spans import Explains, explained
from device_adapters.template import Template
from tests.support.adapter_frames import SECRET, broken, captures, with_secret
from tests.support.bcc_encoder import answer, pump_items, wire
from tests.unit.device_adapters.hl7_encoder import pid, status_message

ALL: dict[str, Adapter] = {**ADAPTERS, Template.name: Template()}
BROKEN = 300


def covers(payload: bytes, spans: tuple[Span, ...]) -> bool:
    """Adjacent, none empty, from the first byte to the last."""
    at = 0
    for span in spans:
        if span.start != at or span.end <= span.start:
            return False
        at = span.end
    return at == len(payload)


def shown(payload: bytes, spans: tuple[Span, ...]) -> bytes:
    """All that a person would see: words, and the bytes that are not hidden."""
    seen = [payload[span.start : span.end] for span in spans if not span.hidden]
    return repr(spans).encode() + b"\n" + b"\n".join(seen)


@pytest.mark.parametrize("adapter", ALL)
def test_spans_are_adjacent_and_cover_all(adapter: str):
    """Whatever comes, captures and broken ones: from the first byte to the last, without a hole; and something is explained."""
    payloads = [*captures(adapter).values(), *(payload for _, payload in broken(adapter, BROKEN, seed=9)), b""]
    assert [payload for payload in payloads if not covers(payload, explained(ALL[adapter], payload))] == []
    assert isinstance(ALL[adapter], Explains)
    assert any(span.unit for payload in payloads for span in explained(ALL[adapter], payload))


@pytest.mark.parametrize("adapter", [item.name for item in shipped_quality() if item.claims["privacy"].standing is Standing.DONE])
def test_a_name_is_not_explained(adapter: str):
    """Where frames hold names, neither the words nor the bytes that are shown do."""
    _, payload = with_secret(adapter)
    assert SECRET.encode() in payload
    assert SECRET.encode() not in shown(payload, explained(ADAPTERS[adapter], payload))


@pytest.mark.parametrize("cut", ["fused", "wrapped", "in-text", "unknown-segment", "no-segment"])
def test_a_name_is_not_explained_wherever_it_stands(cut: str):
    """The traps of real messages do not carry the patient's segment into one that is shown."""
    named = pid(family=SECRET, given=SECRET)
    payload = {
        "fused": status_message().replace(f"\r{pid()}".encode(), named.encode()),
        "wrapped": status_message().replace(pid().encode(), f"{named[:12]}\r{named[12:]}".encode()),
        "in-text": status_message() + f"OBX|9|ST|0^MDC_X^MDC|1.0|{SECRET}|||||F\rOBX|10|NM|0^MDC_X^MDC|1|{SECRET}\r".encode(),
        "unknown-segment": status_message() + f"ZZZ|{SECRET}\r".encode(),
        "no-segment": f"{SECRET}|{SECRET}\r".encode(),
    }[cut]
    assert SECRET.encode() in payload
    found = shown(payload, explained(ADAPTERS["ihe-pcd"], payload))
    assert SECRET.encode() not in found
    assert b"message type" in found or cut == "no-segment"


def test_a_bcc_answer_is_explained():
    """Header, a measure with its unit, an alarm, what is hidden, and the check."""
    payload = answer(pump_items(alarms=[15], INVI="_NV"))
    said = {span.field: span for span in explained(ADAPTERS["bbraun-bcc"], payload)}
    assert said["length"].meaning.endswith("sent stuffed: right")
    assert (said["INRT"].meaning, said["INRT"].unit) == ("pump 11, 206 s: rate: 0.60", "mL/h")
    assert (said["INVI"].meaning, said["INVI"].unit) == ("pump 11, 206 s: infused: no value", "")
    assert said["INA15"].meaning == "pump 11, 206 s: alarm: air (air-in-line): yes"
    assert said["parameter"].hidden
    assert said["check"].meaning.endswith(": right")


def test_a_wrong_check_is_explained_with_the_right_one():
    """Where the frame can still be told apart, it is."""
    good = wire("206,50100,GNACK,0", stuffed=False)
    right = int(good[-6:-1])
    bad = good[:-6] + b"%05d\x04" % ((right + 1) % 256)
    said = {span.field: span.meaning for span in explained(ADAPTERS["bbraun-bcc"], bad)}
    assert said["check"] == f"{(right + 1) % 256}: wrong, the bytes from SOH to here make {right}"
    assert said["GNACK"] == "ComDevice, 206 s: the ComDevice answers: 0"


def test_what_stands_between_frames_is_told_from_noise():
    """ACK and NAK are ordinary there; everything else hides its bytes, for it may be half a name."""
    ordinary, noise = bcc_spans(b"\x06\x15"), bcc_spans(b"\x06half a name")
    assert [(span.field, span.hidden) for span in ordinary] == [("ACK, NAK", False)]
    assert [(span.field, span.hidden) for span in noise] == [("outside", True)]


def test_an_envelope_is_explained_before_its_frame():
    """The header's keys, then the frame; one that cannot be read is hidden whole."""
    payload = b'dw1 {"observed_at": 1772409600000, "slot": "11"}\n{"light": "green", "weight_g": 108.4, "who": "X"}'
    said = explained(ADAPTERS["relay-and-scale"], payload)
    assert [(span.field, span.unit) for span in said if span.field not in ("JSON", "envelope")] == [
        ("observed_at", ""),
        ("slot", ""),
        ("light", ""),
        ("weight_g", "g"),
        ("other key", ""),
    ]
    assert [span.hidden for span in explained(ADAPTERS["ihe-pcd"], MAGIC + b"no header")] == [True]


class Quiet:
    """An adapter that explains nothing."""

    name = "quiet"


def test_what_is_not_explained_is_hidden():
    """An adapter need not explain; then nothing is shown of its frames."""
    spans = explained(Quiet(), b"\x01\x02")
    assert covers(b"\x01\x02", spans)
    assert [span.hidden for span in spans] == [True]
