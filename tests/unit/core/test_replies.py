"""What people write back, and the codes by which they do."""

import pytest

from gateway.core.codes import KEPT_MS, SHORT_CODES, code_for
from gateway.core.context import Context
from gateway.core.desk import Desk, Issued
from gateway.core.replies import CORRECTIONS_AN_HOUR
from gateway.core.state import Incident, Subject
from gateway.domain.care import ChangeContacts
from gateway.domain.commands import EndCourse
from gateway.domain.ward import Contact, Person, Ward
from gateway.domain.words import AlarmPhase, IncidentState, Outcome, Priority
from tests.unit.core.world import World, alarm, in_trouble, lives, minutes, pages

HOUR = 60


def paged_world() -> tuple[World, str]:
    """One incident with one page out, and its code."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    return world, page.code


@pytest.mark.parametrize("written", ["{}", "ack {}", "ACK {}.", " ok {} ", "Yes: {}", "ack #{}", "ack\n{}", "{}!", "ack", "Ok."])
def test_what_takes_an_incident(written):
    """The code, with or without a word before it; or the bare word, where one page is open."""
    world, code = paged_world()
    assert world.reply(3, written.format(code)).text.startswith("P-017: yours until 08:33.")
    assert world.incident().state is IncidentState.ACKNOWLEDGED
    assert world.incident().ack.who == "nurse-a"


def test_wide_digits_are_digits():
    """A Chinese keyboard writes them; they mean the same."""
    world, code = paged_world()
    wide = "".join(chr(ord(digit) - ord("0") + ord("\uff10")) for digit in code)
    assert world.reply(3, wide).text.startswith("P-017: yours until")


@pytest.mark.parametrize("written", ["", "on my way", "ack P-017", "4711 4712", "0", "ack 47", "nack", "acknowledge 12345678"])
def test_what_takes_nothing_is_answered_with_the_mend(written):
    """No guessing."""
    world, _ = paged_world()
    assert "Not understood. Reply with the code" in world.reply(3, written).text
    assert world.incident().state is IncidentState.TRIGGERED


@pytest.mark.parametrize("number", ["85290000001", "+852 9000-0001", "0085290000001", "(852) 90000001"])
def test_numbers_are_the_same_however_they_are_written(number):
    """By their digits."""
    world, code = paged_world()
    assert world.reply(3, code, number) is not None
    assert world.incident().state is IncidentState.ACKNOWLEDGED


@pytest.mark.hazard("H-68")
@pytest.mark.parametrize("number", ["85290000009", "90000001", "", "85290000001234"])
def test_an_unknown_number_gets_no_answer(number):
    """Whoever that is learns nothing, not even that somebody listens."""
    world, code = paged_world()
    assert world.reply(3, code, number) is None
    assert world.incident().state is IncidentState.TRIGGERED


@pytest.mark.hazard("H-58")
def test_a_code_belongs_to_one_person():
    """A colleague's code takes nothing."""
    world, code = paged_world()
    assert "No page to you has the code" in world.reply(3, code, "85290000002").text
    assert world.incident().state is IncidentState.TRIGGERED


def test_five_corrections_an_hour_are_enough():
    """A machine that answers our answers is soon alone; a right code is still heard."""
    world, code = paged_world()
    answers = [world.reply(3 + n / 60, "no such thing") for n in range(8)]
    assert [answer is not None for answer in answers] == [True] * CORRECTIONS_AN_HOUR + [False] * 3
    assert world.reply(3.5, code).text.startswith("P-017: yours")
    assert world.reply(63.01, "again") is not None


def test_a_late_code_touches_no_other_incident():
    """The old incident is over; the new one has another code."""
    world, code = paged_world()
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    lives(world, 6)
    world.hear(10, alarm(10, stops_delivery=False))
    (page,) = pages(lives(world, 12))
    assert page.code != code
    assert world.reply(12.5, code).text == "P-017: that one is over already; nothing was changed."
    assert world.incident().state is IncidentState.TRIGGERED


def test_bare_words_need_exactly_one_open_page_to_that_person():
    """Not one incident of the ward: one that this person was paged for."""
    world, _ = paged_world()
    assert world.reply(3, "ack", "85290000002").text == "No page to you is open."
    in_trouble(world=world, pump="p2", course="P-018", at=4)
    lives(world, 6)
    assert world.reply(6.5, "ack").text == "2 pages to you are open: reply with the code of one."


def test_an_answer_is_keyed_by_the_reply():
    """Answered once, however often the journal is read."""
    world, code = paged_world()
    assert world.reply(3, code).key == f"answer@{world.seq}"


@pytest.mark.parametrize(
    ("contact", "holder"),
    [
        (Contact("sms", "+852 9000-0001"), "nurse-a"),
        (Contact("sms", "0085291110017"), "caregiver:P-017"),
        (Contact("sms", "85291110018"), ""),
        (Contact("voice", "85290000001"), ""),
    ],
)
def test_a_caregivers_number_is_nobody_elses(contact: Contact, holder: str):
    """Where a reply comes back on the transport: its code would be looked for among the other one's."""
    world = World()
    world.enrol(0, caregiver=(Contact("sms", "85291110017"),))
    refused = f"the caregiver's sms is that of {holder} already: nobody could tell whose reply comes from it" if holder else ""
    enrolled = world.enrol(1, "P-018", "p2", caregiver=(contact,))
    assert (enrolled.ok, enrolled.message if holder else "") == (not holder, refused)
    world.enrol(2, "P-019", "p3")
    changed = world.do(3, ChangeContacts(course="P-019", caregiver=(contact,))) if holder else enrolled
    assert (changed.ok, changed.message if holder else "") == (not holder, refused)


def test_a_number_is_free_when_its_course_has_ended_and_stays_ones_own():
    """The same contacts may be entered again, and the next patient's home may be the same one."""
    world = World()
    mine = (Contact("sms", "85291110017"),)
    world.enrol(0, caregiver=mine)
    assert world.do(1, ChangeContacts(course="P-017", caregiver=mine)).ok
    world.do(2, EndCourse(course="P-017"))
    assert world.enrol(3, "P-018", "p2", caregiver=mine).ok


# ---- codes ---------------------------------------------------------------------------------------------------------


def issue(desk: Desk, key: str, at: int, person: str = "nurse-a") -> str:
    """The code of an incident for a person."""
    ward = Ward("haem-ward", "Asia/Hong_Kong")
    incident = Incident(key, "P-017", "", at, Priority.HIGH, {})
    return code_for(Subject("P-017"), incident, Person(person, ()), Context(ward, {}, {}, desk, at, 1))


def test_an_incident_has_one_code_a_person():
    """All its pages carry the same."""
    world = in_trouble()
    sent = pages(lives(world, 12))
    codes = {page.person: {other.code for other in sent if other.person == page.person} for page in sent}
    assert len(codes) == 3
    assert all(len(found) == 1 and len(next(iter(found))) == 4 for found in codes.values())


@pytest.mark.hazard("H-58")
def test_a_code_is_not_given_again_within_thirty_days():
    """Two thousand incidents of one person: two thousand codes; after thirty days the old ones are free."""
    desk = Desk()
    codes = {issue(desk, f"P-{n}@{n}", at=n) for n in range(2_000)}
    assert len(codes) == 2_000
    issue(desk, "P-1@1", at=KEPT_MS - 1 + 10_000)
    issue(desk, "later@2", at=KEPT_MS + 10_000)
    assert len(desk.codes["nurse-a"]) == 2


def test_a_code_in_use_is_kept_and_never_taken_from_another_incident():
    """Thirty days count from its last page; one that came back too late gets another code."""
    desk, context = Desk(), lambda at: Context(Ward("haem-ward", "Asia/Hong_Kong"), {}, {}, desk, at, 1)
    incident = Incident("P-017@5", "P-017", "", 0, Priority.HIGH, {})
    code = code_for(Subject("P-017"), incident, Person("nurse-a", ()), context(0))
    assert code_for(Subject("P-017"), incident, Person("nurse-a", ()), context(KEPT_MS - 1)) == code
    issue(desk, "P-1@1", at=KEPT_MS + 1)
    assert desk.codes["nurse-a"][code].incident == "P-017@5"
    desk.codes["nurse-a"][code] = Issued("P-2@2", "P-2", "nurse-a", KEPT_MS)
    another = code_for(Subject("P-017"), incident, Person("nurse-a", ()), context(KEPT_MS + 2))
    assert another != code
    assert (desk.codes["nurse-a"][code].incident, desk.codes["nurse-a"][another].incident) == ("P-2@2", "P-017@5")


def test_codes_grow_longer_before_they_run_out():
    """When half of the short ones are in use."""
    desk = Desk()
    desk.codes["nurse-a"] = {str(1_000 + n): Issued("x@1", "x", "nurse-a", 0) for n in range(SHORT_CODES // 2 - 1)}
    assert len(issue(desk, "P-1@1", 1)) == 4
    assert len(issue(desk, "P-2@2", 1)) == 6


def test_a_code_stays_the_same_when_the_page_is_decided_again():
    """Replay gives what was sent."""
    assert issue(Desk(), "P-017@5", 1) == issue(Desk(), "P-017@5", 1)


def test_a_receipt_or_a_failure_of_an_answer_is_nobodys_incident():
    """An outcome with a key that belongs to no incident changes nothing."""
    world, _ = paged_world()
    from_before = pages(world.effects)[0]
    world.sent(3, from_before, Outcome.DELIVERED)
    assert world.incident().state is IncidentState.TRIGGERED
    assert minutes(0) < world.incident().opened_at
