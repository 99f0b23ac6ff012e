"""What transports owe to the dispatcher that hear of deliveries, on real servers: one receipt a message, of the right message."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.console.app import create_api
from gateway.console.kannel_inbound import KannelDoor, kannel_inbound
from gateway.domain.words import Outcome
from gateway.outside.http_server import serve
from gateway.outside.kannel_transport import KannelTransport
from gateway.outside.smpp_transport import SmppTransport
from gateway.runtime.ports import Accepted, Receipt, Transport
from tests.support.fake_service import TOKEN, FakeService
from tests.support.fake_transport import message
from tests.support.kannel import UNCONNECTED, kannel
from tests.support.process import free_port
from tests.support.smsc import NO_RECEIPT, smsc
from tests.support.transport_subjects import kannel_settings, smpp_settings
from tests.support.waiting import eventually

pytestmark = pytest.mark.servers

NURSE = "85290000001"
LONG_TEXT = "P-017: no delivery since 08:15. " * 12
LONG_CHINESE = "P-017:輸液泵自 08:15 起停止輸注 ⚠ 😀" * 6


@dataclass
class Subject:
    """A transport with its other side. `without_receipt` is accepted, but nobody ever reports on it."""

    transport: Transport
    without_receipt: str
    report_again: Callable[[str], Any]
    heard: list[Receipt]


@contextlib.asynccontextmanager
async def kannel_subject(folder: Path) -> AsyncIterator[Subject]:
    """A real Kannel whose reports come to the real HTTP server."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/inbound/kannel/sms/receipt?token={TOKEN}"
    with kannel(folder) as server:
        transport = KannelTransport(kannel_settings(server.port, receipts=True), report_url=url)
        api = create_api(FakeService(), token=TOKEN, extra=[kannel_inbound({"sms": KannelDoor(TOKEN, transport.report)})])
        serving = asyncio.create_task(serve(api, host="127.0.0.1", port=port))
        async with listening(transport) as heard:
            yield Subject(transport, UNCONNECTED, lambda provider_id: transport.report(provider_id, 1), heard)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


@contextlib.asynccontextmanager
async def smpp_subject(folder: Path) -> AsyncIterator[Subject]:
    """Another implementation's SMS centre."""
    with smsc(folder) as centre:
        transport = SmppTransport(smpp_settings(centre.port, receipts=True))
        async with listening(transport) as heard:
            yield Subject(transport, NO_RECEIPT, lambda of: centre.tell("receipt", id=of, state="DELIVRD"), heard)


@contextlib.asynccontextmanager
async def listening(transport: Transport) -> AsyncIterator[list[Receipt]]:
    """Keep the receipts as they come; close the transport at the end."""
    heard: list[Receipt] = []

    async def listen() -> None:
        async for receipt in transport.receipts():
            heard.append(receipt)  # noqa: PERF401  the test looks at it while it grows

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        await transport.close()
        await asyncio.wait_for(task, 20)


@pytest.fixture(params=[kannel_subject, smpp_subject], ids=["kannel", "smpp"])
async def subject(request: Any, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each kind in turn."""
    async with request.param(tmp_path) as made:
        yield made


async def accepted_id(subject: Subject, address: str, text: str = "P-017", key: str = "P-017@1/r1/nurse-a/0") -> str:
    """Send and return the provider's id."""
    result = await subject.transport.send(message(address, text, key=key))
    assert isinstance(result, Accepted)
    assert result.provider_id
    return result.provider_id


@pytest.mark.parametrize("text", ["P-017", LONG_TEXT, LONG_CHINESE], ids=["short", "long", "long-chinese"])
async def test_a_delivered_message_has_one_receipt(subject: Subject, text: str) -> None:
    """However many parts it had on the air; a second message's receipt is the next that comes."""
    first = await accepted_id(subject, NURSE, text)
    await eventually(lambda: subject.heard == [Receipt(first, Outcome.DELIVERED)])
    second = await accepted_id(subject, NURSE, key="P-018@2/r1/nurse-a/0")
    await eventually(lambda: len(subject.heard) > 1)
    assert subject.heard == [Receipt(first, Outcome.DELIVERED), Receipt(second, Outcome.DELIVERED)]
    assert first != second


async def test_what_is_accepted_may_never_be_reported_on(subject: Subject) -> None:
    """A message that lies in a queue is accepted and no more: the first receipt is that of the next message."""
    await accepted_id(subject, subject.without_receipt, key="waits")
    delivered = await accepted_id(subject, NURSE)
    await eventually(lambda: bool(subject.heard))
    assert subject.heard == [Receipt(delivered, Outcome.DELIVERED)]


async def test_repeated_and_unknown_reports_name_no_other_message(subject: Subject) -> None:
    """They may come as receipts, but never under the id of a message that they do not belong to."""
    delivered = await accepted_id(subject, NURSE)
    await eventually(lambda: bool(subject.heard))
    subject.report_again(delivered)
    subject.report_again("unheard-of")
    await eventually(lambda: Receipt("unheard-of", Outcome.DELIVERED) in subject.heard)
    assert {receipt.provider_id for receipt in subject.heard} == {delivered, "unheard-of"}
