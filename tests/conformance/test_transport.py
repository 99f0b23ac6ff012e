"""What every transport owes to the dispatcher, on the fake and on real servers."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.outside.apprise_transport import AppriseTransport
from gateway.runtime.ports import Accepted, Rejected, SendResult, Transport, Unknown
from tests.support.fake_transport import FakeTransport, message
from tests.support.process import free_port
from tests.support.smtp import mail_server
from tests.support.web_hook import web_hook

SHORT_S = 0.3  # a deadline that a hanging recipient is certain to miss
LONG_S = 60.0  # one that no other recipient misses

LONG_TEXT = "P-017: no delivery since 08:15. " * 40
CHINESE_AND_EMOJI = "P-017:輸液泵自 08:15 起停止輸注 ⚠ 😀"


@dataclass
class Subject:
    """One kind of transport with its other side. `arrived` tells (address, text) of all that got through."""

    make: Callable[[float], Transport]
    arrived: Callable[[], list[tuple[str, str]]]
    address_of: Callable[[str], str]
    nowhere: Callable[[], Transport]
    release: Callable[[], None]


@contextlib.contextmanager
def fake_subject() -> Iterator[Subject]:
    """The scripted fake, so that tests that use it may trust it."""
    script: dict[str, SendResult | None] = {
        "nobody": Rejected("no such user"),
        "later": Rejected("try again later", temporary=True),
        "drop": Unknown("the connection failed while sending"),
        "hang": None,
    }
    made: list[FakeTransport] = []

    def make(deadline_s: float) -> Transport:
        made.append(FakeTransport("fake", script, deadline_s=deadline_s))
        return made[-1]

    def nowhere() -> Transport:
        return FakeTransport("fake", {"nurse": Rejected("cannot connect", temporary=True)})

    yield Subject(
        make=make,
        arrived=lambda: [(message.address, message.text) for fake in made for message in fake.sent],
        address_of=str,
        nowhere=nowhere,
        release=lambda: [fake.release() for fake in made] and None,
    )


@contextlib.contextmanager
def mail_subject() -> Iterator[Subject]:
    """Apprise's mail on a real SMTP server."""

    def url(port: int) -> str:
        return f"mailto://127.0.0.1:{port}/?mode=insecure&from=dripwatch@ward.example&to={{address}}"

    with mail_server() as server:
        yield Subject(
            make=lambda deadline_s: AppriseTransport("email", url(server.port), deadline_s=deadline_s),
            arrived=lambda: [(mail.recipient, mail.text) for mail in server.mails],
            address_of=lambda who: f"{who}@ward.example",
            nowhere=lambda: AppriseTransport("email", url(free_port()), deadline_s=LONG_S),
            release=server.release,
        )


@contextlib.contextmanager
def hook_subject() -> Iterator[Subject]:
    """Apprise's JSON on a real HTTP server."""

    def url(port: int) -> str:
        return f"json://127.0.0.1:{port}/voice/{{address}}?rto=60"

    with web_hook() as hook:
        yield Subject(
            make=lambda deadline_s: AppriseTransport("voice", url(hook.port), deadline_s=deadline_s),
            arrived=lambda: [(who, body["message"]) for who, body in hook.calls],
            address_of=str,
            nowhere=lambda: AppriseTransport("voice", url(free_port()), deadline_s=LONG_S),
            release=hook.release,
        )


@pytest.fixture(params=[fake_subject, mail_subject, hook_subject], ids=["fake", "apprise-mailto", "apprise-json"])
def subject(request: Any) -> Iterator[Subject]:
    """Each kind in turn."""
    with request.param() as made:
        yield made


async def test_a_message_is_accepted_and_arrives(subject: Subject) -> None:
    """The good case: the answer is Accepted, and the other side has the text for that address."""
    transport = subject.make(LONG_S)
    nurse = subject.address_of("nurse")
    assert isinstance(await transport.send(message(nurse)), Accepted)
    assert subject.arrived() == [(nurse, "P-017: no delivery since 08:15. Reply 4711")]


@pytest.mark.parametrize("text", [LONG_TEXT.strip(), CHINESE_AND_EMOJI], ids=["long", "chinese-and-emoji"])
async def test_the_text_arrives_unchanged(subject: Subject, text: str) -> None:
    """Long texts, and characters outside GSM-7 and the BMP, come out as they went in."""
    transport = subject.make(LONG_S)
    assert isinstance(await transport.send(message(subject.address_of("nurse"), text)), Accepted)
    assert [arrived for _, arrived in subject.arrived()] == [text]


async def test_an_unknown_recipient_is_rejected_for_good(subject: Subject) -> None:
    """The other side says that there is no such recipient: trying again is pointless."""
    transport = subject.make(LONG_S)
    result = await transport.send(message(subject.address_of("nobody")))
    assert isinstance(result, Rejected)
    assert not result.temporary
    assert subject.arrived() == []


async def test_a_busy_other_side_is_rejected_for_now(subject: Subject) -> None:
    """The other side says "later": the page must be tried again."""
    transport = subject.make(LONG_S)
    result = await transport.send(message(subject.address_of("later")))
    assert isinstance(result, Rejected)
    assert result.temporary


async def test_a_missing_server_is_rejected_for_now(subject: Subject) -> None:
    """Nobody listens: nothing was sent, and it may work in a minute."""
    result = await subject.nowhere().send(message(subject.address_of("nurse")))
    assert isinstance(result, Rejected)
    assert result.temporary


async def test_a_line_that_dies_while_sending_is_unknown(subject: Subject) -> None:
    """The other side had the message when the connection ended: nobody can say whether it went on."""
    transport = subject.make(LONG_S)
    assert isinstance(await transport.send(message(subject.address_of("drop"))), Unknown)


async def test_a_hanging_other_side_is_unknown_after_the_deadline(subject: Subject) -> None:
    """A server that never answers costs the deadline and no more."""
    transport = subject.make(SHORT_S)
    assert await transport.send(message(subject.address_of("hang"))) == Unknown("no answer within 0.3 s")
    subject.release()


async def test_one_hanging_recipient_does_not_hold_up_another(subject: Subject) -> None:
    """A page to one nurse is accepted while one to another hangs on the same transport."""
    transport = subject.make(LONG_S)
    hung = asyncio.create_task(transport.send(message(subject.address_of("hang"))))
    await asyncio.sleep(0)
    assert isinstance(await transport.send(message(subject.address_of("nurse"))), Accepted)
    assert not hung.done()
    subject.release()
    assert isinstance(await hung, Accepted)


async def test_a_cancelled_send_leaves_the_transport_usable(subject: Subject) -> None:
    """The dispatcher may give up before the transport does."""
    transport = subject.make(LONG_S)
    hung = asyncio.create_task(transport.send(message(subject.address_of("hang"))))
    await asyncio.sleep(0)
    hung.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hung
    assert isinstance(await transport.send(message(subject.address_of("nurse"))), Accepted)
    subject.release()


async def test_receipts_end_when_the_transport_is_closed(subject: Subject) -> None:
    """Whoever reads receipts is let go at the latest when the transport closes."""
    transport = subject.make(LONG_S)
    await transport.close()
    assert [receipt async for receipt in transport.receipts()] == []
