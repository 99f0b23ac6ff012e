"""What a ward would rather know about who is on call."""

import pytest

from tests.unit.config.test_ward_findings import DAY_MS, MONDAY, SOUND, found

NIGHTS = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART:20260302T080000
DTEND:20260303T080000
RRULE:FREQ=DAILY;UNTIL={until}
SUMMARY:{title}
END:VEVENT
END:VCALENDAR
"""
TURNS = SOUND["schedules"]["s"]["rotation"]


def with_calendar(until: str, title: str = "a", **more: object) -> dict:
    """The sound ward, on call by a calendar."""
    calendar = NIGHTS.format(until=until, title=title)
    return {"schedules": {"s": {"rotation": None, "ical": calendar, "ical_names": {"Nurse B": "b"}, **more}}}


def test_a_calendar_that_goes_on_is_no_finding():
    """Both nurses count as on call by it or by a step."""
    patch = with_calendar("20270301T000000") | {
        "policies": {"high": {"steps": [{"page": ["schedule:s", "person:b"], "wait": "5m"}]}}
    }
    assert [name for name, _ in found(patch) if name != "one-person-only"] == []


@pytest.mark.hazard("H-54")
def test_a_calendar_that_ends_within_28_days_is_told_before_it_does():
    """With its last moment; the gap after it is told too."""
    names = dict(
        found(
            with_calendar("20260320T080000", overrides=[{"from": "2030-01-01T00:00", "until": "2030-01-02T00:00", "person": "b"}])
        )
    )
    assert names["calendar-ends"] == "schedules.s: the calendar ends Sat 2026-03-21 08:00; export its next months"
    assert names["on-call-gap"].startswith("schedules.s: nobody is on call from Sat 2026-03-21 08:00 until Mon 2026-03-30 08:00;")


def test_a_calendar_that_is_over_is_told_also_where_a_rotation_stands_in():
    """Nobody meant the rotation to be all that is left."""
    patch = {"schedules": {"s": {"ical": NIGHTS.format(until="20260320T080000", title="a")}}}
    assert found(patch, MONDAY + 60 * DAY_MS) == [
        ("calendar-ends", "schedules.s: the calendar has ended: no duty is still to come; export its next months")
    ]


def test_gaps_between_layers_are_exact():
    """A week of working days leaves nights and the weekend."""
    layers = [{**TURNS, "hours": "08:00-20:00", "days": ["mon", "tue", "wed", "thu", "fri"]}]
    told = [words for name, words in found({"schedules": {"s": {"rotation": None, "layers": layers}}}) if name == "on-call-gap"]
    assert (
        told[0]
        == "schedules.s: nobody is on call from Mon 2026-03-02 20:00 until Tue 2026-03-03 08:00; add an override or a layer"
    )
    assert (
        told[4]
        == "schedules.s: nobody is on call from Fri 2026-03-06 20:00 until Mon 2026-03-09 08:00; add an override or a layer"
    )
    assert len(told) == 11


def test_layers_that_fill_each_other_have_no_gap():
    """Days, nights and weekends of three layers."""
    layers = [
        {**TURNS, "hours": "08:00-20:00", "days": ["mon", "tue", "wed", "thu", "fri"]},
        {**TURNS, "hours": "20:00-08:00"},
        {**TURNS, "hours": "08:00-20:00", "days": ["sat", "sun"]},
    ]
    assert found({"schedules": {"s": {"rotation": None, "layers": layers}}}) == []


def test_a_person_on_call_who_cannot_answer():
    """Pager and mail bring nothing back. Somebody who is only named in a step may be such a person."""
    silent = {"contacts": [{"pager": "1"}, {"mail": "m@h"}]}
    patch = {
        "people": {"a": silent, "c": silent},
        "policies": {"high": {"steps": [{"page": ["schedule:s", "person:c"], "wait": "5m"}]}},
    }
    words = "people.a: is on call but cannot answer a page by message; add a contact on a transport that brings replies"
    assert found(patch) == [("cannot-reply", words)]


@pytest.mark.parametrize(
    ("policy", "pages", "told"),
    [
        ("high", [["person:a"], ["person:a"]], True),
        ("high", [["person:a"]], True),
        ("low", [["person:a"], ["schedule:one"]], True),
        ("low", [["person:a"]], False),
        ("high", [["person:a"], ["person:b"]], False),
        ("high", [["schedule:s"]], False),
    ],
)
def test_an_escalation_to_one_person_only(policy, pages, told):
    """It climbs nowhere. A low policy of one step for one person may be meant so."""
    one = {"one": {"rotation": {**TURNS, "people": ["a"]}}}
    steps = [{"page": targets, "wait": "5m"} for targets in pages]
    policies = {policy: {"steps": steps, "repeat": {"from_step": 1, "every": "10m"}}}
    words = f"policies.{policy}.steps: every step pages a only, whoever does not answer; add a step for somebody else"
    assert [one for one in found({"schedules": one, "policies": policies}) if one[0] == "one-person-only"] == (
        [("one-person-only", words)] if told else []
    )
