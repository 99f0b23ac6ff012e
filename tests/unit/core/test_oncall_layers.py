"""Layers: rotations that count in some hours of some days, the later ones above the earlier."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.oncall import Duty, duties, gaps, on_call
from gateway.domain.ward import Layer, Rotation, Schedule, Shift

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NIGHT = {"from_minute": 1200, "until_minute": 1920}


def utc(text: str) -> int:
    """Milliseconds of a UTC time written as `2026-03-02T00:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def always(*people: str) -> Rotation:
    """A rotation of daily turns that has always been."""
    return Rotation(1, "2020-01-01T00:00", people)


def of(zone: str, *layers: Layer, **more) -> Schedule:
    """A schedule of these layers."""
    return Schedule("s", zone, layers=layers, **more)


DAY_AND_NIGHT = (Layer(always("day")), Layer(always("night"), **NIGHT))


def test_a_later_layer_wins_in_its_hours_and_leaves_the_rest():
    """To the millisecond, over midnight."""
    schedule = of("UTC", *DAY_AND_NIGHT)
    evening, morning = utc("2026-03-02T20:00"), utc("2026-03-03T08:00")
    assert [on_call(schedule, at) for at in (evening - 1, evening, morning - 1, morning)] == [
        ("day",),
        ("night",),
        ("night",),
        ("day",),
    ]


def test_a_layer_without_anybody_yet_lets_the_lower_one_through():
    """Before its first handover a layer is silent, and so is one of nobody."""
    schedule = of("UTC", Layer(always("day")), Layer(Rotation(1, "2026-03-02T08:00", ("new",))), Layer(always()))
    start = utc("2026-03-02T08:00")
    assert [on_call(schedule, at) for at in (start - 1, start)] == [("day",), ("new",)]


def test_days_are_those_on_which_the_hours_begin():
    """A night of Friday lasts until Saturday morning; a Saturday night is not Friday's."""
    schedule = of("UTC", Layer(always("x"), **NIGHT, days=(4,)))  # 2026-03-06 is a Friday
    assert gaps(schedule, utc("2026-03-06T00:00"), utc("2026-03-09T00:00")) == [
        (utc("2026-03-06T00:00"), utc("2026-03-06T20:00")),
        (utc("2026-03-07T08:00"), utc("2026-03-09T00:00")),
    ]


def test_overrides_and_a_rotation_stand_above_and_below():
    """An override silences every layer; a rotation speaks where none does."""
    start = utc("2026-03-02T21:00")
    schedule = of(
        "UTC", Layer(always("night"), **NIGHT), rotation=always("base"), overrides=(Shift(start, start + HOUR_MS, "swap"),)
    )
    assert duties(schedule, utc("2026-03-02T12:00"), utc("2026-03-03T12:00")) == [
        Duty(utc("2026-03-02T12:00"), utc("2026-03-02T20:00"), ("base",)),
        Duty(utc("2026-03-02T20:00"), start, ("night",)),
        Duty(start, start + HOUR_MS, ("swap",)),
        Duty(start + HOUR_MS, utc("2026-03-03T08:00"), ("night",)),
        Duty(utc("2026-03-03T08:00"), utc("2026-03-03T12:00"), ("base",)),
    ]


@pytest.mark.parametrize(
    ("evening", "morning", "hours"),
    [
        ("2026-03-28T19:00", "2026-03-29T06:00", 11),  # the clocks go forward: 20:00 winter time to 08:00 summer time
        ("2026-10-24T18:00", "2026-10-25T07:00", 13),  # and back
        ("2026-06-01T18:00", "2026-06-02T06:00", 12),
    ],
)
def test_a_night_keeps_to_the_wall_when_the_clocks_change(evening, morning, hours):
    """Eleven or thirteen hours, with neither a gap nor a doubled duty at its ends."""
    start, end = utc(evening), utc(morning)
    assert end - start == hours * HOUR_MS
    found = duties(of("Europe/Berlin", *DAY_AND_NIGHT), start - HOUR_MS, end + HOUR_MS)
    assert found == [
        Duty(start - HOUR_MS, start, ("day",)),
        Duty(start, end, ("night",)),
        Duty(end, end + HOUR_MS, ("day",)),
    ]


def test_hours_that_begin_in_the_skipped_hour_begin_when_it_would_have_ended():
    """02:30 does not exist on the spring night in Berlin: the duty begins at 03:00 summer time."""
    schedule = of("Europe/Berlin", Layer(always("x"), from_minute=150, until_minute=360))
    found = duties(schedule, utc("2026-03-29T00:00"), utc("2026-03-29T05:00"))
    assert [(duty.from_at, duty.people) for duty in found] == [
        (utc("2026-03-29T00:00"), ()),
        (utc("2026-03-29T01:00"), ("x",)),
        (utc("2026-03-29T04:00"), ()),
    ]


def test_clocks_that_go_back_over_midnight_show_no_gap():
    """In St John's of 2010 the clocks went from 00:01 on Sunday back to 23:01 on Saturday: Sunday had begun already."""
    schedule = of("America/St_Johns", Layer(Rotation(1, "2010-01-01T00:00", ("sunday",)), days=(6,)))
    start = utc("2010-11-07T02:30")  # the first midnight of that Sunday
    assert on_call(schedule, start - 1) == ()
    assert gaps(schedule, start, start + 25 * HOUR_MS) == []


zones = st.sampled_from(["Asia/Hong_Kong", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"])
layers = st.builds(
    lambda start, length, days, person: Layer(always(person), start * 30, start * 30 + length * 30, tuple(sorted(days))),
    st.integers(0, 47),
    st.integers(1, 48),
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from("abc"),
)


@given(zone=zones, stack=st.lists(layers, max_size=3), day=st.integers(0, 365), length=st.integers(1, 60))
def test_duties_and_on_call_never_disagree(zone, stack, day, length):
    """Each quarter of an hour lies in the duty of exactly those who are on call then, also where the clocks change."""
    schedule = of(zone, *stack)
    start = utc("2026-01-01T00:00") + day * DAY_MS
    found = duties(schedule, start, start + length * HOUR_MS)
    assert [duty.from_at for duty in found] == [start, *(duty.until_at for duty in found[:-1])]
    assert found[-1].until_at == start + length * HOUR_MS
    assert all(one.people != other.people for one, other in pairwise(found))
    for duty in found:
        for at in (*range(duty.from_at, duty.until_at, HOUR_MS // 4), duty.until_at - 1):
            assert on_call(schedule, at) == duty.people


@given(zone=zones, stack=st.lists(layers, min_size=1, max_size=3), later_min=st.integers(0, 365 * 24 * 60))
def test_on_call_reads_the_wall_clock(zone, stack, later_min):
    """On a day without a change of clocks, who is on call follows from the local time alone."""
    at = utc("2026-01-01T00:00") + later_min * 60_000
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    near = [datetime.fromtimestamp(at / 1000 + hours * 3600, ZoneInfo(zone)).utcoffset() for hours in (-50, 50)]
    if near != [local.utcoffset()] * 2:
        return
    meant = ()
    for layer in stack:
        for back in (0, 1):
            begun = local.replace(tzinfo=None, hour=0, minute=0) - timedelta(days=back)
            minute = (local.replace(tzinfo=None) - begun) // timedelta(minutes=1)
            if begun.weekday() in layer.days and layer.from_minute <= minute < layer.until_minute:
                meant = layer.rotation.people
    assert on_call(of(zone, *stack), at) == meant
