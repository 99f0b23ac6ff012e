"""Records become a series: in the pump's own time, thinned out without hiding a stop, gaps known."""

import json

from device_adapters.envelope import Sent, enveloped
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.readings import AlarmChange, LinkStatus, PumpEvent
from gateway.runtime.history import Measured
from gateway.runtime.ports import Kind, Record
from gateway.runtime.series import decoded, series_of, thinned
from tests.support.bcc_encoder import answer, pump_items

AT = 1_772_409_600_000


def message(minute: float, channel: str = "telemetry", *, received: float | None = None, seq: int = 0, **body) -> Record:
    """A device's message, observed at this minute."""
    told = {"observed_at": AT + round(minute * MINUTE_MS), **body}
    received_at = AT + round((minute if received is None else received) * MINUTE_MS)
    return Record(seq, received_at, Kind.MESSAGE, "w", "p1", f"dw/v1/w/p1/{channel}", json.dumps(told).encode())


def whole(*records: Record, at_most: int = 600, until: float = 600):
    """The series of ten hours."""
    return series_of(records, since=AT, until=AT + round(until * MINUTE_MS), at_most=at_most, whole=True)


def test_points_stand_in_the_pumps_own_time_and_a_late_one_in_its_place():
    """A backlog that came hours late is drawn where it belongs; a clock that is free or ahead is not believed."""
    told = whole(
        message(10, rate_ml_h=0.6, delivery_status="delivering"),
        message(5, received=300, rate_ml_h=0.5, battery_percent=80),
        message(400, received=20, rate_ml_h=0.4),
        message(30, received=25, rate_ml_h=0.3, clock="free"),
    )
    assert [((point.at - AT) // MINUTE_MS, point.rate_ml_h) for point in told.points] == [
        (5, 0.5),
        (10, 0.6),
        (20, 0.4),
        (25, 0.3),
    ]
    assert [point.delivering for point in told.points] == [None, True, None, None]


def test_what_lies_outside_the_time_is_left_out():
    """The end is not included."""
    told = whole(message(-1, rate_ml_h=1), message(0, rate_ml_h=2), message(600, rate_ml_h=3))
    assert [point.rate_ml_h for point in told.points] == [2]


def test_alarms_events_and_the_connection_are_told_once():
    """An alarm that merely goes on is no news; what a decoder refuses is counted."""
    told = whole(
        message(1, "alarm", alarm="air-in-line", phase="start", seq=1),
        message(2, "alarm", alarm="air-in-line", phase="continue", seq=2),
        message(3, "alarm", alarm="air-in-line", phase="end", seq=3),
        message(4, "event", event="bag-changed", bag_ml=110, seq=4),
        message(5, "status", online=False),
        message(6, "alarm", alarm=5, phase="start"),
        message(7, "diary", entry="note", text="well"),
    )
    assert [type(one.reading) for one in told.happened] == [AlarmChange, AlarmChange, PumpEvent, LinkStatus]
    assert told.refused == 1
    assert told.points == ()


def test_a_short_stop_survives_the_thinning():
    """Of each bunch the point at which the least flowed stays, and never more points than asked for."""
    flowing = [Measured(AT + i, delivering=True, rate_ml_h=0.6) for i in range(1_000)]
    stopped = [*flowing[:500], Measured(AT + 500, delivering=False, rate_ml_h=0.6), *flowing[501:]]
    kept = thinned(stopped, 100)
    assert len(kept) <= 100
    assert any(point.delivering is False for point in kept)
    assert thinned(flowing[:50], 100) == flowing[:50]
    assert len(thinned([Measured(AT + i, battery_percent=5) for i in range(601)], 600)) <= 600


def test_a_gap_is_longer_than_the_pumps_own_pace():
    """A pump that reports every ten minutes has no gaps between its reports; five silent minutes are none for anybody."""
    slow = whole(*(message(minute, rate_ml_h=1) for minute in range(0, 100, 10)))
    quick = whole(*(message(minute, rate_ml_h=1) for minute in range(20)))
    assert (slow.gap_ms, quick.gap_ms, whole().gap_ms) == (30 * MINUTE_MS, 5 * MINUTE_MS, 5 * MINUTE_MS)


def test_a_record_of_another_kind_holds_no_readings():
    """Only a device's messages are decoded."""
    clock = Record(1, AT + HOUR_MS, Kind.CLOCK, "", "", "", b"{}")
    assert decoded(clock).readings == ()


def polled(minute: int, *alarms: int) -> Record:
    """A BCC answer of this minute, with these alarms set."""
    body = enveloped(Sent(AT + minute * MINUTE_MS, "b1", minute), answer(pump_items(alarms=alarms)))
    return Record(minute, AT + minute * MINUTE_MS, Kind.MESSAGE, "w", "p1", "dw/v1/w/p1/raw/bbraun-bcc", body)


def test_a_pump_that_tells_all_its_alarms_at_every_poll_is_told_by_its_changes():
    """What is clear and had not begun is no news, and the first `continue` after it is a start."""
    told = whole(*(polled(minute, *([15] if minute in (3, 4, 7) else [])) for minute in range(1, 8)))
    assert [((one.at - AT) // MINUTE_MS, str(one.reading.condition), str(one.reading.phase)) for one in told.happened] == [
        (3, "air-in-line", "start"),
        (5, "air-in-line", "end"),
        (7, "air-in-line", "start"),
    ]
