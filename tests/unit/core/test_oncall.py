"""Who is on call: turns, overrides, calendars, clocks that change, and whom targets mean."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.oncall import gaps, on_call, resolve, wall_instant
from gateway.domain.ward import Person, Rotation, Schedule, Shift, Ward

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def utc(text: str) -> int:
    """Milliseconds of a UTC time written as `2026-03-02T00:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@dataclass(frozen=True)
class Written:
    """A calendar whose duties are written out."""

    duties: tuple[Shift, ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(shift.person for shift in self.duties))

    def shifts(self, from_at: int, until_at: int) -> tuple[Shift, ...]:
        return tuple(shift for shift in self.duties if shift.from_at < until_at and shift.until_at > from_at)


def weekly(zone: str, first: str = "2026-03-02T08:00", people: tuple[str, ...] = ("a", "b"), **more) -> Schedule:
    """A schedule whose turns last a week."""
    return Schedule("s", zone, Rotation(7, first, people), **more)


def test_a_turn_begins_at_its_handover_to_the_millisecond():
    """08:00 in Hong Kong is midnight UTC, all year."""
    schedule = weekly("Asia/Hong_Kong", people=("a", "b", "c"))
    first = utc("2026-03-02T00:00")
    assert on_call(schedule, first - 1) == ()
    assert on_call(schedule, first) == ("a",)
    for turn, before, after in [(1, "a", "b"), (2, "b", "c"), (3, "c", "a"), (104, "b", "c")]:
        handover = first + turn * 7 * DAY_MS
        assert on_call(schedule, handover - 1) == (before,)
        assert on_call(schedule, handover) == (after,)
        assert on_call(schedule, handover + 1) == (after,)


@pytest.mark.hazard("H-45")
@pytest.mark.parametrize(
    ("zone", "first", "handovers"),
    [
        ("Europe/Berlin", "2026-03-23T08:00", ["2026-03-23T07:00", "2026-03-30T06:00", "2026-04-06T06:00"]),
        ("Europe/Berlin", "2026-10-19T08:00", ["2026-10-19T06:00", "2026-10-26T07:00", "2026-11-02T07:00"]),
        ("America/New_York", "2026-03-02T08:00", ["2026-03-02T13:00", "2026-03-09T12:00", "2026-03-16T12:00"]),
        ("America/New_York", "2026-10-26T08:00", ["2026-10-26T12:00", "2026-11-02T13:00", "2026-11-09T13:00"]),
        ("Asia/Hong_Kong", "2026-03-23T08:00", ["2026-03-23T00:00", "2026-03-30T00:00", "2026-04-06T00:00"]),
    ],
)
def test_eight_o_clock_stays_eight_o_clock_when_the_clocks_change(zone, first, handovers):
    """The handover moves in UTC, never on the wall, in spring and in autumn."""
    schedule = weekly(zone, first)
    people = ["a", "b", "a"]
    for handover, person, before in zip(map(utc, handovers), people, [None, "a", "b"], strict=True):
        assert on_call(schedule, handover) == (person,)
        assert on_call(schedule, handover - 1) == ((before,) if before else ())


@pytest.mark.parametrize(
    ("wall", "zone", "means"),
    [
        ("2026-03-29T02:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T02:59", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T01:59", "Europe/Berlin", "2026-03-29T00:59"),
        ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-10-25T02:00", "Europe/Berlin", "2026-10-25T00:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),
        ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00"),
        ("2026-03-08T02:30", "America/New_York", "2026-03-08T07:00"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),
        ("2011-12-30T08:00", "Pacific/Apia", "2011-12-30T10:00"),
        ("2026-07-01T08:00", "Asia/Hong_Kong", "2026-07-01T00:00"),
    ],
)
def test_a_skipped_wall_time_is_the_end_of_the_gap_and_a_doubled_one_its_first(wall, zone, means):
    """Also where the clocks move by half an hour, and where a whole day was left out."""
    assert wall_instant(wall, zone) == utc(means)


def test_a_wall_time_needs_a_zone_that_exists():
    """A zone that nobody knows is an error, not UTC."""
    with pytest.raises(ZoneInfoNotFoundError):
        wall_instant("2026-07-01T08:00", "Mars/Olympus")


def test_a_handover_in_the_skipped_hour_happens_when_the_hour_would_have_ended():
    """Daily at 02:30: on the day of the spring change at 03:00 summer time, the day after at 02:30 again."""
    schedule = Schedule("s", "Europe/Berlin", Rotation(1, "2026-03-28T02:30", ("a", "b", "c")))
    assert on_call(schedule, utc("2026-03-29T01:00") - 1) == ("a",)
    assert on_call(schedule, utc("2026-03-29T01:00")) == ("b",)
    assert on_call(schedule, utc("2026-03-30T00:30") - 1) == ("b",)
    assert on_call(schedule, utc("2026-03-30T00:30")) == ("c",)


def test_a_handover_in_the_doubled_hour_happens_once():
    """Daily at 02:30: at the first 02:30 of the autumn night, and nothing at the second."""
    schedule = Schedule("s", "Europe/Berlin", Rotation(1, "2026-10-24T02:30", ("a", "b", "c")))
    assert on_call(schedule, utc("2026-10-25T00:30") - 1) == ("a",)
    assert on_call(schedule, utc("2026-10-25T00:30")) == ("b",)
    assert on_call(schedule, utc("2026-10-25T01:30")) == ("b",)
    assert on_call(schedule, utc("2026-10-26T01:30")) == ("c",)


zones = st.sampled_from(["Asia/Hong_Kong", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"])


@given(
    zone=zones,
    first=st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")).map(
        lambda wall: f"{wall:%Y-%m-%dT%H:%M}"
    ),
    every_days=st.integers(1, 60),
    size=st.integers(1, 5),
    later_ms=st.integers(0, 15 * 366 * DAY_MS),
)
@example(zone="Europe/Berlin", first="2026-03-28T02:30", every_days=1, size=2, later_ms=DAY_MS - HOUR_MS // 2)
@example(zone="Europe/Berlin", first="2026-10-24T02:30", every_days=1, size=2, later_ms=DAY_MS + HOUR_MS)
def test_from_the_first_handover_on_exactly_one_person_is_on_call(zone, first, every_days, size, later_ms):
    """And it is the one whose turn a calendar would show: counted by local days, with the clock's hands."""
    people = tuple("abcde"[:size])
    schedule = Schedule("s", zone, Rotation(every_days, first, people))
    first_at = wall_instant(first, zone)
    at = first_at + later_ms
    turn, start = 0, datetime.fromisoformat(first)
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)
    turn = max(0, (local - start).days // every_days - 1)
    while wall_instant((start + timedelta(days=(turn + 1) * every_days)).isoformat(), zone) <= at:
        turn += 1
    assert on_call(schedule, at) == (people[turn % size],)
    assert on_call(schedule, first_at - 1 - later_ms) == ()


def test_an_override_holds_from_its_start_until_just_before_its_end():
    """[from, until), to the millisecond."""
    schedule = weekly("UTC", overrides=(Shift(utc("2026-03-04T12:00"), utc("2026-03-05T00:00"), "c"),))
    start, end = utc("2026-03-04T12:00"), utc("2026-03-05T00:00")
    assert [on_call(schedule, at) for at in (start - 1, start, start + 1)] == [("a",), ("c",), ("c",)]
    assert [on_call(schedule, at) for at in (end - 1, end, end + 1)] == [("c",), ("a",), ("a",)]


def test_the_later_override_wins():
    """The second entry stands where both cover the moment, whichever began first."""
    schedule = Schedule("s", "UTC", None, (Shift(0, 100, "a"), Shift(50, 80, "b")))
    assert [on_call(schedule, at) for at in (49, 50, 79, 80, 100)] == [("a",), ("b",), ("b",), ("a",), ()]


def test_an_override_counts_before_the_first_handover_too():
    """Somebody can fill in before the rotation starts."""
    schedule = weekly("UTC", overrides=(Shift(0, 10, "c"),))
    assert (on_call(schedule, 9), on_call(schedule, 10)) == (("c",), ())


def test_calendar_shifts_stand_between_overrides_and_turns():
    """All shifts that cover the moment, each person once; an override silences them; no shift means the turn."""
    calendar = Written((Shift(0, 20, "x"), Shift(10, 20, "y"), Shift(10, 20, "x")))
    schedule = weekly("UTC", "1970-01-01T00:00", overrides=(Shift(15, 16, "o"),), calendar=calendar)
    assert [on_call(schedule, at) for at in (5, 10, 15, 16, 20)] == [("x",), ("x", "y"), ("o",), ("x", "y"), ("a",)]


def test_a_rotation_of_nobody_is_nobody():
    """The ward file refuses it; the core survives it."""
    assert on_call(weekly("UTC", people=()), utc("2026-03-10T00:00")) == ()


def test_gaps_are_the_stretches_without_anybody():
    """Before the first handover, between overrides; touching ones are one."""
    first = utc("2026-03-02T08:00")
    schedule = weekly("UTC", overrides=(Shift(first - 50, first - 40, "c"), Shift(first - 30, first - 20, "c")))
    assert gaps(schedule, first - 60, first + DAY_MS) == [
        (first - 60, first - 50),
        (first - 40, first - 30),
        (first - 20, first),
    ]
    assert gaps(schedule, first, first + 365 * DAY_MS) == []
    assert gaps(Schedule("s", "UTC"), 5, 9) == [(5, 9)]
    assert gaps(Schedule("s", "UTC"), 5, 5) == []


def test_a_gap_under_two_overrides_edges_is_reported_once():
    """An edge inside a gap does not split it."""
    schedule = Schedule(
        "s", "UTC", Rotation(1, "1970-01-01T00:01", ()), (Shift(0, 10, "c"),), calendar=Written((Shift(40, 40, "d"),))
    )
    assert gaps(schedule, 0, 100_000) == [(10, 100_000)]


@given(
    overrides=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30)), max_size=6),
    edges=st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted),
)
def test_gaps_and_on_call_never_disagree(overrides, edges):
    """A moment lies in a gap exactly when nobody is on call then."""
    schedule = Schedule("s", "UTC", None, tuple(Shift(start, start + length, "p") for start, length in overrides))
    found = gaps(schedule, edges[0], edges[1])
    for at in range(edges[0], edges[1]):
        assert any(start <= at < end for start, end in found) == (on_call(schedule, at) == ())
    assert all(first[1] < second[0] for first, second in pairwise(found))


def ward() -> Ward:
    """Nurses a and b take turns; seniors are c and d."""
    return Ward(
        site="w",
        timezone="UTC",
        people={name: Person(name, ()) for name in "abcd"},
        teams={"seniors": ("c", "d"), "old": ("gone", "d")},
        schedules={
            "nurse": weekly("UTC"),
            "nobody": Schedule("nobody", "UTC"),
            "left": Schedule("left", "UTC", None, (Shift(0, 10**15, "gone"),)),
        },
    )


MONDAY = utc("2026-03-02T08:00")


@pytest.mark.parametrize(
    ("targets", "people"),
    [
        (("person:c",), ("c",)),
        (("schedule:nurse",), ("a",)),
        (("all:seniors",), ("c", "d")),
        (("person:d", "all:seniors", "schedule:nurse", "person:a"), ("d", "c", "a")),
        (("schedule:nobody",), ()),
        (("schedule:nobody", "person:c"), ("c",)),
        ((), ()),
        (("person:gone",), ()),
        (("all:gone", "schedule:gone"), ()),
        (("all:old",), ("d",)),
        (("schedule:left",), ()),
        (("nonsense",), ()),
    ],
)
def test_targets_mean_people_in_order_and_each_once(targets, people):
    """Names that the ward no longer has mean nobody; nothing here can fail in the night."""
    assert resolve(targets, ward(), MONDAY) == people


def test_the_caregiver_is_whom_the_caller_says():
    """An absent caregiver is nobody; one who is also named otherwise counts once."""
    assert resolve(("caregiver", "person:a"), ward(), MONDAY) == ("a",)
    assert resolve(("caregiver", "person:a"), ward(), MONDAY, caregiver="aunt") == ("aunt", "a")
    assert resolve(("person:a", "caregiver"), ward(), MONDAY, caregiver="a") == ("a",)


def test_a_schedule_is_resolved_at_the_moment_asked():
    """A week later it is the other nurse."""
    assert resolve(("schedule:nurse",), ward(), MONDAY + 7 * DAY_MS) == ("b",)
