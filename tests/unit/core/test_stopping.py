"""STOP and START: who wants no messages any more is passed over, and never in silence."""

import pytest

from gateway.core.events import Replied
from gateway.domain.care import ChangeContacts
from gateway.domain.commands import EndCourse
from gateway.domain.effects import Answer
from gateway.domain.ward import Contact
from gateway.domain.words import IncidentState, Outcome, WhyPaged
from tests.unit.core.world import World, in_trouble, lives, paged, pages

ONE_CHANNEL = {"people": {"nurse-a": {"contacts": [{"sms": "85290000001"}]}}}
THREE = [{"pager": "7009"}, {"sms": "85290000001", "after": "1m"}, {"voice": "85290000001", "after": "5m"}]


def reached(world: World, at: float, text: str = "STOP", address: str = "85290000001") -> list:
    """What a reply brought: pages as (person, transport, why), answers as their text."""
    effects = world.step(at, Replied, "sms", address, text)
    return [*paged(effects), *(effect.text for effect in effects if isinstance(effect, Answer))]


def test_the_contact_that_waits_is_due_at_once():
    """Voice was to follow two minutes after the text."""
    world = in_trouble()
    lives(world, 2)
    assert reached(world, 2.5)[0] == ("nurse-a", "voice", "opened")
    assert "sms" not in [transport for person, transport, _ in paged(lives(world, 30)) if person == "nurse-a"]


def test_the_contact_after_a_stopped_one_takes_its_time():
    """Not the beginning of the step, where the pager is; and not the voice's own five minutes."""
    world = World({"people": {"nurse-a": {"contacts": THREE}}})
    reached(world, 0)
    in_trouble(world=world)
    assert paged(world.tick(2)) == [("nurse-a", "pager", "opened")]
    assert paged(world.tick(2.9)) == []
    assert paged(world.tick(3)) == [("nurse-a", "voice", "opened")]


def test_a_page_that_waits_for_its_turn_is_withdrawn():
    """What was planned before STOP and not sent yet is not sent."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    assert world.monitor.wanted(page) is True
    reached(world, 2.1)
    assert world.monitor.wanted(page) is False


@pytest.mark.hazard("H-60")
def test_the_last_channel_pages_the_fallback_by_everything_and_the_next_step():
    """The step had only her: the next one begins now, not at its time."""
    world = in_trouble(ONE_CHANNEL)
    lives(world, 2)
    *brought, said = reached(world, 2.5)
    assert brought == [
        ("ward-manager", "sms", "unreachable"),
        ("ward-manager", "email", "unreachable"),
        ("charge-nurse", "pager", "unacknowledged"),
    ]
    assert said.startswith("You get no more pages: sms was the last way to reach you. ward-manager is told.")


def test_a_page_about_somebody_unreachable_is_always_wanted():
    """No incident stands behind it that could be over."""
    world = World(ONE_CHANNEL)
    reached(world, 1)
    told = pages(world.effects)
    assert [page.why for page in told] == [WhyPaged.UNREACHABLE] * 2
    assert [world.monitor.wanted(page) for page in told] == [True, True]
    assert "nurse-a can no longer be paged" in told[0].text
    assert len(told[0].text) <= 160
    world.sent(2, told[0], Outcome.REJECTED)
    world.sent(2, told[1], Outcome.DELIVERED)


def test_a_stopped_fallback_is_nobody_to_tell():
    """Then everybody hears of it whom the ward can reach."""
    world = World({**ONE_CHANNEL, "policies": {"fallback": ["person:nurse-a"]}})
    *brought, _ = reached(world, 1)
    told = {person for person, _, _ in brought}
    assert "nurse-a" not in told
    assert {"nurse-b", "charge-nurse", "haematologist", "pharmacist", "ward-manager"} == told


def test_the_next_incident_passes_over_who_is_stopped():
    """Her step resolves to nobody: the fallback hears of the gap, the next step begins."""
    world = World(ONE_CHANNEL)
    reached(world, 0)
    in_trouble(world=world)
    assert paged(lives(world, 2)) == [
        ("ward-manager", "sms", "staffing-gap"),
        ("ward-manager", "email", "staffing-gap"),
        ("charge-nurse", "pager", "opened"),
    ]


def test_a_lease_of_somebody_who_stopped_falls_back_at_its_end():
    """She cannot be asked first: the policy starts again at once."""
    world = in_trouble(ONE_CHANNEL)
    (page,) = pages(lives(world, 2))
    world.reply(3, page.code)
    assert world.incident().state is IncidentState.ACKNOWLEDGED
    reached(world, 4)
    lives(world, 32)
    assert ("charge-nurse", "pager", "unacknowledged") in paged(lives(world, 33))
    assert world.incident().state is IncidentState.TRIGGERED


def test_stop_takes_nothing_and_a_code_still_does():
    """STOP is about messages; the incident is nobody's until somebody says so."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    reached(world, 2.5)
    assert world.incident().state is IncidentState.TRIGGERED
    assert world.reply(2.6, page.code).text.startswith("P-017: yours until")


def test_start_brings_the_messages_back():
    """From the next round on."""
    world = World(ONE_CHANNEL)
    reached(world, 0)
    assert reached(world, 0.5, "START") == ["You get pages by sms again. Reply STOP to end that."]
    in_trouble(world=world, at=1)
    assert paged(lives(world, 3)) == [("nurse-a", "sms", "opened")]
    assert world.monitor.state.desk.stopped == {}


@pytest.mark.parametrize(("first", "again"), [("STOP", "You get no pages by sms"), ("START", "You get pages by sms")])
def test_a_word_that_changes_nothing_is_a_correction(first, again):
    """Five an hour, as all of them: two machines that answer each other fall silent."""
    world = World()
    if first == "STOP":
        reached(world, 0, "STOP")
    answers = [world.reply(1 + n / 60, first) for n in range(7)]
    assert [answer is not None for answer in answers] == [True] * 5 + [False] * 2
    assert answers[0].text.startswith(again)


def test_a_caregiver_may_stop_too_and_is_forgotten_with_the_course():
    """What is remembered of STOP belongs to people whom the ward knows."""
    world = World()
    world.enrol(0)
    world.do(0, ChangeContacts(course="P-017", caregiver=(Contact("sms", "85298765432"),)))
    *_, said = reached(world, 1, "STOP", "85298765432")
    assert "last way" in said
    assert world.monitor.state.desk.stopped == {"caregiver:P-017": ["sms"]}
    world.do(2, ChangeContacts(course="P-017", caregiver=()))
    reached(world, 3)
    assert world.monitor.state.desk.stopped == {"nurse-a": ["sms"]}


def test_a_stop_before_the_first_page_wakes_the_incident():
    """No code was given yet, and the next contact is due at once all the same; a snapshot keeps what was before."""
    world = in_trouble(
        {"people": {"nurse-a": {"contacts": [{"sms": "85290000001", "after": "4m"}, {"voice": "1", "after": "8m"}]}}}
    )
    assert paged(lives(world, 3)) == []
    world.monitor.state.dirty.clear()
    assert reached(world, 3.5)[0] == ("nurse-a", "voice", "opened")
    assert "course:P-017" in world.monitor.state.dirty


@pytest.mark.hazard("H-22")
def test_the_next_caregiver_inherits_no_stop():
    """Another number or another enrolment is another person; another delay, or the number written otherwise, is the same one."""
    world = World()
    world.enrol(0, caregiver=(Contact("sms", "85298765432"),))
    stopped = world.monitor.state.desk.stopped
    reached(world, 1, "STOP", "85298765432")
    world.do(2, ChangeContacts(course="P-017", caregiver=(Contact("sms", "+852 9876 5432", 5),)))
    assert stopped == {"caregiver:P-017": ["sms"]}
    world.do(3, ChangeContacts(course="P-017", caregiver=(Contact("sms", "85298765433"),)))
    assert stopped == {}
    reached(world, 4, "STOP", "85298765433")
    world.do(5, EndCourse(course="P-017"))
    world.enrol(6, caregiver=(Contact("sms", "85298765433"),))
    assert stopped == {}


def test_an_unknown_number_stops_nothing():
    """And gets no answer."""
    world = World()
    assert reached(world, 1, "STOP", "85212345678") == []
    assert world.monitor.state.desk.stopped == {}
