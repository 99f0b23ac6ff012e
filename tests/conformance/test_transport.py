"""What every transport owes to the dispatcher, on the fake and on real servers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime.ports import Accepted, Rejected, Transport, Unknown
from tests.support.fake_transport import message
from tests.support.transport_subjects import (
    LONG_S,
    Subject,
    fake_subject,
    hook_subject,
    kannel_subject,
    mail_subject,
    smpp_subject,
    snpp_subject,
)
from tests.support.waiting import eventually

pytestmark = pytest.mark.servers

SHORT_S = 0.3  # a deadline that a hanging recipient is certain to miss

LONG_TEXT = "P-017: no delivery since 08:15. " * 40
CHINESE_AND_EMOJI = "P-017:輸液泵自 08:15 起停止輸注 ⚠ 😀"
LONG_CHINESE = CHINESE_AND_EMOJI * 6  # several parts in UCS-2, with an emoji at most places where one could be cut

KINDS = {
    "fake": fake_subject,
    "apprise-mailto": mail_subject,
    "apprise-json": hook_subject,
    "kannel": kannel_subject,
    "smpp": smpp_subject,
    "snpp": snpp_subject,
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
async def subject(request: Any, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each kind in turn; the transports that a test made are closed after it."""
    made: list[Transport] = []
    with request.param(tmp_path) as subject:
        make, nowhere = subject.make, subject.nowhere
        subject.make = lambda deadline_s: made.append(make(deadline_s)) or made[-1]
        subject.nowhere = lambda: made.append(nowhere()) or made[-1]
        yield subject
        for transport in made:
            await transport.close()


async def test_a_message_is_accepted_and_arrives(subject: Subject) -> None:
    """The good case: the answer is Accepted, and the other side has the text for that address."""
    transport = subject.make(LONG_S)
    nurse = subject.address_of("nurse")
    assert isinstance(await transport.send(message(nurse)), Accepted)
    await eventually(lambda: subject.arrived() == [(nurse, "P-017: no delivery since 08:15. Reply 4711")])


@pytest.mark.parametrize(
    "text", [LONG_TEXT.strip(), CHINESE_AND_EMOJI, LONG_CHINESE], ids=["long", "chinese-and-emoji", "long-chinese"]
)
async def test_the_text_arrives_unchanged(subject: Subject, text: str) -> None:
    """Long texts, and characters outside GSM-7 and the BMP, come out as they went in; on a pager, as it can show them."""
    transport = subject.make(LONG_S)
    assert isinstance(await transport.send(message(subject.address_of("nurse"), text)), Accepted)
    await eventually(lambda: [arrived for _, arrived in subject.arrived()] == [subject.shown(text)])


async def test_several_at_once_all_arrive(subject: Subject) -> None:
    """Eight pages at the same moment: each is accepted, none is lost or mixed with another."""
    transport = subject.make(LONG_S)
    nurse, texts = subject.address_of("nurse"), {f"P-{number:03}: no delivery." for number in range(8)}
    results = await asyncio.gather(*(transport.send(message(nurse, text, key=text)) for text in sorted(texts)))
    assert all(isinstance(result, Accepted) for result in results), results
    await eventually(lambda: len(subject.arrived()) == 8)
    assert {text for _, text in subject.arrived()} == texts


async def test_an_unknown_recipient_is_rejected_for_good(subject: Subject) -> None:
    """The other side says that there is no such recipient: trying again is pointless."""
    transport = subject.make(LONG_S)
    result = await transport.send(message(subject.address_of("nobody")))
    assert isinstance(result, Rejected)
    assert not result.temporary
    assert subject.arrived() == []


async def test_a_busy_other_side_is_rejected_for_now(subject: Subject) -> None:
    """The other side says "later": the page must be tried again."""
    subject.make_busy()
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


@pytest.mark.hazard("H-53")
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
