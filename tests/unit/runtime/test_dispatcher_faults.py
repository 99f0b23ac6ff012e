"""Transports with bugs, transports that are gone, a full journal, and what an earlier run left half done."""

import asyncio

import pytest

from gateway.domain.instants import SECOND_MS
from gateway.domain.words import Outcome
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import dispatcher
from gateway.runtime.dispatcher import SENDS_AT_ONCE
from gateway.runtime.effects import row_of
from gateway.runtime.ports import Message, Rejected, SendState
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import settle
from tests.support.runtime_world import Desk, answer, page

DONE, PLANNED, SENDING = SendState.DONE, SendState.PLANNED, SendState.SENDING


def keys(transport: FakeTransport) -> list[str]:
    """What it was asked to send, in order."""
    return [message.key for message in transport.asked]


class Faulty(FakeTransport):
    """A transport with a bug: it raises, or says something that is no answer."""

    def __init__(self, fault: object) -> None:
        super().__init__("sms")
        self.fault: object = fault

    async def send(self, message: Message):
        """Fail until mended."""
        result = await super().send(message)
        if isinstance(self.fault, Exception):
            raise self.fault
        return self.fault or result


@pytest.mark.parametrize("fault", [KeyError("a bug"), "not an answer"])
async def test_a_transport_that_raises_costs_no_page(fault: object, caplog: pytest.LogCaptureFixture):
    """Its bug is said in the log and in the journal; the page is tried again."""
    sms = Faulty(fault)
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.fault = None
        await desk.clock.move(SECOND_MS)
        await settle()
    assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.TEMPORARY, Outcome.ACCEPTED]
    assert "transport sms failed in a way it should not" in caplog.text


async def test_a_transport_that_never_answers_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    """After the deadline nobody knows whether it was sent: it is sent again."""
    monkeypatch.setattr(dispatcher, "SEND_DEADLINE_S", 0.01)
    sms = FakeTransport("sms", {"8521": None})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await asyncio.wait_for(_one_outcome(desk), 5)
    assert len(sms.asked) == 1
    assert await desk.outcomes() == [("P-1@7/r1/nurse-a/0", Outcome.UNKNOWN)]


async def _one_outcome(desk: Desk) -> None:
    while not await desk.outcomes():
        await asyncio.sleep(0)


async def test_a_transport_that_the_ward_no_longer_has():
    """The page is refused for good, so that the person's next contact is tried at once."""
    desk = Desk(FakeTransport("sms"))
    async with desk.running():
        await desk.plan(page(transport="pager"), page("P-2@8/r1/nurse-a/0"))
        await settle()
    assert sorted(await desk.outcomes()) == [
        ("P-1@7/r1/nurse-a/0", Outcome.REJECTED),
        ("P-2@8/r1/nurse-a/0", Outcome.ACCEPTED),
    ]


async def test_with_a_full_journal_pages_go_out_and_are_tried_again():
    """Room and retries depend on transports only; the outcomes that matter are journalled when there is space again."""
    sms = FakeTransport("sms", {"8521": Rejected("busy", temporary=True)})
    journal = MemoryJournal()
    desk = Desk(sms, journal=journal)
    async with desk.running():
        await desk.plan(*(page(f"P-{n}@7/r1/nurse-a/0") for n in range(SENDS_AT_ONCE + 4)))
        journal.refusing = "no space left on the device"
        await desk.clock.move(30 * SECOND_MS)
        await settle()
        assert len(sms.asked) == 4 * (SENDS_AT_ONCE + 4)
        assert desk.dispatcher._tasks == set(), "a failed try leaves nothing behind that waits for the disk"
        sms.script.clear()
        await desk.clock.move(30 * SECOND_MS)
        await settle()
        assert await desk.outcomes() == []
        journal.refusing = ""
        await desk.clock.move(2 * SECOND_MS)
        await settle()
        assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.ACCEPTED] * (SENDS_AT_ONCE + 4)
        assert set((await desk.states()).values()) == {(DONE, 5)}


async def test_planned_and_half_sent_pages_of_an_earlier_run_are_sent():
    """What a crash left is sent again, under the same key, with its attempts counted on."""
    journal = MemoryJournal()
    items = {PLANNED: page("P-1@7/r1/nurse-a/0"), SENDING: page("P-2@7/r1/nurse-a/0"), DONE: page("P-3@7/r1/nurse-a/0")}
    rows = [row for item in (*items.values(), answer()) if (row := row_of(item, 7, 0)) is not None]
    await journal.commit("monitor", 7, rows)
    for state, item in items.items():
        await journal.mark(item.key, state, 2)
    sms = FakeTransport("sms")
    desk = Desk(sms, journal=journal)
    await desk.dispatcher.restore()
    async with desk.running():
        await settle()
    assert sorted(keys(sms)) == ["P-1@7/r1/nurse-a/0", "P-2@7/r1/nurse-a/0", "answer@9"]
    states = await desk.states()
    assert states["P-2@7/r1/nurse-a/0"] == (DONE, 3)
    assert set(states.values()) <= {(DONE, 1), (DONE, 2), (DONE, 3)}
