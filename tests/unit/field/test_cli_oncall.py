"""`dripwatch oncall`: who is on call now and next, from the ward file alone."""

from pathlib import Path

import pytest

from tests.unit.config.broken_ward import WARD


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """A ward file with two schedules, one of them a calendar's."""
    file = tmp_path / "ward.yaml"
    file.write_text(WARD.replace("schedules:\n", "schedules:\n  nights: {ical_file: nights.ics}\n"))
    (tmp_path / "nights.ics").write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260302T200000\nDTEND:20260303T080000\nRRULE:FREQ=DAILY\n"
        "SUMMARY:nurse-a\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    return file


def test_now_next_and_the_coming_days(run, ward):
    """In the ward's own time; an override is a duty of its own."""
    result = run("oncall", "ward-nurse", "--ward", ward, "--at", "2026-03-02T09:00", "--days", 10)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "ward-nurse (Asia/Hong_Kong)",
        "  now   nurse-a",
        "  next  nurse-b, from Wed 2026-03-04 20:00",
        "  Mon 2026-03-02 09:00  Wed 2026-03-04 20:00  nurse-a",
        "  Wed 2026-03-04 20:00  Thu 2026-03-05 08:00  nurse-b",
        "  Thu 2026-03-05 08:00  Mon 2026-03-09 08:00  nurse-a",
        "  Mon 2026-03-09 08:00  Thu 2026-03-12 09:00  nurse-b",
    ]


def test_a_gap_is_marked_and_is_the_answer_no(run, ward):
    """NOBODY stands where nobody is on call."""
    result = run("oncall", "nights", "--ward", ward, "--at", "2026-03-02T21:00+08:00", "--days", 1)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "  now   nurse-a",
        "  next  NOBODY, from Tue 2026-03-03 08:00",
        "  Mon 2026-03-02 21:00  Tue 2026-03-03 08:00  nurse-a",
        "  Tue 2026-03-03 08:00  Tue 2026-03-03 20:00  NOBODY",
        "  Tue 2026-03-03 20:00  Tue 2026-03-03 21:00  nurse-a",
    ]


def test_without_a_name_all_schedules_are_shown(run, ward):
    """In the order of the file, from now on."""
    result = run("oncall", "--ward", ward)
    assert [line.partition(" ")[0] for line in result.stdout.splitlines() if not line.startswith(" ")] == ["nights", "ward-nurse"]


def test_a_duty_that_lasts_has_no_next(run, ward):
    """Within the days that were asked for."""
    result = run("oncall", "ward-nurse", "--ward", ward, "--at", "2026-03-02T09:00", "--days", 1)
    assert "  next  no change in these days" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["oncall", "days"], "no schedule 'days'; schedules: nights, ward-nurse"),
        (["oncall", "--at", "noon"], "--at: not a time: 'noon'; write it like 2026-03-04T20:00"),
        (["oncall", "--days", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_call_is_one_line(run, ward, words, said):
    """What is wrong, and the mend; exit code 2."""
    result = run(*words, "--ward", ward)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_ward_without_schedules_says_so(run, ward):
    """Its policies name people."""
    text = WARD[: WARD.index("schedules:")] + WARD[WARD.index("policies:") :]
    ward.write_text(text.replace('"schedule:ward-nurse"', '"person:nurse-b"'))
    result = run("oncall", "--ward", ward)
    assert (result.exit_code, result.stderr.count("has no schedules")) == (2, 1)


def test_a_broken_calendar_is_named_with_its_line(run, ward):
    """As by check-config."""
    ward.with_name("nights.ics").write_text("BEGIN:VCALENDAR\n")
    result = run("oncall", "--ward", ward)
    assert result.exit_code == 2
    assert "nights.ics:1: schedules.nights: the file breaks off inside VCALENDAR; export the calendar anew" in result.stderr
