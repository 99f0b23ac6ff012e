"""Signing in by the form, as a browser does: cookies, locks, marks, and what a foreign site cannot do."""

import asyncio
import logging
import re

import pytest

from gateway.console.passwords import PasswordsBusy
from gateway.console.signing_in import ADDRESS_TRIES, LOCKS_TOLD_AN_HOUR
from gateway.console.tries import LOCK_MS
from gateway.domain.commands import AccessChanged
from gateway.runtime.access import AccessStoreFailed, KeepsNothing, Role
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import TOKEN, board
from tests.support.people import PASSWORD, accounts_of, browser, mark, one_of_each_role, sign_in

HTTPS = "https://dripwatch.ward.example"
WRONG = "The name or the password is wrong."
LOCKED = "Too many wrong tries."


@pytest.fixture
async def client(service, accounts):
    """A browser on another machine."""
    async with browser(service, accounts) as made:
        yield made


async def test_a_browser_without_a_sign_in_is_led_to_it_and_back(client):
    """To where it wanted to go, with its query; a program gets a 401."""
    answer = await client.get("/courses?state=ended")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/courses%3Fstate%3Dended")
    assert answer.headers["cache-control"] == "no-store"
    came = await sign_in(client, "the-read", next="/courses?state=ended")
    assert (came.status_code, came.headers["location"]) == (303, "/login?signed=true&next=/courses%3Fstate%3Dended")
    assert (await client.get(came.headers["location"])).headers["location"] == "/courses?state=ended"
    program = await client.get("/live", headers={"Accept": "text/event-stream", "Cookie": ""})
    assert (program.status_code, program.headers["content-type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/login", "/a\nb", "/" + "x" * 600, "/x\\y"]
)
async def test_nobody_is_led_to_another_site(client, target):
    """Whatever the link said."""
    came = await sign_in(client, "the-read", next=target)
    assert came.headers["location"] == "/login?signed=true&next=/"


@pytest.mark.hazard("H-69")
@pytest.mark.parametrize(
    ("url", "comes_from", "named", "secure"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1", "dripwatch-session", False),
        ("http://192.0.2.1:8080", "192.0.2.7", "__Host-dripwatch-session", True),
        (HTTPS, "192.0.2.7", "__Host-dripwatch-session", True),
    ],
)
async def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(service, accounts, url, comes_from, named, secure):
    """Encrypted connections only, but for a browser on the gateway's machine."""
    async with browser(service, accounts, url=url, comes_from=comes_from) as client:
        (cookie,) = (await sign_in(client, "the-triage")).headers.get_list("set-cookie")
    assert cookie.startswith(f"{named}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts >= {"httponly", "samesite=strict", "path=/", f"max-age={7 * 24 * 3600}"}
    assert ("secure" in parts, any(part.startswith("domain") for part in parts)) == (secure, False)


async def test_a_browser_that_keeps_no_cookie_is_told_so(client):
    """Instead of going round in a circle."""
    assert "did not keep the sign-in" in (await client.get("/login?signed=true&next=/")).text


@pytest.mark.hazard("H-69")
@pytest.mark.parametrize("name", ["the-triage", "nobody-at-all", "the-read"])
async def test_after_five_wrong_tries_the_name_is_locked_whether_anybody_has_it_or_not(service, accounts, client, name):
    """The answers tell nobody who exists, and a right password does not help before the time is over."""
    if name == "the-read":
        await accounts.disable("tester", name)
    told = []
    for _ in range(6):
        answer = await sign_in(client, name, "wrong wrong wrong")
        told.append((answer.status_code, WRONG in answer.text, LOCKED in answer.text))
    assert told == [(403, True, False)] * 5 + [(429, False, True)]
    assert (await sign_in(client, name)).status_code == 429
    service.show(board(at=service.now() + LOCK_MS))
    assert (await sign_in(client, name)).status_code == (303 if name == "the-triage" else 403)


async def test_answers_to_known_and_unknown_names_are_the_same_to_the_letter(client):
    """But for the name that was typed, which stands in the form again."""
    pages = [(await sign_in(client, name, "wrong wrong wrong")).text.replace(name, "NAME") for name in ("the-read", "the-nobody")]
    assert pages[0] == pages[1]


async def test_a_hundred_guesses_at_once_are_five(client, accounts, service):
    """Tries are counted before the password is looked at."""
    csrf = await mark(client)
    told = {"csrf": csrf, "name": "the-admin", "password": "wrong wrong wrong"}
    answers = await asyncio.gather(*(client.post("/login", data=told) for _ in range(30)))
    assert sorted({answer.status_code for answer in answers}) == [403, 429]
    assert sum(answer.status_code == 403 for answer in answers) == 5


async def test_one_address_has_twenty_tries_for_all_names(service, accounts, client):
    """Who goes through a list of names is locked, and nobody elsewhere is."""
    codes = [(await sign_in(client, f"name-{n}", "wrong wrong wrong")).status_code for n in range(ADDRESS_TRIES + 1)]
    assert codes == [403] * ADDRESS_TRIES + [429]
    app = client._transport.app
    client._transport.client = ("198.51.100.9", 1)
    assert app is client._transport.app
    assert (await sign_in(client, "the-read")).status_code == 303


async def test_a_lock_is_in_the_record_without_a_name_that_nobody_has(client, service):
    """People type their password into the wrong field."""
    for name in ("the-triage", "my secret password"):
        for _ in range(6):
            await sign_in(client, name, "wrong wrong wrong")
    where = "5 wrong sign-ins, the last from 192.0.2.7; for 15 min"
    assert service.told == [
        ("sign-in", AccessChanged(what="lock", about="the sign-in of the-triage", detail=where)),
        ("sign-in", AccessChanged(what="lock", about="the sign-in of a name that nobody here has", detail=where)),
    ]


async def test_a_storm_of_locks_does_not_fill_the_journal(client, service):
    """The log has the rest."""
    for n in range(LOCKS_TOLD_AN_HOUR + 5):
        client._transport.client = (f"198.51.100.{n}", 1)
        for _ in range(5):
            await sign_in(client, f"n-{n}", "wrong wrong wrong")
    assert len(service.told) == LOCKS_TOLD_AN_HOUR


async def test_an_administrator_unlocks(client, service, accounts):
    """At once, and it stands in the record."""
    for _ in range(5):
        await sign_in(client, "the-read", "wrong wrong wrong")
    bearer = {"Authorization": f"Bearer {TOKEN}", "X-Dripwatch-User": "boss"}
    (line,) = [user for user in (await client.get("/api/v1/users", headers=bearer)).json() if user["name"] == "the-read"]
    assert line["locked_until"]
    assert (await client.post("/api/v1/users/the-read/unlock", headers=bearer)).status_code == 200
    assert service.told[-1] == ("boss", AccessChanged(what="unlock", about="the-read"))
    assert (await sign_in(client, "the-read")).status_code == 303


async def test_neither_a_password_nor_a_cookie_stands_in_the_log(client, service, caplog):
    """Right or wrong."""
    with caplog.at_level(logging.DEBUG, "gateway"):
        await sign_in(client, "the-read", "wrong wrong wrong")
        came = await sign_in(client, "the-read")
    cookie = came.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert "the-read signed in" in caplog.text
    assert not [secret for secret in (PASSWORD, "wrong wrong", cookie) if secret in caplog.text + repr(service.told)]


async def test_signing_in_goes_on_when_neither_journal_nor_store_can_write(service):
    """Whoever is on call must be able to look."""

    class Full(KeepsNothing):
        broken = False

        def put_session(self, session):
            if self.broken:
                raise AccessStoreFailed("the disk is full")

    store = Full()
    accounts = accounts_of(service, store)
    await one_of_each_role(accounts)
    store.broken = True
    decide, service.decide = service.decide, None
    async with browser(service, accounts) as client:
        assert (await sign_in(client, "the-read")).status_code == 303
        service.decide = decide
        assert (await client.get("/account")).status_code == 200


async def test_a_lock_that_cannot_be_journalled_locks_all_the_same(service, accounts):
    """A full disk opens no door."""

    async def full(who, command, **_):
        raise JournalFull("the disk is full")

    service.command = full
    async with browser(service, accounts) as client:
        codes = [(await sign_in(client, "the-read", "wrong wrong wrong")).status_code for _ in range(6)]
    assert codes == [403] * 5 + [429]


async def test_signing_out_ends_the_session_and_takes_the_cookie(client, accounts):
    """Both: a copied cookie opens nothing either."""
    await sign_in(client, "the-triage")
    csrf = await mark(client, "/account")
    answer = await client.post("/logout", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert any(
        cookie.startswith("dripwatch-session=") and "Max-Age=0" in cookie for cookie in answer.headers.get_list("set-cookie")
    )
    assert (await client.get("/account")).headers["location"].startswith("/login")
    assert accounts.open_sessions() == []


async def test_the_sign_in_page_is_one_form_and_the_headers_are_strict(client):
    """No inline script or style, nothing from elsewhere, no secret in what is cached."""
    answer = await client.get("/login")
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("same-origin", "no-store")
    assert not re.search(r"<script(?! src)|style=|onclick|https?://", answer.text)


@pytest.mark.parametrize("body", [b"\xff\xfe=\x00", b"&" * 5_000, b"csrf=1&" * 500, b"%", b""])
async def test_rubbish_in_a_form_is_refused_in_words(client, body):
    """Never a traceback."""
    answer = await client.post("/login", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code in (403, 413)
    assert "<h1>" in answer.text


@pytest.mark.parametrize("cookie", ["dripwatch-session=", "dripwatch-session=%00", 'dripwatch-session="', "=;=;;", "a" * 5_000])
async def test_rubbish_in_a_cookie_is_nobody(client, cookie):
    """And no error."""
    answer = await client.get("/account", headers={"Cookie": cookie})
    assert answer.status_code == 303


async def test_who_is_disabled_while_the_password_is_looked_at_is_not_let_in(service, accounts):
    """The answer counts at its end, not at its beginning."""
    fit = accounts.hashing.fit

    async def slow(kept, password):
        found = await fit(kept, password)
        await accounts.disable("tester", "the-read")
        return found

    accounts.hashing.fit = slow
    async with browser(service, accounts) as client:
        assert (await sign_in(client, "the-read")).status_code == 403
    assert accounts.user("the-read").role is Role.READ


async def test_who_is_told_to_come_again_is_not_locked_out(client, accounts, monkeypatch):
    """While a storm is on, nobody looks at passwords; whoever tries in vain then has not tried wrongly."""
    calm = accounts.hashing.fit

    async def busy(*_: object) -> None:
        raise PasswordsBusy

    monkeypatch.setattr(accounts.hashing, "fit", busy)
    for _ in range(ADDRESS_TRIES + 1):
        assert (await sign_in(client, "the-triage")).status_code == 503
    monkeypatch.setattr(accounts.hashing, "fit", calm)
    assert (await sign_in(client, "the-triage")).status_code == 303
