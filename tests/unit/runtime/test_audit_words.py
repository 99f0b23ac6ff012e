"""People's commands in words."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.care import ChangeContacts
from gateway.domain.instants import HOUR_MS
from gateway.domain.ward import Contact
from gateway.runtime.audit_words import QUOTED_MAX, deed_of, quoted, wall
from gateway.runtime.records import VERBS, command_from

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
AT = 1_772_409_600_000  # Monday 2026-03-02 08:00 in Hong Kong

# Enough for each command that the gateway knows, by its parts' names.
PARTS = {
    "course": "P-017",
    "pump": "p1",
    "protocol": "blinatumomab_home",
    "bag": "7-day",
    "incident": "P-017@5",
    "to": "nurse-b",
    "reason": "because",
    "text": "the home does not answer",
    "condition": "air-in-line",
    "ready_at": AT + HOUR_MS,
    "kind": "bag-change",
    "mcg_per_day": 28,
    "called": "caregiver",
    "silence": "P-017.s5",
    "person": "nurse-a",
    "what": "add-user",
    "about": "nurse-a",
    "for_ms": HOUR_MS,
    "digest": "0" * 64,
    "verdict": "passed",
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_its_own_words(verb):
    """No command is told by its programmers' name."""
    kind = VERBS[verb]
    command = command_from(verb, {part: value for part, value in PARTS.items() if part in kind.__dataclass_fields__})
    deed = deed_of(command, HONG_KONG, AT)
    assert kind.__name__ not in deed.rest
    assert deed.past
    assert deed.plain
    named = set(deed.rest.replace(":", "").split())
    assert (deed.course or deed.incident or deed.rest).count("P-017") or {"p1", "nurse-a"} & named


@dataclass(frozen=True)
class Odd:
    """A command that a later version may add."""

    course: str
    amount: int


def test_a_command_without_words_is_told_by_its_parts():
    """Nothing is left untold."""
    deed = deed_of(Odd("P-017", 3), HONG_KONG, AT)
    assert (deed.past, deed.rest, deed.course) == ("recorded", "Odd (course P-017, amount 3)", "P-017")


def test_changed_contacts_are_named_without_addresses():
    """Which part changed is told, whom to call is not."""
    command = ChangeContacts(course="P-017", caregiver=(Contact("sms", "85291112222"),), travel_minutes=40)
    rest = deed_of(command, HONG_KONG, AT).rest
    assert rest == "whom to reach about P-017 (caregiver, travel minutes)"


def test_ends_stand_in_the_wards_time():
    """The day is told where it is another one."""
    assert wall(AT + HOUR_MS, AT, HONG_KONG) == "09:00"
    assert wall(AT + 17 * HOUR_MS, AT, HONG_KONG) == "2026-03-03 01:00"


def test_what_people_wrote_is_one_line_and_cut():
    """Line breaks and novels stay in the journal."""
    assert quoted("a\nb\tc") == "a b c"
    assert len(quoted("x" * 1_000)) == QUOTED_MAX
