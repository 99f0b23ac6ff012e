"""What the board says of supplies, of what people recorded, and of what they muted."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.console.care_words import care_words
from gateway.console.times import day_and_clock
from gateway.console.words import words_in
from gateway.core.care_lines import CallLine, OrderLine, SilenceLine
from gateway.core.supplies import SupplyLine
from gateway.domain.care import Seen
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.locale import Locale
from gateway.domain.words import DiaryKind, Priority
from tests.support.fake_service import AT, alert, board, course, incident, interrupted

ZONE = ZoneInfo("Asia/Hong_Kong")
LIKELY = SupplyLine(AT + 128 * HOUR_MS, AT + 138 * HOUR_MS, AT + 148 * HOUR_MS)


def said(**changes):
    """The words for a course with these changes."""
    return care_words(course(**changes), AT, ZONE, words_in(Locale.EN))


@pytest.mark.parametrize(
    ("supplies", "words"),
    [
        (SupplyLine(), ""),
        (LIKELY, "estimated between Sat 7 Mar 22:03 and Sun 8 Mar 18:03, most likely Sun 8 Mar 08:03"),
        (SupplyLine(AT, AT + HOUR_MS, AT + 4 * HOUR_MS), "estimated at any time until 18:03, may be empty now"),
        (SupplyLine(AT + 1, AT + 1, AT + 1), "estimated between 14:03 and 14:03, most likely 14:03"),
        (SupplyLine(AT - 2, AT - 1, AT), "estimated to be empty by now"),
    ],
)
def test_the_bag_s_end_is_an_interval_that_says_it_is_estimated(supplies, words):
    """Nobody plans by a single hour that was never measured."""
    assert said(supplies=supplies).empty == words


@pytest.mark.parametrize(
    ("supplies", "words"),
    [
        (SupplyLine(), ""),
        (SupplyLine(battery_left_ms=16 * HOUR_MS + 1, battery_learnt=True), "about 16 h left, estimated by this pump's own fall"),
        (SupplyLine(battery_left_ms=HOUR_MS), "about 1 h left, estimated by the maker's figure"),
        (SupplyLine(battery_left_ms=HOUR_MS - 1), "less than 1 h left, estimated by the maker's figure"),
    ],
)
def test_the_battery_says_on_whose_word_its_hours_rest(supplies, words):
    """A figure from the catalogue is not this pump's own."""
    assert said(supplies=supplies).battery == words


def test_the_delivered_share_names_its_witness():
    """The pump's own count is what it is; a scale under the bag is another witness."""
    assert said(scale_falls=True).volume == "the scale sees the bag get lighter"
    assert said(supplies=SupplyLine(delivered_percent=7), scale_falls=False).volume == (
        "7 % of the prescribed volume over the last 2 h, by the pump's count; the scale does NOT see the bag get lighter"
    )
    assert said(supplies=SupplyLine(delivered_percent=98)).volume == (
        "98 % of the prescribed volume over the last 2 h, by the pump's count"
    )


@pytest.mark.hazard("H-12")
@pytest.mark.parametrize(
    ("expires_at", "words"),
    [
        (None, ""),
        (AT + 142 * HOUR_MS, "expires Sun 8 Mar 12:03"),
        (AT + 142 * HOUR_MS - 1, "expires Sun 8 Mar 12:02, BEFORE the planned change"),
        (AT, "EXPIRED 14:03"),
    ],
)
def test_a_bag_that_expires_before_its_change_says_so(expires_at, words):
    """The plan is wrong then, not the bag."""
    assert said(supplies=SupplyLine(bag_expires_at=expires_at)).expiry == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "not ordered"),
        ({"bag": ""}, ""),
        ({"order": OrderLine("7-day", "nurse-a", AT, AT + DAY_MS)}, "7-day ordered by nurse-a, ready Tue 3 Mar 14:03"),
        ({"order": OrderLine("7-day", "nurse-a", AT - 1, AT)}, "7-day ordered by nurse-a, ready since 14:03"),
    ],
)
def test_the_next_bag_is_ordered_or_not(changes, words):
    """Whoever looks knows whether to call the pharmacy."""
    assert said(**changes).order == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Cycle 1, infusion day 1"),
        (
            {"infusion_days": 8.3, "planned_days": 28, "dose_mcg_per_day": 28.0},
            "Cycle 1, infusion day 9 of 28, 28 mcg a day",
        ),
        (
            {"break_at": AT - DAY_MS, "break_until": AT + 13 * DAY_MS},
            "Cycle 1 over, break since Sun 1 Mar 14:03, by protocol until Sun 15 Mar 14:03",
        ),
        ({"break_at": AT}, "Cycle 1 over, break since 14:03"),
    ],
)
def test_the_day_of_the_cycle_counts_what_was_delivered(changes, words):
    """Day, dose and break as the ward speaks of them."""
    assert said(**changes).treatment == words


def test_todays_diary_says_what_is_missing():
    """Yesterday's temperature is not today's."""
    yesterday = DiaryLine(AT - DAY_MS, AT, DiaryKind.TEMPERATURE, temperature_c=39.9)
    assert said(diary=(yesterday,)).diary == "nothing today"
    warm = replace(yesterday, at=AT - 5 * HOUR_MS, temperature_c=37.2)
    assert said(diary=(warm, yesterday)).diary == "37.2 °C at 09:03; no handwriting today"
    changed = DiaryLine(AT, AT, DiaryKind.HANDWRITING, changed=True)
    unwell = DiaryLine(AT, AT, DiaryKind.SYMPTOM, text="a headache")
    assert (
        said(diary=(changed, unwell)).diary == "no temperature today; handwriting CHANGED at 14:03; symptom at 14:03: a headache"
    )
    assert said(bag="", diary=()).diary == ""


def test_a_call_says_who_spoke_to_whom_and_what_was_seen():
    """The next nurse does not ask the home the same again."""
    call = CallLine(AT - MINUTE_MS, "nurse-a", "caregiver", Seen.RUNNING, "call again at six", AT + HOUR_MS)
    words = "14:02 nurse-a called caregiver, pump seen running (trusted until 15:03): call again at six"
    assert said(calls=(call,)).call == words
    assert said(calls=(replace(call, seen=Seen.NOTHING, advice=""),)).call == "14:02 nurse-a called caregiver"


def test_the_home_is_told_by_transports_never_by_addresses():
    """How far, how the caregiver is reached, whom the home calls, and why the checklist was overridden."""
    assert said().home == ""
    told = said(travel_minutes=40, caregiver=("sms", "voice"), ward_contact="2345 6789", override_reason="by night").home
    assert told == "40 min from the hospital; caregiver by sms, voice; the home calls 2345 6789; checklist overridden: by night"


QUIET = {
    "window": "bag-change",
    "window_until": AT + 27 * MINUTE_MS,
    "window_who": "nurse-a",
    "silences": (
        SilenceLine("P-017.s9", ("battery-running-out",), AT + 40 * MINUTE_MS, "nurse-b", "charger on its way"),
        SilenceLine("P-017.s10", (), AT + DAY_MS, "nurse-c", "moved house"),
    ),
}


@pytest.mark.parametrize("make", [course, interrupted])
async def test_windows_and_silences_stand_on_the_page_with_reason_end_and_who(client, service, make):
    """What is mute is never hidden, also of a course that goes well; the id that ends a silence stands beside it."""
    service.shown = board(make(**QUIET))
    text = " ".join(re.sub(r"<[^>]+>", " ", (await client.get("/")).text).split())
    assert "Window: bag change until 14:30 (in 27 min), opened by nurse-a" in text
    assert "Silenced: battery running out until 14:43 (in 40 min), by nurse-b: charger on its way P-017.s9" in text
    assert "Silenced: every rule until Tue 3 Mar 14:03 (in 24 h), by nurse-c: moved house P-017.s10" in text


async def test_a_muted_alert_stays_on_the_page_and_says_until_when(client, service):
    """It pages nobody, but it is true."""
    muted = replace(alert("battery-running-out", priority=Priority.MEDIUM), muted_until=AT + HOUR_MS, muted_by="silence")
    service.shown = board(course(incidents=(incident(alerts=(muted,), next_step_at=None),)))
    text = " ".join(re.sub(r"<[^>]+>", " ", (await client.get("/")).text).split())
    assert "Battery running out, since 13:33 (30 min ago) medium Pages nobody until 15:03 (in 1 h) : silence" in text


async def test_what_people_wrote_about_a_course_is_escaped(client, service):
    """A reason, an advice or a symptom never becomes markup, nor does who wrote it."""
    bad = '<img src=x onerror="alert(1)">&'
    told = {
        "window": bad,
        "window_until": AT + 1,
        "window_who": bad,
        "silences": (SilenceLine(bad, (bad,), AT + 1, bad, bad),),
        "order": OrderLine(bad, bad, AT, AT),
        "calls": (CallLine(AT, bad, bad, Seen.STANDING, bad, AT),),
        "ward_contact": bad,
        "override_reason": bad,
        "diary": (DiaryLine(AT, AT, DiaryKind.SYMPTOM, text=bad),),
    }
    service.shown = board(interrupted(**told), course("P-020", **told))
    html = (await client.get("/")).text
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=") >= 20


def test_days_apart_from_today_are_written_in_full():
    """Two instants side by side are read alike, over a year's end too."""
    assert day_and_clock(AT, AT, ZONE) == "14:03"
    assert day_and_clock(AT + DAY_MS, AT, ZONE) == "Tue 3 Mar 14:03"
    assert day_and_clock(AT - 62 * DAY_MS, AT, ZONE) == "Tue 30 Dec 2025 14:03"
