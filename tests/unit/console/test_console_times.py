from zoneinfo import ZoneInfo

import pytest

from gateway.console.times import age, clock, rfc3339
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.fake_service import AT

WARD = ZoneInfo("Asia/Hong_Kong")


def test_machines_get_utc_with_milliseconds():
    """Texts of one length sort like the instants that they tell."""
    assert [rfc3339(at) for at in (0, AT, AT + 7)] == [
        "1970-01-01T00:00:00.000Z",
        "2026-03-02T06:03:00.000Z",
        "2026-03-02T06:03:00.007Z",
    ]


@pytest.mark.parametrize(
    ("after_ms", "words"),
    [
        (0, "14:03"),
        (-14 * HOUR_MS, "00:03"),
        (-15 * HOUR_MS, "Sun 23:03"),
        (10 * HOUR_MS, "Tue 00:03"),
        (-5 * DAY_MS, "Wed 14:03"),
        (6 * DAY_MS, "8 Mar 14:03"),
        (-90 * DAY_MS, "2 Dec 2025 14:03"),
    ],
)
def test_people_get_the_wards_clock_with_as_much_date_as_needed(after_ms, words):
    """Today needs none; a weekday is enough for some days; then the date."""
    assert clock(AT + after_ms, AT, WARD) == words


def test_seconds_where_they_matter():
    """The board's own time."""
    assert clock(AT + 9 * SECOND_MS, AT, WARD, seconds=True) == "14:03:09"


@pytest.mark.parametrize(
    ("after_ms", "words"),
    [
        (-12 * SECOND_MS, "12 s ago"),
        (0, "now"),
        (999, "now"),
        (-999, "now"),
        (3 * MINUTE_MS, "in 3 min"),
        (-26 * HOUR_MS, "26 h ago"),
    ],
)
def test_ages_look_both_ways(after_ms, words):
    """Behind every time stands how far away it is."""
    assert age(AT + after_ms, AT) == words
