"""What Kannel's answers mean, and what is told to Kannel. On the real one: tests/conformance."""

import logging
from collections.abc import Callable

import httpx
import pytest

from gateway.domain.words import Outcome
from gateway.outside.kannel_transport import KannelTransport
from gateway.runtime.ports import Accepted, Receipt, Rejected, SendResult, Unknown
from tests.support.fake_transport import message
from tests.support.kannel import kannel
from tests.support.process import free_port
from tests.support.transport_subjects import kannel_settings

REPORT_URL = "http://gateway.example/inbound/kannel/sms/receipt?token=hunter2-token"


def answering(answer: Callable[[httpx.Request], httpx.Response], *, receipts: bool = False) -> KannelTransport:
    """A transport whose Kannel answers so."""
    transport = KannelTransport(kannel_settings(9, receipts=receipts), report_url=REPORT_URL)
    transport._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return transport


@pytest.mark.hazard("H-52")
@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (202, "4: something new", Unknown("the answer is not Kannel's")),
        (200, "<html>login</html>", Unknown("the answer is not Kannel's")),
        (400, "Missing receiver number, rejected", Rejected("Kannel refused the message (HTTP 400)")),
        (403, "Authorization failed for sendsms", Rejected("Kannel refused the message (HTTP 403)")),
        (404, "", Rejected("Kannel refused the message (HTTP 404)")),
        (429, "", Rejected("Kannel takes nothing at the moment (HTTP 429)", temporary=True)),
        (503, "Temporal failure, try again later.", Rejected("Kannel takes nothing at the moment (HTTP 503)", temporary=True)),
        (
            202,
            "3: Queued for later delivery",
            Rejected("Kannel has no SMS centre connected; the message waits there and may come late"),
        ),
    ],
)
async def test_what_an_answer_means(status: int, body: str, result: SendResult) -> None:
    """Only "0:" is taken for sent; a queue without a centre is not, where nobody would ever say that it left."""
    transport = answering(lambda _: httpx.Response(status, text=body))
    assert await transport.send(message("85290000001")) == result


@pytest.mark.parametrize("body", ["0: Accepted for delivery", "3: Queued for later delivery"])
async def test_with_receipts_the_receipt_decides(body: str) -> None:
    """Both are accepted under the page's own id; the deadline of the receipt does the rest. No copy joins the queue."""
    transport = answering(lambda _: httpx.Response(202, text=body), receipts=True)
    first, again = await transport.send(message("85290000001")), await transport.send(message("85290000001"))
    other = await transport.send(message("85290000001", key="P-018@2/r1/nurse-a/0"))
    assert isinstance(first, Accepted)
    assert first == again
    assert first.provider_id
    assert first != other


async def test_kannel_is_told_where_to_report_and_no_secret_is_in_the_address() -> None:
    """Only final reports are wanted; account and token go in headers."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, text="0: Accepted for delivery")

    result = await answering(answer, receipts=True).send(message("+852 9000 0001", "停 ⚠"))
    assert isinstance(result, Accepted)
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:9/cgi-bin/sendsms")
    assert request.content.decode() == "停 ⚠"
    assert request.headers["X-Kannel-To"] == "+85290000001"
    assert request.headers["X-Kannel-Coding"] == "2"
    assert request.headers["X-Kannel-DLR-Mask"] == "19"
    assert request.headers["X-Kannel-DLR-Url"] == f"{REPORT_URL}&id={result.provider_id}&status=%d"


async def test_without_receipts_no_report_is_asked_for() -> None:
    """Whatever the address for reports is."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, text="0: Accepted for delivery")

    await answering(answer).send(message("85290000001"))
    assert "X-Kannel-DLR-Url" not in asked[0].headers
    assert asked[0].headers["X-Kannel-Coding"] == "0"


async def test_an_address_that_is_not_one_number_is_refused() -> None:
    """Kannel would send to each number of a list."""
    transport = answering(lambda _: httpx.Response(202, text="0: Accepted for delivery"))
    assert await transport.send(message("85290000001 85290000002")) == Rejected("the address is not one telephone number")


async def test_only_final_reports_become_receipts() -> None:
    """1 delivered, 2 and 16 failed; buffered (4), handed over (8) and whatever else decide nothing."""
    transport = KannelTransport(kannel_settings(9, receipts=True), report_url=REPORT_URL)
    for status in (8, 4, 1, 2, 16, 32, 0):
        transport.report(f"id-{status}", status)
    await transport.close()
    assert [receipt async for receipt in transport.receipts()] == [
        Receipt("id-1", Outcome.DELIVERED),
        Receipt("id-2", Outcome.REJECTED),
        Receipt("id-16", Outcome.REJECTED),
    ]


@pytest.mark.servers
async def test_a_probe_tells_a_wrong_password_from_a_missing_server(tmp_path, caplog) -> None:
    """Nobody is paged by it, and neither words nor logs hold the password."""
    caplog.set_level(logging.DEBUG)
    with kannel(tmp_path) as server:
        assert await probed(server.port) is None
        refused = await probed(server.port, password="hunter2")
        assert server.arrived == []
    missing = await probed(free_port())
    assert refused == "Kannel refuses the account (HTTP 403); check username and password against its sendsms-user"
    assert missing == "Kannel's smsbox does not answer (ConnectError); is it running, and is the url right?"
    assert "hunter2" not in caplog.text


async def test_a_probe_knows_what_is_not_kannel() -> None:
    """A web server answers everything with a page."""
    words = "what answers at the url says 200 and is not Kannel's sendsms; check the url"
    assert await answering(lambda _: httpx.Response(200, text="hello")).probe() == words


async def probed(port: int, **changed: str) -> str | None:
    """What a probe of this account says."""
    transport = KannelTransport(kannel_settings(port, **changed))
    try:
        return await transport.probe()
    finally:
        await transport.close()
