"""A pump that cannot speak: contact, lights, mains and weight, and what a short glance of each is worth."""

import json
from typing import Any

import pytest

from gateway.bridge.beside import BLINK_MS, CALL_MS, REPORT_MS, Beside


def told(beside: Beside, at: int) -> dict[str, Any] | None:
    """The frame that is due at `at`."""
    body = beside.frame(at)
    return None if body is None else json.loads(body)


@pytest.mark.hazard("H-37")
def test_a_call_of_a_tenth_of_a_second_is_told():
    """By its edge, not by when somebody looks; and that it is over, once."""
    beside = Beside(["relay"])
    assert told(beside, 0) == {"relay": "idle"}
    beside.edge("relay", 1_000, on=True)
    beside.edge("relay", 1_100, on=False)
    assert told(beside, 1_100) == {"relay": "calling"}
    assert beside.next_at() == 1_100 + CALL_MS
    assert told(beside, 1_100 + CALL_MS - 1) is None
    assert told(beside, 1_100 + CALL_MS) == {"relay": "idle"}


def test_a_blinking_light_is_one_light():
    """No frame a blink; dark only after it has been dark for a while."""
    beside, frames = Beside(["green", "red"]), []
    for at in range(0, 20_000, 500):
        beside.edge("green", at, on=at % 2_000 == 0)
        frames.append(told(beside, at))
    assert [frame for frame in frames if frame] == [{"light": "green"}]
    assert told(beside, 18_500 + BLINK_MS) == {"light": "dark"}


@pytest.mark.hazard("H-37")
def test_a_low_alarm_that_shows_for_five_seconds_is_told_beside_the_higher_light():
    """The highest colour is the light; the others are told too."""
    beside = Beside(["green", "blue", "red"])
    beside.edge("red", 0, on=True)
    assert told(beside, 0) == {"light": "red"}
    beside.edge("blue", 1_000, on=True)
    assert told(beside, 1_000) == {"light": "red", "light_seen": ["blue"]}
    beside.edge("blue", 6_000, on=False)
    assert told(beside, 6_000 + BLINK_MS) == {"light": "red"}


def test_a_frame_a_minute_carries_the_weight():
    """A weight alone makes no frame: it changes all the time."""
    beside = Beside(["mains"])
    beside.edge("mains", 0, on=True)
    assert told(beside, 0) == {"mains": True}
    beside.weight_g = 108.4
    assert told(beside, REPORT_MS - 1) is None
    assert told(beside, REPORT_MS) == {"mains": True, "weight_g": 108.4}


def test_pins_that_cannot_be_read_are_unknown():
    """Never idle: no alarm may end by a broken wire."""
    beside = Beside(["relay", "amber", "mains"])
    beside.broken = True
    assert told(beside, 0) == {"relay": "unknown", "light": "unknown"}
    assert Beside([]).frame(0) is None
