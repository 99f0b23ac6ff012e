"""A chart draws what was told, nothing between, and says the same in words."""

import re
from zoneinfo import ZoneInfo

import pytest

from gateway.console.charts import LEFT, RIGHT, chart_of
from gateway.console.words import words_in
from gateway.core.stretches import JudgedStretch
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.locale import Locale
from gateway.domain.readings import AlarmChange
from gateway.domain.words import AlarmPhase, Condition, DeliveryState
from gateway.runtime.history import Happened, Measured, Series

AT = 1_772_409_600_000
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def drawn(*points: Measured, span_ms: int = 6 * HOUR_MS, happened=(), stretches=(), zone: ZoneInfo = HONG_KONG, at: int = AT):
    """The chart of these points."""
    series = Series(at, at + span_ms, points, tuple(happened), gap_ms=5 * MINUTE_MS)
    return chart_of(series, stretches, device="p1", zone=zone, say=words_in(Locale.EN))


def point(minute: float, **measures: float) -> Measured:
    """What was measured at this minute."""
    return Measured(AT + round(minute * MINUTE_MS), **measures)


def test_a_gap_breaks_the_line_and_a_lone_point_is_a_dot():
    """Nothing is drawn over a time in which nothing was heard."""
    chart = drawn(point(0, rate_ml_h=1), point(4, rate_ml_h=1), point(60, rate_ml_h=2))
    path = chart.panels[0].lines[0].path
    assert path.count("M") == 2
    assert path.endswith("h0")
    assert "1 gaps without data" in chart.description
    assert "Rate from 1 to 2 mL/h" in chart.description


def test_everything_stays_inside_the_drawing():
    """Also stretches and alarms that began before it, and measures beyond the scale."""
    alarm = Happened(AT - HOUR_MS, AT, 1, AlarmChange(observed_at=AT, condition=Condition.OTHER, phase=AlarmPhase.START))
    stretch = JudgedStretch(DeliveryState.INTERRUPTED, AT - DAY_MS, AT + DAY_MS)
    chart = drawn(point(1, battery_percent=130, remaining_ml=-5), happened=[alarm], stretches=[stretch])
    assert (chart.regions[0].x, chart.regions[0].x + chart.regions[0].width) == (LEFT, RIGHT)
    assert chart.alarms[0].x == LEFT
    for panel in chart.panels:
        for line in panel.lines:
            y = float(re.match(r"M[\d.]+ ([\d.]+)", line.path)[1])
            assert panel.top <= y <= panel.bottom


def test_an_alarm_whose_start_was_not_seen_is_marked():
    """A relay tells no starts, and a pump's may be lost: what goes on stands in the drawing; what ended does not."""
    phases = (AlarmPhase.CONTINUE, AlarmPhase.INACTIVATED, AlarmPhase.END)
    changes = [AlarmChange(observed_at=AT, condition=Condition.OTHER, phase=phase) for phase in phases]
    assert len(drawn(point(1), happened=[Happened(AT, AT, 1, change) for change in changes]).alarms) == 1


def test_a_stretch_outside_is_not_drawn():
    """Neither before nor after."""
    early = JudgedStretch(DeliveryState.UNKNOWN, AT - 2 * HOUR_MS, AT - HOUR_MS)
    late = JudgedStretch(DeliveryState.UNKNOWN, AT + DAY_MS, AT + 2 * DAY_MS)
    assert drawn(stretches=[early, late]).regions == ()


def test_no_data_is_said():
    """An empty chart is not a calm one."""
    chart = drawn()
    assert not chart.heard
    assert "Nothing was measured" in chart.description


@pytest.mark.parametrize(
    ("span_ms", "zone", "words"),
    [
        (6 * HOUR_MS, HONG_KONG, ["08:00", "09:00", "10:00", "11:00", "12:00", "13:00", "14:00"]),
        (DAY_MS, ZoneInfo("Asia/Kolkata"), ["08:00", "12:00", "16:00", "20:00", "00:00", "04:00"]),
        (7 * DAY_MS, HONG_KONG, ["3.3.", "4.3.", "5.3.", "6.3.", "7.3.", "8.3.", "9.3."]),
    ],
)
def test_marks_stand_at_the_wards_full_hours(span_ms, zone, words):
    """Also where a zone is half an hour off."""
    assert [tick.words for tick in drawn(span_ms=span_ms, zone=zone).ticks] == words


def test_a_change_of_the_clocks_moves_no_mark():
    """Days begin at midnight before and after."""
    chart = drawn(span_ms=7 * DAY_MS, zone=ZoneInfo("Europe/Berlin"), at=AT + 24 * DAY_MS)
    assert [tick.words for tick in chart.ticks] == ["27.3.", "28.3.", "29.3.", "30.3.", "31.3.", "1.4.", "2.4."]


def test_the_table_is_short_and_names_the_gaps():
    """Of hundreds of points some rows, and after which nothing was heard for how long."""
    many = [point(minute, rate_ml_h=1) for minute in range(300)]
    assert len(drawn(*many).rows) <= 48
    rows = drawn(point(0, rate_ml_h=1), point(60, rate_ml_h=1)).rows
    assert [row.gap_ms for row in rows] == [HOUR_MS, 0]
