"""Test pages, and what is remembered of the ways to each person."""

import pytest

from gateway.core.channels import REASON_MAX
from gateway.core.events import Sent
from gateway.core.languages import WORDINGS
from gateway.core.roster import PersonLine, build_roster
from gateway.domain.commands import SendTestPage
from gateway.domain.effects import Page, Point
from gateway.domain.gsm7 import fits
from gateway.domain.locale import Locale
from gateway.domain.words import Outcome, Priority, WhyPaged
from gateway.runtime.fold import Fold
from gateway.runtime.replay import Replayed
from gateway.runtime.snapshots import dump, restore
from tests.unit.core.world import World, minutes, pages

NURSE = SendTestPage(person="nurse-a")


def line(world: World, name: str = "nurse-a", at: float = 60) -> PersonLine:
    """A person as the console sees her at that minute."""
    found = build_roster(world.monitor.state, minutes(at)).person(name)
    assert found is not None
    return found


def send(world: World, at: float = 1) -> list[Page]:
    """The pages of a test of nurse-a, by sms and by voice."""
    assert world.do(at, NURSE).ok
    return [page for page in world.pages if page.why is WhyPaged.TEST][-2:]


def words(world: World, at: float = 2) -> list[tuple[str, Outcome | None, bool, bool]]:
    """(transport, outcome, waits, works) of her newest test."""
    test = line(world, at=at).test
    assert test is not None
    return [(tried.transport, tried.outcome, tried.waits, tried.works) for tried in test.tried]


def test_every_contact_is_asked_at_once():
    """No delays, no incident, no code, no point for any statistics; the lowest of all priorities."""
    world = World()
    done = world.do(1, SendTestPage(person="charge-nurse"), "charge-nurse")
    assert (done.ok, done.message) == (True, "a test page to charge-nurse is on its way by pager, sms")
    told = world.pages
    assert [(page.transport, page.why, page.priority, page.course, page.code) for page in told] == [
        ("pager", WhyPaged.TEST, Priority.INFORMATION, "", ""),
        ("sms", WhyPaged.TEST, Priority.INFORMATION, "", ""),
    ]
    assert len({page.key for page in told}) == len(told)
    assert all(world.monitor.wanted(page) for page in told)
    assert not [effect for effect in world.effects if isinstance(effect, Point)]


def test_once_a_minute_for_each_person():
    """Refused in words; somebody else may be tested meanwhile, and the same person a minute later."""
    world = World()
    send(world)
    refused = world.do(1.5, NURSE)
    assert (refused.ok, refused.message) == (False, "nurse-a was sent a test page at 08:01: one a minute; try again in 30 s")
    assert world.do(1.5, SendTestPage(person="nurse-b")).ok
    assert line(world, at=1.5).next_test_at == minutes(2)
    assert world.do(2, NURSE).ok


def test_nobody_but_people_of_the_ward():
    """A family at home is not woken by a test."""
    world = World()
    world.enrol(caregiver=())
    for name in ("nurse-z", "caregiver:P-017", ""):
        assert world.do(1, SendTestPage(person=name)).message.startswith(f"the ward has no {name!r}; it has: charge-nurse, ")
    assert world.pages == []


def test_a_muted_way_is_left_out_and_no_way_is_said():
    """STOP holds for tests too."""
    world = World({"people": {"nurse-b": {"contacts": [{"sms": "85290000002"}]}}})
    for address in ("85290000001", "85290000002"):
        world.reply(2, "STOP", address)
    assert world.do(5, NURSE).message == "a test page to nurse-a is on its way by voice"
    assert [way.muted for way in line(world).ways] == [True, False]
    refused = world.do(5, SendTestPage(person="nurse-b"))
    assert (refused.ok, refused.message) == (
        False,
        "no page can reach nurse-b, who has stopped them all (STOP); a START from their telephone ends that",
    )


def test_the_receipt_grows():
    """SMS promises a receipt: accepted is not its end. The telephone promises none."""
    world = World()
    sms, voice = send(world)
    assert words(world) == [("sms", None, True, False), ("voice", None, True, False)]
    world.sent(1.1, sms, Outcome.ACCEPTED)
    world.sent(1.1, voice, Outcome.ACCEPTED)
    assert words(world) == [("sms", Outcome.ACCEPTED, True, False), ("voice", Outcome.ACCEPTED, False, True)]
    world.sent(1.2, sms, Outcome.DELIVERED)
    assert words(world) == [("sms", Outcome.DELIVERED, False, True), ("voice", Outcome.ACCEPTED, False, True)]
    assert [(way.outcome, way.said_at) for way in line(world).ways] == [
        (Outcome.DELIVERED, minutes(1.2)),
        (Outcome.ACCEPTED, minutes(1.1)),
    ]


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (Outcome.REJECTED, False),
        (Outcome.NO_RECEIPT, False),
        (Outcome.WITHDRAWN, False),
        (Outcome.TEMPORARY, True),
        (Outcome.UNKNOWN, True),
    ],
)
def test_what_is_no_success(outcome: Outcome, *, waits: bool):
    """What is tried again is waited for; the rest is a failure, and neither ever works."""
    world = World()
    sms, _ = send(world)
    world.sent(1.1, sms, outcome)
    assert words(world)[0] == ("sms", outcome, waits, False)


def test_nothing_is_waited_for_for_ever():
    """Where an outcome was lost the receipt ends all the same, and not as a success."""
    world = World()
    sms, _ = send(world)
    world.sent(1.1, sms, Outcome.ACCEPTED)
    assert words(world, at=60) == [("sms", Outcome.ACCEPTED, False, False), ("voice", None, False, False)]


def test_an_outcome_of_an_earlier_test_changes_nothing_in_the_newest():
    """A late receipt must not vouch for a page that nobody has sent yet; as news of the contact it counts."""
    world = World()
    old, _ = send(world)
    send(world, at=3)
    world.sent(4, old, Outcome.DELIVERED)
    assert words(world, at=4)[0] == ("sms", None, True, False)
    assert line(world).ways[0].outcome is Outcome.DELIVERED


def test_real_pages_count_for_a_contact_too():
    """The last word stands, whatever it was about; a page that was withdrawn took no way at all."""
    world = World()
    send(world)
    page = world.pages[0]
    world.step(2, Sent, f"P-017@9/r1/{page.person}/0", Outcome.REJECTED, "no such number " * 99)
    way = line(world).ways[0]
    assert (way.outcome, len(way.reason)) == (Outcome.REJECTED, REASON_MAX)
    world.step(3, Sent, f"P-017@9/r2/{page.person}/0", Outcome.WITHDRAWN)
    assert line(world).ways[0].outcome is Outcome.REJECTED


@pytest.mark.parametrize("key", ["", "/", "a/b", "x/r1/nurse-a/9", "x/r1/nurse-a/²", "x/r1/nobody/0", "x/r1/nurse-a/-1"])
def test_rubbish_in_the_place_of_a_key_changes_nothing(key: str):
    """An outcome names its page by a text that anybody may have written into the journal."""
    world = World()
    world.step(2, Sent, key, Outcome.DELIVERED)
    assert all(way.outcome is None for way in line(world).ways)


def test_who_leaves_the_ward_is_forgotten_and_a_new_number_is_unproved():
    """What is kept grows no further than the ward file."""
    world = World()
    for page in send(world):
        world.sent(1.1, page, Outcome.ACCEPTED)
    world.load(2, {"people": {"nurse-a": {"contacts": [{"sms": "85290000077"}, {"voice": "85290000001"}]}}})
    assert [way.outcome for way in line(world).ways] == [None, Outcome.ACCEPTED]
    world.monitor.state.desk.channels.words["gone"] = {}
    world.do(3, SendTestPage(person="nurse-b"))
    assert "gone" not in world.monitor.state.desk.channels.words


def test_it_survives_a_snapshot():
    """A restart forgets neither the minute nor the receipt."""
    world = World()
    sms, _ = send(world)
    world.sent(1.1, sms, Outcome.ACCEPTED)
    state = world.monitor.state
    body = dump(state, "desk:")
    assert body is not None
    back = restore({"desk:": body})
    assert back.desk.channels == state.desk.channels


def test_the_text_says_in_one_message_that_it_is_a_test():
    """In both languages, with the longest site's name and the longest time of day."""
    for locale in Locale:
        at = {Locale.EN: "Wed 30 Sep 2026 13:05", Locale.ZH_HANT: "9月30日13:05"}[locale]
        text = WORDINGS[locale].test.format(site="haematology-ward", at=at)
        assert fits(text), text
    assert "TEST" in WORDINGS[Locale.EN].test
    assert "測試" in WORDINGS[Locale.ZH_HANT].test


def test_no_comparison_of_rules_counts_it():
    """No rule decided it; in the story told again it is there all the same."""
    world = World()
    told = Replayed([(1, page) for page in send(world)], Fold(), 1, [])
    assert told.paged() == []
    assert len(told.effects) == 2


def test_it_pages_nobody_else_and_nothing_follows():
    """A day later nobody has heard anything more of it."""
    world = World()
    for page in send(world):
        world.sent(1.1, page, Outcome.REJECTED)
    assert pages(world.tick(24 * 60)) == []
