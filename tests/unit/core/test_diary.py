"""The diary's fold: what is kept, what is refused, what comes late, and when the home is looked after."""

from datetime import date

import pytest

from gateway.core import diary
from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.state import Bag, Course, Pump
from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.readings import DiaryEntry
from gateway.domain.view import Facet
from gateway.domain.ward import Contact, TransportFacts, Ward
from gateway.domain.words import ClockQuality, DiaryKind
from rules.loader import load_protocol, shipped_text

AT = 1_772_409_600_000  # 2026-03-02 08:00 in Hong Kong
RULES = {rule.name: rule for rule in load_protocol(shipped_text("blinatumomab_home") or "", "shipped").rules}
WARD = Ward(
    site="ward",
    timezone="Asia/Hong_Kong",
    transports={
        "sms": TransportFacts("sms", "apprise"),
        "voice": TransportFacts("voice", "apprise", voice=True),
    },
)


def now(at: int = AT, ward: Ward = WARD) -> Context:
    """An instant."""
    return Context(ward, {}, {}, Desk(), at, 1)


def course_of(**changes) -> Course:
    """A course since two days."""
    bag = Bag("7-day", AT - 2 * DAY_MS, 0.6, 110, 0, AT + 5 * DAY_MS)
    return Course(id="P-017", site="ward", pump="p1", enrolled_at=AT - 2 * DAY_MS, bag=bag, **changes)


def temperature(celsius: float = 37.0, at: int = AT, **stamps) -> DiaryEntry:
    """A temperature as it comes over MQTT."""
    return DiaryEntry(observed_at=at, entry=DiaryKind.TEMPERATURE, temperature_c=celsius, **stamps)


def test_both_ways_lead_to_the_same_line():
    """What came over MQTT and what a person entered differ only in who wrote it."""
    pump, by_mqtt, by_hand = Pump("ward", "p1"), course_of(), course_of()
    assert diary.take(pump, by_mqtt, temperature(38.4), now()) == Facet.DIARY
    ok, said = diary.add(by_hand, AddDiary(course="P-017", temperature_c=38.4), now())
    assert (ok, str(said)) == (True, "P-017: noted 38.4 °C at 08:00")
    line = DiaryLine(AT, AT, DiaryKind.TEMPERATURE, temperature_c=38.4, who="pump")
    assert by_mqtt.diary == (line,)
    assert by_hand.diary == (DiaryLine(AT, AT, DiaryKind.TEMPERATURE, temperature_c=38.4, who="patient"),)


def test_one_command_may_hold_everything():
    """The page's form is one command, and all of it is said back."""
    course = course_of()
    command = AddDiary(course="P-017", temperature_c=37, handwriting_changed=True, symptom=" tired\n today ", note="x")
    assert str(diary.add(course, command, now())[1]) == (
        "P-017: noted 37 °C, handwriting changed, symptom: tired today, note: x at 08:00"
    )
    assert [line.kind for line in course.diary] == list(DiaryKind)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (AddDiary(course="P-017"), "nothing was entered"),
        (AddDiary(course="P-017", symptom=" \n "), "nothing was entered"),
        (AddDiary(course="P-017", temperature_c=29.9), "29.9 °C is not a body temperature (30 to 45); measure again"),
        (AddDiary(course="P-017", temperature_c=45.1), "45.1 °C is not a body temperature"),
        (AddDiary(course="P-017", temperature_c=float("nan")), "is not a body temperature"),
        (AddDiary(course="P-017", temperature_c=100.4), "it looks like Fahrenheit"),
        (AddDiary(course="P-017", note="x" * 501), "at most 500 characters"),
        (AddDiary(course="P-017", note="x", from_whom="doctor"), "the patient, the caregiver or the nurse"),
        (AddDiary(course="P-017", note="x", observed_at=AT - 48 * HOUR_MS - 1), "more than 48 hours ago"),
        (AddDiary(course="P-017", note="x", observed_at=AT + 2 * MINUTE_MS + 1), "in the future"),
    ],
)
def test_what_cannot_be_is_refused_in_words(command, words):
    """Nothing of a refused command is kept."""
    course = course_of()
    ok, said = diary.add(course, command, now())
    assert not ok
    assert words in str(said)
    assert course.diary == ()


@pytest.mark.parametrize("observed_at", [AT - 48 * HOUR_MS, AT + 2 * MINUTE_MS])
def test_the_edges_of_time_are_allowed(observed_at):
    """48 hours back, and a clock that is two minutes ahead: what lies ahead is noted as of now."""
    course = course_of()
    assert diary.add(course, AddDiary(course="P-017", note="x", observed_at=observed_at), now())[0]
    assert course.diary[0].at == min(observed_at, AT)


@pytest.mark.parametrize("celsius", [30.0, 45.0])
def test_the_edges_of_temperature_are_allowed(celsius):
    """30 and 45 °C are taken."""
    assert diary.add(course_of(), AddDiary(course="P-017", temperature_c=celsius), now())[0]


@pytest.mark.parametrize(
    ("course", "reading", "name"),
    [
        (None, temperature(), "diary-without-course"),
        (course_of(), temperature(at=AT - 48 * HOUR_MS - 1), "diary-too-old"),
        (course_of(), temperature(29.0), "diary-implausible"),
        (Course(id="P-017", site="ward", enrolled_at=AT - HOUR_MS), temperature(at=AT - 2 * HOUR_MS), "diary-before-course"),
    ],
)
def test_refusals_over_mqtt_are_counted_by_name(course, reading, name):
    """Nobody reads an answer there: the device's counts tell the technician."""
    pump = Pump("ward", "p1")
    assert diary.take(pump, course, reading, now()) == 0
    assert pump.refusals == {name: 1}
    assert course is None or course.diary == ()


def test_a_free_clock_or_one_ahead_is_not_believed():
    """Such an entry is noted as of its arrival."""
    course, pump = course_of(), Pump("ward", "p1")
    diary.take(pump, course, temperature(37.0, AT - HOUR_MS, clock=ClockQuality.FREE), now())
    diary.take(pump, course, temperature(38.0, AT + HOUR_MS), now())
    assert [line.at for line in course.diary] == [AT, AT]
    assert not pump.clock_doubtful  # the diary's clock is not the pump's


def test_repeats_have_one_effect():
    """By number where there is one, else by words and time; the same words much later are a new entry."""
    course, pump = course_of(), Pump("ward", "p1")
    for _ in range(2):
        diary.take(pump, course, temperature(37.0, AT - HOUR_MS, boot="b1", seq=4), now())
        diary.take(pump, course, temperature(37.5, AT - MINUTE_MS), now())
    assert (len(course.diary), pump.repeats) == (2, 1)
    diary.add(course, AddDiary(course="P-017", temperature_c=37.5), now(AT - 1))
    assert len(course.diary) == 2
    diary.add(course, AddDiary(course="P-017", temperature_c=37.5), now())
    assert len(course.diary) == 3
    assert 60 * SECOND_MS == diary.SAME_MS


@pytest.mark.hazard("H-24")
def test_late_entries_take_their_place_and_are_marked():
    """Only a newer entry of the same kind makes an entry late; the order of arrival shows in nothing else."""
    course = course_of()
    for command in (
        AddDiary(course="P-017", temperature_c=37, observed_at=AT - HOUR_MS),
        AddDiary(course="P-017", temperature_c=39, observed_at=AT - 2 * HOUR_MS),
        AddDiary(course="P-017", handwriting_changed=True, observed_at=AT - 3 * HOUR_MS),
    ):
        diary.add(course, command, now())
    assert [(line.temperature_c, line.late) for line in course.diary] == [(None, False), (39, True), (37, False)]


def test_the_diary_is_bounded_and_no_flood_pushes_out_another_kind():
    """At most 60 lines; the kind with most lines loses its oldest."""
    course = course_of()
    diary.add(course, AddDiary(course="P-017", handwriting_changed=True), now(AT - DAY_MS))
    for number in range(200):
        diary.add(course, AddDiary(course="P-017", note=f"n{number}"), now(AT + number * MINUTE_MS))
    assert len(course.diary) == diary.ENTRIES_MAX
    assert course.diary[0].changed
    assert course.diary[1].text == "n141"


def reminded(course: Course, at: int, *, expected: bool = True, deaf: bool = False) -> list[str]:
    """Look after the home at that time; returns whom was written to, and by what."""
    context = now(at)
    diary.look(course, RULES, context, expected=expected, deaf=deaf)
    return [f"{effect.person} by {effect.transport}" for effect in context.effects]


def home(**changes) -> Course:
    """A course whose caregiver has a telephone."""
    course = course_of(**changes)
    course.care.caregiver = (Contact("voice", "1"), Contact("sms", "1"))
    return course


NINETEEN, TWENTY = AT + 11 * HOUR_MS, AT + 12 * HOUR_MS


@pytest.mark.hazard("H-26")
def test_the_caregiver_is_reminded_once_at_the_hour():
    """Not before 19:00, not twice, by a contact that is not voice; then 20:00 and the next evening are planned."""
    course = home()
    assert reminded(course, NINETEEN - 1) == []
    assert course.diary_due_at == NINETEEN
    assert reminded(course, NINETEEN) == ["caregiver:P-017 by sms"]
    assert course.diary_due_at == TWENTY
    assert reminded(course, NINETEEN + 1) == []
    assert reminded(course, TWENTY) == []
    assert course.diary_due_at == NINETEEN + DAY_MS
    assert reminded(course, NINETEEN + DAY_MS) == ["caregiver:P-017 by sms"]


def test_who_has_written_or_is_not_treated_is_not_reminded():
    """An entry of the day, no expected delivery, no contact, or an enrolment after the hour: no message."""
    wrote, late = home(), home()
    diary.add(wrote, AddDiary(course="P-017", handwriting_changed=False), now(AT))
    late.enrolled_at = NINETEEN + 1
    assert reminded(wrote, NINETEEN) == []
    assert reminded(home(), NINETEEN, expected=False) == []
    assert reminded(course_of(), NINETEEN) == []
    assert reminded(late, NINETEEN + 2) == []


def test_a_deaf_gateway_asks_again_before_it_reminds():
    """What the home sent may still lie at the broker."""
    course = home()
    assert reminded(course, NINETEEN, deaf=True) == []
    assert course.diary_due_at == NINETEEN + diary.WAIT_WHILE_DEAF_MS
    assert reminded(course, NINETEEN + diary.WAIT_WHILE_DEAF_MS) == ["caregiver:P-017 by sms"]


def test_without_the_rule_nobody_is_looked_after():
    """A ward that has turned the rule off reminds nobody."""
    course, context = home(), now(NINETEEN)
    diary.look(course, {}, context, expected=True, deaf=False)
    assert context.effects == []
    assert course.diary_due_at == NINETEEN + DAY_MS


@pytest.mark.hazard("H-26")
@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 28), "Europe/Berlin", 20),
        (date(2026, 3, 29), "Europe/Berlin", 19),
        (date(2026, 10, 25), "Europe/Berlin", 21),
        (date(2026, 3, 2), "Asia/Hong_Kong", 20),
    ],
)
def test_wall_times_follow_the_clocks(day, zone, hours):
    """20:00 is 19 or 21 hours after midnight on the days on which the clocks change."""
    assert diary.wall_at(day, 20 * 60, zone) - diary.wall_at(day, 0, zone) == hours * HOUR_MS
