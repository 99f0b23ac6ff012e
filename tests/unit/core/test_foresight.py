"""What the console says before a button is pressed is what the core then does: every promise is compared with the real run."""

import pytest

from gateway.core.foresight import foresee
from gateway.core.sheets import Sheets
from gateway.domain.care import LogCall, Seen, SilenceRules
from gateway.domain.commands import Acknowledge, Close, Escalate, HandOver, Note
from gateway.domain.words import Condition, Outcome, WhyPaged
from tests.unit.core.world import World, alarm, in_trouble, lives, minutes, pages

KEY = "P-017"


def key_of(world: World) -> str:
    """The key of the open incident."""
    return world.incident().key


def foreseen(world: World, minute: float, command=None, who: str = "nurse-a"):
    """What is foreseen, and the state is what it was."""
    before = repr(world.monitor.state)
    told = Sheets(world.monitor.state, minutes(minute)).foresee(key_of(world), who, command)
    assert repr(world.monitor.state) == before
    return told


def next_pages(world: World, minute: float) -> tuple[int, set[tuple[str, str]]]:
    """When the next pages really go out, and to whom."""
    while not (found := pages(lives(world, minute))):
        minute += 0.5
    first_at = found[0].decided_at
    return first_at, {(page.person, page.transport) for page in found if page.decided_at == first_at}


@pytest.mark.parametrize("minute", [2, 3, 5, 7, 8.5, 13, 21])
def test_who_is_paged_next_if_nobody_does_anything_is_who_is_paged_next(minute: float):
    """All along the policy: contacts of one person, the next step, the next round."""
    world = in_trouble()
    lives(world, minute)
    told = foreseen(world, minute)
    assert told.paged == ()
    assert told.coming is not None
    assert next_pages(world, minute + 0.5) == (told.coming.at, set(told.coming.people))


def test_an_acknowledgement_says_until_when_and_who_is_asked_then():
    """The lease of the policy, or the one that was chosen; at its end who had it is paged."""
    world = in_trouble()
    lives(world, 3)
    told = foreseen(world, 3, Acknowledge(incident=key_of(world)))
    longer = foreseen(world, 3, Acknowledge(incident=key_of(world), for_ms=2 * 3_600_000))
    assert (told.paged, told.held_until, longer.held_until) == ((), minutes(33), minutes(123))
    assert told.coming is not None
    assert (told.coming.why, told.coming.at) == (WhyPaged.LEASE_ENDED, minutes(33))
    world.do(3, Acknowledge(incident=KEY))
    assert next_pages(world, 4) == (told.coming.at, set(told.coming.people))


@pytest.mark.parametrize("holder", ["", "nurse-a"])
def test_escalating_says_whom_it_pages_at_once(holder: str):
    """Whether nobody has it, or somebody who gives it away."""
    world = in_trouble()
    lives(world, 3)
    if holder:
        world.do(3, Acknowledge(incident=KEY), who=holder)
    told = foreseen(world, 4, Escalate(incident=key_of(world)))
    world.tick(4)
    before = len(world.pages)
    world.do(4, Escalate(incident=KEY))
    assert told.paged
    assert {(page.person, page.transport) for page in world.pages[before:]} == set(told.paged)
    assert told.coming is not None
    assert next_pages(world, 4.5) == (told.coming.at, set(told.coming.people))


def test_handing_over_pages_the_colleague_and_then_the_policy():
    """And what the gateway would refuse is said with its own words."""
    world = in_trouble()
    lives(world, 3)
    told = foreseen(world, 3, HandOver(incident=key_of(world), to="charge-nurse"))
    assert told.paged == (("charge-nurse", "pager"),)
    refused = foreseen(world, 3, HandOver(incident=key_of(world), to="nobody"))
    assert (refused.ok, str(refused.said).startswith("the ward has no 'nobody'")) == (False, True)
    world.do(3, HandOver(incident=KEY, to="charge-nurse"))
    assert told.coming is not None
    assert next_pages(world, 3) == (told.coming.at, set(told.coming.people))


def test_what_is_high_and_fires_cannot_be_closed_and_a_note_pages_nobody():
    """Closing is foreseen as refused; a note changes nothing about who is paged next."""
    world = in_trouble()
    lives(world, 3)
    assert str(foreseen(world, 3, Close(incident=key_of(world), reason="?")).said).startswith("an alert of high priority")
    noted = foreseen(world, 3, Note(incident=key_of(world), text="calls"))
    assert (noted.ok, noted.coming) == (True, foreseen(world, 3).coming)


def test_closing_says_who_hears_of_it_and_that_nothing_comes():
    """A medium alert may be closed; whoever can have got a page is told."""
    world = World()
    world.enrol(0)
    world.report(0)
    world.hear(0, alarm(0, Condition.UNDER_INFUSION, stops_delivery=False))
    lives(world, 11)
    page = world.pages[-1]
    world.sent(11, page, Outcome.ACCEPTED)
    told = foreseen(world, 11, Close(incident=key_of(world), reason="the line was changed"))
    assert (told.ok, told.paged, told.told, told.coming) == (True, (), (page.person,), None)


def test_a_silence_says_when_it_is_loud_again():
    """Until its end nobody is paged; then the people of the policy are."""
    world = in_trouble()
    lives(world, 3)
    asked = SilenceRules(course=KEY, reason="the team is on its way", for_ms=30 * 60_000)
    told = foreseen(world, 3, asked)
    assert told.coming is not None
    assert (told.paged, told.coming.at, told.coming.why) == ((), minutes(33), WhyPaged.SILENCE_ENDED)
    world.do(3, asked)
    assert world.incident().history[-1].what in {"silenced", "muted"}
    assert next_pages(world, 4) == (told.coming.at, set(told.coming.people))


def test_a_call_that_saw_the_pump_running_is_foreseen_as_a_lease():
    """Of a silent pump; the pump's own cell is not touched by looking ahead."""
    world = World()
    world.enrol(0)
    world.runs(0, 5)
    world.tick(40)
    told = foreseen(world, 40, LogCall(course=KEY, called="caregiver", seen=Seen.RUNNING))
    assert told.held_until == minutes(40 + 240)
    standing = foreseen(world, 40, LogCall(course=KEY, called="caregiver", seen=Seen.STANDING))
    assert standing.ok


def test_the_wards_own_incident_is_foreseen_too():
    """The gateway hears nobody: no course, the same policy."""
    world = World()
    world.link(10, "lost")
    world.tick(12)
    key = world.incident("haem-ward").key
    told = foresee(world.monitor.state, key, "nurse-a", Escalate(incident=key), minutes(12))
    assert told is not None
    assert told.paged


def test_nothing_is_foreseen_for_what_is_over_or_never_was():
    """None: there is nothing to press."""
    world = in_trouble()
    assert foresee(world.monitor.state, "P-017@9", "nurse-a", None, minutes(1)) is None
    assert foresee(world.monitor.state, "P-999@9", "nurse-a", None, minutes(1)) is None


def test_what_is_quiet_already_ends_by_itself():
    """Nothing fires any more and nobody does anything: it resolves, and no page comes but that it is over."""
    world = in_trouble()
    lives(world, 3)
    world.incident().quiet_at = minutes(3)
    assert foreseen(world, 3).coming is None
