"""The laws of quality.toml: every "done" is tried on its adapter, everything else has a reason, and the page says the same."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from device_adapters import bounds
from device_adapters.bcc_framing import Framer
from device_adapters.cutting import Cuts, Part, Stream
from device_adapters.mllp import MllpFramer
from device_adapters.quality import Quality, Standing, _claim, shipped_laws, shipped_quality, supported_pumps
from device_adapters.registry import ADAPTERS, decode
from device_adapters.template import Template
from gateway.domain.readings import AlarmChange, Observation, Reading
from gateway.domain.words import AlarmPhase
from tests.support.adapter_frames import AT, SECRET, body_of, broken, captures, folder, raises_nothing, told, with_secret
from tests.support.supported_pumps import PAGE

FRAMERS = {"bbraun-bcc": Framer, "ihe-pcd": MllpFramer}  # what cuts a stream into this adapter's frames, else its own `cut`
BOUNDS = {
    "rate_ml_h": bounds.RATE_ML_H,
    "set_rate_ml_h": bounds.RATE_ML_H,
    "infused_ml": bounds.VOLUME_ML,
    "remaining_ml": bounds.VOLUME_ML,
    "battery_percent": bounds.PERCENT,
    "bag_weight_g": bounds.WEIGHT_G,
}
BROKEN = 500
PEAK_BYTES_MAX = 24 * 1024 * 1024  # while 256 KiB are decoded


def readings(adapter: str) -> list[Reading]:
    """All that the captures give."""
    return [item for name, payload in captures(adapter).items() for item in told(adapter, name, payload).readings]


def has_captures(adapter: str) -> None:
    """Good ones and refused ones."""
    assert list(folder(adapter).glob("*/decoded.json"))
    assert list(folder(adapter).glob("*/refused.txt"))


def survives_fuzz(adapter: str) -> None:
    """No crash of the adapter itself, and always an outcome with a name."""
    for _, payload in broken(adapter, BROKEN, seed=7):
        found = raises_nothing(adapter, payload)
        assert found.readings or found.refused


def resynchronises(adapter: str) -> None:
    """Every capture that gives an observation gives it behind garbage too, out of the stream of its own line."""
    for payload in captures(adapter).values():
        good = [item for item in raises_nothing(adapter, payload).readings if isinstance(item, Observation)]
        noisy = b"\xff\x03\x04noise\x01\x02" + as_sent(adapter, payload)
        frames = [noisy] if adapter == "bbraun-bcc" else [bytes_of(item) for item in framer(adapter).feed(noisy)]
        behind = [item for frame in frames for item in raises_nothing(adapter, frame).readings]
        assert not good or [item for item in behind if isinstance(item, Observation)] == good


def framer(adapter: str) -> Any:
    """What cuts a stream into this adapter's frames; a KeyError where nothing does."""
    own = ADAPTERS.get(adapter)
    return Stream(own) if isinstance(own, Cuts) else FRAMERS[adapter]()


def bytes_of(event: Any) -> bytes:
    """A frame that a framer handed out; nothing for what was none."""
    if isinstance(event, Part):
        return event.body if event.is_frame else b""
    return event if isinstance(event, bytes) else b""


def as_sent(adapter: str, payload: bytes) -> bytes:
    """A capture as it goes over this adapter's line."""
    body = body_of(payload)
    return b"\x0b" + body.translate(None, b"\x0b\x1c") + b"\x1c\r" if adapter == "ihe-pcd" else body


def cuts_anywhere(adapter: str) -> None:
    """A framer is told each capture a byte, seven bytes, and all at once."""
    assert captures(adapter)
    for payload in captures(adapter).values():
        data, found = as_sent(adapter, payload), []
        for size in (1, 7, len(data) or 1):
            cutting = framer(adapter)
            events = [event for at in range(0, len(data), size) for event in cutting.feed(data[at : at + size])]
            found.append(events + cutting.finish())
        assert found[0] == found[1] == found[2]


def stays_bounded(adapter: str) -> None:
    """The largest payload, made of nothing but good frames, and of nothing but one byte."""
    largest = max(map(body_of, captures(adapter).values()), key=len)
    tracemalloc.start()
    try:
        for payload in (largest * (bounds.PAYLOAD_BYTES_MAX // len(largest)), largest[:1] * bounds.PAYLOAD_BYTES_MAX):
            raises_nothing(adapter, payload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PEAK_BYTES_MAX


def keeps_units(adapter: str) -> None:
    """Whatever was measured is possible; and something was measured at all, in the captures and in broken ones."""
    everything = readings(adapter) + [
        item for name, payload in broken(adapter, BROKEN, seed=8) for item in told(adapter, name, payload).readings
    ]
    measured = [
        (name, value)
        for item in everything
        if isinstance(item, Observation)
        for name in BOUNDS
        if (value := getattr(item, name)) is not None
    ]
    assert measured
    assert [item for item in measured if not bounds.within(item[1], BOUNDS[item[0]])] == []


def maps_mdc(adapter: str) -> None:
    """Alarms come with their IEEE 11073 names."""
    alarms = [item for item in readings(adapter) if isinstance(item, AlarmChange)]
    assert any((alarm.code or "").startswith("MDC_") for alarm in alarms)


def keeps_secrets(adapter: str) -> None:
    """A frame with a name in it is read, and the name comes out nowhere."""
    found = decode(*with_secret(adapter), received_at=AT)
    assert found.readings
    assert SECRET not in repr(found)


def latches(adapter: str) -> None:
    """A frame that tells of something already over raises it all the same."""
    name = "called-between-two-frames"
    found = told(adapter, name, captures(adapter)[name])
    assert AlarmPhase.CONTINUE in [item.phase for item in found.readings if isinstance(item, AlarmChange)]


def only_reads(adapter: str) -> None:
    """The adapter has no other door than decoding; test_read_only walks everything that makes bytes."""
    assert {item for item in dir(ADAPTERS[adapter]) if not item.startswith("_")} <= {
        "name",
        "decode",
        "decode_channel",
        "cut",
        "explain",
    }


CHECKS: dict[str, Callable[[str], None]] = {
    "captures": has_captures,
    "fuzz": survives_fuzz,
    "resync": resynchronises,
    "chunking": cuts_anywhere,
    "bounds": stays_bounded,
    "units": keeps_units,
    "mdc-mapping": maps_mdc,
    "privacy": keeps_secrets,
    "latching": latches,
    "read-only": only_reads,
}
DONE = [(item.name, law) for item in shipped_quality() for law, claim in item.claims.items() if claim.standing is Standing.DONE]


@pytest.mark.parametrize(("adapter", "law"), DONE, ids=[f"{adapter}/{law}" for adapter, law in DONE])
def test_done_is_tested(adapter: str, law: str):
    """What quality.toml calls done holds."""
    CHECKS[law](adapter)


def test_every_adapter_and_every_law_is_spoken_of():
    """No adapter without an entry, no entry without all laws, no law without a check."""
    assert {item.name for item in shipped_quality()} == set(ADAPTERS)
    assert set(shipped_laws()) == set(CHECKS)
    for item in shipped_quality():
        assert list(item.claims) == list(shipped_laws())


@pytest.mark.parametrize(
    "said", ["todo", "perhaps", {}, {"todo": ""}, {"done": "really"}, {"todo": "a", "exempt": "b"}, {"exempt": 1}, 7]
)
def test_a_claim_without_a_reason_is_refused(said: object):
    """Whatever is not done says why."""
    with pytest.raises(ValueError, match=r"quality.toml: x.fuzz"):
        _claim("x", "fuzz", said)


@pytest.mark.parametrize("law", ["captures", "fuzz", "resync", "chunking", "units", "mdc-mapping", "latching"])
def test_a_false_claim_fails(law: str):
    """An adapter that has nothing to show for a law cannot call it done."""
    lacking = {"resync": "relay-and-scale", "mdc-mapping": "bbraun-bcc", "latching": "bbraun-bcc"}.get(law, "no-such-adapter")
    with pytest.raises((AssertionError, KeyError, IndexError, ValueError)):
        CHECKS[law](lacking)


@pytest.mark.parametrize("law", ["captures", "fuzz", "resync", "chunking", "bounds", "units", "read-only"])
def test_the_template_keeps_the_laws_too(law: str, monkeypatch: pytest.MonkeyPatch):
    """Whoever begins with it begins with an adapter that keeps them; it reads no real pump, and so stands in no list."""
    with_template = {**ADAPTERS, Template.name: Template()}
    for place in ("tests.support.adapter_frames", "device_adapters.registry", __name__):
        monkeypatch.setattr(f"{place}.ADAPTERS", with_template)
    CHECKS[law](Template.name)


def test_the_page_says_the_same():
    """docs/supported-pumps.md is made from quality.toml: `python -m tests.support.supported_pumps` writes it."""
    adapters: tuple[Quality, ...] = shipped_quality()
    assert PAGE.read_text(encoding="utf-8") == supported_pumps(shipped_laws(), adapters)
