"""Binding, losing, binding again; odd centres. What all transports owe stands in tests/conformance."""

import asyncio
import logging

import pytest

from gateway.outside import smpp_session
from gateway.outside.smpp_pdu import Command, Pdu, Status
from gateway.runtime.ports import Accepted, Rejected, Unknown
from tests.support.fake_transport import message
from tests.support.process import free_port
from tests.support.scripted_smsc import Bound, bound_to, nobody, scripted_centre
from tests.support.smsc import smsc
from tests.support.waiting import eventually

NURSE = "85290000001"


@pytest.fixture(autouse=True)
def _short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most scripted centres do not answer an unbind."""
    monkeypatch.setattr(smpp_session, "UNBIND_S", 0.05)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (0x0B, Rejected("no such number (SMPP 0x0B)")),
        (0x0A, Rejected("sender not allowed (SMPP 0x0A)")),
        (0x65, Rejected("the SMS centre says: never (SMPP 0x65)")),
        (0x14, Rejected("its queue is full (SMPP 0x14)", temporary=True)),
        (0x58, Rejected("too many messages a second (SMPP 0x58)", temporary=True)),
        (0x08, Rejected("the SMS centre refused for now (SMPP 0x08)", temporary=True)),
        (0x45, Rejected("the SMS centre refused for now (SMPP 0x45)", temporary=True)),
        (0x400, Rejected("the SMS centre refused for now (SMPP 0x400)", temporary=True)),
    ],
)
async def test_what_a_status_means(status: int, result: Rejected) -> None:
    """What will be the same next time is for good; vendors' own codes are tried again."""

    async def refuse(centre: Bound) -> None:
        centre.say((await centre.heard()).answer(status))

    async with scripted_centre(refuse) as centre, bound_to(centre.port) as transport:
        assert await transport.send(message(NURSE)) == result


async def test_a_packet_that_the_centre_does_not_understand_is_refused_for_now() -> None:
    """generic_nack carries the number of what it answers."""

    async def nack(centre: Bound) -> None:
        centre.say(Pdu(Command.GENERIC_NACK, (await centre.heard()).sequence, Status.INVALID_COMMAND))

    async with scripted_centre(nack) as centre, bound_to(centre.port) as transport:
        words = "the SMS centre refused for now (SMPP 0x03)"
        assert await transport.send(message(NURSE)) == Rejected(words, temporary=True)


@pytest.mark.parametrize(("status", "temporary"), [(0x0E, False), (0x0F, False), (0x0D, True), (0x05, True)])
async def test_a_refused_bind_refuses_the_page(status: int, *, temporary: bool) -> None:
    """A wrong account stays wrong: the next contact is tried at once. Anything else may pass."""
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        centre.statuses = [status] * 10
        words = f"the SMS centre refuses the bind (status 0x{status:02X})"
        assert await transport.send(message(NURSE)) == Rejected(words, temporary=temporary)


async def test_it_binds_again_when_the_centre_is_back() -> None:
    """After a refused bind, and after an unbind by the centre; a page that waits shortens the backoff."""
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        centre.statuses = [0x0D]
        assert isinstance(await transport.send(message(NURSE)), Rejected)
        sending = asyncio.create_task(transport.send(message(NURSE)))
        first = await centre.bound.get()
        first.say((await first.heard()).answer(body=b"m1\0"))
        assert await sending == Accepted("m1")
        assert (await first.asked(Pdu(Command.UNBIND, 1))).status == Status.OK
        sending = asyncio.create_task(transport.send(message(NURSE)))
        second = await centre.bound.get()
        second.say((await second.heard()).answer(body=b"m2\0"))
        assert await sending == Accepted("m2")
        assert centre.binds == 3


async def test_a_part_whose_answer_is_lost_leaves_the_whole_unknown() -> None:
    """The first part was accepted: half a page may be on a telephone."""

    async def one_part_only(centre: Bound) -> None:
        centre.say((await centre.heard()).answer(body=b"m1\0"))
        await centre.heard()
        centre.writer.close()

    async with scripted_centre(one_part_only) as centre, bound_to(centre.port) as transport:
        assert await transport.send(message(NURSE, "A" * 200)) == Unknown(
            "the connection to the SMS centre was lost while sending"
        )


async def test_a_late_answer_is_nobody_else_s() -> None:
    """The first submit is answered after its deadline: the second still has its own answer."""
    async with scripted_centre() as centre, bound_to(centre.port, deadline_s=0.2) as transport:
        sending = asyncio.create_task(transport.send(message(NURSE)))
        bound = await centre.bound.get()
        late = await bound.heard()
        assert await sending == Unknown("no answer within 0.2 s")
        sending = asyncio.create_task(transport.send(message(NURSE)))
        own = await bound.heard()
        bound.say(late.answer(0x0B))
        bound.say(own.answer(body=b"m2\0"))
        assert await sending == Accepted("m2")


async def test_a_full_window_delays_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two under way, a third waits: it goes out when the first is answered, and says that nothing was sent when none is."""
    monkeypatch.setattr(smpp_session, "WINDOW", 2)
    async with scripted_centre() as centre, bound_to(centre.port, deadline_s=0.5) as transport:
        sends = [asyncio.create_task(transport.send(message(NURSE, f"{number}"))) for number in range(4)]
        bound = await centre.bound.get()
        first, second = await bound.heard(), await bound.heard()
        bound.say(first.answer(body=b"m1\0"))
        third = await bound.heard()
        assert {first.sequence, second.sequence, third.sequence} == {2, 3, 4}
        results = await asyncio.gather(*sends)
        assert results[0] == Accepted("m1")
        assert results[1:3] == [Unknown("no answer within 0.5 s")] * 2
        assert results[3] == Rejected("the SMS centre answers nothing that was sent before", temporary=True)


async def test_a_centre_that_answers_no_pulse_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead line that TCP does not notice: the bind is made anew."""
    monkeypatch.setattr(smpp_session, "PULSE_S", 0.05)
    monkeypatch.setattr(smpp_session, "PULSE_ANSWER_S", 0.05)
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(nobody)
        first = await centre.bound.get()
        assert (await first.heard()).command == Command.ENQUIRE_LINK
        await centre.bound.get()
        assert centre.binds == 2


async def test_a_pulse_that_is_answered_keeps_the_bind(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the centre's own is answered."""
    monkeypatch.setattr(smpp_session, "PULSE_S", 0.01)
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(nobody)
        bound = await centre.bound.get()
        for _ in range(5):
            bound.say((await bound.heard()).answer())
        assert (await bound.asked(Pdu(Command.ENQUIRE_LINK, 77))).status == Status.OK
        assert centre.binds == 1


async def test_a_closed_transport_sends_nothing_and_says_goodbye() -> None:
    """The centre hears an unbind."""
    async with scripted_centre() as centre, bound_to(centre.port) as transport:
        transport.take_replies(nobody)
        bound = await centre.bound.get()
        await bound.asked(Pdu(Command.ENQUIRE_LINK, 1))  # the bind has arrived
        closing = asyncio.create_task(transport.close())
        goodbye = await bound.heard()
        assert goodbye.command == Command.UNBIND
        bound.say(goodbye.answer())
        await closing
        assert await transport.send(message(NURSE)) == Rejected("the transport is closed", temporary=True)


async def test_an_address_that_is_not_one_number_is_refused() -> None:
    """Without asking any centre."""
    async with bound_to(free_port()) as transport:
        assert await transport.send(message("nurse")) == Rejected("the address is not one telephone number")


@pytest.mark.servers
async def test_many_pages_share_one_bind(tmp_path) -> None:
    """A hundred pages at once, more than the window holds: all accepted by the real centre, over one bind."""
    with smsc(tmp_path) as centre:
        async with bound_to(centre.port) as transport:
            results = await asyncio.gather(*(transport.send(message(NURSE, f"P-{number}")) for number in range(100)))
            assert all(isinstance(result, Accepted) for result in results)
        assert len(centre.happened("bound")) == 1
        assert {text for _, text in centre.arrived} == {f"P-{number}" for number in range(100)}


@pytest.mark.servers
async def test_a_probe_makes_no_bind(tmp_path) -> None:
    """A second bind may end the running gateway's own."""
    with smsc(tmp_path) as centre:
        async with bound_to(centre.port) as transport:
            assert await transport.probe() is None
        assert centre.happened("bound") == []
    async with bound_to(free_port()) as transport:
        assert "cannot be reached (ConnectionRefusedError)" in str(await transport.probe())


async def test_no_secret_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a refused bind nor a lost connection puts the password into a log or a reason."""
    caplog.set_level(logging.DEBUG)
    async with scripted_centre() as centre, bound_to(centre.port, password="hunter2") as transport:
        centre.statuses = [0x0E]
        said = [str(await transport.send(message(NURSE))), repr(transport)]
        sending = asyncio.create_task(transport.send(message(NURSE)))
        (await centre.bound.get()).writer.close()
        said.append(str(await sending))
        await eventually(lambda: "ended" in caplog.text)
    assert "hunter2" not in "".join(said) + caplog.text
