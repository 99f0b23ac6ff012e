"""The list of incidents and of the latest pages."""

import re

from gateway.console.incident_list import PAST_SHOWN
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState, Outcome, Priority
from tests.support.fake_service import AT, incident, page


async def text_of(client, place="/incidents") -> str:
    """The page's words, without its tags."""
    answer = await client.get(place)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def over(number: int):
    """An incident that lasted 20 min."""
    told = {"state": IncidentState.RESOLVED, "closed_at": AT - number * 60 * MINUTE_MS, "alerts": (), "next_step_at": None}
    return incident("P-017", number, opened_at=AT - (number * 60 + 20) * MINUTE_MS, **told)


async def test_open_incidents_stand_first_the_most_urgent_and_unowned_before_the_others(client, service):
    """What nobody has comes before what somebody has."""
    held = incident("P-001", 1, state=IncidentState.ACKNOWLEDGED, holder="nurse-b", held_until=AT + MINUTE_MS)
    service.remembered = [over(9), incident("P-002", 2, priority=Priority.LOW), held, incident("P-003", 3)]
    text = await text_of(client)
    places = [text.index(key) for key in ("P-003@3", "P-001@1", "P-002@2", "Past", "P-017@9")]
    assert places == sorted(places)
    assert "high nurse-b has it until 14:04 (in 1 min)" in text
    assert "P-017 P-017@9 high 04:43 (9 h 20 min ago) 20 min nurse-a, charge-nurse" in text


async def test_what_is_past_comes_in_parts(client, service):
    """Fifty at a time; the way to the older and the newer stands below."""
    service.remembered = [over(number) for number in range(120)]
    first, last = (await client.get("/incidents")).text, (await client.get("/incidents?part=3")).text
    assert (first.count('scope="row"'), last.count('scope="row"')) == (50, 20)
    assert re.findall(r'href="(/incidents\?part=\d)"', first) == ["/incidents?part=2"]
    assert re.findall(r'href="(/incidents\?part=\d)"', last) == ["/incidents?part=2"]
    assert "None is remembered." in (await client.get("/incidents?part=9")).text


async def test_a_quiet_ward_has_an_empty_list(client):
    """No heading stands over nothing."""
    text = await text_of(client)
    assert "No incident is open." in text
    assert "None is remembered." in text
    assert "Nobody has been paged." in text


async def test_pages_are_told_with_time_person_channel_text_and_outcome(client, service):
    """The latest thirty, newest first."""
    service.paged = [
        page(outcome=None),
        page("charge-nurse", outcome=Outcome.NO_RECEIPT, reason="no receipt within 60 s", transport="pager"),
        *[page(f"person-{number}") for number in range(40)],
    ]
    text = await text_of(client)
    assert "14:01 (2 min ago) nurse-a sms high P-017 HIGH: delivery stopped (occlusion downstream)" in text
    assert "under way" in text
    assert "14:01 (2 min ago) charge-nurse pager" in text
    assert "no receipt no receipt within 60 s" in text
    assert "person-27" in text
    assert "person-28" not in text


async def test_whatever_people_wrote_is_escaped_in_the_list(client, service):
    """A page's text, a reason or a name never becomes markup."""
    bad = '<img src=x onerror="alert(1)">&'
    service.remembered = [incident(bad, paged=(bad,)), over(1)]
    service.paged = [page(bad, text=bad, transport=bad, reason=bad)]
    html = (await client.get("/incidents")).text
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=") >= 6


async def test_the_list_asks_for_no_more_of_the_past_than_it_shows(client, service, monkeypatch):
    """Each line is made on the event loop, where pages wait for it."""
    service.remembered = [incident(seq=n, state=IncidentState.RESOLVED, closed_at=AT) for n in range(500)]
    given: list[int] = []
    lines_of = service.incidents

    def counted(*which, **more):
        lines = lines_of(*which, **more)
        given.append(len(lines))
        return lines

    monkeypatch.setattr(service, "incidents", counted)
    text = (await client.get("/incidents?part=2")).text
    assert sum(given) <= PAST_SHOWN + 1
    assert ("part=3" in text, "part=1" in text) == (True, True)
