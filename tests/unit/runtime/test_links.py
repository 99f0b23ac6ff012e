"""Private links: made of a secret and a page's key, found by their hash, and at an end some day."""

import re

import pytest

from gateway.domain.care import ChangeContacts
from gateway.domain.commands import Acknowledge, EndCourse
from gateway.domain.effects import Page
from gateway.domain.instants import DAY_MS
from gateway.domain.ward import Contact
from gateway.domain.words import AlarmPhase, IncidentState
from gateway.runtime import links as module
from gateway.runtime.links import KEPT_MS, LinkedPage, Links
from tests.unit.core.world import World, alarm, in_trouble, lives, minutes, pages

LINKS = Links("a secret beside the journal")


def paged_world() -> tuple[World, Page]:
    """One incident with one page out."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    return world, page


def find(world: World, token: str, at: float = 3, links: Links = LINKS) -> LinkedPage | None:
    """What the token is about, at so many minutes."""
    return links.find(token, world.monitor.state, minutes(at))


@pytest.mark.hazard("H-70")
def test_a_token_is_22_letters_of_an_address_and_the_same_each_time():
    """A page that is sent again, also by a gateway that was started anew, keeps its link."""
    token = LINKS.token("P-017@5/r1/nurse-a/0")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert Links("a secret beside the journal").token("P-017@5/r1/nurse-a/0") == token
    assert Links("another secret").token("P-017@5/r1/nurse-a/0") != token


def test_each_page_has_its_own():
    """Each round, each person, each contact."""
    keys = [f"P-017@{seq}/r{n}/{who}/{i}" for seq in (5, 6) for n in (1, 2) for who in ("nurse-a", "nurse-b") for i in (0, 1)]
    assert len({LINKS.token(key) for key in keys}) == len(keys)


def test_a_token_finds_its_recipient_and_its_incident_as_it_stands_now():
    """Not as it stood when the page was written."""
    world, page = paged_world()
    found = find(world, LINKS.token(page.key))
    assert (found.key, found.person, found.incident.key) == (page.key, "nurse-a", page.incident)
    assert found.incident.state is IncidentState.TRIGGERED
    world.do(3, Acknowledge(incident=page.incident), who="nurse-b")
    assert find(world, LINKS.token(page.key)).incident.holder == "nurse-b"


def test_every_page_of_an_incident_can_be_found():
    """Also those of later rounds, of other people and other contacts."""
    world = in_trouble()
    sent = pages(lives(world, 40))
    assert len({page.person for page in sent}) > 2
    for page in sent:
        assert find(world, LINKS.token(page.key), 41).key == page.key


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 22, "A" * 21 + "/", "A" * 23, "A" * 100_000, "é" * 22, "../../../../etc/passwd"]
)
def test_what_was_never_given_leads_nowhere(token):
    """Whatever shape it has."""
    world, _ = paged_world()
    assert find(world, token) is None


def test_a_key_is_no_token():
    """Who knows the journal does not know the links."""
    world, page = paged_world()
    assert find(world, page.key) is None
    assert find(world, LINKS.token(page.key), links=Links("another secret")) is None


def test_a_link_ends_a_day_after_its_incident():
    """Until then it says what became of it."""
    world, page = paged_world()
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    lives(world, 6)
    closed_at = world.course().closed[-1].closed_at
    assert (
        LINKS.find(LINKS.token(page.key), world.monitor.state, closed_at + KEPT_MS - 1).incident.state is IncidentState.RESOLVED
    )
    assert LINKS.find(LINKS.token(page.key), world.monitor.state, closed_at + KEPT_MS) is None


@pytest.mark.hazard("H-70")
def test_a_link_ends_with_its_recipient():
    """Who left the ward takes nothing any more, and neither does whoever found the telephone."""
    world, page = paged_world()
    assert find(world, LINKS.token(page.key)) is not None
    everywhere = {"rotation": {"people": ["nurse-b"]}, "overrides": None}
    world.load(3, {"people": {"nurse-a": None}, "schedules": {"ward-nurse": everywhere}})
    assert find(world, LINKS.token(page.key)) is None
    assert find(world, LINKS.token(page.key), links=Links("a secret beside the journal")) is None


def test_a_link_ends_with_the_caregiver_to_whom_it_went():
    """The next one goes by the same name, and has links to other numbers; another delay of the same number ends none."""
    links = Links("a secret beside the journal")
    steps = [{"page": ["caregiver"], "wait": "5m"}, {"page": ["person:charge-nurse"], "wait": "5m"}]
    world = World({"policies": {"high": {"steps": steps}}})
    world.enrol(0, caregiver=(Contact("sms", "85291110017"),))
    world.report(0)
    world.hear(0, alarm(0, stops_delivery=False))
    old = links.token((page := pages(lives(world, 2))[0]).key, page.address)
    world.do(3, ChangeContacts(course="P-017", caregiver=(Contact("sms", "85291110017", 5),)))
    assert find(world, old, links=links).person == "caregiver:P-017"
    world.do(4, ChangeContacts(course="P-017", caregiver=(Contact("sms", "85291110018"),)))
    assert find(world, old, 4, links) is None
    assert find(world, old, 5, Links("a secret beside the journal")) is None
    assert find(world, links.token(page.key, "85291110018"), 5, links) is not None


def test_only_the_last_rounds_are_kept(monkeypatch: pytest.MonkeyPatch):
    """The table has a limit, however long nobody answers."""
    monkeypatch.setattr(module, "ROUNDS_MAX", 2)
    links = Links("a secret beside the journal")
    world = in_trouble()
    sent = pages(lives(world, 60))
    newest = max(sent, key=lambda page: int(page.key.rsplit("/", 3)[1][1:]))
    assert find(world, links.token(newest.key), 60, links) is not None
    assert find(world, links.token(sent[0].key), 60, links) is None
    assert len(links) <= 2 * 5 * 2


def test_what_is_over_for_long_is_forgotten():
    """The table holds the tokens of remembered incidents and no others."""
    links = Links("a secret beside the journal")
    world, page = paged_world()
    assert find(world, links.token(page.key), links=links) is not None
    assert len(links) > 0
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    lives(world, 6)
    world.do(7, EndCourse(course="P-017", reason="over"))
    assert links.find("A" * 22, world.monitor.state, minutes(7) + 2 * DAY_MS) is None
    assert len(links) == 0


def test_however_many_wrong_tokens_come_the_table_is_made_ten_times_a_second(monkeypatch: pytest.MonkeyPatch):
    """A look at ten thousand incidents for each would delay pages."""
    links, made = Links("a secret beside the journal"), []
    learn = links._learn
    monkeypatch.setattr(links, "_learn", lambda state, at: (made.append(at), learn(state, at)))
    world, page = paged_world()
    for ms in range(1_000):
        assert links.find("A" * 22, world.monitor.state, minutes(3) + ms) is None
    assert len(made) == 10
    assert links.find(links.token(page.key), world.monitor.state, minutes(3) + 1_000) is not None


def test_looking_changes_nothing():
    """A link that is opened must not make a cell dirty, let alone an incident somebody's."""
    world, page = paged_world()
    world.monitor.state.dirty.clear()
    find(world, LINKS.token(page.key))
    find(world, "A" * 22)
    assert world.monitor.state.dirty == set()


def test_links_need_a_secret():
    """With an empty one everybody could make them."""
    with pytest.raises(ValueError, match="secret"):
        Links("")
