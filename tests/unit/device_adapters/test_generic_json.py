"""The JSON channels, beyond what the captures show."""

import json

import pytest

from device_adapters.bounds import PAYLOAD_BYTES_MAX
from device_adapters.generic_json import GenericJson
from gateway.domain.readings import AlarmChange, Decoded, DiaryEntry, LinkStatus, Observation, PumpEvent, Reading, Refusal
from gateway.domain.words import ClockQuality, Condition, NotDeliveringReason, Priority

AT = 1_772_409_600_000
JSON = GenericJson()


def send(channel: str, **body: object) -> Decoded:
    """One object on a channel, with a time unless it brings one."""
    return JSON.decode_channel(channel, json.dumps({"observed_at": AT, **body}).encode())


def reading(decoded: Decoded) -> Reading:
    """The only reading."""
    assert not decoded.refused
    (found,) = decoded.readings
    return found


def refusal(decoded: Decoded) -> tuple[Refusal, str]:
    """The only refusal: its reason and its place."""
    assert not decoded.readings
    (found,) = decoded.refused
    return found.reason, found.where


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (AT, AT),
        ("2026-03-02T08:00:00+08:00", AT),
        ("2026-03-02T00:00:00Z", AT),
        ("2026-03-02t00:00:00z", AT),
        ("2026-03-02T00:00:00.250Z", AT + 250),
        ("2026-03-02T00:00:00.250999999Z", AT + 250),
        ("2026-03-01T16:30:00-07:30", AT),
        (946_684_800_000, 946_684_800_000),
        ("2100-12-31T23:59:59.999Z", 4_133_980_799_999),
    ],
)
def test_times_that_are_read(written: object, at: int):
    """RFC 3339 with an offset and epoch milliseconds mean the same instant."""
    assert reading(send("telemetry", observed_at=written, rate_ml_h=1)).observed_at == at


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-03-02T08:00:00", Refusal.BAD_TIME),
        ("2026-03-02", Refusal.BAD_TIME),
        ("2026-02-30T08:00:00Z", Refusal.BAD_TIME),
        ("2026-03-02T08:00:00+99:00", Refusal.BAD_TIME),
        ("0001-01-01T00:00:00+14:00", Refusal.BAD_TIME),
        ("yesterday", Refusal.BAD_TIME),
        ("2026-03-02T08:00:00Z" + " " * 40, Refusal.BAD_TIME),
        ("1999-12-31T23:59:59Z", Refusal.BAD_TIME),
        (1_772_409_600, Refusal.BAD_TIME),
        (4_133_980_800_000, Refusal.BAD_TIME),
        (10**30, Refusal.BAD_TIME),
        (1_772_409_600_000.5, Refusal.WRONG_TYPE),
        (True, Refusal.WRONG_TYPE),
        (None, Refusal.WRONG_TYPE),
        ([], Refusal.WRONG_TYPE),
    ],
)
@pytest.mark.parametrize(
    ("channel", "body"),
    [
        ("telemetry", {"rate_ml_h": 1}),
        ("alarm", {"alarm": "door-open", "phase": "start"}),
        ("event", {"event": "locked"}),
        ("diary", {"entry": "note", "text": "well"}),
    ],
)
def test_times_that_are_refused(written: object, reason: Refusal, channel: str, body: dict[str, object]):
    """A time without an offset, in seconds, or of another century is no time, on any channel."""
    assert refusal(send(channel, **{**body, "observed_at": written})) == (reason, "observed_at")


def test_status_may_come_without_a_time_but_not_with_a_bad_one():
    """A Last Will was written long before: its time is 0; a time that stands there must be one."""
    assert reading(JSON.decode_channel("status", b'{"online": true}')) == LinkStatus(observed_at=0, online=True)
    assert reading(send("status", online=False, boot="b2")) == LinkStatus(observed_at=AT, boot="b2", online=False)
    assert refusal(send("status", online=False, observed_at="noon")) == (Refusal.BAD_TIME, "observed_at")
    assert refusal(send("status", online=1)) == (Refusal.WRONG_TYPE, "online")


@pytest.mark.parametrize(
    ("field", "least", "greatest"),
    [
        ("rate_ml_h", 0, 1800),
        ("set_rate_ml_h", 0, 1800),
        ("infused_ml", 0, 20000),
        ("remaining_ml", 0, 20000),
        ("battery_percent", 0, 100),
        ("pressure_mmhg", -500, 5000),
    ],
)
def test_measures_have_bounds(field: str, least: float, greatest: float):
    """The bounds themselves are possible; a hair beyond is not, and neither is infinity."""
    assert getattr(reading(send("telemetry", **{field: least})), field) == least
    assert getattr(reading(send("telemetry", **{field: greatest})), field) == greatest
    for beyond in (least - 0.001, greatest + 0.001, 10**400, float("inf"), float("nan")):
        assert refusal(send("telemetry", **{field: beyond})) == (Refusal.OUT_OF_BOUNDS, field)


@pytest.mark.parametrize("wrong", ["0.6", True, [0.6], {"ml": 1}])
def test_numbers_are_numbers(wrong: object):
    """Text, truth values and containers are no rate."""
    assert refusal(send("telemetry", rate_ml_h=wrong)) == (Refusal.WRONG_TYPE, "rate_ml_h")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"seq": -1}, (Refusal.OUT_OF_BOUNDS, "seq")),
        ({"seq": 2**63}, (Refusal.OUT_OF_BOUNDS, "seq")),
        ({"seq": 1.5}, (Refusal.WRONG_TYPE, "seq")),
        ({"seq": True}, (Refusal.WRONG_TYPE, "seq")),
        ({"boot": "b" * 65}, (Refusal.OUT_OF_BOUNDS, "boot")),
        ({"boot": 7}, (Refusal.WRONG_TYPE, "boot")),
        ({"clock": "sundial"}, (Refusal.UNKNOWN_VALUE, "clock")),
        ({"delivery_status": "sleeping"}, (Refusal.UNKNOWN_VALUE, "delivery_status")),
        ({"delivery_status": 3}, (Refusal.WRONG_TYPE, "delivery_status")),
        ({"not_delivering_reason": 3}, (Refusal.WRONG_TYPE, "not_delivering_reason")),
        ({"power": "wind"}, (Refusal.UNKNOWN_VALUE, "power")),
        ({"locked": "yes"}, (Refusal.WRONG_TYPE, "locked")),
    ],
)
def test_stamps_and_words_are_checked(body: dict[str, object], expected: tuple[Refusal, str]):
    """A stamp or a word that cannot be right refuses the message, by name and place."""
    assert refusal(send("telemetry", rate_ml_h=1, **body)) == expected


def test_null_means_absent_and_unknown_keys_are_ignored():
    """A bridge may send null for what it does not know, and a newer pump may send more than we read."""
    found = reading(send("telemetry", rate_ml_h=1, power=None, boot=None, seq=None, hologram={"deep": [1]}))
    assert found == Observation(observed_at=AT, rate_ml_h=1.0)
    assert found.clock is ClockQuality.SYNCED


def test_any_single_measure_makes_an_observation():
    """One measure is enough, also a truth value that is false or a number that is zero."""
    assert reading(send("telemetry", locked=False)) == Observation(observed_at=AT, locked=False)
    assert reading(send("telemetry", rate_ml_h=0)) == Observation(observed_at=AT, rate_ml_h=0.0)
    assert refusal(send("telemetry", seq=3)) == (Refusal.NO_MEASURE, "")


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


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Refusal.EMPTY),
        (b" \r\n", Refusal.EMPTY),
        (b"[]", Refusal.EMPTY),
        (b"{", Refusal.NOT_JSON),
        (b"{]", Refusal.NOT_JSON),
        (b"\xff\xff", Refusal.NOT_UTF8),
        (b'{"text": "\xff"}', Refusal.NOT_UTF8),
        (b'{"observed_at": 1, "boot": "\\ud800"}', Refusal.NOT_JSON),
        (b"[" * 100_000, Refusal.NOT_JSON),
        (b'{"a":' * 50_000, Refusal.NOT_JSON),
        (b"7", Refusal.NOT_AN_OBJECT),
        (b'"text"', Refusal.NOT_AN_OBJECT),
        (b"null", Refusal.NOT_AN_OBJECT),
        (b"[" + b",".join([b"{}"] * 501) + b"]", Refusal.TOO_MANY),
        (b" " * (PAYLOAD_BYTES_MAX + 1), Refusal.TOO_LARGE),
        (b'{"seq": ' + b"9" * 5_000 + b"}", Refusal.NOT_JSON),
    ],
)
@pytest.mark.parametrize("channel", ["telemetry", "alarm", "event", "status", "diary"])
def test_what_is_not_a_message(channel: str, payload: bytes, reason: Refusal):
    """Whatever stands in the payload, the refusal has a name."""
    assert refusal(JSON.decode_channel(channel, payload))[0] is reason


def test_a_catch_up_of_five_hundred_is_read_in_order():
    """The largest array allowed gives its readings in the order of the payload."""
    payload = json.dumps([{"observed_at": AT + n, "rate_ml_h": 1} for n in range(500)]).encode()
    decoded = JSON.decode_channel("telemetry", payload)
    assert [found.observed_at for found in decoded.readings] == [AT + n for n in range(500)]
    assert not decoded.refused


def test_white_space_before_an_object_does_no_harm():
    """A hand-made message may begin with a line end."""
    assert len(JSON.decode_channel("telemetry", b'\n {"observed_at": 1772409600000, "locked": true}').readings) == 1


def test_a_bad_object_is_refused_alone_and_says_which():
    """Each bad object of an array has one refusal with its index; the others are read."""
    decoded = JSON.decode_channel(
        "telemetry", b'[{"observed_at": 1772409600000}, {"observed_at": 1772409600000, "locked": true}]'
    )
    assert [(refused.reason, refused.where) for refused in decoded.refused] == [(Refusal.NO_MEASURE, "[0]")]
    assert len(decoded.readings) == 1
    assert refusal(JSON.decode_channel("telemetry", b'[{"observed_at": 1772409600000}]')) == (Refusal.NO_MEASURE, "[0]")


def test_an_unknown_channel_is_refused():
    """The caller may pass anything."""
    assert refusal(JSON.decode_channel("gossip", b"{}")) == (Refusal.BAD_TOPIC, "")


def test_objects_without_a_channel_say_by_their_key_what_they_are():
    """Raw JSON may mix kinds in one array; each object is read as what its key says."""
    bodies: list[object] = [
        {"observed_at": AT, "rate_ml_h": 1},
        {"observed_at": AT, "alarm": "door-open", "phase": "end"},
        {"observed_at": AT, "event": "locked"},
        {"online": True},
        {"observed_at": AT, "entry": "note", "text": "well"},
        5,
    ]
    decoded = JSON.decode(json.dumps(bodies).encode())
    assert [type(found) for found in decoded.readings] == [Observation, AlarmChange, PumpEvent, LinkStatus, DiaryEntry]
    assert [(refused.reason, refused.where) for refused in decoded.refused] == [(Refusal.NOT_AN_OBJECT, "[5]")]
    assert type(reading(JSON.decode(json.dumps(bodies[0]).encode()))) is Observation
    assert refusal(JSON.decode(b" " * (PAYLOAD_BYTES_MAX + 1))) == (Refusal.TOO_LARGE, "")


def test_refusals_name_the_mend():
    """A technician reads what would be right."""
    (refused,) = send("telemetry", rate_ml_h=1801).refused
    assert refused.detail == "at most 1800.0"
    (refused,) = send("telemetry", delivery_status="sleeping").refused
    assert "'delivering'" in refused.detail
    (refused,) = send("telemetry", rate_ml_h="0.6").refused
    assert refused.detail == "a number, without quotes"
