"""An incident in other hands: who is paged, who is refused, and that it cannot fall between two chairs."""

import pytest

from gateway.core import escalation
from gateway.core.escalation import GRACE_MS
from gateway.domain.commands import Acknowledge, HandOver
from gateway.domain.instants import HOUR_MS
from gateway.domain.words import Condition, IncidentState, Outcome
from tests.unit.core.world import MINUTE_MS, World, alarm, in_trouble, lives, minutes, paged, pages


def held(by: str = "nurse-a") -> World:
    """A system fault of high priority that somebody has since minute 3, until minute 33."""
    world = in_trouble()
    lives(world, 2)
    world.do(3, Acknowledge(incident="P-017"), by)
    return world


def test_the_colleague_is_paged_and_nobody_has_it():
    """The giver's lease is over; the policy would start five minutes later."""
    world = held()
    result = world.do(5, HandOver(incident="P-017", to="nurse-b"))
    assert result.message == "P-017: nurse-b is paged; unless somebody takes it the next step is paged at 08:10"
    assert paged(world.effects)[-1] == ("nurse-b", "sms", "escalated")
    incident = world.incident()
    assert (incident.state, incident.ack, incident.next_step_at) == (IncidentState.TRIGGERED, None, minutes(5) + GRACE_MS)
    assert [(line.who, line.text) for line in incident.history if line.what == "handed-over"] == [("nurse-a", "nurse-b")]


def test_the_colleague_takes_it():
    """Then it is hers as any lease, and the other one's contacts and steps are over."""
    world = held()
    world.do(5, HandOver(incident="P-017", to="nurse-b"))
    world.do(6, Acknowledge(incident="P-017"), "nurse-b")
    assert world.incident().ack.who == "nurse-b"
    assert paged(lives(world, 35)) == []
    assert paged(lives(world, 36)) == [("nurse-b", "sms", "lease-ended")]


@pytest.mark.parametrize(
    ("who", "to", "words"),
    [
        ("nurse-a", "nurse-z", "the ward has no 'nurse-z'; it has: charge-nurse, haematologist, nurse-a, nurse-b, pharmacist"),
        ("nurse-a", "caregiver:P-017", "the ward has no 'caregiver:P-017'"),
        ("nurse-a", "nurse-a", "it cannot be handed over to yourself: acknowledge it"),
        ("charge-nurse", "nurse-a", "nurse-a has it already"),
    ],
)
def test_refused_and_nothing_changes(who: str, to: str, words: str):
    """A slip of the pen must not take the incident from who has it."""
    world = held()
    result = world.do(5, HandOver(incident="P-017", to=to), who)
    assert not result.ok
    assert result.message.startswith(words)
    incident = world.incident()
    assert (incident.state, incident.ack.who) == (IncidentState.ACKNOWLEDGED, "nurse-a")
    assert paged(lives(world, 30)) == []


def test_who_has_stopped_every_page_is_refused():
    """She would learn of it from nobody, and whoever had it would be rid of it."""
    world = in_trouble({"people": {"haematologist": {"contacts": [{"sms": "85290000004"}]}}})
    lives(world, 2)
    world.do(3, Acknowledge(incident="P-017"))
    world.reply(4, "STOP", "85290000004")
    result = world.do(5, HandOver(incident="P-017", to="haematologist"))
    assert not result.ok
    assert result.message == "no page can reach haematologist, who has stopped them all: hand it over to somebody else"
    assert world.incident().ack.who == "nurse-a"


def test_an_incident_that_is_over_is_not_handed_over():
    """In the words of every other command."""
    world = held()
    assert world.do(5, HandOver(incident="P-099", to="nurse-b")).message.startswith("no open incident 'P-099'")


def test_it_may_be_handed_back_to_who_let_it_lapse():
    """In the five minutes after the lease ended its holder is reminded, and has it no more."""
    world = held()
    lives(world, 33)
    assert world.do(34, HandOver(incident="P-017", to="nurse-a"), "charge-nurse").ok


@pytest.mark.hazard("H-56")
def test_when_no_contact_of_the_colleague_takes_the_page_the_policy_starts_at_once():
    """Her sms and her call are refused: step 1, without waiting for the five minutes."""
    world = held()
    world.do(5, HandOver(incident="P-017", to="nurse-b"))
    for _ in range(2):
        world.sent(5.1, pages(world.effects)[-1], Outcome.REJECTED)
    assert paged(world.effects)[-2:] == [("nurse-b", "voice", "escalated"), ("nurse-a", "sms", "unacknowledged")]


def test_what_is_only_on_the_board_may_be_handed_over():
    """The colleague is paged once; a policy without steps has nothing to go on with."""
    world = World()
    world.enrol()
    world.report(0)
    world.hear(0, alarm(0, Condition.BATTERY_LOW))
    lives(world, 60)
    result = world.do(60, HandOver(incident="P-017", to="nurse-b"))
    assert result.message == "P-017: nurse-b is paged"
    assert paged(world.effects)[-1] == ("nurse-b", "sms", "escalated")
    assert escalation.next_due(world.incident()) == minutes(60) + 2 * MINUTE_MS, "her call, and then nothing"


@pytest.mark.hazard("H-56")
def test_however_often_it_is_handed_on_something_is_always_due():
    """Two people pass it to each other for an hour: at every moment somebody is going to be paged."""
    world = held()
    for number in range(30):
        to, who = ("nurse-b", "nurse-a") if number % 2 == 0 else ("nurse-a", "nurse-b")
        assert world.do(5 + 2 * number, HandOver(incident="P-017", to=to), who).ok
        due_at = escalation.next_due(world.incident())
        assert due_at is not None
        assert due_at <= minutes(5 + 2 * number) + GRACE_MS < minutes(5) + 2 * HOUR_MS
