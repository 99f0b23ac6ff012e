"""Who is at the door: key file, tokens, sessions, this machine, proxies; and that a revoked one is put out."""

import asyncio
import contextlib
import re

import httpx
import pytest
import uvicorn
from starlette.datastructures import Headers
from starlette.requests import Request

from gateway.console.access import Visitor, allowed
from gateway.console.app import Entrance, create_api
from gateway.console.door import COOKIE, Callers, Door, cookie_of
from gateway.console.problems import Trouble
from gateway.console.roles import Need
from gateway.core.care_lines import CallLine, SilenceLine
from gateway.domain.care import Seen
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import HOUR_MS
from gateway.domain.words import DiaryKind
from gateway.runtime.access import Role
from tests.support.fake_service import AT, TOKEN, board, course, interrupted
from tests.support.people import accounts_of, browser, sign_in
from tests.support.process import free_port

SOON_S = 10.0
HERE = {"client": ("127.0.0.1", 1), "path": "/", "scheme": "http"}


def bearer(text: str, **more: str) -> dict[str, str]:
    """A program's headers."""
    return {"Authorization": f"Bearer {text}", "Accept": "*/*", **more}


@pytest.mark.parametrize(
    ("role", "verb", "path", "body", "status"),
    [
        ("kiosk", "GET", "/health/ready", None, 200),
        ("kiosk", "GET", "/api/v1/board", None, 403),
        ("kiosk", "GET", "/api/v1/stream", None, 403),  # boards and courses hold notes, calls and reasons
        ("read", "GET", "/api/v1/board", None, 200),
        ("read", "POST", "/api/v1/incidents/P-017/ack", None, 403),
        ("triage", "POST", "/api/v1/incidents/P-017/ack", None, 200),
        ("technician", "POST", "/api/v1/incidents/P-017/ack", None, 403),
        ("technician", "POST", "/api/v1/pumps/pump-17/clear", {"condition": "air-in-line"}, 200),
        ("triage", "POST", "/api/v1/pumps/pump-17/clear", {"condition": "air-in-line"}, 200),
        ("triage", "GET", "/api/v1/users", None, 403),
        ("triage", "POST", "/api/v1/replies", {"transport": "sms", "address": "1", "text": "4711"}, 403),
        ("admin", "GET", "/api/v1/users", None, 200),
        ("admin", "POST", "/api/v1/incidents/P-017/ack", None, 200),
    ],
)
async def test_a_token_may_what_its_role_may_in_its_own_name(service, accounts, role, verb, path, body, status):
    """The header that says who asks is not believed of it."""
    _, text = await accounts.make_token("tester", "monitor", Role(role))
    service.told.clear()
    async with browser(service, accounts) as client:
        answer = await client.request(verb, path, json=body, headers=bearer(text, **{"X-Dripwatch-User": "somebody-else"}))
    assert answer.status_code == status, answer.text
    assert [who for who, _ in service.told] == (["monitor"] if verb == "POST" and status == 200 else [])
    if status == 403:
        assert f"monitor ({role}) may not do this; these roles may: " in answer.json()["detail"]


async def test_only_with_the_key_file_the_header_says_who(service, accounts):
    """And without it the key's own name stands in the record."""
    async with browser(service, accounts) as client:
        for who in ("nurse-a", ""):
            headers = {"X-Dripwatch-User": who} if who else {}
            await client.post("/api/v1/incidents/P-017/ack", headers=bearer(TOKEN, **headers))
        await sign_in(client, "the-triage")
        await client.post("/api/v1/incidents/P-017/ack", headers={"X-Dripwatch-User": "nurse-a"})
    assert [who for who, _ in service.told] == ["nurse-a", "api", "the-triage"]


async def test_a_token_that_opens_nothing_makes_nobody_even_here(service, accounts):
    """Who shows a key that was revoked is not somebody who showed none."""
    async with browser(service, accounts, comes_from="127.0.0.1") as client:
        assert (await client.get("/health/ready")).status_code == 200
        for text in ("dw_" + "x" * 43, "", "é"):
            header = f"Bearer {text}".encode("latin-1")
            answer = await client.get("/health/ready", headers={"Authorization": header, "Accept": "*/*"})
            assert answer.status_code == 401


@pytest.mark.parametrize(
    ("here", "reads", "changes"),
    [(Role.READ, 200, 403), (Role.TRIAGE, 200, 200), (None, 303, 401)],
)
async def test_what_somebody_on_this_machine_may_do_is_the_wards_to_say(service, accounts, here, reads, changes):
    """To look, by default; nothing; in the demo also to act. Never the API."""
    async with browser(service, accounts, callers=Callers(here=here), comes_from="127.0.0.1") as client:
        assert (await client.get("/")).status_code == reads
        assert (await client.get("/api/v1/board", headers={"Accept": "*/*"})).status_code == 401
        asked = Request({"type": "http", "method": "POST", "path": "/x", "headers": [(b"sec-fetch-site", b"same-origin")]})
        door = Door(TOKEN, accounts, Callers(here=here))
        asked.state.visitor = door.visitor(HERE, Headers({"host": "127.0.0.1:8080"}))
        with contextlib.nullcontext() if changes == 200 else pytest.raises(Trouble) as trouble:
            await allowed(Need.TRIAGE)(asked)
        assert changes == (trouble.value.status if trouble else 200)


async def test_a_kiosk_sees_the_board_and_nothing_else(service, accounts):
    """The wall is for everybody who walks by."""
    async with browser(service, accounts) as client:
        await sign_in(client, "the-kiosk")
        codes = {path: (await client.get(path)).status_code for path in ("/", "/account", "/access", "/api/v1/courses")}
    assert codes == {"/": 200, "/account": 403, "/access": 403, "/api/v1/courses": 403}


@pytest.mark.parametrize("path", ["/", "/wall"])
@pytest.mark.parametrize("tiles", [True, False])
async def test_a_kiosk_reads_nothing_that_people_wrote(accounts, service, path, tiles):
    """Reasons, calls, diary and home may hold names: a reader sees them on the board, and nobody does who walks by a wall."""
    silence = SilenceLine("P-017.s9", (), AT + HOUR_MS, "nurse-b", "REASON-OF-A-SILENCE")
    call = CallLine(AT, "nurse-a", "CALLED-PERSON", Seen.NOTHING, "ADVICE-OF-A-CALL", AT)
    written = {"silences": (silence,), "calls": (call,), "ward_contact": "HOME-NUMBER", "override_reason": "OVERRIDE-REASON"}
    diary = (DiaryLine(AT, AT, DiaryKind.SYMPTOM, text="SYMPTOM-WORDS"),)
    made = interrupted if tiles else course
    service.shown = board(made("P-017", diary=diary, **written))
    private = re.compile("REASON-OF|CALLED-P|ADVICE-OF|HOME-NUMBER|OVERRIDE-R|SYMPTOM-W")
    told = {}
    for name in ("the-kiosk", "the-read"):
        async with browser(service, accounts) as client:
            await sign_in(client, name)
            told[name] = set(private.findall((await client.get(path)).text))
    expected = {(True, "/"): 6, (False, "/"): 1}.get((tiles, path), 0)  # a row has room for a silence's reason only
    assert (len(told["the-read"]), told["the-kiosk"]) == (expected, set())


@pytest.mark.parametrize("other", ['seen={"a": 1}', "list[0]=x", "name=ü", "no-value", "a@b=1", 'open="', "", "=", "a=b=c"])
def test_a_cookie_of_somebody_else_signs_nobody_out(other):
    """Other services of a hospital's domain set cookies as they like; one that cannot be read leaves ours alone."""
    for line in (f"{other}; {COOKIE}=ours", f"{COOKIE}=ours; {other}"):
        assert cookie_of(Headers(raw=[(b"cookie", line.encode())])) == "ours"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proto", "told"),
    [
        ("10.0.0.1", ["192.0.2.5"], "https", ("192.0.2.5", "https")),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.5"], "", ("192.0.2.5", "http")),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.5, 10.0.0.2"], "ftp", ("192.0.2.5", "http")),
        ("10.0.0.1", [], "https", ("10.0.0.1", "https")),
        ("10.0.0.1", [" , "], "", ("10.0.0.1", "http")),
        ("192.0.2.9", ["127.0.0.1"], "https", ("192.0.2.9", "http")),
    ],
)
def test_only_the_wards_proxies_say_for_whom_they_speak(service, peer, forwarded, proto, told):
    """The last address that is not a proxy's: what stands before it anybody could have written."""
    door = Door(TOKEN, accounts_of(service), Callers(proxies=frozenset({"10.0.0.1", "10.0.0.2"})))
    raw = [(b"x-forwarded-for", line.encode()) for line in forwarded] + [(b"x-forwarded-proto", proto.encode())]
    assert door.behind_proxy({"client": (peer, 1), "scheme": "http"}, Headers(raw=raw)) == told


def test_nobody_is_here_through_a_proxy(service):
    """Named or not, on this machine or another."""
    door = Door(TOKEN, accounts_of(service), Callers(proxies=frozenset({"127.0.0.1"})))
    plain = Headers({"host": "127.0.0.1:8080"})
    assert door.visitor(HERE, plain) is None
    unnamed = Door(TOKEN, accounts_of(service))
    assert unnamed.visitor(HERE, plain) == Visitor("here", Role.READ, "here")
    for header in ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"):
        assert unnamed.visitor(HERE, Headers({"host": "127.0.0.1:8080", header: "127.0.0.1"})) is None


@pytest.mark.parametrize("how", ["end", "disable", "role", "revoke", "expire"])
async def test_a_live_page_ends_when_its_sign_in_does(service, accounts, how):
    """Over a real connection: nobody goes on looking over a stream that was opened in time."""
    port = free_port()
    api = create_api(service, token=TOKEN, entrance=Entrance(accounts=accounts))
    server = uvicorn.Server(uvicorn.Config(api, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(SOON_S):
        while not server.started:
            await asyncio.sleep(0.01)
    cookie, _ = await accounts.sessions.begin("the-triage", Role.TRIAGE, service.now(), browser="", address="")
    _, text = await accounts.make_token("tester", "wall", Role.KIOSK, for_ms=HOUR_MS)
    headers = bearer(text) if how in ("revoke", "expire") else {"Cookie": f"{COOKIE}={cookie}"}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/live", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        lines = answer.aiter_lines()
        assert await anext(lines)
        match how:
            case "end":
                await accounts.end_session("admin", accounts.open_sessions()[0].id)
            case "disable":
                await accounts.disable("admin", "the-triage")
            case "role":
                await accounts.change_role("admin", "the-triage", Role.KIOSK)
            case "revoke":
                await accounts.revoke_token("admin", "wall")
            case _:
                service.show(board(at=service.now() + HOUR_MS))
        service.show(board(at=service.now() + 1))
        async with asyncio.timeout(SOON_S):
            async for _ in lines:
                pass
    server.should_exit = True
    await serving
