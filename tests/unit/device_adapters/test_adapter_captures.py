"""Every capture beside what its adapter must make of it."""

import dataclasses
import json
from pathlib import Path

import pytest

from device_adapters.generic_json import GenericJson
from device_adapters.registry import ADAPTERS, decode
from device_adapters.template import Template
from gateway.domain.readings import Decoded, Reading

CAPTURES = Path(__file__).parents[2] / "captures"
FRAMES = sorted(path.parent for path in CAPTURES.glob("*/*/frame.*"))
ALL = {*ADAPTERS, Template.name}


def frame(capture: Path) -> bytes:
    """The bytes of a capture; `.hex` files are written in hexadecimal digits."""
    (path,) = capture.glob("frame.*")
    return bytes.fromhex(path.read_text()) if path.suffix == ".hex" else path.read_bytes()


def decoded(capture: Path) -> Decoded:
    """What the adapter named by the folder makes of it; the JSON channels are named by the folder's first word."""
    adapter = capture.parent.name.replace("_", "-")
    if adapter == GenericJson.name:
        return GenericJson().decode_channel(capture.name.split("-")[0], frame(capture))
    if adapter == Template.name:  # which reads no real pump, and so is not among the adapters
        return Template().decode(frame(capture))
    return decode(f"raw/{adapter}", frame(capture))


def plain(reading: Reading) -> dict[str, object]:
    """A reading as it stands in `decoded.json`: its kind, and what differs from the defaults."""
    values = {
        field.name: getattr(reading, field.name)
        for field in dataclasses.fields(reading)
        if getattr(reading, field.name) != field.default
    }
    return {"reading": type(reading).__name__, **values}


@pytest.mark.parametrize("capture", FRAMES, ids=lambda capture: f"{capture.parent.name}/{capture.name}")
def test_capture(capture: Path):
    """A capture gives exactly the readings of its decoded.json and the refusals of its refused.txt, and says what it shows."""
    found = decoded(capture)
    readings, refusals = capture / "decoded.json", capture / "refused.txt"
    assert readings.exists() or refusals.exists()
    told = json.loads(json.dumps([plain(reading) for reading in found.readings]))
    assert told == (json.loads(readings.read_text()) if readings.exists() else [])
    assert [f"{refused.reason} {refused.where}".strip() for refused in found.refused] == (
        refusals.read_text().splitlines() if refusals.exists() else []
    )
    assert (capture / "README.md").read_text().strip()


def test_every_adapter_has_captures():
    """An adapter without a capture is not known to read anything."""
    assert {capture.parent.name.replace("_", "-") for capture in FRAMES} == ALL
