"""Lists page by page, what they can be asked for, and the board that is not sent twice."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import httpx
import pytest

from gateway.console.board_answer import matches
from gateway.core.care_lines import SilenceLine
from gateway.domain.care import LogCall, SilenceRules
from gateway.domain.commands import AddDiary, EndCourse
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.words import IncidentState, Priority
from tests.support.core_world import World
from tests.support.fake_service import AT, FakeService, board, course, incident, page, pump

pytestmark = pytest.mark.usefixtures("service")


def flat(pages: list[list[str]]) -> list[str]:
    """What stands on all pages."""
    return [*chain.from_iterable(pages)]


async def all_pages(client: httpx.AsyncClient, path: str, limit: int, name: Callable[[dict], str]) -> list[list[str]]:
    """Follow the links to the end; what stood on each page."""
    found, following = [], f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while following:
        answer = await client.get(following)
        assert answer.status_code == 200, answer.text
        found.append([name(line) for line in answer.json()])
        following = answer.links.get("next", {}).get("url", "")
    return found


def remembered(number: int) -> list:
    """So many incidents, two at each minute."""
    return [incident("P-017", seq, opened_at=AT - (seq // 2) * MINUTE_MS) for seq in range(number)]


async def test_every_incident_stands_on_one_page(client: httpx.AsyncClient, service: FakeService):
    """Newest first, those of the same instant by key, none twice, none left out; the last page has no link."""
    service.remembered = remembered(7)
    pages = await all_pages(client, "/api/v1/incidents", 3, lambda line: line["key"])
    assert [len(one) for one in pages] == [3, 3, 1]
    assert flat(pages) == [f"P-017@{seq}" for seq in range(7)]
    assert flat(await all_pages(client, "/api/v1/incidents", 7, lambda line: line["key"])) == flat(pages)


async def test_pages_are_stable_while_incidents_come_and_go(client: httpx.AsyncClient, service: FakeService):
    """A new incident and a forgotten one between two pages: the second goes on where the first ended."""
    service.remembered = remembered(6)
    first = await client.get("/api/v1/incidents?limit=3")
    assert [line["key"] for line in first.json()] == ["P-017@0", "P-017@1", "P-017@2"]
    service.remembered = [incident("P-017", 99, opened_at=AT + 1), *remembered(6)[3:]]
    second = await client.get(first.links["next"]["url"])
    assert [line["key"] for line in second.json()] == ["P-017@3", "P-017@4", "P-017@5"]


async def test_a_link_keeps_what_was_asked_for(client: httpx.AsyncClient, service: FakeService):
    """The next page is of the same state and course."""
    service.remembered = [*remembered(4), incident("P-018", 50)]
    first = await client.get("/api/v1/incidents?limit=2&subject=P-017&state=triggered")
    assert "subject=P-017" in first.headers["link"]
    assert "state=triggered" in first.headers["link"]


async def test_incidents_can_be_chosen(client: httpx.AsyncClient, service: FakeService):
    """By state, course, priority, and time of opening."""
    service.remembered = [
        incident("P-017", 1, opened_at=AT - HOUR_MS),
        incident("P-018", 2, priority=Priority.LOW, opened_at=AT),
        incident("P-018", 3, state=IncidentState.RESOLVED, opened_at=AT - 2 * HOUR_MS),
    ]
    asked = {
        "subject=P-018": ["P-018@2", "P-018@3"],
        "priority=low": ["P-018@2"],
        "state=resolved": ["P-018@3"],
        "since=2026-03-02T05:03:00Z": ["P-018@2", "P-017@1"],
        "until=2026-03-02T05:03:00Z": ["P-018@3"],
        "since=2026-03-02T05:03:00Z&until=2026-03-02T06:03:00Z": ["P-017@1"],
    }
    for query, keys in asked.items():
        assert [line["key"] for line in (await client.get(f"/api/v1/incidents?{query}")).json()] == keys, query


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=!", "cursor=bm9wZQ", "cursor=W251bGxd", "cursor=WyJ4Il0"])
async def test_a_cursor_that_is_none_is_said(client: httpx.AsyncClient, service: FakeService, query: str):
    """Also one of another list: never a mistake of the gateway's."""
    service.remembered = remembered(2)
    answer = await client.get(f"/api/v1/incidents?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:dripwatch:invalid")


async def test_pages_of_an_incident_and_of_a_course(client: httpx.AsyncClient, service: FakeService):
    """In the gateway's order, chosen by incident or course; a page that fell off the end ends the list."""
    service.remembered = [incident("P-017", 48_213)]
    keys = [f"P-017@48213/r{number}/nurse-a/0" for number in (3, 2, 1)]
    service.paged = [*(page(key=key) for key in keys), page(key="P-018@1/r1/nurse-a/0", incident="P-018@1", course="P-018")]
    of_incident = await client.get("/api/v1/incidents/P-017/pages")
    assert [line["key"] for line in of_incident.json()] == keys
    assert [line["course"] for line in (await client.get("/api/v1/pages?course=P-018")).json()] == ["P-018"]
    assert len((await client.get("/api/v1/pages?incident=P-017@48213")).json()) == 3
    assert flat(await all_pages(client, "/api/v1/pages", 2, lambda line: line["key"]))[:3] == keys
    first = await client.get("/api/v1/pages?limit=2")
    service.paged = service.paged[:1]
    assert (await client.get(first.links["next"]["url"])).json() == []
    assert (await client.get("/api/v1/incidents/P-099/pages")).status_code == 404


async def test_courses_come_by_urgency_or_by_name(client: httpx.AsyncClient, service: FakeService):
    """The whole list has the most urgent first; page by page they stand by name, which does not change meanwhile."""
    service.shown = board(course("P-019"), course("P-017"), course("P-018"))
    assert [line["course"] for line in (await client.get("/api/v1/courses")).json()] == ["P-019", "P-017", "P-018"]
    pages = await all_pages(client, "/api/v1/courses", 2, lambda line: line["course"])
    assert pages == [["P-017", "P-018"], ["P-019"]]


async def test_pumps_and_silences_page_by_page(client: httpx.AsyncClient, service: FakeService):
    """By device; by course and id, with the course in each line."""
    service.shown = board(
        course(silences=tuple(SilenceLine(f"P-017.s{n}", (), AT + HOUR_MS, "nurse-a", "known") for n in (1, 2))),
        course("P-018", silences=(SilenceLine("P-018.s3", ("fever",), AT + HOUR_MS, "nurse-a", "known"),)),
        pumps=tuple(pump(f"pump-{n}") for n in (3, 1, 2)),
    )
    assert flat(await all_pages(client, "/api/v1/pumps", 2, lambda line: line["device"])) == ["pump-1", "pump-2", "pump-3"]
    silences = await all_pages(client, "/api/v1/silences", 2, lambda line: f"{line['course']} {line['id']}")
    assert silences == [["P-017 P-017.s1", "P-017 P-017.s2"], ["P-018 P-018.s3"]]
    assert len((await client.get("/api/v1/silences?course=P-018")).json()) == 1


async def test_a_course_that_has_ended_is_told_with_its_history(client: httpx.AsyncClient, service: FakeService):
    """Running or ended: interruptions, calls, plan; an ended one is in a list of its own."""
    world = World()
    world.runs(range(1, 30), infused=1.0)
    world.does(31, LogCall(course="P-017", called="caregiver"), who="nurse-a")
    world.does(32, AddDiary(course="P-017", temperature_c=37.0))
    world.does(33, SilenceRules(course="P-017", reason="known", for_ms=HOUR_MS))
    service.filed, service.shown = world.monitor.state, replace(board(), courses=(), at=world.at(40))
    told = (await client.get("/api/v1/courses/P-017/history")).json()
    assert (told["course"], told["ended_at"], [call["called"] for call in told["calls"]]) == ("P-017", None, ["caregiver"])
    assert told["plan"]
    world.does(35, EndCourse(course="P-017", reason="over"))
    assert [line["course"] for line in (await client.get("/api/v1/ended-courses")).json()] == ["P-017"]
    ended = (await client.get("/api/v1/courses/P-017")).json()
    assert ended["ended_at"] == "2026-03-02T00:35:00.000Z"
    assert (await client.get("/api/v1/courses/P-017/calls")).json()[0]["called"] == "caregiver"
    for path in ("history", "calls"):
        assert (await client.get(f"/api/v1/courses/P-099/{path}")).status_code == 404
    (protocol,) = (await client.get("/api/v1/protocols")).json()
    assert (protocol["name"], protocol["infusion_days"], "7-day" in [bag["name"] for bag in protocol["bags"]]) == (
        "blinatumomab_home",
        28,
        True,
    )
    assert protocol["checklist"]


async def test_the_board_is_not_sent_again_until_something_happens(client: httpx.AsyncClient, service: FakeService):
    """Time alone does not make it another board; an incident does."""
    first = await client.get("/api/v1/board")
    tag = {"If-None-Match": first.headers["etag"]}
    service.show(board(course(current_ms=5, worst_ms=5, infusion_days=0.1), at=AT + MINUTE_MS))
    same = await client.get("/api/v1/board", headers=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    service.show(board(course(incidents=(incident(),))))
    other = await client.get("/api/v1/board", headers=tag)
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


def test_tags_are_compared_weakly():
    """As a browser and as a proxy send them."""
    assert matches('W/"a"', 'W/"a"')
    assert matches('"b", "a"', 'W/"a"')
    assert matches("*", 'W/"a"')
    assert not matches('"b"', 'W/"a"')
