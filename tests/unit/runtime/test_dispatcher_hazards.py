"""What providers do to a sender: accept too late, report twice, report about strangers, use an id again."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.domain.words import Outcome
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import dispatcher
from gateway.runtime.effects import row_of
from gateway.runtime.ports import Accepted, Entry, Message, Receipt, Rejected, SendResult, SendState
from gateway.runtime.receipts import STRAY_KEPT_MS
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import settle
from tests.support.runtime_world import Desk, page

KEY = "P-1@7/r1/nurse-a/0"
AWAITING, DONE = SendState.AWAITING_RECEIPT, SendState.DONE


class LateProvider(FakeTransport):
    """Takes the first message for good, and answers long after anybody waits for it; the next ones at once."""

    async def send(self, message: Message) -> SendResult:
        """Hang the first time."""
        self.asked.append(message)
        self.sent.append(message)
        if len(self.asked) == 1:
            await asyncio.Event().wait()
        return Accepted(f"id-{len(self.asked)}")


async def test_a_provider_that_accepts_after_our_deadline(monkeypatch: pytest.MonkeyPatch):
    """The page is delivered twice under one key: nobody could know. The report about the first changes nothing."""
    monkeypatch.setattr(dispatcher, "SEND_DEADLINE_S", 0.01)
    sms = LateProvider("sms")
    desk = Desk(sms, receipts_within_ms=MINUTE_MS)
    async with desk.running():
        await desk.plan(page())
        async with asyncio.timeout(20):
            while not await desk.outcomes():
                await asyncio.sleep(0)
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await desk.clock.move(SECOND_MS)
        await settle()
        assert await desk.states() == {KEY: (AWAITING, 2)}
        sms.receive(Receipt("id-2", Outcome.DELIVERED))
        await settle()
    assert [message.key for message in sms.sent] == [KEY, KEY]
    assert await desk.outcomes() == [(KEY, Outcome.UNKNOWN), (KEY, Outcome.ACCEPTED), (KEY, Outcome.DELIVERED)]
    assert await desk.states() == {KEY: (DONE, 2)}


async def test_a_report_that_comes_twice():
    """Once is enough, and the second is not about the next message either."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = Desk(sms, receipts_within_ms=MINUTE_MS)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
        assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.DELIVERED)]


async def test_an_id_that_the_provider_uses_again():
    """An exchange that was restarted counts from 1: an old report does not close the new page with the same id."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = Desk(sms, receipts_within_ms=10 * MINUTE_MS)
    async with desk.running():
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
        await desk.clock.move(STRAY_KEPT_MS + 1)
        await desk.plan(page())
        await settle()
        assert await desk.states() == {KEY: (AWAITING, 1)}


async def test_a_late_report_after_the_deadline_changes_nothing():
    """The next contact was tried by then; the row stays done, and nothing of it is remembered."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = Desk(sms, receipts_within_ms=MINUTE_MS)
    async with desk.running():
        await desk.plan(page())
        await desk.clock.move(MINUTE_MS - 1)
        assert await desk.states() == {KEY: (AWAITING, 1)}
        await desk.clock.move(1)
        await settle()
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
    assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.ACCEPTED, Outcome.NO_RECEIPT]
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_a_report_of_acceptance_again_and_again_gives_no_more_time():
    """`On its way`, each half minute, is not delivered: the receipt's deadline counts from the first."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = Desk(sms, receipts_within_ms=MINUTE_MS)
    async with desk.running():
        await desk.plan(page())
        await settle()
        await desk.clock.move(MINUTE_MS // 2)
        sms.receive(Receipt("id-1", Outcome.ACCEPTED))
        await settle()
        await desk.clock.move(MINUTE_MS // 2)
        await settle()
    assert [outcome for _, outcome in await desk.outcomes()][-1] is Outcome.NO_RECEIPT


class SlowToAccept(MemoryJournal):
    """Stores the first outcome only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self._first = True

    async def append(self, entries: Sequence[Entry]) -> int:
        """Wait, the first time."""
        if self._first:
            self._first = False
            await self.let.wait()
        return await super().append(entries)


async def test_a_receipt_that_overtakes_the_writing_down_of_its_acceptance():
    """The row ends as done, whichever of the two is stored last: it would be missed and paged for a second time."""
    sms, journal = FakeTransport("sms", {"8521": Accepted("id-1")}), SlowToAccept()
    desk = Desk(sms, receipts_within_ms=MINUTE_MS, journal=journal)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
        assert await desk.states() == {KEY: (DONE, 1)}
        journal.let.set()
        await settle()
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_what_a_crash_cut_off_is_written_down_as_unknown():
    """So that whoever may have got the page is told when it is over; what was only planned is not."""
    journal = MemoryJournal()
    cut, planned = page(), page("P-2@7/r1/nurse-a/0")
    await journal.commit("monitor", 7, [row for item in (cut, planned) if (row := row_of(item, 7, 0)) is not None])
    await journal.mark(cut.key, SendState.SENDING, 2)
    desk = Desk(FakeTransport("sms", {"8521": Rejected("busy", temporary=True)}), journal=journal)
    await desk.dispatcher.restore()
    assert await desk.outcomes() == [(cut.key, Outcome.UNKNOWN)]


async def test_a_retry_of_one_page_delays_no_first_attempt():
    """A hundred pages fail again and again; one for somebody else goes out between their attempts."""
    sms = FakeTransport("sms", {"8521": Rejected("busy", temporary=True)})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(*(page(f"P-{n}@7/r1/nurse-a/0") for n in range(100)))
        await settle(2_000)
        await desk.clock.move(700)
        await desk.plan(page("P-999@8/r1/nurse-b/0", address="8522"))
        await settle()
        assert [message.key for message in sms.sent] == ["P-999@8/r1/nurse-b/0"]
