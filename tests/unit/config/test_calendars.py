"""Calendars of duty: what an iCalendar text means, hour by hour."""

from datetime import UTC, datetime

import pytest

from gateway.config import calendars
from gateway.config.calendars import IcalCalendar
from gateway.core.oncall import duties, gaps
from gateway.domain.ward import Schedule

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def utc(text: str) -> int:
    """Milliseconds of a UTC time written as `2026-03-02T00:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def calendar(*events: str, zone: str = "Europe/Berlin", **names: str) -> IcalCalendar:
    """A calendar of these events, each its lines with ` | ` between."""
    bodies = [f"BEGIN:VEVENT\nUID:{n}\n" + event.replace(" | ", "\n") + "\nEND:VEVENT\n" for n, event in enumerate(events)]
    return IcalCalendar("BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(bodies) + "END:VCALENDAR\n", zone, tuple(names.items()))


def told(one: IcalCalendar, start: str, end: str) -> list[tuple[str, str, str]]:
    """(from, until, person) of the duties in that stretch, in UTC."""
    return [
        (
            f"{datetime.fromtimestamp(shift.from_at / 1000, UTC):%m-%dT%H:%M}",
            f"{datetime.fromtimestamp(shift.until_at / 1000, UTC):%m-%dT%H:%M}",
            shift.person,
        )
        for shift in one.shifts(utc(start), utc(end))
    ]


@pytest.mark.parametrize("end", ["DTEND;TZID=Europe/Berlin:20260302T070000", "DURATION:PT12H"])
@pytest.mark.parametrize(
    ("start", "until", "hours"),
    [("2026-03-28T18:00", "2026-03-29T05:00", 11), ("2026-10-24T17:00", "2026-10-25T06:00", 13)],
)
def test_a_night_ends_at_seven_on_the_wall_when_the_clocks_change(end, start, until, hours):
    """However its end is written: read by exact hours, the autumn night would leave an hour without anybody."""
    nights = f"DTSTART;TZID=Europe/Berlin:20260301T190000 | {end} | RRULE:FREQ=DAILY | SUMMARY:night"
    days = "DTSTART;TZID=Europe/Berlin:20260301T070000 | DURATION:PT12H | RRULE:FREQ=DAILY | SUMMARY:day"
    found = calendar(nights, days)
    (shift,) = [shift for shift in found.shifts(utc(start), utc(until)) if shift.person == "night"]
    assert (shift.from_at, shift.until_at, (shift.until_at - shift.from_at) // HOUR_MS) == (utc(start), utc(until), hours)
    schedule = Schedule("s", "Europe/Berlin", calendar=found)
    assert gaps(schedule, utc(start) - DAY_MS, utc(until) + DAY_MS) == []
    assert all(len(duty.people) == 1 for duty in duties(schedule, utc(start) - DAY_MS, utc(until) + DAY_MS))


def test_floating_times_and_whole_days_are_the_site_s():
    """08:00 without a zone is 08:00 in Hong Kong there; a whole day lasts from midnight to midnight."""
    events = (
        "DTSTART:20260302T080000 | DTEND:20260302T200000 | SUMMARY:floating",
        "DTSTART;VALUE=DATE:20260303 | SUMMARY:day",
        "DTSTART;VALUE=DATE:20260304 | DTEND;VALUE=DATE:20260306 | SUMMARY:days",
    )
    assert told(calendar(*events, zone="Asia/Hong_Kong"), "2026-03-01T00:00", "2026-03-10T00:00") == [
        ("03-02T00:00", "03-02T12:00", "floating"),
        ("03-02T16:00", "03-03T16:00", "day"),
        ("03-03T16:00", "03-05T16:00", "days"),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "20260329", 23), ("Europe/Berlin", "20261025", 25), ("Africa/Cairo", "20260424", 23)],
)
def test_a_whole_day_of_changing_clocks_has_as_many_hours_as_it_has(zone, day, hours):
    """23 or 25; in Cairo the clocks go forward at midnight itself, and the day begins at 01:00."""
    (shift,) = calendar(f"DTSTART;VALUE=DATE:{day} | SUMMARY:x", zone=zone).shifts(
        utc("2026-01-01T00:00"), utc("2027-01-01T00:00")
    )
    assert (shift.until_at - shift.from_at) // HOUR_MS == hours


def test_rules_exceptions_additions_and_swaps_count():
    """RRULE, EXDATE, RDATE, and a RECURRENCE-ID that moves one occurrence to somebody else."""
    series = (
        "DTSTART;TZID=Europe/Berlin:20260302T080000 | DTEND;TZID=Europe/Berlin:20260302T100000"
        " | RRULE:FREQ=WEEKLY;BYDAY=MO,TU;COUNT=6 | EXDATE;TZID=Europe/Berlin:20260303T080000"
        " | RDATE;TZID=Europe/Berlin:20260305T080000 | SUMMARY:a"
    )
    swap = (
        "RECURRENCE-ID;TZID=Europe/Berlin:20260309T080000 | DTSTART;TZID=Europe/Berlin:20260309T120000"
        " | DTEND;TZID=Europe/Berlin:20260309T140000 | SUMMARY:b"
    )
    text = calendar(series, swap).text.replace("UID:1", "UID:0")
    assert told(IcalCalendar(text, "UTC"), "2026-03-01T00:00", "2026-04-01T00:00") == [
        ("03-02T07:00", "03-02T09:00", "a"),
        ("03-05T07:00", "03-05T09:00", "a"),
        ("03-09T11:00", "03-09T13:00", "b"),
        ("03-10T07:00", "03-10T09:00", "a"),
        ("03-16T07:00", "03-16T09:00", "a"),
        ("03-17T07:00", "03-17T09:00", "a"),
    ]


def test_a_cancelled_event_is_no_duty():
    """Neither a single one, nor one occurrence of a series."""
    series = "DTSTART:20260302T080000Z | DTEND:20260302T100000Z | RRULE:FREQ=DAILY;COUNT=3 | SUMMARY:a"
    gone = "RECURRENCE-ID:20260303T080000Z | DTSTART:20260303T080000Z | DTEND:20260303T100000Z | SUMMARY:a | STATUS:CANCELLED"
    single = "DTSTART:20260305T080000Z | DTEND:20260305T100000Z | SUMMARY:b | STATUS:CANCELLED"
    text = calendar(series, gone, single).text.replace("UID:1", "UID:0")
    one = IcalCalendar(text, "UTC")
    assert [start for start, _, _ in told(one, "2026-03-01T00:00", "2026-04-01T00:00")] == ["03-02T08:00", "03-04T08:00"]
    assert one.people == ("a",)


def test_overlapping_events_put_several_people_on_call():
    """In the order of their beginnings, each once; titles are translated."""
    events = (
        "DTSTART:20260302T080000Z | DTEND:20260302T120000Z | SUMMARY:Dr Chan",
        "DTSTART:20260302T100000Z | DTEND:20260302T140000Z | SUMMARY: b ",
        "DTSTART:20260302T110000Z | DTEND:20260302T140000Z | SUMMARY:a",
    )
    found = duties(
        Schedule("s", "UTC", calendar=calendar(*events, **{"Dr Chan": "a"})), utc("2026-03-02T08:00"), utc("2026-03-02T14:00")
    )
    assert [duty.people for duty in found] == [("a",), ("a", "b"), ("b", "a")]


def test_it_never_runs_out_before_its_events_do():
    """Ten years after its beginning, across every edge of what is unfolded at once, an endless series is still there."""
    schedule = Schedule("s", "Europe/Berlin", calendar=calendar("DTSTART;VALUE=DATE:20260301 | RRULE:FREQ=DAILY | SUMMARY:a"))
    for year in (2026, 2027, 2036):
        assert gaps(schedule, utc(f"{year}-06-01T00:00"), utc(f"{year}-09-01T00:00")) == []


def test_a_duty_over_the_edge_of_a_block_is_told_once_and_whole():
    """What is unfolded in two blocks is one duty."""
    edge = (utc("2026-03-02T00:00") // calendars.BLOCK_MS + 1) * calendars.BLOCK_MS
    day = datetime.fromtimestamp(edge / 1000, UTC)
    one = calendar(f"DTSTART:{day:%Y%m}{day.day - 1:02}T120000Z | DURATION:P2D | SUMMARY:a")
    (shift,) = one.shifts(edge - 1, edge + 1)
    assert (shift.from_at, shift.until_at) == (edge - DAY_MS // 2, edge + 3 * DAY_MS // 2)
    assert one.shifts(edge, edge) == ()


@pytest.mark.parametrize("zone", ["Romance Standard Time", "Bureau"])
def test_zones_of_other_programs_and_of_the_file_itself_are_known(zone):
    """Windows' names, and a VTIMEZONE of the file's own."""
    own = (
        "BEGIN:VTIMEZONE\nTZID:Bureau\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    one = calendar(f"DTSTART;TZID={zone}:20260302T080000 | DTEND;TZID={zone}:20260302T100000 | SUMMARY:a")
    text = one.text.replace("BEGIN:VEVENT", own + "BEGIN:VEVENT", 1)
    assert told(IcalCalendar(text, "UTC"), "2026-03-01T00:00", "2026-03-05T00:00") == [("03-02T07:00", "03-02T09:00", "a")]


def test_what_cannot_be_unfolded_all_the_same_is_nobody(monkeypatch, caplog):
    """Proven at load; should the library fail on a night years later, the fallback is paged and the incident goes on."""

    def fail(_text: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(calendars, "_query", fail)
    assert calendar("DTSTART;VALUE=DATE:20260301 | SUMMARY:never-seen-before").shifts(0, DAY_MS) == ()
    assert "nobody is on call by it" in caplog.text


def test_two_calendars_of_the_same_content_are_equal():
    """So a journal's text loads to a ward that equals the one that was loaded from files."""
    event = "DTSTART;VALUE=DATE:20260301 | SUMMARY:a"
    assert calendar(event) == calendar(event)
    assert calendar(event) != calendar(event, zone="UTC")
