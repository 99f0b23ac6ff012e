"""The page behind a page's link, opened as an old phone opens it, and as programs do that follow links."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from gateway.console.answer_page import WRONG_A_MINUTE, answer_page
from gateway.console.app import create_api
from gateway.core.board import HistoryLine, IncidentLine
from gateway.domain.commands import Acknowledge, Enrol, Escalate
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState
from gateway.runtime.links import LinkedPage
from gateway.runtime.ports import JournalFull
from tests.support.core_world import PROTOCOL, PUMP
from tests.support.fake_service import AT, TOKEN, FakeService, alert, incident, refuse
from tests.support.sheet_ward import LivedWard

LINK = "AbCdEfGhIjKlMnOpQrStUv"
PATH = f"/a/{LINK}"
KEY = "P-017@48213/r1/nurse-a/0"


def about(service: FakeService, **changes: object) -> IncidentLine:
    """Let the link be about P-017's incident, changed so."""
    line = incident(**changes)
    service.links[LINK] = LinkedPage(KEY, "nurse-a", line, "Asia/Hong_Kong")
    return line


def phone(service: FakeService, **headers: str) -> httpx.AsyncClient:
    """A phone somewhere on the internet, without a token."""
    api = create_api(service, token=TOKEN, extra=[answer_page()])
    transport = httpx.ASGITransport(api, client=("203.0.113.9", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="https://ward.example", headers=headers)


@pytest.fixture
async def nurse(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    """An English phone."""
    about(service)
    async with phone(service) as made:
        yield made


async def press(client: httpx.AsyncClient, button: str, path: str = PATH) -> httpx.Response:
    """Send the form as a browser does."""
    return await client.post(path, content=f"do={button}", headers={"Content-Type": "application/x-www-form-urlencoded"})


@pytest.mark.hazard("H-58")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_the_link_changes_nothing(nurse, service, method):
    """Previewers, scanners of mail, and whoever wants to read first."""
    for agent in ("TelegramBot (like TwitterBot)", "WhatsApp/2", "Mozilla/5.0"):
        answer = await nurse.request(method, PATH, headers={"User-Agent": agent})
        assert answer.status_code == 200
    assert service.told == []


async def test_the_page_says_what_since_when_what_first_and_who_has_it(nurse):
    """And whose link it is; of a patient nothing but the pseudonym."""
    text = (await nurse.get(PATH)).text
    for said in (
        "P-017",
        "HIGH",
        "Delivery interrupted, since 12:51",
        "First: Call the home",
        "Nobody has it.",
        "14:05",
        "nurse-a",
    ):
        assert said in text
    assert text.count("<button") == 2


async def test_the_page_is_small_and_has_no_script(nurse):
    """An old phone without JavaScript can show and send it."""
    answer = await nurse.get(PATH)
    assert len(answer.content) <= 10_000
    assert not re.search(r"<script|javascript:|\son\w+=|http-equiv|style=", answer.text)
    assert answer.text.count("<form") == 1


async def test_the_headers_keep_the_link_to_itself(nurse):
    """It is stored nowhere, told to no other site, and nothing of elsewhere runs."""
    shown, acted, wrong = await nurse.get(PATH), await press(nurse, "take"), await nurse.get("/a/wrong")
    for headers in (shown.headers, acted.headers, wrong.headers):
        policy = headers["content-security-policy"]
        assert policy == "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    assert (await nurse.get("/static/answer.css")).status_code == 200


@pytest.mark.parametrize(
    ("button", "command"), [("take", Acknowledge(incident="P-017@48213")), ("cannot", Escalate(incident="P-017@48213"))]
)
async def test_a_button_acts_in_the_recipient_s_name_and_leads_back(nurse, service, button, command):
    """303, so that "reload" shows the page again instead of sending the form again."""
    answer = await press(nurse, button)
    assert (answer.status_code, answer.headers["location"]) == (303, LINK)
    assert service.told == [("nurse-a", command)]
    assert answer.url.join(answer.headers["location"]).path == PATH


@pytest.mark.parametrize(
    "body", ["", "do=", "do=open", "do=take&do=cannot", "take", "do=take" + "x" * 2_000, "%ff%fe", "do[]=take"]
)
async def test_a_post_without_a_button_of_ours_does_nothing(nurse, service, body):
    """No guessing."""
    answer = await nurse.post(PATH, content=body)
    assert answer.status_code == 422
    assert "press one of the buttons" in answer.text
    assert service.told == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_no_other_method_is_known(nurse, service, method):
    """405 with the mend."""
    assert (await nurse.request(method, PATH)).status_code == 405
    assert service.told == []


@pytest.mark.parametrize("button", ["take", "cannot"])
async def test_a_late_press_says_what_is_true_now(nurse, service, button):
    """The incident is over; no other one is touched."""
    about(service, state=IncidentState.RESOLVED, closed_at=AT - 13 * MINUTE_MS, next_step_at=None, alerts=())
    assert (await press(nurse, button)).status_code == 303
    assert service.told == []
    text = (await nurse.get(PATH)).text
    assert "It is over since 13:50." in text
    assert "<form" not in text


async def test_who_has_it_sees_until_when_and_may_renew(nurse, service):
    """Pressed twice it is a renewal."""
    about(service, state=IncidentState.ACKNOWLEDGED, holder="nurse-a", held_until=AT + 30 * MINUTE_MS, next_step_at=None)
    text = (await nurse.get(PATH)).text
    assert "You have it until 14:33." in text
    assert "I have it for longer" in text
    assert (await press(nurse, "take")).status_code == 303


async def test_who_cannot_takes_nothing_from_who_has_it(nurse, service):
    """The button is not there, and a page that was opened before it went does nothing."""
    about(service, state=IncidentState.ACKNOWLEDGED, holder="nurse-b", held_until=AT + 30 * MINUTE_MS, next_step_at=None)
    text = (await nurse.get(PATH)).text
    assert "nurse-b has it until 14:33." in text
    assert "I take it over" in text
    assert text.count("<button") == 1
    assert (await press(nurse, "cannot")).status_code == 303
    assert service.told == []


async def test_the_same_press_twice_passes_it_on_once(nurse, service):
    """A slow network, an impatient finger."""
    line = incident()
    told = replace(line, history=(*line.history, HistoryLine(AT - 5_000, "escalated", "nurse-a", "")))
    service.links[LINK] = LinkedPage(KEY, "nurse-a", told, "Asia/Hong_Kong")
    assert "You passed it on at 14:02." in (await nurse.get(PATH)).text
    await press(nurse, "cannot")
    assert service.told == []
    later = replace(line, history=(*line.history, HistoryLine(AT - MINUTE_MS, "escalated", "nurse-a", "")))
    service.links[LINK] = LinkedPage(KEY, "nurse-a", later, "Asia/Hong_Kong")
    await press(nurse, "cannot")
    assert service.told == [("nurse-a", Escalate(incident=line.key))]


async def test_a_refusal_is_told_in_the_gateway_s_words(nurse, service):
    """With the state as it stands."""
    service.decide = refuse("its policy pages nobody; there is no next step")
    answer = await press(nurse, "cannot")
    assert answer.status_code == 409
    assert "Nothing was changed: its policy pages nobody" in answer.text
    assert "Nobody has it." in answer.text


async def test_what_cannot_be_stored_is_said(nurse, service):
    """Nobody may believe that they have it."""
    service.broken = JournalFull("no space left")
    answer = await press(nurse, "take")
    assert answer.status_code == 503
    assert "cannot be stored now" in answer.text


async def test_a_link_that_leads_nowhere_tells_nothing(nurse, service):
    """Neither whether it ever did, nor anything about other incidents."""
    answers = [await nurse.get("/a/wrong"), await nurse.get("/a/" + "A" * 22), await press(nurse, "take", "/a/" + "A" * 22)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert "P-0" not in answers[0].text
    assert "<form" not in answers[0].text
    assert service.told == []


@pytest.mark.hazard("H-70")
async def test_wrong_links_are_limited_and_right_ones_are_not(nurse, service):
    """Who guesses waits; the nurse behind the same address does not."""
    codes = [(await nurse.get(f"/a/wrong-{n}")).status_code for n in range(WRONG_A_MINUTE + 2)]
    assert codes == [404] * WRONG_A_MINUTE + [429] * 2
    assert (await nurse.get(PATH)).status_code == 200
    assert (await press(nurse, "take")).status_code == 303
    service.shown = replace(service.shown, at=AT + MINUTE_MS)
    assert (await nurse.get("/a/wrong")).status_code == 404


async def test_the_page_speaks_chinese(service):
    """To whoever's phone does."""
    about(service)
    async with phone(service, **{"Accept-Language": "zh-HK,zh;q=0.9"}) as nurse:
        answer = await nurse.get(PATH)
        assert answer.headers["content-language"] == "zh-Hant"
        for said in ("尚未有人接手", "我接手", "轉交他人"):
            assert said in answer.text
        told = replace(alert("alarm-persistent"), translated={"zh-Hant": "致電家中"})
        about(service, alerts=(told,))
        assert "先做: 致電家中<" in (await nurse.get(PATH)).text
        assert "沒有任何改變" in (await nurse.get("/a/wrong")).text


async def test_what_pumps_and_people_wrote_is_text(nurse, service):
    """Never markup."""
    about(service, alerts=(alert("alarm-persistent", "<b>x</b>", first="<script>alert(1)</script>"),))
    text = (await nurse.get(PATH)).text
    assert "&lt;script&gt;" in text
    assert "<script" not in text


async def test_an_incident_in_which_nothing_fires_can_still_be_taken(nurse, service):
    """For two minutes nobody knows whether it is over."""
    about(service, alerts=())
    text = (await nurse.get(PATH)).text
    assert "Nothing is wrong any more" in text
    assert "<form" in text


@pytest.mark.parametrize(
    ("minute", "language", "said"),
    [
        (70, "en", "left at worst: the limit of 4 h without delivery"),
        (300, "en", "passed since"),
        (70, "zh-TW", "最壞情況下只餘"),
    ],
)
async def test_the_page_names_the_courses_worst_clock(service, minute, language, said):
    """How long is left until the protocol's limit, or since when it may be passed; in the phone's language."""
    ward = LivedWard()
    ward.world.does(0, Enrol(course="P-017", pump=PUMP, protocol=PROTOCOL.name, bag="7-day"))
    ward.pump_says(1, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6)
    ward.waits_until(minute)
    ward.links[LINK] = LinkedPage(KEY, "nurse", ward.incidents()[0], "UTC")
    async with phone(ward, **{"Accept-Language": language}) as client:
        answer = await client.get(PATH)
    assert said in answer.text
    assert len(answer.content) <= 10_000
