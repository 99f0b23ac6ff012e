"""Users, tokens and sessions in the browser and over the API: the same changes, shown once, never a secret twice."""

import re

import httpx
import pytest

from gateway.domain.commands import AccessChanged
from gateway.runtime.access import Role
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import TOKEN
from tests.support.people import PASSWORD, browser, mark, sign_in

NEW = "another few words"
BEARER = {"Authorization": f"Bearer {TOKEN}", "X-Dripwatch-User": "boss", "Accept": "*/*"}


@pytest.fixture
async def admin(service, accounts):
    """A browser that is signed in as an administrator."""
    async with browser(service, accounts) as made:
        await sign_in(made, "the-admin")
        yield made


@pytest.fixture
async def program(service, accounts):
    """The machine's administrator, without a browser."""
    async with browser(service, accounts, **BEARER) as made:
        yield made


async def press(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Press a button of /access (or of another page by its path's first part)."""
    page = "/" + path.split("/")[1]
    return await client.post(path, data={"csrf": await mark(client, page), **fields})


async def test_an_administrator_adds_somebody_who_then_signs_in(admin, service, accounts):
    """From the form to the first page that the new user sees."""
    answer = await press(admin, "/access/users", name="nurse-b", role="triage", password=NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/access?done=add-user")
    assert "The user was added." in (await admin.get("/access?done=add-user")).text
    assert service.told == [("the-admin", AccessChanged(what="add-user", about="nurse-b", detail="triage"))]
    async with browser(service, accounts) as other:
        assert (await sign_in(other, "Nurse-B", NEW)).status_code == 303
        assert "Account of nurse-b" in (await other.get("/account")).text


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/access/users", {"name": "the-read", "role": "read", "password": NEW}, "there is a user the-read already"),
        ("/access/users", {"name": "nurse-b", "role": "emperor", "password": NEW}, "choose a role"),
        ("/access/users", {"name": "nurse-b", "role": "read", "password": "short"}, "12 to 128 characters"),
        ("/access/users", {}, "choose a role"),
        ("/access/users/nobody/role", {"role": "read"}, "there is no user"),
        ("/access/users/nobody/unlock", {}, "there is no user"),
        ("/access/users/%3Cb%3E/disable", {}, "there is no user &#39;&lt;b&gt;&#39;"),
        ("/access/tokens", {"name": "m", "role": "read", "for": "soon"}, "1 minute or longer"),
        ("/access/tokens/none/revoke", {}, "there is no token"),
        ("/access/sessions/none/end", {}, "there is no session"),
    ],
)
async def test_a_refusal_shows_the_page_again_with_the_words(admin, service, path, fields, words):
    """A 409, and nothing in the record."""
    answer = await press(admin, path, **fields)
    assert (answer.status_code, words in answer.text, "<h1>Access</h1>" in answer.text) == (409, True, True)
    assert service.told == []


async def test_each_button_of_a_user_does_what_it_says(admin, service, accounts):
    """Role, password, disable, enable, unlock."""
    for path, fields in (
        ("role", {"role": "technician"}),
        ("password", {"password": NEW}),
        ("disable", {}),
        ("enable", {}),
        ("unlock", {}),
    ):
        assert (await press(admin, f"/access/users/the-read/{path}", **fields)).status_code == 303
    whats = [command.what for _, command in service.told]
    assert whats == ["change-role", "set-password", "disable-user", "enable-user", "unlock"]
    assert accounts.user("the-read").role is Role.TECHNICIAN


async def test_a_token_is_shown_once_and_opens_until_it_is_revoked(admin, service, accounts):
    """On the page that answers, and on no other."""
    answer = await press(admin, "/access/tokens", name="monitor", role="read", **{"for": "90d"})
    (text,) = re.findall(r"dw_[\w-]{43}", answer.text)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert text not in (await admin.get("/access")).text
    async with browser(service, accounts, Authorization=f"Bearer {text}") as program:
        assert (await program.get("/api/v1/board")).status_code == 200
        assert (await press(admin, "/access/tokens/monitor/revoke")).status_code == 303
        assert (await program.get("/api/v1/board")).status_code == 401


async def test_somebody_elses_browser_is_signed_out(admin, service, accounts):
    """And knows it at the next click."""
    async with browser(service, accounts) as other:
        await sign_in(other, "the-triage")
        (session,) = accounts.open_sessions("the-triage")
        assert (await press(admin, f"/access/sessions/{session.id}/end")).status_code == 303
        assert (await other.get("/account")).status_code == 303
    assert service.told == [("the-admin", AccessChanged(what="end-session", about="the-triage", detail=session.id))]


@pytest.mark.parametrize("name", ["the-read", "the-triage", "the-technician", "the-kiosk"])
async def test_nobody_else_sees_or_changes_who_may_what(service, accounts, name):
    """Page and buttons alike: a 403 in words."""
    async with browser(service, accounts) as client:
        await sign_in(client, name)
        shown = await client.get("/access")
        pressed = await client.post("/access/users/the-read/role", data={"role": "admin"})
    assert (shown.status_code, pressed.status_code) == (403, 403)
    assert "these roles may: admin" in shown.text
    assert service.told == []


async def test_one_changes_ones_own_password_and_the_other_browsers_are_out(service, accounts):
    """The present one proves who sits there."""
    async with browser(service, accounts) as one, browser(service, accounts) as other:
        await sign_in(one, "the-triage")
        await sign_in(other, "the-triage")
        answer = await press(one, "/account/password", present=PASSWORD, new=NEW, again=NEW)
        assert answer.headers["location"] == "/account?done=password"
        assert "You have another password" in (await one.get("/account?done=password")).text
        assert (await other.get("/account")).status_code == 303
        assert (await sign_in(other, "the-triage", PASSWORD)).status_code == 403
        assert (await sign_in(other, "the-triage", NEW)).status_code == 303


@pytest.mark.parametrize(
    ("present", "new", "again", "words"),
    [
        ("wrong wrong wrong", NEW, NEW, "present password is wrong"),
        (PASSWORD, NEW, NEW + "x", "passwords differ"),
        (PASSWORD, "short", "short", "12 to 128 characters"),
        ("", "", "", "present password is wrong"),
    ],
)
async def test_ones_own_password_stays_when_something_is_wrong(service, accounts, present, new, again, words):
    """With the words on the page."""
    async with browser(service, accounts) as client:
        await sign_in(client, "the-triage")
        answer = await press(client, "/account/password", present=present, new=new, again=again)
        assert (answer.status_code, words in answer.text) == (409, True)
    assert service.told == []


async def test_whoever_finds_an_open_browser_guesses_no_password(service, accounts):
    """Wrong ones are counted as at the door."""
    async with browser(service, accounts) as client:
        await sign_in(client, "the-triage")
        pages = [await press(client, "/account/password", present="wrong", new=NEW, again=NEW) for _ in range(6)]
    assert "Too many wrong tries" in pages[-1].text


async def test_one_signs_ones_own_browsers_out_and_no_other(service, accounts):
    """By the id of a session of somebody else nothing happens."""
    async with browser(service, accounts) as one, browser(service, accounts) as other:
        await sign_in(one, "the-triage")
        await sign_in(other, "the-read")
        (foreign,) = accounts.open_sessions("the-read")
        assert (await press(one, f"/account/sessions/{foreign.id}/end")).status_code == 409
        (own,) = accounts.open_sessions("the-triage")
        assert (await press(one, f"/account/sessions/{own.id}/end")).status_code == 303
        assert [session.user for session in accounts.open_sessions()] == ["the-read"]


async def test_a_full_journal_is_a_page_in_words(admin, service):
    """Nothing was changed, and it says so."""
    csrf = await mark(admin, "/access")

    async def full(who, command, **_):
        raise JournalFull("the disk is full")

    service.command = full
    answer = await admin.post("/access/users/the-read/disable", data={"csrf": csrf})
    told = (answer.status_code, "Nothing was changed: the gateway cannot store" in answer.text, "<h1>" in answer.text)
    assert told == (503, True, True)


async def test_the_api_does_what_the_pages_do(program, service, accounts):
    """Typed, with the words of what was done; passwords and tokens in no list."""
    told = [
        await program.post("/api/v1/users", json={"name": "nurse-b", "role": "read", "password": NEW}),
        await program.post("/api/v1/users/nurse-b/role", json={"role": "triage"}),
        await program.post("/api/v1/users/nurse-b/password", json={"password": NEW + "!"}),
        await program.post("/api/v1/users/nurse-b/disable"),
        await program.post("/api/v1/users/nurse-b/enable"),
        await program.post("/api/v1/users/nurse-b/unlock"),
        await program.post("/api/v1/tokens", json={"name": "monitor", "role": "read", "for": "90d"}),
    ]
    assert [answer.status_code for answer in told] == [201, 200, 200, 200, 200, 200, 201]
    assert accounts.token(told[-1].json()["token"]).until_at == service.now() + 90 * 86_400_000
    assert {who for who, _ in service.told} == {"boss"}
    lists = [(await program.get(f"/api/v1/{name}")).text for name in ("users", "tokens", "sessions")]
    assert not re.search(r"argon2|digest|dw_|password", "".join(lists))
    assert (await program.delete("/api/v1/tokens/monitor")).json() == {"message": "the token monitor opens nothing any more"}


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("POST", "/api/v1/users", {"name": "a b", "role": "read", "password": NEW}, 409),
        ("POST", "/api/v1/users", {"name": "x", "role": "emperor", "password": NEW}, 422),
        ("POST", "/api/v1/users", {"name": "x", "role": "read", "password": NEW, "more": 1}, 422),
        ("POST", "/api/v1/users", {"name": "x", "role": "read", "password": "y" * 2_000}, 422),
        ("POST", "/api/v1/users/nobody/password", {"password": NEW}, 409),
        ("POST", "/api/v1/users/nobody/unlock", None, 409),
        ("POST", "/api/v1/tokens", {"name": "x", "role": "read", "for": "1s"}, 422),
        ("DELETE", "/api/v1/tokens/none", None, 409),
        ("DELETE", "/api/v1/sessions/none", None, 409),
    ],
)
async def test_the_api_refuses_as_the_pages_do(program, service, verb, path, body, status):
    """As problems; a password that was refused is not said back."""
    answer = await program.request(verb, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert NEW not in answer.text
    assert "yyyy" not in answer.text
    assert service.told == []
