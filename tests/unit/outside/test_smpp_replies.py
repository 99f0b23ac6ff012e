"""What an SMS centre brings: replies are kept before they are acknowledged, nonsense does no harm."""

import asyncio

import pytest

from gateway.outside import smpp_session
from gateway.outside.smpp_pdu import Command, Pdu, Status
from gateway.runtime.ports import Accepted, JournalFull
from gateway.runtime.two_way import TwoWay
from tests.support.fake_transport import message
from tests.support.scripted_smsc import bound_to, delivered, nobody, scripted_centre

NURSE = "85290000001"


@pytest.fixture(autouse=True)
def _short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most scripted centres do not answer an unbind."""
    monkeypatch.setattr(smpp_session, "UNBIND_S", 0.05)


async def test_a_reply_is_acknowledged_when_it_is_durable() -> None:
    """The centre may forget it only then; what cannot be kept now comes again later."""
    taken: list[tuple[str, str]] = []
    full = [True]
    durable = asyncio.Event()

    async def take(address: str, text: str) -> None:
        if full.pop() if full else False:
            raise JournalFull("no space left")
        await durable.wait()
        taken.append((address, text))

    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        assert isinstance(transport, TwoWay)
        transport.take_replies(take)
        bound = await centre.bound.get()
        assert (await bound.asked(delivered(b"ack 4711", 1))).status == Status.TRY_LATER
        bound.say(delivered(b"ack 4711", 2))
        assert (await bound.asked(Pdu(Command.ENQUIRE_LINK, 3))).sequence == 3  # answered while the reply is still being kept
        durable.set()
        answer = await bound.heard()
        assert (answer.sequence, answer.status) == (2, Status.OK)
        assert taken == [(NURSE, "ack 4711")]


async def test_without_anybody_who_takes_replies_they_stay_at_the_centre() -> None:
    """A gateway that is just starting loses none."""
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        sending = asyncio.create_task(transport.send(message(NURSE)))
        bound = await centre.bound.get()
        question = await bound.heard()
        assert (await bound.asked(delivered(b"ack"))).status == Status.TRY_LATER
        bound.say(question.answer(body=b"m1\0"))
        assert await sending == Accepted("m1")


async def test_nonsense_from_the_centre_costs_at_most_the_connection() -> None:
    """A message that cannot be read is taken and said; an unknown command is refused; a wrong length ends the session."""
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(nobody)
        bound = await centre.bound.get()
        assert (await bound.asked(Pdu(Command.DELIVER_SM, 1, body=b"\0"))).status == Status.OK
        nack = await bound.asked(Pdu(0x0999, 2))
        assert (nack.command, nack.status) == (Command.GENERIC_NACK, Status.INVALID_COMMAND)
        bound.say(Pdu(0x8000_0004, 999))  # an answer to nothing
        bound.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await centre.bound.get()
        assert centre.binds == 2


async def test_a_bug_in_taking_replies_costs_neither_reply_nor_connection() -> None:
    """The centre keeps it; the log has the traceback."""

    async def broken(_address: str, _text: str) -> None:
        raise ZeroDivisionError

    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(broken)
        bound = await centre.bound.get()
        assert (await bound.asked(delivered(b"ack", 1))).status == Status.TRY_LATER
        assert (await bound.asked(Pdu(Command.ENQUIRE_LINK, 2))).status == Status.OK


async def test_more_messages_than_can_be_in_hand_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of replies fills no memory."""
    monkeypatch.setattr(smpp_session, "INBOUND_MAX", 1)
    go_on = asyncio.Event()

    async def slow(_address: str, _text: str) -> None:
        await go_on.wait()

    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(slow)
        bound = await centre.bound.get()
        bound.say(delivered(b"one", 1))
        assert (await bound.asked(delivered(b"two", 2))).status == Status.TRY_LATER
        go_on.set()
        assert (await bound.heard()).sequence == 1
