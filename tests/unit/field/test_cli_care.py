from dataclasses import replace

import pytest

from gateway.domain.care import OpenWindow, OrderBag, Signed
from gateway.domain.commands import HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.fake_service import AT, board
from tests.unit.field.care_commands import ENROL

WINDOW = ("window", "open", "P-017", "--kind", "bag-change")
HANG = ("bag", "hang", "P-017", "--bag", "7-day", "--hung-at")
ORDER = ("bag", "order", "P-017", "7-day", "--ready-at")
SILENCE = ("silence", "P-017", "--reason", "r")


@pytest.mark.parametrize(
    ("typed", "ago_ms"),
    [
        ("14:03", 0),
        ("14:05", -2 * MINUTE_MS),
        ("9:15", 4 * HOUR_MS + 48 * MINUTE_MS),
        ("20:03", 18 * HOUR_MS),
        ("2026-03-01 14:03", DAY_MS),
        ("2026-03-01T14:03", DAY_MS),
        ("2026-03-01T06:03Z", DAY_MS),
        ("2026-03-01T14:03:00+08:00", DAY_MS),
    ],
)
def test_what_is_past_is_typed_as_a_watch_in_the_ward_shows_it(run, house, typed, ago_ms):
    """It is 14:03 there: a time of day is the latest one, a watch that is two minutes fast is believed."""
    result = run(*HANG, typed)
    assert (result.exit_code, result.stderr) == (0, "")
    assert house.service.told == [("tester", HangBag(course="P-017", bag="7-day", hung_at=AT - ago_ms))]


@pytest.mark.parametrize(("typed", "in_ms"), [("14:04", MINUTE_MS), ("08:03", 18 * HOUR_MS), ("2026-03-03T14:03", DAY_MS)])
def test_what_is_to_come_is_the_next_of_its_name(run, house, typed, in_ms):
    """A bag that is ready at 08:03 is ready tomorrow morning."""
    assert run(*ORDER, typed).exit_code == 0
    assert house.service.told == [("tester", OrderBag(course="P-017", bag="7-day", ready_at=AT + in_ms))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*HANG, "14:06"), "--hung-at: which day's 14:06? Write the date too, like 2026-03-02T14:06"),
        ((*HANG, "20:02"), "--hung-at: which day's 20:02? Write the date too, like 2026-03-02T20:02"),
        ((*ORDER, "14:03"), "--ready-at: which day's 14:03? Write the date too, like 2026-03-02T14:03"),
        ((*ORDER, "9:00"), "--ready-at: which day's 9:00? Write the date too, like 2026-03-02T09:00"),
        ((*ORDER, "noon"), "--ready-at: 'noon' is no time; write it like 18:00, 2026-03-08T18:00 or 2026-03-08T18:00+08:00"),
        (
            (*WINDOW, "--until", "2026-02-30T08:00"),
            "--until: '2026-02-30T08:00' is no time; write it like 18:00, 2026-03-08T18:00 or 2026-03-08T18:00+08:00",
        ),
        (
            ("diary", "add", "P-017", "--note", "n", "--observed-at", "2026-03-02"),
            "--observed-at: '2026-03-02' is no time; write it like 18:00, 2026-03-08T18:00 or 2026-03-08T18:00+08:00",
        ),
        (WINDOW, "when does it end? Give either --for, like 30m, or --until, like 18:00"),
        ((*WINDOW, "--for", "1h", "--until", "18:00"), "when does it end? Give either --for, like 30m, or --until, like 18:00"),
        ((*SILENCE, "--for", "1h"), "which rules? Give either --rules, like --rules battery-running-out,fever, or --all"),
        (
            (*SILENCE, "--for", "1h", "--all", "--rules", "fever"),
            "which rules? Give either --rules, like --rules battery-running-out,fever, or --all",
        ),
        (
            (*SILENCE, "--for", "1h", "--rules", " , "),
            "which rules? Give either --rules, like --rules battery-running-out,fever, or --all",
        ),
        (
            (*ENROL, "--caregiver", "85290000009"),
            "--caregiver: '85290000009' is no contact; write it like sms:85290000009 or sms:85290000009@2m",
        ),
        (
            (*ENROL, "--checklist", "caregiver-trained"),
            "--checklist: 'caregiver-trained' says not who signed what; write it like caregiver-trained=nurse-a",
        ),
        (
            (*ENROL, "--checklist", "caregiver-trained=@12:00"),
            "--checklist: 'caregiver-trained=@12:00' says not who signed what; write it like caregiver-trained=nurse-a",
        ),
        (
            ("course", "contacts", "P-017"),
            "nothing to change; give --caregiver, --no-caregiver, --ward-contact or --travel-minutes",
        ),
        (
            ("course", "contacts", "P-017", "--caregiver", "sms:1", "--no-caregiver"),
            "--caregiver or --no-caregiver, one of the two",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_the_mend(run, house, words, said):
    """A guess about a day, or about which rules are mute, would be dangerous; nothing was journalled."""
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"dripwatch: {said}\n")
    assert house.service.told == []


def test_an_item_without_a_time_was_signed_now(run, house):
    """By the gateway's clock, which judges it."""
    assert run(*ENROL, "--checklist", "eligibility=nurse-a").exit_code == 0
    (_, command), *_ = house.service.told
    assert command.checklist == (Signed(item="eligibility", by="nurse-a", at=AT),)


def test_a_time_of_day_follows_the_clocks_change(run, house):
    """08:00 stays 08:00 where the clocks go forward in the night between."""
    at = 1_774_739_700_000  # 2026-03-29T00:15+01:00 in Berlin; the clocks go forward at 02:00
    house.service.shown = replace(board(), at=at, timezone="Europe/Berlin")
    assert run(*WINDOW, "--until", "08:00").exit_code == 0
    (_, command), *_ = house.service.told
    assert isinstance(command, OpenWindow)
    assert command.until_at == at + 6 * HOUR_MS + 45 * MINUTE_MS


def test_an_unknown_kind_of_window_is_answered_with_those_that_there_are(run, house):
    """Nobody has to look them up."""
    result = run("window", "open", "P-017", "--kind", "shower", "--for", "1h")
    assert result.exit_code == 2
    assert "'bag-change', 'hospital-visit', 'hospital-stay'" in result.stderr
