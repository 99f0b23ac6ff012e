"""Calendars that are refused: each with its file, its line and the mend."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import calendar_files, ical_text
from gateway.config.calendar_checks import judged
from gateway.config.calendars import IcalCalendar
from gateway.config.load import load_ward, load_ward_file, load_ward_mapping, with_calendars
from gateway.config.merge import merge_patch
from gateway.config.problems import ConfigError
from rules.yaml_lines import load
from tests.unit.config.test_ward_findings import DAY_MS, MONDAY, SOUND

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART;TZID=Asia/Hong_Kong:20260302T080000
DTEND;TZID=Asia/Hong_Kong:20260302T200000
RRULE:FREQ=DAILY
SUMMARY:a
END:VEVENT
END:VCALENDAR
"""


def ward_of(**schedule: object) -> dict:
    """The sound ward with a calendar's schedule."""
    return merge_patch(SOUND, {"schedules": {"s": {"rotation": None, **schedule}}})


def refusals(content: dict, base_dir: Path | None = None) -> list[str]:
    """What loading says; nothing for a good ward."""
    try:
        load_ward_mapping(content, "ward.yaml", base_dir)
    except ConfigError as refused:
        return [str(problem) for problem in refused.problems]
    return []


def of_file(tmp_path: Path, content: bytes) -> list[str]:
    """What loading says of a calendar's file, which it names as `oncall.ics`."""
    (tmp_path / "oncall.ics").write_bytes(content)
    return [said.replace(f"{tmp_path}/", "") for said in refusals(ward_of(ical_file="oncall.ics"), tmp_path)]


def test_a_right_calendar_is_taken():
    """Otherwise the refusals below would prove nothing."""
    assert refusals(ward_of(ical=CALENDAR)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("BEGIN:VCALENDAR\n", "", 1, "not a calendar; an iCalendar file begins with BEGIN:VCALENDAR"),
        ("VERSION:2.0", "hello", 2, "not a line of a calendar; it must read NAME:VALUE"),
        ("SUMMARY:a", "SUMMARY:a\x07", 8, "a character that cannot be printed; export the calendar anew as UTF-8"),
        ("END:VEVENT\n", "", 9, "END:VCALENDAR without its BEGIN; export the calendar anew"),
        ("END:VEVENT\nEND:VCALENDAR\n", "", 8, "the file breaks off inside VEVENT; export the calendar anew"),
        (
            "END:VCALENDAR\n",
            "END:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR\n",
            11,
            "a second calendar begins here; only one is read",
        ),
        ("SUMMARY:a", "SUMMARY:a\nSUMMARY:b", 9, "a second SUMMARY in one event; leave one of them"),
        ("SUMMARY:a\n", "", 3, "an event without SUMMARY; it names who is on call"),
        ("SUMMARY:a", "SUMMARY:", 3, "an event without SUMMARY; it names who is on call"),
        ("SUMMARY:a", "SUMMARY:nurse-x", 8, "unknown person 'nurse-x'; known: a, b; or say in ical_names who that is"),
        ("SUMMARY:a", "SUMMARY:nu\n rse-x", 8, "unknown person 'nurse-x'; known: a, b"),
        ("DTSTART;TZID=Asia/Hong_Kong:20260302T080000\n", "", 3, "an event without DTSTART; when does it begin?"),
        ("20260302T080000", "2026-03-02", 5, "DTSTART: "),
        ("20260302T080000", "20260332T080000", 5, "DTSTART: "),
        ("20260302T080000", "00060302T080000", 5, "the year 6 is no ward's; write one from 2000 to 2200"),
        ("DTSTART;TZID=Asia/Hong_Kong", "DTSTART;TZID=Mars/Olympus", 5, "unknown time zone 'Mars/Olympus'; write an IANA name"),
        ("DTSTART;TZID=Asia/Hong_Kong", "DTSTART;TZID=Asia", 5, "unknown time zone 'Asia'; write an IANA name"),
        ("DTEND;TZID=Asia/Hong_Kong:20260302T200000\n", "", 5, "an event without an end; add DTEND or DURATION"),
        ("20260302T200000", "20260302T080000", 5, "an event must end after it begins, and within a year"),
        ("20260302T200000", "20280302T200000", 5, "an event must end after it begins, and within a year"),
        ("DTEND;TZID=Asia/Hong_Kong:", "DTEND:", 6, "the end is another kind of time than the start; write both alike"),
        ("DTEND;TZID=Asia/Hong_Kong:20260302T200000", "DTEND;VALUE=DATE:20260303", 6, "the end is another kind of time"),
        ("DTEND;TZID=Asia/Hong_Kong:20260302T200000", "DURATION:-PT1H", 5, "an event must end after it begins"),
        ("FREQ=DAILY", "FREQ=HOURLY", 7, "a duty repeats DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY", "FREQ=DAILY;BYHOUR=8,20", 7, "BYHOUR: a duty begins once a day, at the time of its DTSTART"),
        ("FREQ=DAILY", "FREQ=OFTEN", 7, "RRULE: "),
        ("FREQ=DAILY", "FREQ=DAILY,HOURLY", 7, "a duty repeats DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=0", 7, "INTERVAL and COUNT are at least 1"),
        ("FREQ=DAILY", "FREQ=DAILY;BYSETPOS=400", 3, "cannot be unfolded: "),
        ("FREQ=DAILY", "FREQ=DAILY;COUNT=x", 7, "RRULE: "),
    ],
)
def test_a_broken_calendar_is_refused_at_its_line(tmp_path, old, new, line, message):
    """From a file with the file's name, from the ward file's own text with the key's."""
    assert old in CALENDAR
    text = CALENDAR.replace(old, new, 1)
    assert any(said.startswith(f"oncall.ics:{line}: schedules.s: {message}") for said in of_file(tmp_path, text.encode()))
    inline = refusals(ward_of(ical=text))
    assert any(said.startswith(f"ward.yaml: schedules.s.ical: line {line} of the calendar: {message}") for said in inline), inline


LINES = CALENDAR.splitlines()
PIECES = (
    "",
    "Z",
    ";",
    "=",
    ":",
    "-",
    "0",
    "9",
    "T",
    ";INTERVAL=0",
    ";UNTIL=20260401",
    ";BYDAY=XX",
    "RDATE:20260401",
    "EXDATE:1",
    "BEGIN:VEVENT",
)


@given(
    st.lists(
        st.tuples(st.integers(1, len(LINES) - 2), st.integers(0, 50), st.integers(0, 8), st.sampled_from(PIECES)), max_size=3
    )
)
def test_no_text_does_worse_than_to_be_refused(changes):
    """Whatever is cut out or put in: it is refused at a line that it has, or what is kept unfolds and is kept again unchanged."""
    lines = list(LINES)
    for number, start, length, piece in changes:
        line = lines[number]
        lines[number] = line[:start] + piece + line[start + length :]
    kept, problems, titles = judged("\n".join(lines) + "\n")
    assert bool(kept) != bool(problems)
    assert all(1 <= line <= len(lines) for line, _ in (*problems, *titles))
    if kept:
        assert judged(kept)[0] == kept
        IcalCalendar(kept, "Asia/Hong_Kong").shifts(MONDAY, MONDAY + DAY_MS)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing, a folder, no text, too large."""
    assert refusals(ward_of(ical_file="gone.ics"), tmp_path) == [
        f"ward.yaml: schedules.s.ical_file: {tmp_path}/gone.ics: no such file or directory"
    ]
    (tmp_path / "folder").mkdir()
    assert refusals(ward_of(ical_file="folder"), tmp_path)[0].endswith("folder: is a directory")
    assert of_file(tmp_path, b"\xff\xfe") == [
        "ward.yaml: schedules.s.ical_file: oncall.ics: not UTF-8 text; export the calendar anew"
    ]
    too_large = b" " * (ical_text.TEXT_MAX_BYTES + 1)
    assert of_file(tmp_path, too_large)[0].endswith("larger than 4 MiB; export a shorter stretch")


def test_limits_are_said(tmp_path, monkeypatch):
    """Events, repeating events, bytes of duties, problems shown at once."""
    event = CALENDAR[CALENDAR.index("BEGIN:VEVENT") : CALENDAR.index("END:VCALENDAR")]
    monkeypatch.setattr(ical_text, "EVENTS_MAX", 2)
    many = CALENDAR.replace(event, event.replace("RRULE:FREQ=DAILY\n", "") * 3)
    assert of_file(tmp_path, many.encode()) == ["oncall.ics:15: schedules.s: more than 2 events; export a shorter stretch"]
    monkeypatch.undo()
    many = CALENDAR.replace(event, event * (ical_text.REPEATING_MAX + 1))
    assert of_file(tmp_path, many.encode())[0].startswith("oncall.ics:353: schedules.s: more than 50 repeating events")
    strangers = CALENDAR.replace(event, event.replace("SUMMARY:a", "SUMMARY:x") * 30)
    assert len(of_file(tmp_path, strangers.encode())) == calendar_files.PROBLEMS_SHOWN_MAX
    long = CALENDAR.replace("SUMMARY:a", "SUMMARY:" + "a" * (600 << 10))
    assert of_file(tmp_path, long.encode()) == [
        "oncall.ics:1: schedules.s: more than 512 KiB of duties; export a shorter stretch"
    ]


def test_too_many_calendars_for_the_journal_are_refused():
    """The journal's text must load again; each calendar alone would have passed."""
    events = "".join(
        f"BEGIN:VEVENT\nUID:{n}-{'u' * 300}\nDTSTART;VALUE=DATE:20260302\nSUMMARY:a\nEND:VEVENT\n" for n in range(1200)
    )
    text = f"BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"
    content = merge_patch(SOUND, {"schedules": {name: {"ical": text} for name in ("x", "y", "z")}})
    assert refusals(content) == ["ward.yaml: schedules: more than 1024 KiB with its calendars; export shorter stretches"]


def test_a_file_and_a_text_are_one_too_many(tmp_path):
    """Nobody could tell which counts."""
    assert refusals(ward_of(ical=CALENDAR, ical_file="x.ics"), tmp_path) == [
        "ward.yaml: schedules.s.ical_file: give ical_file or ical, not both"
    ]


@pytest.mark.parametrize(("key", "value"), [("ical", 5), ("ical_file", 5.5), ("ical_names", ["a"])])
def test_a_calendar_of_the_wrong_shape_is_refused_like_any_key(key, value):
    """In the words of the whole file."""
    (said,) = refusals(ward_of(**{key: value}))
    assert said.startswith(f"ward.yaml: schedules.s.{key}: must be ")


def test_a_name_that_a_title_means_must_be_a_person():
    """`ical_names` translates to people of this file."""
    text = CALENDAR.replace("SUMMARY:a", "SUMMARY:Dr Chan")
    assert refusals(ward_of(ical=text, ical_names={"Dr Chan": "b"})) == []
    (said,) = refusals(ward_of(ical=text, ical_names={"Dr Chan": "c"}))
    assert said == "ward.yaml: schedules.s.ical_names.Dr Chan: unknown person 'c'; known: a, b"


def test_the_journal_keeps_only_what_decides(tmp_path):
    """Guests, places, alarms and time stamps go; what is kept loads again to an equal ward, without any file."""
    private = "DTSTAMP:20260101T000000Z\nDESCRIPTION:home of\n  somebody\nATTENDEE;CN=Ann:mailto:ann@x\nLOCATION:12 Some Road\n"
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM\n"
    text = CALENDAR.replace("SUMMARY:a\n", f"SUMMARY:a\n{private}{alarm}").replace("\n", "\r\n")
    (tmp_path / "oncall.ics").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "ward.yaml").write_text(
        load_ward_mapping(SOUND, "w").text_for_journal.replace("rotation:", "ical_file: oncall.ics\n    x:")
    )
    loaded = load_ward_mapping(ward_of(ical_file="oncall.ics"), "w", tmp_path)
    assert load(loaded.text_for_journal, "w").value["schedules"]["s"] == {"ical": CALENDAR}
    assert load_ward(loaded.text_for_journal, "journal", None).ward == loaded.ward
    assert [(file.schedule, file.path) for file in loaded.calendar_files] == [("s", tmp_path / "oncall.ics")]
    with pytest.raises(ConfigError):
        load_ward_file(tmp_path / "ward.yaml")


def test_a_mapping_takes_its_calendars_with_it(tmp_path):
    """What a story or a study keeps of a ward needs its folder no more."""
    (tmp_path / "oncall.ics").write_text(CALENDAR)
    taken = with_calendars(ward_of(ical_file="oncall.ics"), "w", tmp_path)
    assert load_ward_mapping(taken, "w").ward == load_ward_mapping(ward_of(ical=CALENDAR), "w").ward
    with pytest.raises(ConfigError, match=r"gone\.ics"):
        with_calendars(ward_of(ical_file="gone.ics"), "w", tmp_path)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"hours": "20:00"}, "layers[0].hours: not hours: '20:00'; write when they begin and end, of 24 hours, like 20:00-08:00"),
        ({"hours": "24:00-08:00"}, "layers[0].hours: not hours"),
        ({"days": []}, "layers[0].days: must not be empty"),
        ({"days": ["sat", "sunn"]}, "layers[0].days[1]: not a weekday: 'sunn'; write mon, tue, wed, thu, fri, sat or sun"),
        ({"every": "10d"}, "layers[0].every: a handover on a weekday needs turns of whole weeks"),
        ({"people": ["a", "c"]}, "layers[0].people[1]: unknown person 'c'; known: a, b"),
    ],
)
def test_a_wrong_layer_is_refused_at_its_place(layer, said):
    """In the same words as a rotation."""
    turns = SOUND["schedules"]["s"]["rotation"]
    found = refusals(ward_of(layers=[{**turns, **layer}]))
    assert any(one.startswith(f"ward.yaml: schedules.s.{said}") for one in found), found


def test_rotation_and_layers_are_one_too_many():
    """Which of them is above could only be guessed."""
    turns = SOUND["schedules"]["s"]["rotation"]
    (said,) = refusals(merge_patch(SOUND, {"schedules": {"s": {"layers": [turns]}}}))
    assert said.startswith("ward.yaml: schedules.s.rotation: give rotation or layers, not both")


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [("08:00-20:00", (480, 1200)), ("20:00-08:00", (1200, 1920)), ("08:00-08:00", (480, 1920)), ("00:00-24:00", (0, 1440))],
)
def test_hours_and_days_of_a_layer_are_read(hours, minutes):
    """An end that is not later is the next day's; days in any order and case, each once."""
    turns = SOUND["schedules"]["s"]["rotation"]
    ward = load_ward_mapping(ward_of(layers=[{**turns, "hours": hours, "days": ["sun", "Saturday", "sun"]}]), "w").ward
    (layer,) = ward.schedules["s"].layers
    assert ((layer.from_minute, layer.until_minute), layer.days) == (minutes, (5, 6))
