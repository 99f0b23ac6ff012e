"""Twilio's way in: messages and keys, with its signature and not without."""
# ruff: noqa: S314  the XML is our own

from collections.abc import AsyncIterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import httpx
import pytest

from gateway.console import twilio_inbound as module
from gateway.console.app import create_api
from gateway.console.twilio_inbound import TwilioDoor, signature, twilio_inbound
from gateway.domain.commands import Acknowledge, Escalate
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState
from gateway.runtime.links import LinkedPage
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import AT, TOKEN, FakeService, incident, refuse
from tests.support.twilio import AUTH_TOKEN, form, signed

BASE_URL = "https://ward.example/dw"
HOOK = f"{BASE_URL}/inbound/twilio"
LINK = "AbCdEfGhIjKlMnOpQrStUv"
DOORS = {"voice": TwilioDoor(AUTH_TOKEN, voice=True), "text": TwilioDoor(AUTH_TOKEN, voice=False)}
MESSAGE = {"MessageSid": "SM1", "From": "+85290000001", "To": "+85213013", "Body": "ack 4711"}
CALL = {"CallSid": "CA1", "From": "+85213013", "To": "+85290000001", "CallStatus": "in-progress", "Direction": "outbound-api"}


def client_of(service: FakeService, doors: dict[str, TwilioDoor]) -> httpx.AsyncClient:
    """Twilio behind a proxy that hands `/dw/…` on as `/…`, and says another host's name."""
    api = create_api(service, token=TOKEN, extra=[twilio_inbound(doors, BASE_URL)])
    transport = httpx.ASGITransport(api, client=("192.0.2.7", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://inner.example:8080")


@pytest.fixture
async def twilio(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    """A ward that writes and calls by Twilio."""
    service.links[LINK] = LinkedPage("P-017@48213/r1/nurse-a/1", "nurse-a", incident(), "Asia/Hong_Kong")
    async with client_of(service, DOORS) as made:
        yield made


async def post(client: httpx.AsyncClient, fields: dict[str, str], query: str = "", **headers: str) -> httpx.Response:
    """One form, rightly signed unless `headers` say otherwise."""
    own = signed(f"{HOOK}{query}", fields) | headers
    return await client.post(f"/inbound/twilio{query}", content=form(fields), headers=own)


async def pressed(client: httpx.AsyncClient, key: str, link: str = LINK, **more: str) -> ET.Element:
    """A key during the call of that page; returns what the call says next."""
    answer = await post(client, {**CALL, "Digits": key, **more}, f"?page={link}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    return ET.fromstring(answer.text)


def test_the_signature_is_twilio_s():
    """On the example of Twilio's own documentation of request validation."""
    url = "https://example.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    assert signature("12345", url, fields.items()) == "L/OH5YylLD5NRKLltdqwSvS0BnU="
    assert signature("12345", url, [*fields.items(), ("To", "+18005551212")]) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


# ---- messages ------------------------------------------------------------------------------------------------------


async def test_a_message_is_journalled_and_answered_another_way(twilio, service):
    """As a reply by the ward's transport that writes by Twilio; TwiML that says nothing."""
    answer = await post(twilio, MESSAGE)
    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert service.replies == [("text", "+85290000001", "ack 4711")]


async def test_a_message_that_comes_twice_is_one(twilio, service):
    """Twilio sends it again when our answer got lost; the same words in a new message are a new message."""
    await post(twilio, MESSAGE)
    await post(twilio, MESSAGE)
    await post(twilio, MESSAGE | {"MessageSid": "SM2"})
    assert len(service.replies) == 2


async def test_a_message_by_whatsapp_has_the_number_too(twilio, service):
    """Its prefix is Twilio's."""
    await post(twilio, MESSAGE | {"From": "whatsapp:+85290000001", "Body": "收到 & ok"})
    assert service.replies == [("text", "+85290000001", "收到 & ok")]


async def test_a_message_without_a_transport_is_a_finding(service):
    """The ward only calls by Twilio: nobody would get an answer."""
    async with client_of(service, {"voice": DOORS["voice"]}) as twilio:
        assert (await post(twilio, MESSAGE)).status_code == 200
    assert service.replies == []
    assert "no transport of the ward writes by Twilio" in service.noted["twilio-message"]


async def test_twilio_is_told_when_a_message_cannot_be_stored(twilio, service, monkeypatch):
    """503; and when it comes again it is taken, not passed over as known."""

    async def full(*_: str) -> None:
        raise JournalFull("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(service, "reply", full)
        assert (await post(twilio, MESSAGE)).status_code == 503
    assert (await post(twilio, MESSAGE)).status_code == 200
    assert len(service.replies) == 1


# ---- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "command"), [("4", Acknowledge(incident="P-017@48213")), ("6", Escalate(incident="P-017@48213"))]
)
async def test_a_key_acts_in_the_recipient_s_name_and_hears_what_came_of_it(twilio, service, key, command):
    """4 takes it, 6 passes it on."""
    call = await pressed(twilio, key)
    assert service.told == [("nurse-a", command)]
    assert [part.tag for part in call] == ["Say", "Hangup"]
    assert call.find("Say").text == "done for nurse-a"


@pytest.mark.parametrize("key", ["", "0", "1", "5", "9", "*", "#", "44", "4#", "four", "４"])  # noqa: RUF001
async def test_any_other_key_is_asked_again(twilio, service, key):
    """Nothing is done; the call reads what is true now and waits for a key."""
    call = await pressed(twilio, key)
    assert service.told == []
    assert call.find("Gather").get("action") == f"{HOOK}?page={LINK}"
    assert next(call.iter("Say")).text == "P-017 high: Delivery interrupted since 12:51."


@pytest.mark.hazard("H-58")
@pytest.mark.parametrize("listener", ["machine_start", "machine_end_beep", "machine_end_silence", "fax"])
async def test_an_answering_machine_does_nothing(twilio, service, listener):
    """Whatever tones it plays."""
    call = await pressed(twilio, "4", AnsweredBy=listener)
    assert call.find("Say").text == "Nothing was changed."
    assert service.told == []


@pytest.mark.parametrize("listener", ["human", "unknown", ""])
async def test_a_person_is_heard_whatever_twilio_thinks(twilio, service, listener):
    """It takes some people for machines; a key is a key."""
    await pressed(twilio, "4", AnsweredBy=listener)
    assert len(service.told) == 1


@pytest.mark.parametrize("key", ["4", "6"])
async def test_a_key_that_comes_twice_is_one(twilio, service, key):
    """Twilio asks again when our answer was late: it hears the same, and nothing is done again."""
    assert (await pressed(twilio, key)).find("Say").text == (await pressed(twilio, key)).find("Say").text
    assert len(service.told) == 1
    await pressed(twilio, "4", CallSid="CA2")
    assert len(service.told) == 2


async def test_what_was_heard_is_remembered_up_to_a_limit(twilio, service, monkeypatch):
    """Beyond it the oldest is forgotten, and would be done again."""
    monkeypatch.setattr(module, "HEARD_MAX", 2)
    for call in ("CA1", "CA2", "CA3", "CA1"):
        await pressed(twilio, "4", CallSid=call)
    assert len(service.told) == 4


async def test_a_late_key_says_what_is_true_now(twilio, service):
    """The incident is over, and no other one is touched."""
    over = incident(state=IncidentState.RESOLVED, closed_at=AT - 13 * MINUTE_MS, alerts=())
    service.links[LINK] = LinkedPage("P-017@48213/r1/nurse-a/1", "nurse-a", over, "Asia/Hong_Kong")
    assert (await pressed(twilio, "4")).find("Say").text == "P-017: over since 13:50. Nothing was changed."
    assert service.told == []


async def test_a_key_does_not_take_it_from_who_has_it(twilio, service):
    """Who cannot is no news where somebody else can."""
    held = incident(state=IncidentState.ACKNOWLEDGED, holder="nurse-b", held_until=AT + 30 * MINUTE_MS)
    service.links[LINK] = LinkedPage("P-017@48213/r1/nurse-a/1", "nurse-a", held, "Asia/Hong_Kong")
    assert (await pressed(twilio, "6")).find("Say").text == "P-017: nurse-b has it until 14:33. Nothing was changed."
    assert service.told == []


async def test_a_page_that_has_ended_is_said(twilio, service):
    """A call that nobody hung up for a day, or a made-up address."""
    assert (await pressed(twilio, "4", "A" * 22)).find("Say").text == "This page has ended. Nothing was changed."
    assert service.told == []


async def test_a_refusal_is_read_out(twilio, service):
    """In the gateway's words."""
    service.decide = refuse("its policy pages nobody; there is no next step")
    assert (await pressed(twilio, "6")).find("Say").text == "its policy pages nobody; there is no next step"


async def test_what_cannot_be_stored_is_read_out_and_not_remembered(twilio, service, monkeypatch):
    """Nobody may believe that they have it; the next key is heard."""

    async def full(*_: object, **__: object) -> None:
        raise JournalFull("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(service, "command", full)
        assert "cannot be stored now" in (await pressed(twilio, "4")).find("Say").text
    assert (await pressed(twilio, "4")).find("Say").text == "done for nurse-a"


# ---- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-68")
@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        signed(HOOK, MESSAGE, "another account's token"),
        signed(HOOK, MESSAGE | {"Body": "ok"}),
        signed("http://inner.example:8080/inbound/twilio", MESSAGE),
        signed(f"{HOOK}?page={LINK}", MESSAGE),
        signed(HOOK.replace("https", "http"), MESSAGE),
    ],
)
async def test_without_its_signature_nothing_is_read(twilio, service, wrong):
    """403 and a finding: the wrong account, another body, or an address that is not the configured one, whatever Host says."""
    answer = await post(twilio, MESSAGE, **wrong)
    assert answer.status_code == 403
    assert (service.replies, service.told) == ([], [])
    assert (
        "1 requests to /inbound/twilio without Twilio's right signature, the last at 2026-03-02T06:03:00.000Z"
        in service.noted["twilio-signature"]
    )
    assert AUTH_TOKEN not in service.noted["twilio-signature"] + answer.text


async def test_no_signature_at_all_is_refused(twilio, service):
    """Also with the API's own token: it is not Twilio's."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await twilio.post("/inbound/twilio", content=form(MESSAGE), headers=headers)).status_code == 403
    assert (await twilio.get("/inbound/twilio")).status_code == 405
    assert service.replies == []


async def test_two_accounts_may_come_by_one_address(service):
    """Each transport has its own token; a message goes to the one that writes."""
    doors = {"voice": TwilioDoor("the first account's token", voice=True), "text": DOORS["text"]}
    async with client_of(service, doors) as twilio:
        assert (await post(twilio, MESSAGE)).status_code == 200
        first = signed(HOOK, MESSAGE | {"MessageSid": "SM9"}, "the first account's token")
        assert (await post(twilio, MESSAGE | {"MessageSid": "SM9"}, **first)).status_code == 200


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("sender", "account", "way"),
    [
        ("+85290000009", "one", "sms"),
        ("whatsapp:+85290000009", "one", "chat"),
        ("+85290000009", "two", "other"),
        ("whatsapp:+85290000009", "two", "other"),
    ],
)
async def test_a_message_counts_for_the_transport_that_it_came_by(service, sender, account, way, order):
    """Of the account that signed it; by WhatsApp or not, where that account writes both ways. STOP by one is not STOP by all."""
    made = {"sms": TwilioDoor("one", voice=False), "chat": TwilioDoor("one", voice=False, whatsapp=True)}
    doors = {"call": TwilioDoor("two", voice=True), **made, "other": TwilioDoor("two", voice=False)}
    message = MESSAGE | {"From": sender, "Body": "STOP"}
    async with client_of(service, dict(list(doors.items())[::order])) as twilio:
        assert (await post(twilio, message, **signed(HOOK, message, account))).status_code == 200
    assert service.replies == [(way, "+85290000009", "STOP")]


@pytest.mark.parametrize("fields", [{"From": "+85290000001", "Body": "ack"}, {f"F{n}": "x" for n in range(200)}])
async def test_what_twilio_does_not_send_is_refused(twilio, service, fields):
    """Neither a message nor a call; or far too much."""
    assert (await post(twilio, fields)).status_code == 422
    assert service.replies == []


def test_a_door_keeps_its_token_to_itself():
    """In logs and tracebacks too."""
    assert AUTH_TOKEN not in repr(replace(DOORS["voice"], voice=False))
