"""What a foreign site cannot do with a nurse's browser: marks in forms, and where the browser says that they stood."""

import pytest

from gateway.console.browsers import browser_words
from gateway.console.door import Callers
from tests.support.people import BASE, PASSWORD, browser, mark, sign_in

HTTPS = "https://dripwatch.ward.example"


@pytest.fixture
async def client(service, accounts):
    """A browser on another machine."""
    async with browser(service, accounts) as made:
        yield made


@pytest.mark.hazard("H-68")
@pytest.mark.parametrize(
    ("headers", "field", "status"),
    [
        ({}, None, 403),
        ({}, "0" * 64, 403),
        ({}, "é", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "own", 403),
        ({"Sec-Fetch-Site": "same-site"}, "own", 403),
        ({"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, "own", 403),
        ({"Sec-Fetch-Site": "", "Origin": "null"}, "own", 403),
        ({"Content-Type": "text/plain"}, "own", 415),
    ],
)
async def test_a_form_that_is_not_from_our_page_changes_nothing(client, service, headers, field, status):
    """No mark, a wrong one, another site: refused with a page in words."""
    await sign_in(client, "the-triage")
    told = {"present": PASSWORD, "new": "another few words", "again": "another few words"}
    if field is not None:
        told["csrf"] = await mark(client, "/account") if field == "own" else field
    client.headers.pop("Sec-Fetch-Site")
    given = {name: value for name, value in headers.items() if value}
    if "Content-Type" in headers or not headers:
        given["Sec-Fetch-Site"] = "same-origin"
    answer = await client.post("/account/password", data=told, headers=given)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "nothing was changed" in answer.text.lower()
    assert service.told == []


async def test_the_mark_of_one_session_fits_no_other(client, service, accounts):
    """And not the one from before the sign-in."""
    await sign_in(client, "the-triage")
    async with browser(service, accounts) as other:
        before = await mark(other)
        await sign_in(other, "the-triage")
        for stolen in (await mark(client, "/account"), before):
            answer = await other.post("/account/sessions/x/end", data={"csrf": stolen})
            assert (answer.status_code, "Load the page again" in answer.text) == (403, True)


async def test_an_old_browser_that_says_nothing_of_itself_can_use_forms(client):
    """Its mark is enough."""
    client.headers.pop("Sec-Fetch-Site")
    await sign_in(client, "the-triage")
    answer = await client.post("/account/sessions/x/end", data={"csrf": await mark(client, "/account")})
    assert answer.status_code == 409


async def test_a_proxy_that_renames_the_host_is_no_foreign_site(service, accounts):
    """The ward's public address is ours too."""
    callers = Callers(proxies=frozenset({"127.0.0.1"}))
    async with browser(service, accounts, callers=callers, comes_from="127.0.0.1", url=BASE, base_url=HTTPS) as client:
        client.headers.pop("Sec-Fetch-Site")
        client.headers.update({"Origin": HTTPS, "X-Forwarded-For": "192.0.2.50", "X-Forwarded-Proto": "https"})
        came = await sign_in(client, "the-triage")
        assert came.status_code == 303
        assert "__Host-" in came.headers["set-cookie"]
        assert "192.0.2.50" in (await client.get("/account")).text


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/v1/incidents/P-017/ack", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", "/api/v1/incidents/P-017/ack", {"Origin": BASE}, 200),
        ("POST", "/api/v1/incidents/P-017/ack", {}, 403),
        ("POST", "/api/v1/incidents/P-017/ack", {"Origin": "https://evil.example"}, 403),
        ("POST", "/api/v1/incidents/P-017/ack", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", "/api/v1/board", {}, 200),
    ],
)
async def test_a_session_uses_the_api_only_from_our_pages(client, service, method, path, headers, status):
    """A browser sends its cookie by itself; so it must say where the request stood."""
    await sign_in(client, "the-triage")
    client.headers.pop("Sec-Fetch-Site")
    answer = await client.request(method, path, headers={**headers, "Accept": "*/*"})
    assert answer.status_code == status, answer.text
    assert service.told == ([("the-triage", service.told[0][1])] if (method, status) == ("POST", 200) else [])


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1", "Safari, iOS"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox, Linux"),
        ("curl/8.8.0", "curl/8.8.0"),
        ("", ""),
    ],
)
def test_a_browser_is_told_in_two_words(agent, words):
    """Enough to know one's own telephone again."""
    assert browser_words(agent) == words


async def test_somebody_who_has_not_signed_in_is_shown_the_way(service, accounts):
    """A refusal on the gateway's own machine is no dead end."""
    async with browser(service, accounts, comes_from="127.0.0.1") as client:
        answer = await client.get("/access")
    assert (answer.status_code, 'href="/login?next=/access"' in answer.text) == (403, True)
