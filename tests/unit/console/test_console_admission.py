import logging

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.types import Message, Receive, Scope, Send

from gateway.console.accounts import Accounts
from gateway.console.app import create_api
from gateway.console.door import Door
from gateway.console.guard import Guard
from gateway.runtime.ports import JournalFull
from gateway.runtime.service import Health
from tests.support.fake_service import TOKEN, FakeService

PAGES = ("/", "/live", "/health/live", "/health/ready")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-token-of-tests-012345"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer é".encode("latin-1")},
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/board", "/api/v1/pages", "/api/v1/no-such-thing"])
async def test_the_api_needs_the_token_for_reads_too(opened, path, headers):
    """Without it not even the names of what there is are told, also not on this machine."""
    async with opened() as client:
        answer = await client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:dripwatch:no-token"


@pytest.mark.hazard("H-68")
async def test_a_change_without_the_token_is_refused_before_its_body_is_read(opened, service):
    """A stranger learns nothing from what the API thinks of a body."""
    async with opened() as client:
        answer = await client.post("/api/v1/courses", content=b"not json")
    assert answer.status_code == 401
    assert service.told == []


def test_an_api_without_a_token_is_a_mistake():
    """An empty token would let everybody in."""
    with pytest.raises(ValueError, match="needs a token"):
        create_api(FakeService(), token="")


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/live"])
@pytest.mark.parametrize(
    ("comes_from", "url"),
    [("127.0.0.1", "http://127.0.0.1:8080"), ("127.0.0.1", "http://localhost:8080"), ("::1", "http://[::1]:8080")],
)
async def test_status_page_and_health_are_open_on_this_machine(opened, path, comes_from, url):
    """The wall screen at the gateway needs no token; nothing can be changed from it."""
    async with opened(comes_from=comes_from, url=url) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.post(path)).status_code == 405


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("comes_from", "url", "headers"),
    [
        ("192.0.2.7", "http://127.0.0.1:8080", {}),
        ("not-an-address", "http://127.0.0.1:8080", {}),
        ("127.0.0.1", "http://rebound.example:8080", {}),
        ("127.0.0.1", "http://127.0.0.1:8080", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", "http://127.0.0.1:8080", {"Forwarded": "for=192.0.2.7"}),
    ],
)
async def test_from_elsewhere_they_need_the_token(opened, path, comes_from, url, headers):
    """Neither another machine, nor a foreign site that points its name here, nor a proxy's client reads the board."""
    async with opened(comes_from=comes_from, url=url) as client:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 401
        if path != "/live":
            assert (await client.get(path, headers={**headers, "Authorization": f"bearer {TOKEN}"})).status_code == 200


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/", "no-store"), ("/api/v1/board", "no-store"), ("/static/live.js", "no-cache"), ("/api/docs", "no-store")],
)
async def test_every_answer_carries_the_strict_headers(client, path, kept):
    """No script, style, frame or form but ours, nothing kept, no type guessed."""
    answer = await client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == kept


@pytest.mark.parametrize(
    ("verb", "path", "status", "words"),
    [
        ("GET", "/api/v1/nothing", 404, "there is nothing at /api/v1/nothing; see /api/docs"),
        ("GET", "/nothing", 404, "there is nothing at /nothing; see /api/docs"),
        ("GET", "/api/v1/board/", 404, "there is nothing at /api/v1/board/; see /api/docs"),
        ("DELETE", "/api/v1/board", 405, "not a way to use /api/v1/board"),
        ("GET", "/static/../app.py", 404, "there is nothing at /app.py; see /api/docs"),
        ("GET", "/static/%2e%2e/app.py", 404, "there is nothing at"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(client, verb, path, status, words):
    """One shape of error, also for typing errors, and no file but the static ones."""
    answer = await client.request(verb, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(words)
    assert answer.json()["status"] == status


async def test_a_full_journal_is_a_503_that_says_nothing_was_changed(client, service):
    """Who enrols while the disk is full must know that it did not happen."""
    service.broken = JournalFull("the disk is full")
    answer = await client.post("/api/v1/incidents/P-017/ack")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["type"] == "urn:dripwatch:journal-full"
    assert "nothing was changed: the journal cannot store it now (the disk is full)" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/board", "/"])
async def test_a_mistake_of_ours_is_a_500_without_its_inside_and_is_logged(client, service, path, caplog):
    """The asker learns that it was not them; the log learns where."""
    service.broken = RuntimeError("secret of the inside")
    with caplog.at_level(logging.ERROR, "gateway.console.guard"):
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:dripwatch:internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert f"GET {path} failed" in caplog.text
    assert "secret of the inside" in caplog.text


@pytest.mark.hazard("H-70")
@pytest.mark.parametrize("path", ["/a/AAAABBBBCCCC", "/d/AAAABBBBCCCC"])
async def test_the_log_of_a_mistake_holds_no_secret_of_a_link(path, caplog):
    """Who reads the log could open the page otherwise: it names the route, or masks what follows /a/ and /d/."""
    extra = APIRouter()

    @extra.get(f"{path[:3]}{{token}}")
    async def link(token: str) -> str:
        raise RuntimeError("broken")

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken before any route was found")

    api = create_api(FakeService(), token=TOKEN, extra=[extra])
    for app, said in (
        (api, f"GET {path[:3]}{{token}} failed"),
        (Guard(early, door=Door(TOKEN, Accounts(FakeService())), form_key=b"key"), f"GET {path[:3]}… failed"),
    ):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://elsewhere") as client:
            assert (await client.get(path)).status_code == 500
        assert said in caplog.text
    assert "AAAABBBBCCCC" not in caplog.text


@pytest.mark.parametrize("path", ["/a/AAAABBBBCCCC", "/inbound/twilio"])
async def test_who_hangs_up_in_the_middle_of_a_body_is_no_mistake_of_ours(path, caplog):
    """A telephone that loses its network leaves no traceback, and gets no answer that nobody would read."""
    extra, sent = APIRouter(), []

    @extra.post(path)
    async def read(request: Request) -> int:
        return len(await request.body())

    coming = iter([{"type": "http.request", "body": b"do=", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    api = create_api(FakeService(), token=TOKEN, extra=[extra])
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [], "client": ("192.0.2.7", 1)}
    await api(scope, receive, send)
    assert (sent, caplog.text) == ([], "")


async def test_a_large_body_is_refused_whether_it_says_so_or_not(client, service):
    """Nobody fills the gateway's memory."""
    said = await client.post("/api/v1/courses", content=b" " * 65_537)
    assert (said.status_code, said.json()["detail"]) == (413, "a body has at most 65536 bytes")

    async def pieces():
        for _ in range(3):
            yield b" " * 30_000

    unsaid = await client.post("/api/v1/courses", content=pieces(), headers={"Content-Type": "application/json"})
    assert (unsaid.status_code, unsaid.headers["content-type"]) == (413, "application/problem+json")
    assert service.told == []


async def test_the_process_is_alive_even_when_nothing_else_is(client, service):
    """`live` asks nobody anything."""
    service.broken = RuntimeError("everything is broken")
    assert (await client.get("/health/live")).json() == {"alive": True}


async def test_ready_tells_numbers_and_remarks(client, service):
    """A gateway that works may still have something to say."""
    service.state = Health(ready=True, findings=("record 7 is damaged",), numbers=(("lag_records", 3.0),))
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "findings": ["record 7 is damaged"], "numbers": {"lag_records": 3.0}}


@pytest.mark.parametrize(
    ("findings", "detail"),
    [(("no broker session", "the disk is full"), "no broker session; the disk is full"), ((), "the gateway is not ready")],
)
async def test_not_ready_is_a_503_with_the_findings(client, service, findings, detail):
    """A watchdog sees it from the status, a person from the words."""
    service.state = Health(ready=False, findings=findings, numbers=())
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    said = answer.json()
    assert (said["type"], said["detail"]) == ("urn:dripwatch:not-ready", detail)
    assert (said["ready"], said["findings"]) == (False, list(findings))


async def test_extra_routers_answer_beside_ours():
    """The acknowledgement links of pages will live in the same house."""
    extra = APIRouter()

    @extra.get("/a/{token}")
    async def link(token: str) -> str:
        return token

    api = create_api(FakeService(), token=TOKEN, extra=[extra])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://elsewhere") as client:
        assert (await client.get("/a/abc")).json() == "abc"
