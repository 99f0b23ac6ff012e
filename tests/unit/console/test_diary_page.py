"""The home's diary page, opened as an old phone opens it."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from gateway.console.diary_links import ASKERS_MAX, DiaryLinks, Pace
from gateway.console.diary_page import BODY_MAX_BYTES, ENTRIES_AN_HOUR, REQUESTS_A_MINUTE
from gateway.console.diary_words import words_for
from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.words import DiaryKind
from gateway.runtime.ports import JournalFull
from tests.support.diary_phone import LINKS, PATH, SECRET, phone
from tests.support.fake_service import AT, FakeService, board, course, refuse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def home(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    """An English phone."""
    async with phone(service, **{"Accept-Language": "en-GB,en;q=0.9"}) as made:
        yield made


async def fill(client: httpx.AsyncClient, path: str = PATH, **fields: str) -> httpx.Response:
    """Send the form as a browser does."""
    return await client.post(path, content=urlencode(fields), headers=FORM)


async def test_get_shows_the_form_and_changes_nothing(home, service):
    """Whatever opens the link, a previewer too, writes nothing."""
    answer = await home.get(PATH)
    assert answer.status_code == 200
    assert "Please write the same sentence as every day" in answer.text
    assert f'action="{PATH}"' in answer.text
    assert service.told == []


async def test_the_page_is_small_and_has_no_script(home):
    """An old phone without JavaScript can show and send it."""
    answer = await home.get(PATH)
    assert len(answer.content) <= 20_000
    assert not re.search(r"<script|javascript:|\son\w+=|http-equiv|style=", answer.text)
    assert answer.text.count("<form") == 1


async def test_the_headers_allow_a_form_and_nothing_else(home):
    """The link leaks nowhere, and nothing of elsewhere runs or is shown."""
    headers = (await home.get(PATH)).headers
    policy = headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    assert headers["x-robots-tag"] == "noindex"
    assert (await home.get("/static/diary.css")).status_code == 200


async def test_post_notes_everything_and_says_it_back(home, service):
    """One form becomes one command of the course of the link, and the home reads what was noted, and when."""
    answer = await fill(home, temperature="38,4", handwriting="changed", feeling="tired & cold <b>", writer="caregiver")
    assert answer.status_code == 200
    wanted = AddDiary(
        course="P-017", temperature_c=38.4, handwriting_changed=True, symptom="tired & cold <b>", from_whom="caregiver"
    )
    assert service.told == [("diary-page", wanted)]
    for said in ("Noted at 14:03:", "<li>38.4 °C</li>", "<li>handwriting changed</li>", "tired &amp; cold &lt;b&gt;"):
        assert said in answer.text
    assert "<form" not in answer.text


@pytest.mark.parametrize(
    ("typed", "celsius"),
    [
        ("37", 37.0),
        ("37.2", 37.2),
        ("\uff13\uff18\uff0e\uff15", 38.5),
        ("36,8 °C", 36.8),
        ("37℃", 37.0),
        (" 37.25 ", 37.25),
    ],
)
async def test_temperatures_as_people_type_them(home, service, typed, celsius):
    """Commas, wide digits and the unit are all understood."""
    assert (await fill(home, temperature=typed)).status_code == 200
    assert service.told[0][1].temperature_c == celsius


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Nothing was entered"),
        ({"temperature": " ", "feeling": "  "}, "Nothing was entered"),
        ({"temperature": "hot"}, "“hot” is not a temperature"),
        ({"temperature": "101.3"}, "101.3 looks like Fahrenheit"),
        ({"temperature": "29"}, "29 °C is not a body temperature"),
        ({"temperature": "46"}, "46 °C is not a body temperature"),
        ({"feeling": "x" * 501}, "too long"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_kept_in_the_form(home, service, fields, words):
    """Nothing is noted of a form with a mistake, and nothing has to be typed again."""
    answer = await fill(home, handwriting="", writer="caregiver", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="caregiver" checked' in answer.text
    assert service.told == []


async def test_a_mistake_keeps_what_was_right(home):
    """The handwriting that was chosen is still chosen beside the wrong temperature."""
    answer = await fill(home, temperature="3", handwriting="same", feeling="well")
    assert 'value="same" checked' in answer.text
    assert ">well</textarea>" in answer.text
    assert 'value="3"' in answer.text


WRONG = ["a" * 22, LINKS.token("P-018", 1), LINKS.token("P-017", 2), "P-017", "x", "é" * 22]


@pytest.mark.parametrize("token", WRONG)
@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_wrong_token_says_always_the_same(home, service, token, verb):
    """A guessed link, one of another course or of an earlier enrolment: the same words, and nothing is written."""
    answer = await home.request(verb, f"/d/{token}", content=urlencode({"temperature": "38"}), headers=FORM)
    first = await home.get(f"/d/{WRONG[0]}")
    assert (answer.status_code, answer.content) == (404, first.content)
    assert "There is no diary here" in answer.text
    assert "P-017" not in answer.text
    assert service.told == []


@pytest.mark.hazard("H-70")
async def test_the_link_ends_with_the_course(home, service):
    """A course that is over has no diary, and its old link says what any wrong one says."""
    service.show(board(course("P-018")))
    assert (await home.get(PATH)).status_code == 404


@pytest.mark.hazard("H-22")
async def test_a_new_enrolment_has_a_new_link(home, service):
    """The pseudonym that is used again does not open to who had the old link."""
    service.show(board(course(enrolment=2)))
    assert (await home.get(PATH)).status_code == 404
    assert (await home.get(f"/d/{LINKS.token('P-017', 2)}")).status_code == 200


async def test_the_page_shows_what_stands_in_the_diary_today(home, service):
    """The newest first, of the local day only."""
    lines = (
        DiaryLine(AT - DAY_MS, AT - DAY_MS, DiaryKind.TEMPERATURE, temperature_c=39.9),
        DiaryLine(AT - HOUR_MS, AT - HOUR_MS, DiaryKind.TEMPERATURE, temperature_c=37.2),
        DiaryLine(AT - MINUTE_MS, AT - MINUTE_MS, DiaryKind.HANDWRITING, changed=False),
        DiaryLine(AT, AT, DiaryKind.SYMPTOM, text="<i>tired</i>"),
    )
    service.show(board(course(diary=lines)))
    text = (await home.get(PATH)).text
    assert re.findall(r"<li>(.*)</li>", text) == ["14:03 &lt;i&gt;tired&lt;/i&gt;", "14:02 handwriting the same", "13:03 37.2 °C"]


async def test_the_gateways_refusal_reaches_the_home(home, service):
    """What the core refuses is said in its words, and the form stays filled."""
    service.decide = refuse("no course P-017 is running")
    answer = await fill(home, temperature="37")
    assert answer.status_code == 409
    assert "It was not noted: no course P-017 is running" in answer.text
    assert 'value="37"' in answer.text


async def test_a_full_journal_is_said_in_words(home, service, monkeypatch):
    """A home does not get a problem report as JSON when the disk is full."""

    async def full(who, command):
        raise JournalFull("disk full")

    monkeypatch.setattr(service, "command", full)
    answer = await fill(home, temperature="37")
    assert answer.status_code == 503
    assert "could not be stored" in answer.text


async def test_a_body_beyond_any_form_is_not_read(home, service):
    """Nobody fills the memory through the page."""
    answer = await home.post(PATH, content=b"feeling=" + b"x" * BODY_MAX_BYTES, headers=FORM)
    assert answer.status_code == 413
    many = await home.post(PATH, content=b"&".join(b"a=1" for _ in range(2_000)), headers=FORM)
    assert many.status_code == 422
    assert service.told == []


async def test_one_home_writes_at_most_so_often_in_an_hour(home, service):
    """A stuck finger fills no journal; an hour later the diary is open again."""
    for _ in range(ENTRIES_AN_HOUR):
        assert (await fill(home, temperature="37")).status_code == 200
    refused = await fill(home, temperature="37")
    assert (refused.status_code, len(service.told)) == (429, ENTRIES_AN_HOUR)
    assert "wait a while" in refused.text
    service.show(board(at=AT + HOUR_MS))
    assert (await fill(home, temperature="37")).status_code == 200


async def test_one_address_asks_at_most_so_often_in_a_minute(home, service):
    """Guessing is slow, whatever the guess."""
    for _ in range(REQUESTS_A_MINUTE):
        assert (await home.get("/d/guess")).status_code == 404
    assert (await home.get(PATH)).status_code == 429
    service.show(board(at=AT + MINUTE_MS))
    assert (await home.get(PATH)).status_code == 200


def test_the_pace_remembers_a_bounded_number_of_askers():
    """A flood from everywhere takes no more memory than a thousand askers."""
    pace = Pace(1)
    allowed = [pace.allows(f"10.0.{n // 256}.{n % 256}", AT) for n in range(3 * ASKERS_MAX)]
    assert all(allowed)
    assert len(pace) == ASKERS_MAX
    assert not pace.allows("10.0.11.183", AT)


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "en"),
        ("en-US,en;q=0.9", "en"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-HK;q=0.9, en;q=0.3", "zh-Hant"),
        ("fr, zh;q=0.4, en;q=0.5", "en"),
        ("de", "en"),
        ("zh;q=0", "en"),
        (";;;q=,,", "en"),
    ],
)
def test_the_language_is_the_one_the_phone_likes_best(accepted, lang):
    """Chinese readers get Chinese, everybody else English."""
    assert words_for(accepted).lang == lang


async def test_the_page_speaks_chinese(service):
    """Form, answer and refusal are in the language of the phone."""
    async with phone(service, **{"Accept-Language": "zh-HK,zh;q=0.9"}) as home:
        shown, noted, wrong = await home.get(PATH), await fill(home, handwriting="same"), await fill(home, temperature="101")
    assert '<html lang="zh-Hant">' in shown.text
    assert shown.headers["content-language"] == "zh-Hant"
    assert "請寫下與每天相同的句子" in shown.text
    assert "字跡沒有改變" in noted.text
    assert "華氏度" in wrong.text


def test_the_token_is_derived_and_has_22_characters():
    """The same secret gives the same link after a restart; another secret, course or enrolment gives another."""
    token = LINKS.token("P-017", 1)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert DiaryLinks(SECRET).token("P-017", 1) == token
    others = {LINKS.token("P-017", 2), LINKS.token("P-0171", 1), DiaryLinks("another").token("P-017", 1)}
    assert len(others | {token}) == 4
    with pytest.raises(ValueError, match="secret"):
        DiaryLinks("")
