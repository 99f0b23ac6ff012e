"""Frames of what stands beside a pump that cannot speak."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_adapters.envelope import Sent
from device_adapters.relay_and_scale import COLOURS, FRAME_BYTES_MAX, RELAYS, SEEN_MAX, RelayAndScale
from gateway.domain.readings import AlarmChange, Decoded, Observation, Refusal
from gateway.domain.words import AlarmPhase, Priority

AT = 1_772_409_600_000
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "relay": st.none() | st.sampled_from(RELAYS),
        "light": st.none() | st.sampled_from([*COLOURS, "unknown"]),
        "light_seen": st.none() | st.lists(st.sampled_from(COLOURS), max_size=SEEN_MAX),
        "mains": st.none() | st.booleans(),
        "weight_g": st.none() | st.integers(-1_000, 25_000) | st.floats(-1_000, 25_000),
    },
)


def decoded(**frame: object) -> Decoded:
    """The adapter's answer."""
    return RelayAndScale().decode(json.dumps(frame).encode(), Sent(AT, "b1", 1))


def alarm(found: Decoded) -> AlarmChange | None:
    """The one alarm, if there is one."""
    return next((item for item in found.readings if isinstance(item, AlarmChange)), None)


@given(frame=KEYS)
def test_every_frame_of_the_bridge_is_read(frame: dict[str, object]):
    """Measures come out as they went in; an alarm is told exactly where something calls, and ends where nothing can."""
    found = decoded(**frame)
    assert not found.refused or [refused.reason for refused in found.refused] == [Refusal.NO_MEASURE]
    weights = [item.bag_weight_g for item in found.readings if isinstance(item, Observation) and item.bag_weight_g is not None]
    assert weights == ([frame["weight_g"]] if frame.get("weight_g") is not None else [])
    colours = {frame.get("light"), *(frame.get("light_seen") or ())}
    calls = frame.get("relay") in ("calling", "called") or not colours.isdisjoint({"amber", "blue"})
    change = alarm(found)
    assert (change is not None and change.phase is AlarmPhase.CONTINUE) is calls
    if change is not None and not calls:
        assert "unknown" not in (frame.get("relay"), frame.get("light"))


@given(frame=KEYS)
def test_only_a_light_that_shines_is_a_sign_of_life(frame: dict[str, object]):
    """Contact, socket and scale go on speaking beside a dead pump."""
    shines = frame.get("light") in ("green", "red", "amber", "blue")
    for item in decoded(**frame).readings:
        assert item.beside or shines


@pytest.mark.parametrize(
    ("frame", "reason", "where"),
    [
        ({"relay": "on"}, Refusal.UNKNOWN_VALUE, "relay"),
        ({"relay": 1}, Refusal.UNKNOWN_VALUE, "relay"),
        ({"relay": ["idle"]}, Refusal.UNKNOWN_VALUE, "relay"),
        ({"light_seen": "blue"}, Refusal.WRONG_TYPE, "light_seen"),
        ({"light_seen": ["violet"]}, Refusal.UNKNOWN_VALUE, "light_seen"),
        ({"light_seen": ["blue"] * (SEEN_MAX + 1)}, Refusal.WRONG_TYPE, "light_seen"),
        ({"mains": 1}, Refusal.WRONG_TYPE, "mains"),
        ({"weight_g": "108"}, Refusal.WRONG_TYPE, "weight_g"),
        ({"weight_g": True}, Refusal.WRONG_TYPE, "weight_g"),
        ({"weight_g": 25_001}, Refusal.OUT_OF_BOUNDS, "weight_g"),
        ({"weight_g": float("nan")}, Refusal.OUT_OF_BOUNDS, "weight_g"),
        ({"weight_g": 10**400}, Refusal.OUT_OF_BOUNDS, "weight_g"),
    ],
)
def test_a_key_is_refused_alone(frame: dict[str, object], reason: Refusal, where: str):
    """One bad key is named; the call beside it is told all the same, and nothing ends."""
    found = decoded(**frame)
    assert [(item.reason, item.where) for item in found.refused] == [(reason, where)]
    assert alarm(found) is None
    if where != "relay":
        calling = alarm(decoded(**{**frame, "relay": "calling"}))
        assert calling is not None
        assert calling.phase is AlarmPhase.CONTINUE


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Refusal.EMPTY),
        (b" \n", Refusal.EMPTY),
        (b"[]", Refusal.NOT_AN_OBJECT),
        (b"\xff\xfe{", Refusal.NOT_UTF8),
        (b"[" * 900, Refusal.NOT_JSON),
        (b'{"weight_g": ' + b"9" * 900 + b"}", Refusal.OUT_OF_BOUNDS),
        (b"{" + b" " * FRAME_BYTES_MAX + b"}", Refusal.TOO_LARGE),
    ],
)
def test_frames_are_refused_by_name(payload: bytes, reason: Refusal):
    """Rubbish has a name."""
    assert [item.reason for item in RelayAndScale().decode(payload, Sent(AT)).refused] == [reason]


def test_no_time_is_refused():
    """Frames tell no time."""
    assert RelayAndScale().decode(b'{"relay": "idle"}').refused[0].reason is Refusal.MISSING_FIELD


def test_several_lights_are_told_in_their_order():
    """What shines now comes first; each colour is told once."""
    change = alarm(decoded(light="blue", light_seen=["amber", "blue", "red"]))
    assert change is not None
    assert change.text == "blue light: low priority; amber light: stopped, alarm or low; lower alarms may be hidden"


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (["violet"], None),
        ("amber", None),
        (["violet", "amber"], "amber"),
        (["blue", "violet"], "blue"),
        ([["amber"], {}], None),
    ],
)
def test_a_colour_that_cannot_be_read_ends_no_alarm(seen: object, text: str | None):
    """It may be an alarm that we do not know; the colours beside it still count, and not as low."""
    found = decoded(light="green", light_seen=seen)
    assert [item.where for item in found.refused] == ["light_seen"]
    change = alarm(found)
    assert (change is None) is (text is None)
    if change is not None:
        assert (change.phase, change.priority) == (AlarmPhase.CONTINUE, Priority.HIGH)
        assert text in str(change.text)
