"""What a browser gets instead of what it asked for: a page in words, in its language, never JSON; programs keep their problem."""

import logging
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.console.accounts import Accounts
from gateway.console.app import create_api
from gateway.console.door import Door
from gateway.console.guard import BODY_MAX_BYTES, Guard
from gateway.console.pace import Paced
from gateway.console.passwords import PasswordsBusy
from gateway.console.sentences import in_words
from gateway.console.words import Words, words_in
from gateway.domain.locale import Locale
from gateway.domain.sentences import Length, Moment, Name, Sentence
from gateway.runtime.access import AccessStoreFailed, Role
from gateway.runtime.ports import JournalFull
from tests.support.core_world import COURSE, PROTOCOL
from tests.support.fake_service import TOKEN, FakeService
from tests.support.people import browser, mark, sign_in
from tests.support.sheet_ward import DRUG, lived_ward, post

LANGUAGES = ["en", "zh-Hant"]
PAGES = "text/html,application/xhtml+xml,*/*;q=0.8"  # as browsers ask

_TAG = re.compile(r"<[^<>]+>")
_ENGLISH = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")  # two words in a row: no name and no unit


def told_on(answer: httpx.Response, language: str) -> str:
    """The words of a page in this language, which are in no other one."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
    assert (answer.headers["content-language"], f'<html lang="{language}">' in answer.text) == (language, True)
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    words = " ".join(_TAG.sub(" ", main).split())
    if language != "en":
        assert not _ENGLISH.search(words), words
    return words


@pytest.fixture
async def client(service: FakeService, accounts: Accounts) -> AsyncIterator[httpx.AsyncClient]:
    """A nurse's browser, signed in."""
    async with browser(service, accounts, Accept=PAGES) as made:
        await sign_in(made, "the-triage")
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/courses/P-404", 404),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/pumps/p1/clear", 405),
        ("PUT", "/a/AAAABBBBCCCC", 404),
        ("GET", "/d/AAAABBBBCCCC", 404),
        ("GET", "/access", 403),
        ("GET", "/incidents?part=none", 422),
        ("GET", "/language/klingon", 422),
        ("GET", "/courses/P-017/print", 404),
        ("GET", "/pumps/p1", 503),
    ],
)
async def test_what_cannot_be_shown_is_said_in_words(client, language, verb, path, status) -> None:
    """A wrong address, a wrong way, what is not allowed, what cannot be read, what is not there."""
    answer = await client.request(verb, path, headers={"Accept-Language": language})
    assert answer.status_code == status
    assert told_on(answer, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/account/password", "/d/AAAABBBBCCCC"])
async def test_a_body_that_is_too_long_is_refused_in_words(client, service, language, path) -> None:
    """Whether it says so before, or only grows."""

    async def growing() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * BODY_MAX_BYTES

    for body in (b"x" * (BODY_MAX_BYTES + 1), growing()):
        form = {"Accept-Language": language, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post(path, content=body, headers=form)
        if path.startswith("/d/") and answer.status_code == 404:
            continue  # the diary asked for no more of it: there is no such diary
        assert answer.status_code == 413
        assert told_on(answer, language)
    assert service.told == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_was_signed_out_is_led_to_the_sign_in_and_back(service, accounts, language) -> None:
    """The button of a page that stood open over night: nothing was done, and the page is not lost."""
    async with browser(service, accounts, Accept=PAGES) as client:
        told = {"Accept-Language": language, "Referer": "http://127.0.0.1:8080/incidents/P-017@1?span=24h"}
        answer = await client.post("/incidents/P-017@1/ack", data={"csrf": "0"}, headers=told)
        assert (answer.status_code, told_on(answer, language) != "") == (401, True)
        assert 'href="/login?next=/incidents/P-017%401"' in answer.text
        foreign = await client.post("/incidents/P-017@1/ack", headers=told | {"Referer": "https://evil.example/x"})
        assert 'href="/login?next=/"' in foreign.text
    assert service.told == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", [JournalFull("/var/lib/x: disk full"), AccessStoreFailed("/var/lib/x"), PasswordsBusy()])
async def test_what_cannot_be_stored_now_is_said_in_words(service, accounts, monkeypatch, language, error) -> None:
    """What happened to the change and what to do; where the file lies is for the log."""

    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(accounts, "add_user", fails)
    async with browser(service, accounts, **{"Accept": PAGES, "Accept-Language": language}) as client:
        await sign_in(client, "the-admin")
        told = {"csrf": await mark(client, "/access"), "name": "x", "password": "some more words", "role": "read"}
        answer = await client.post("/access/users", data=told)
    assert answer.status_code == 503
    assert "/var/lib" not in told_on(answer, language)


def behind_the_guard(inner: ASGIApp, service: FakeService, **headers: str) -> httpx.AsyncClient:
    """A browser on this machine; behind the guard stands only this."""
    api, guard = create_api(service, token=TOKEN), Guard(inner, door=Door(TOKEN, Accounts(service)), form_key=b"key")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = api
        await guard(scope, receive, send)

    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers={"Accept": PAGES, **headers})


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that is broken."""
    raise RuntimeError("secret of the inside")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_wild_finger_is_stopped_in_words(service, language) -> None:
    """With the pause that it should make, for the browser too."""
    async with behind_the_guard(Paced(fails, stock=0), service, **{"Accept-Language": language}) as client:
        answer = await client.post("/courses/P-017/bag")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert told_on(answer, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/a/AAAABBBBCCCC", "/d/AAAABBBBCCCC", "/api/docs"])
async def test_a_mistake_of_ours_is_a_page_with_a_reference_that_the_log_has(
    service, path, language, caplog, monkeypatch
) -> None:
    """It says that nothing is lost, what to do and what to tell to whom; nothing of the inside; and it needs no gateway."""
    with caplog.at_level(logging.ERROR, "gateway.console.guard"):
        async with behind_the_guard(fails, service, **{"Accept-Language": language}) as client:
            monkeypatch.setattr(FakeService, "now", None)
            answer = await client.get(path)
            problem = (await client.get(path, headers={"Accept": "application/json"})).json()
    words = told_on(answer, language)
    references = re.findall(r"reference ([0-9a-f]{8})", caplog.text)
    assert (answer.status_code, len(references), references[0] in words) == (500, 2, True)
    assert problem["reference"] == references[1]
    assert references[1] in problem["detail"]
    assert "secret" not in answer.text + str(problem)
    assert ('href="/"' in answer.text) is not path.startswith(("/a/", "/d/"))  # who has a link only has no board


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("path", "fields", "english"),
    [
        ("bag", {"bag": "7-day", "prepared_at": "2020-01-01T08:00"}, "this 7-day bag expired at"),
        ("bag", {"bag": "7-day", "rate_ml_h": "9.5"}, "by its protocol, not at 9.5"),
        ("bag", {"bag": "huge"}, "its protocol has no bag 'huge'; it has: "),
        ("window", {"kind": "bag-change", "for": "20h"}, "a bag-change window lasts at most 1 h"),
        ("window", {"kind": "bag-change"}, "a bag-change window has an end"),
        ("silence", {"for": "1h"}, "a silence needs a reason"),
        ("diary", {"temperature_c": "99"}, "it looks like Fahrenheit; measure again"),
        ("dose", {"mcg_per_day": "3"}, "its protocol has no dose step of 3 mcg a day"),
        ("pump", {"pump": "UPPER"}, "&#39;UPPER&#39; cannot be a pump"),
        ("break", {}, "or give the reason for ending this cycle now"),
        ("cycle", {"bag": "7-day"}, "start its break first"),
    ],
)
async def test_what_the_gateway_refuses_is_said_in_the_reader_s_language(language, path, fields, english) -> None:
    """The same refusal of the same core, in Chinese above a Chinese form; never with the protocol's name."""
    ward = lived_ward()
    async with ward.client(Role.TRIAGE, **{"Accept-Language": language}) as nurse:
        answer = await post(nurse, f"/courses/{COURSE}/{path}", **fields)
    assert answer.status_code == 409
    found = re.search(r'role="alert"><p>(.+?)</p>', answer.text)
    assert found
    assert not DRUG.search(found[1])
    assert PROTOCOL.name not in found[1]
    if language == "en":
        assert english in found[1].replace("&#39;huge&#39;", "'huge'")
    else:
        assert not _ENGLISH.search(found[1]), found[1]
        assert re.search("[一-鿿]", found[1])


async def test_what_was_done_is_said_in_the_language_that_the_page_has_now() -> None:
    """Also after the link at the foot of the page changed it; the API says it in English to everybody."""
    ward = lived_ward()
    async with ward.client(Role.TRIAGE, **{"Accept-Language": "zh-HK"}) as nurse:
        came = await post(nurse, f"/courses/{COURSE}/diary", temperature_c="37.4", handwriting="changed")
        shown = await nurse.get(came.headers["location"])
        assert re.search(rf"{COURSE}.已記錄 37.4 °C、字跡有變.\d\d:\d\d.</p>", shown.text)
        again = await nurse.get(came.headers["location"], headers={"Accept-Language": "en"})
        assert f"{COURSE}: noted 37.4 °C, handwriting changed at " in again.text
    async with ward.client(None, **{"Accept-Language": "zh-HK"}) as program:
        answer = await program.post("/api/v1/silences", json={"course": COURSE, "reason": "x", "for": "30d"})
    assert answer.json()["detail"] == "a silence of an alert of high priority lasts at most 4 h"


def test_each_kind_of_value_is_told_as_pages_tell_it() -> None:
    """Times and lengths by the reader's clock, names of the domain by their words; the ward's own names stay."""
    say = Words(Locale.ZH_HANT, {"{a} {b} {c} {d}": "{d}/{c}/{b}/{a}", **words_in(Locale.ZH_HANT).catalogue})
    names = (Name("bag-change"), Name("delivery-interrupted"), Name("rule-of-ours"))
    said = Sentence("{a} {b} {c} {d}", {"a": Moment(5, "Mon"), "b": Length(3_600_000, "1 h"), "c": names, "d": 7})
    assert str(said) == "Mon 1 h bag-change, delivery-interrupted, rule-of-ours 7"
    assert in_words(said, say, lambda at: f"@{at}") == "7/更換藥袋、輸注中斷、rule-of-ours/1小時/@5"
    assert in_words(Sentence("{a} {{", {"a": "new"}), say, str) == "new {"  # no catalogue has it: English as a whole
    assert in_words("braces { of a name", say, str) == "braces { of a name"
