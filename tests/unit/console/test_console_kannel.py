"""Kannel's way in: delivery reports and replies, and nobody else's."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.console.app import create_api
from gateway.console.kannel_inbound import KannelDoor, kannel_inbound
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import TOKEN, FakeService

DOOR = "a-token-for-kannel-012345"
NURSE = {"X-Kannel-From": "85290000001", "Content-Type": 'text/plain; charset="UTF-8"'}


@pytest.fixture
def reports() -> list[tuple[str, int]]:
    """What the transport was told."""
    return []


@pytest.fixture
async def kannel(service: FakeService, reports: list[tuple[str, int]]) -> AsyncIterator[httpx.AsyncClient]:
    """Kannel on another host, without the API's token."""
    routes = kannel_inbound({"sms": KannelDoor(DOOR, lambda provider_id, status: reports.append((provider_id, status)))})
    api = create_api(service, token=TOKEN, extra=[routes])
    transport = httpx.ASGITransport(api, client=("192.0.2.7", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as made:
        yield made


def at(path: str = "", token: str = DOOR, transport: str = "sms") -> str:
    """An address of Kannel's."""
    return f"/inbound/kannel/{transport}{path}?token={token}"


async def test_a_report_reaches_the_transport(kannel, reports):
    """Twice, if it comes twice: the dispatcher knows what is new."""
    for _ in range(2):
        assert (await kannel.get(at("/receipt") + "&id=abc&status=1")).status_code == 202
    assert reports == [("abc", 1), ("abc", 1)]


@pytest.mark.parametrize("query", ["", "&id=abc", "&status=1", "&id=&status=1", "&id=abc&status=x", "&id=abc&status=256"])
async def test_half_a_report_is_refused(kannel, reports, query):
    """It names a message and a number, or it is none."""
    assert (await kannel.get(at("/receipt") + query)).status_code == 422
    assert reports == []


async def test_a_message_goes_into_the_journal(kannel, service):
    """With the sender that Kannel names, as the transport that it came by."""
    answer = await kannel.post(at(), headers=NURSE, content="ack 4711")
    assert (answer.status_code, answer.content) == (202, b"null")
    assert service.replies == [("sms", "85290000001", "ack 4711")]


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", "收到".encode(), "收到"),
        ('text/plain; charset="UTF-16BE"', "收到".encode("utf-16-be"), "收到"),
        ("text/plain; charset=ISO-8859-1", b"\xe9", "é"),
        ("text/plain; charset=UTF-8", b"\xff", "\N{REPLACEMENT CHARACTER}"),
        ("", b"x" * 2_000, "x" * 1_000),
    ],
)
async def test_a_message_is_read_in_its_charset(kannel, service, content_type, body, text):
    """What cannot be read is marked, what is too long is cut: neither is a code."""
    assert (await kannel.post(at(), headers=NURSE | {"Content-Type": content_type}, content=body)).status_code == 202
    assert service.replies == [("sms", "85290000001", text)]


async def test_a_message_in_an_unknown_charset_is_refused(kannel, service):
    """A guess might be a code."""
    headers = NURSE | {"Content-Type": "text/plain; charset=EBCDIC"}
    assert (await kannel.post(at(), headers=headers, content=b"x")).status_code == 422
    assert service.replies == []


@pytest.mark.parametrize(
    "content_type",
    ["text/plain; charset*=utf-8''a; charset*0=b", f"text/plain; charset*{'9' * 5_000}=b", 'text/plain; charset="'],
)
async def test_a_content_type_that_makes_no_sense_is_refused_in_words(kannel, service, content_type):
    """Python's own parser stumbles over some of them; that is the asker's mistake, not ours."""
    answer = await kannel.post(at(), headers=NURSE | {"Content-Type": content_type}, content=b"ack 4711")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:dripwatch:invalid")
    assert answer.json()["detail"] in ("a Content-Type that cannot be read", "a charset that is not known here")
    assert service.replies == []


async def test_a_message_without_a_sender_is_refused(kannel, service):
    """Kannel names it when its sms-service says send-sender = true."""
    assert (await kannel.post(at(), content=b"ack 4711")).status_code == 422
    assert service.replies == []


async def test_nothing_that_follows_links_takes_an_incident(kannel, service):
    """GET is no way to bring a message."""
    assert (await kannel.get(at() + "&text=ack", headers=NURSE)).status_code == 405
    assert service.replies == []


@pytest.mark.hazard("H-68")
@pytest.mark.parametrize("address", [at(token="wrong"), at(token=""), at(token=TOKEN), at(transport="pager"), at(token="%C3%A9")])
async def test_a_wrong_token_opens_nothing(kannel, service, reports, address):
    """Nor does another transport's, nor the API's own."""
    path, _, query = address.partition("?")
    answers = [
        await kannel.post(address, headers=NURSE, content=b"ack"),
        await kannel.get(f"{path}/receipt?{query}&id=a&status=1"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert (service.replies, reports) == ([], [])


async def test_kannel_is_asked_to_come_again_while_nothing_can_be_stored(kannel, service, monkeypatch):
    """503; Kannel's http-request-retry does the rest."""

    async def full(*_: str) -> None:
        raise JournalFull("no space left")

    monkeypatch.setattr(service, "reply", full)
    assert (await kannel.post(at(), headers=NURSE, content=b"ack")).status_code == 503
