"""Alarms, events, diary entries and link status in JSON, beyond what the captures show."""

import pytest

from gateway.domain.readings import AlarmChange, DiaryEntry, LinkStatus, PumpEvent, Refusal
from gateway.domain.words import Condition, NotDeliveringReason, Priority
from tests.unit.device_adapters.json_answers import AT, JSON, reading, refusal, send


def test_status_may_come_without_a_time_but_not_with_a_bad_one():
    """A Last Will was written long before: its time is 0; a time that stands there must be one."""
    assert reading(JSON.decode_channel("status", b'{"online": true}')) == LinkStatus(observed_at=0, online=True)
    assert reading(send("status", online=False, boot="b2")) == LinkStatus(observed_at=AT, boot="b2", online=False)
    assert refusal(send("status", online=False, observed_at="noon")) == (Refusal.BAD_TIME, "observed_at")
    assert refusal(send("status", online=1)) == (Refusal.WRONG_TYPE, "online")


@pytest.mark.parametrize(
    ("decorations", "field", "kept"),
    [
        ({"priority": "urgent"}, "priority", None),
        ({"priority": "low"}, "priority", Priority.LOW),
        ({"priority": {"a": 1}}, "priority", None),
        ({"stops_delivery": 1}, "stops_delivery", None),
        ({"stops_delivery": False}, "stops_delivery", False),
        ({"code": 12}, "code", None),
        ({"code": "x" * 100}, "code", "x" * 64),
        ({"text": None}, "text", None),
        ({"text": "  AIR\n\tIN   LINE\x07 "}, "text", "AIR IN LINE"),
        ({"text": "x" * 10_000}, "text", "x" * 500),
        ({"text": "\n"}, "text", None),
    ],
)
def test_an_alarm_is_never_refused_for_a_decoration(decorations: dict[str, object], field: str, kept: object):
    """What decorates an alarm is kept when it can be read, cut when it is long, and dropped when it is broken."""
    found = reading(send("alarm", alarm="air-in-line", phase="start", **decorations))
    assert isinstance(found, AlarmChange)
    assert found.condition is Condition.AIR_IN_LINE
    assert getattr(found, field) == kept


@pytest.mark.hazard("H-31")
def test_an_unknown_condition_keeps_its_own_text_before_its_name():
    """Nobody is told `other` when the pump said more."""
    found = reading(send("alarm", alarm="wing-flutter", phase="start", text="WING LOOSE"))
    assert found == AlarmChange(observed_at=AT, condition=Condition.OTHER, phase="start", text="WING LOOSE")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"phase": "start"}, (Refusal.MISSING_FIELD, "alarm")),
        ({"alarm": "door-open"}, (Refusal.MISSING_FIELD, "phase")),
        ({"alarm": "door-open", "phase": "soon"}, (Refusal.UNKNOWN_VALUE, "phase")),
        ({"alarm": None, "phase": "start"}, (Refusal.WRONG_TYPE, "alarm")),
    ],
)
def test_an_alarm_needs_its_condition_and_phase(body: dict[str, object], expected: tuple[Refusal, str]):
    """Without them nobody knows what starts or ends."""
    assert refusal(send("alarm", **body)) == expected


def test_events_keep_their_values():
    """Each value of an event is read; a reason that we do not know is unspecified."""
    found = reading(send("event", event="time-changed", shift_s=-90.5, setting="clock", reason="moonlight", rate_ml_h=2))
    assert found == PumpEvent(
        observed_at=AT,
        event="time-changed",
        shift_s=-90.5,
        setting="clock",
        reason=NotDeliveringReason.UNSPECIFIED,
        rate_ml_h=2.0,
    )
    assert refusal(send("event", bag_ml=3)) == (Refusal.MISSING_FIELD, "event")
    assert refusal(send("event", event="primed", primed_ml=-1)) == (Refusal.OUT_OF_BOUNDS, "primed_ml")


@pytest.mark.hazard("H-25")
@pytest.mark.parametrize(
    ("entry", "field", "value", "other"),
    [
        ("temperature", "temperature_c", 38.4, {"changed": True}),
        ("handwriting", "changed", False, {"temperature_c": 38.4}),
        ("symptom", "text", "dizzy", {"changed": True}),
        ("note", "text", "slept well", {"changed": True}),
    ],
)
def test_a_diary_entry_needs_its_own_value(entry: str, field: str, value: object, other: dict[str, object]):
    """A temperature without degrees, or a note without words, is refused; another kind's value does not serve."""
    found = reading(send("diary", entry=entry, **{field: value}))
    assert isinstance(found, DiaryEntry)
    assert getattr(found, field) == value
    assert refusal(send("diary", entry=entry, **other)) == (Refusal.MISSING_FIELD, field)
