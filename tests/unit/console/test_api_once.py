"""Keys of requests over HTTP: the same answer, one effect; and the pace at which changes may be asked for."""

import asyncio
import re

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.console import once, pace
from gateway.console.examples import EXAMPLES
from gateway.core.answered import KEPT_MS
from gateway.domain.commands import Acknowledge, Once
from gateway.domain.effects import CommandResult
from gateway.runtime.access import Role
from tests.support.fake_service import TOKEN, FakeService, board, refuse
from tests.support.people import accounts_of, browser

ACK = "/api/v1/incidents/P-017@48213/ack"
KEY = {"Idempotency-Key": "k-1"}


async def test_a_repeated_request_has_one_effect_and_the_very_same_answer(client: httpx.AsyncClient, service: FakeService):
    """Status, headers and body of the second are those of the first; the gateway was told once, with the key."""
    first = await client.post(ACK, json={"for": "30m"}, headers=KEY)
    again = await client.post(ACK, json={"for": "30m"}, headers=KEY)
    assert (first.status_code, first.content, first.headers["content-type"]) == (
        again.status_code,
        again.content,
        again.headers["content-type"],
    )
    assert service.told == [("nurse-a", Acknowledge(incident="P-017@48213", for_ms=1_800_000))]
    assert isinstance(service.onces[0], Once)


async def test_without_a_key_every_request_is_a_new_one(client: httpx.AsyncClient, service: FakeService):
    """Two notes are two notes."""
    for _ in range(2):
        assert (await client.post(ACK)).status_code == 200
    assert len(service.told) == 2
    assert service.onces == [None, None]


async def test_another_body_with_the_same_key_is_refused(client: httpx.AsyncClient, service: FakeService):
    """Under a name to program against; nothing was done."""
    await client.post(ACK, json={"for": "30m"}, headers=KEY)
    wrong = await client.post(ACK, json={"for": "31m"}, headers=KEY)
    assert (wrong.status_code, wrong.json()["type"]) == (422, once.KEY_MISUSED)
    elsewhere = await client.post("/api/v1/incidents/P-018/ack", json={"for": "30m"}, headers=KEY)
    assert elsewhere.status_code == 422
    assert len(service.told) == 1


async def test_what_the_gateway_refused_is_refused_again(client: httpx.AsyncClient, service: FakeService):
    """A refusal is an answer; what failed for want of a disk is none, and may be tried again."""
    service.decide = refuse("no open incident")
    answers = [await client.post(ACK, headers=KEY) for _ in range(2)]
    assert [answer.json()["detail"] for answer in answers] == ["no open incident"] * 2
    assert len(service.told) == 1
    service.broken = RuntimeError("a bug")
    assert (await client.post(ACK, headers={"Idempotency-Key": "k-2"})).status_code == 500
    service.broken = None
    await client.post(ACK, headers={"Idempotency-Key": "k-2"})
    assert len(service.told) == 2


async def test_the_gateways_own_memory_answers_after_a_restart(client: httpx.AsyncClient, service: FakeService):
    """What the fold knows of a key is told as the first answer was, and a misused key is a 422."""
    service.decide = lambda seq, who, command: CommandResult(seq, ok=True, message="done before", first=17)
    assert (await client.post(ACK, headers=KEY)).json()["seq"] == 17
    service.decide = lambda seq, who, command: CommandResult(seq, ok=False, message="another's", first=17, misused=True)
    wrong = await client.post(ACK, headers={"Idempotency-Key": "k-2"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, once.KEY_MISUSED)


async def test_two_at_once_are_one(client: httpx.AsyncClient, service: FakeService):
    """The second waits for the answer of the first."""
    service.held = asyncio.Event()
    both = [asyncio.create_task(client.post(ACK, headers=KEY)) for _ in range(2)]
    while not service.told:
        await asyncio.sleep(0)
    service.held.set()
    first, second = await asyncio.gather(*both)
    assert first.content == second.content
    assert len(service.told) == 1


async def test_keys_are_each_visitors_own(client: httpx.AsyncClient, service: FakeService):
    """Two people who use the same key do not answer for each other."""
    for who in ("nurse-a", "nurse-b"):
        await client.post(ACK, headers={**KEY, "X-Dripwatch-User": who})
    assert [who for who, _ in service.told] == ["nurse-a", "nurse-b"]


async def test_a_key_is_forgotten_after_a_day(client: httpx.AsyncClient, service: FakeService):
    """Then the same key is a new request."""
    await client.post(ACK, headers=KEY)
    service.shown = board(at=service.shown.at + KEPT_MS)
    await client.post(ACK, headers=KEY)
    assert len(service.told) == 2


@pytest.mark.parametrize("key", ["", "with space", "x" * 129, "\u00e9"])
async def test_what_is_no_key_is_said(client: httpx.AsyncClient, service: FakeService, key: str):
    """One line with the mend."""
    answer = await client.post(ACK, headers={"Idempotency-Key": key.encode()})
    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, "Idempotency-Key")
    assert not service.told


async def test_a_body_that_is_too_long_is_refused_with_a_key_too(client: httpx.AsyncClient, service: FakeService):
    """Also where its length was not said before."""

    async def long():
        for _ in range(70):
            yield b" " * 1_000

    answer = await client.post(ACK, content=long(), headers=KEY)
    assert answer.status_code == 413
    assert not service.told


async def test_who_asks_for_changes_too_fast_is_slowed_down_but_takes_incidents():
    """A program that runs wild gets 429s; nobody is ever kept from taking an incident, and others and reads go on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=200)(scope, receive, send)

    note, transport = "/api/v1/incidents/P-017/note", httpx.ASGITransport(pace.Paced(app, stock=3, per_s=0.001))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert [(await client.get("/pumps/p1")).status_code for _ in range(4)] == [200] * 4
        assert [(await client.post(note)).status_code for _ in range(4)] == [200, 200, 200, 429]
        slowed = await client.post(note)
        assert (slowed.json()["type"], slowed.headers["retry-after"]) == (pace.TOO_FAST, "1")
        for path in (ACK, "/api/v1/incidents/P-017/escalate", "/incidents/P-017@1/ack", "/a/token", "/d/token", "/login"):
            assert (await client.post(path)).status_code == 200
        assert (await client.get(note)).status_code == 200
        for path in ("/courses/P-017/call", "/incidents/P-017@1/note", "/enrol"):
            assert (await client.post(path)).status_code == 429
        for path in ("/api/v1/pumps/p1/messages", "/pumps/p1/messages", "/incidents/P-017@1/messages"):
            assert (await client.get(path)).status_code == 429  # each look is a record too


@pytest.mark.parametrize(("token", "paces"), [(True, 1), (False, 2)])
async def test_a_name_in_a_header_makes_another_visitor_with_the_key_file_only(token: bool, paces: int, monkeypatch):
    """A token's program has one pace and one set of keys, whatever it says of itself."""
    service = FakeService()
    accounts = accounts_of(service)
    _, text = await accounts.make_token("tester", "monitor", Role.TRIAGE)
    asked: set[str] = set()
    monkeypatch.setattr(pace.Paced, "_takes_one", lambda _, visitor: asked.add(visitor) or True)
    async with browser(service, accounts) as client:
        for who in ("nurse-a", "nurse-b"):
            headers = {"Authorization": f"Bearer {text if token else TOKEN}", "X-Dripwatch-User": who}
            assert (await client.post("/api/v1/incidents/P-017/note", json={"text": "x"}, headers=headers)).status_code == 200
    assert len(asked) == paces


async def test_visitors_that_are_remembered_are_bounded():
    """The one that asked for nothing for longest is forgotten."""
    paced = pace.Paced(lambda *_: None, stock=1, per_s=0.001)  # type: ignore[arg-type, return-value]
    assert paced._takes_one("first")
    assert not paced._takes_one("first")
    for number in range(pace.VISITORS_MAX):
        paced._takes_one(str(number))
    assert len(paced._left) == pace.VISITORS_MAX
    assert paced._takes_one("first")


async def test_every_body_has_an_example_that_is_valid(client: httpx.AsyncClient, service: FakeService):
    """Readers of the description copy them."""
    schema = (await client.get("/api/openapi.json")).json()
    taken = {
        (path, verb): operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
        for path, verbs in schema["paths"].items()
        for verb, operation in verbs.items()
        if path.startswith("/api/v1") and "requestBody" in operation
    }
    for (path, verb), body in taken.items():
        (name,) = [one["$ref"].rpartition("/")[2] for one in (body, *body.get("anyOf", [])) if "$ref" in one]
        assert name in EXAMPLES, f"{name} has no example in gateway/console/examples.py"
        answer = await client.request(verb, re.sub(r"\{\w+\}", "P-017", path), json=EXAMPLES[name])
        assert answer.status_code != 422, (path, answer.text)


async def test_every_change_tells_of_keys_and_of_the_pace(client: httpx.AsyncClient):
    """The description has the header and the 429 with each of them, and no read has."""
    schema = (await client.get("/api/openapi.json")).json()
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            names = [one["name"] for one in operation.get("parameters", [])]
            is_change = path.startswith("/api/v1/") and verb.upper() in once.CHANGES
            assert (once.HEADER in names, "429" in operation["responses"]) == (is_change, is_change), (verb, path)
