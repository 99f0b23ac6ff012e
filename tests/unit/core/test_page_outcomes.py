"""What becomes of a page, and what that changes: refusals, missing receipts, outages, the end."""

import pytest

from gateway.core.events import Ticked
from gateway.domain.commands import Acknowledge
from gateway.domain.words import AlarmPhase, Outcome, WhyPaged
from tests.unit.core.world import World, alarm, in_trouble, lives, minutes, paged, pages, stopped


@pytest.mark.hazard("H-52")
def test_a_refused_contact_makes_the_next_due_at_once_and_all_refused_the_next_step():
    """Permanent failure is news; nobody waits for it."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    (call,) = pages(world.sent(2.1, page, Outcome.REJECTED))
    assert (call.transport, call.why.value) == ("voice", "opened")
    assert paged(world.sent(2.2, call, Outcome.REJECTED)) == [
        ("nurse-a", "sms", "unacknowledged"),
        ("charge-nurse", "pager", "unacknowledged"),
    ]


def test_a_missing_receipt_counts_as_a_failure_and_an_unknown_outcome_does_not():
    """Nobody knows is not the same as it did not arrive."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    assert paged(world.sent(2.2, page, Outcome.ACCEPTED)) == []
    assert paged(world.sent(3, page, Outcome.NO_RECEIPT)) == [("nurse-a", "voice", "opened")]
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    assert paged(world.sent(2.2, page, Outcome.UNKNOWN)) == []
    assert paged(world.sent(2.3, page, Outcome.TEMPORARY)) == []
    assert paged(lives(world, 4)) == [("nurse-a", "voice", "opened")]


def test_failures_never_bring_the_policy_round_sooner():
    """Two starts of the repeated step are ten minutes apart, however often everybody's contacts are refused."""
    world = in_trouble()
    todo, rounds = pages(lives(world, 2)), []
    while todo:
        page = todo.pop(0)
        rounds.append(page.key.split("/")[1])
        todo += pages(world.sent(2.5, page, Outcome.REJECTED))
    assert len(set(rounds)) == 3
    assert world.incident().next_step_at == minutes(12.5)
    assert pages(lives(world, 13))[0].decided_at == minutes(12.5)


def test_who_was_never_reached_is_not_told_the_end():
    """And who may have been, is: an unknown outcome may have arrived."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    world.sent(2.1, page, Outcome.TEMPORARY)
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    assert paged(lives(world, 5)) == []
    assert world.incident_or_none() is None
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    world.sent(2.3, page, Outcome.UNKNOWN)
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    assert paged(lives(world, 5)) == [("nurse-a", "sms", "resolved")]


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.DELIVERED])
def test_a_page_that_was_on_its_way_at_the_end_is_followed_by_the_end(outcome: Outcome):
    """What may have arrived is not left standing: its end is told when that is known, once, and with the time of the end."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    assert paged(lives(world, 5)) == [], "nobody can have heard of it yet"
    (over,) = pages(world.sent(5.2, page, outcome))
    assert (over.person, over.transport, over.why) == ("nurse-a", "sms", WhyPaged.RESOLVED)
    assert over.text.startswith("P-017 RESOLVED after 3 min")
    assert paged(world.sent(5.3, over, Outcome.ACCEPTED)) == []
    assert paged(world.sent(5.4, page, Outcome.WITHDRAWN)) == []


@pytest.mark.parametrize("outcome", [Outcome.WITHDRAWN, Outcome.REJECTED, Outcome.TEMPORARY])
def test_a_page_that_never_left_is_followed_by_nothing(outcome: Outcome):
    """Withdrawn before it was handed over, or refused after the end: it reached nobody."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    assert paged(lives(world, 5)) == []
    assert paged(world.sent(5.2, page, outcome)) == []


def test_a_resolution_that_is_refused_goes_by_the_next_contact_and_then_rests():
    """The end of trouble is worth one more try a contact, not more."""
    world = in_trouble({"people": {"nurse-a": {"contacts": [{"sms": "1"}, {"email": "a@b.example"}, {"voice": "1"}]}}})
    for page in pages(lives(world, 2)):
        world.sent(2.1, page, Outcome.ACCEPTED)
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    (over,) = pages(lives(world, 5))
    (again,) = pages(world.sent(5.1, over, Outcome.REJECTED))
    assert (over.transport, again.transport) == ("sms", "email")
    assert pages(world.sent(5.2, again, Outcome.REJECTED)) == []


def test_a_page_becomes_pointless_by_an_ack_or_a_newer_page_but_a_milestone_does_not():
    """What is still to be tried again is asked for before each attempt."""
    world = World()
    world.enrol()
    world.report(0)
    world.hear(1, stopped(1))
    (first,) = pages(world.tick(11))
    assert world.monitor.wanted(first) is True
    (_, second) = pages(world.tick(21))
    assert world.monitor.wanted(first) is False
    assert world.monitor.wanted(second) is True
    world.do(22, Acknowledge(incident="P-017", for_ms=10 * 60 * 60_000))
    assert world.monitor.wanted(second) is False
    milestone = pages(world.tick(121))[0]
    world.do(121.5, Acknowledge(incident="P-017", for_ms=10 * 60 * 60_000))
    assert world.monitor.wanted(milestone) is True


def test_the_gap_after_an_outage_is_merged_by_lateness_not_by_quiet():
    """A clock record a millisecond late after five quiet minutes merges nothing: the manager's two contacts are both tried."""
    manager = {"steps": [{"page": ["person:ward-manager"], "wait": "30m"}], "repeat": {"from_step": 1, "every": "30m"}}
    world = in_trouble({"policies": {"high": manager}})
    late = world.step(2.0001, Ticked)
    assert paged(late) == [("ward-manager", "sms", "opened"), ("ward-manager", "email", "opened")]
    world = in_trouble({"policies": {"high": manager}})
    assert paged(world.step(3.1, Ticked)) == [("ward-manager", "sms", "opened")]
    spared = pages(world.sent(3.2, world.pages[-1], Outcome.REJECTED))
    assert [page.transport for page in spared] == ["email"]


def test_a_restart_lives_through_the_outage_as_a_deaf_gateway():
    """Two hours down: the pump that nobody could hear calls nobody; the gateway's own deafness counts from the start."""
    world = World()
    world.enrol()
    world.runs(0, 10)
    effects = world.load(130, started=True)
    assert paged(effects) == []
    assert world.incident_or_none() is None
    world.link(130, "up")
    world.report(130.1)
    world.link(130.2, "drained")
    assert paged(world.tick(134)) == []
    assert world.course().delivery.state.value == "delivering"
