"""The JSON channels, beyond what the captures show."""

import json

import pytest

from device_adapters.bounds import PAYLOAD_BYTES_MAX
from gateway.domain.readings import AlarmChange, DiaryEntry, LinkStatus, Observation, PumpEvent, Refusal
from gateway.domain.words import ClockQuality
from tests.unit.device_adapters.json_answers import AT, JSON, reading, refusal, send


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


@pytest.mark.hazard("H-30")
@pytest.mark.parametrize(
    ("field", "least", "greatest"),
    [
        ("rate_ml_h", 0, 1800),
        ("set_rate_ml_h", 0, 1800),
        ("infused_ml", 0, 20000),
        ("remaining_ml", 0, 20000),
        ("battery_percent", 0, 100),
        ("pressure_mmhg", -500, 5000),
        ("bag_weight_g", -1000, 25000),
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
