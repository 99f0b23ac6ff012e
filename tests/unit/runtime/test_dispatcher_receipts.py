"""Delivery reports: a page is done when the provider says so, and missed when it says nothing in time."""

from collections.abc import AsyncIterator

import pytest

from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.domain.words import Outcome
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import receipts
from gateway.runtime.effects import row_of
from gateway.runtime.ports import Accepted, Receipt, SendState
from gateway.runtime.records import outcome_entry
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import settle
from tests.support.histories import START_AT
from tests.support.runtime_world import Desk, page

KEY = "P-1@7/r1/nurse-a/0"
DONE, AWAITING, PLANNED = SendState.DONE, SendState.AWAITING_RECEIPT, SendState.PLANNED


def desk_of(sms: FakeTransport, journal: MemoryJournal | None = None) -> Desk:
    """A dispatcher whose only transport promises a receipt within a minute."""
    return Desk(sms, receipts_within_ms=MINUTE_MS, journal=journal)


async def test_a_receipt_closes_the_page():
    """Accepted is not delivered: the row waits until the provider says so."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        assert await desk.states() == {KEY: (AWAITING, 1)}
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
        await desk.clock.move(2 * MINUTE_MS)
    assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.DELIVERED)]
    assert await desk.states() == {KEY: (DONE, 1)}
    assert len(desk.dispatcher._receipts) == 0


async def test_a_receipt_that_never_comes_counts_as_a_failure():
    """At its deadline the page is given up, so that the next contact is tried; a late receipt changes nothing."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        await desk.clock.move(MINUTE_MS)
        await settle()
        assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.NO_RECEIPT)]
        assert len(desk.dispatcher._receipts) == 0
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
    assert len(await desk.outcomes()) == 2
    assert len(sms.asked) == 1


async def test_a_receipt_that_overtakes_the_answer_to_the_send():
    """A provider on the same host may report before our own call has come back."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
        await desk.plan(page())
        await settle()
    assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.DELIVERED)]
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_a_receipt_that_says_failed():
    """The provider accepted it and could not deliver it: refused for good."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.REJECTED))
        await settle()
    assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.REJECTED)]
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_a_receipt_that_says_not_yet():
    """A temporary failure is tried again; the row says so, should we crash meanwhile."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.TEMPORARY))
        await settle()
        assert await desk.states() == {KEY: (PLANNED, 1)}
        await desk.clock.move(SECOND_MS)
        await settle()
    assert len(sms.asked) == 2
    assert await desk.states() == {KEY: (AWAITING, 2)}


async def test_an_intermediate_receipt_keeps_waiting():
    """`Buffered at the exchange` is not delivered."""
    sms = FakeTransport("sms", {"8521": Accepted("id-1")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.ACCEPTED))
        await settle()
        assert await desk.states() == {KEY: (AWAITING, 1)}
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_receipts_of_messages_that_are_not_ours_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """Somebody else's receipts on the same account are kept for a moment, never for ever."""
    monkeypatch.setattr(receipts, "STRAYS_MAX", 3)
    sms = FakeTransport("sms")
    desk = desk_of(sms)
    async with desk.running():
        for number in range(10):
            sms.receive(Receipt(f"foreign-{number}", Outcome.DELIVERED))
        await settle()
        assert [name for _, name in desk.dispatcher._receipts._strays] == ["foreign-7", "foreign-8", "foreign-9"]
    assert await desk.outcomes() == []


async def test_messages_without_a_providers_id_are_not_mixed_up():
    """Nothing ties a receipt without an id to one of them: both are missed at their deadline."""
    sms = FakeTransport("sms", {"8521": Accepted("")})
    desk = desk_of(sms)
    async with desk.running():
        await desk.plan(page(), page("P-2@7/r1/nurse-a/0"))
        await settle()
        sms.receive(Receipt("", Outcome.DELIVERED))
        await settle()
        await desk.clock.move(MINUTE_MS)
        await settle()
    outcomes = [outcome for _, outcome in await desk.outcomes()]
    assert sorted(outcomes) == sorted([Outcome.ACCEPTED, Outcome.NO_RECEIPT] * 2)


async def awaiting_since_before() -> MemoryJournal:
    """The journal of a run that ended between the acceptance of a page and its receipt."""
    journal = MemoryJournal()
    row = row_of(page(), 7, 0)
    assert row is not None
    await journal.commit("monitor", 7, [row])
    await journal.append([outcome_entry(KEY, Outcome.ACCEPTED, START_AT, attempt=1, provider_id="id-1")])
    await journal.mark(KEY, AWAITING, 1)
    return journal


async def test_a_receipt_after_a_restart():
    """The provider's id is in the journal: the receipt of a page that an earlier run sent is understood."""
    sms = FakeTransport("sms")
    desk = desk_of(sms, await awaiting_since_before())
    await desk.dispatcher.restore()
    async with desk.running():
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
    assert sms.asked == []
    assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.DELIVERED)]
    assert await desk.states() == {KEY: (DONE, 1)}


async def test_no_receipt_after_a_restart():
    """The deadline counts from the restart; then the next contact is tried."""
    sms = FakeTransport("sms")
    desk = desk_of(sms, await awaiting_since_before())
    await desk.dispatcher.restore()
    async with desk.running():
        await desk.clock.move(MINUTE_MS)
        await settle()
    assert sms.asked == []
    assert await desk.outcomes() == [(KEY, Outcome.ACCEPTED), (KEY, Outcome.NO_RECEIPT)]


class Breaking(FakeTransport):
    """Its first listening ends in an error."""

    def __init__(self) -> None:
        super().__init__("sms", {"8521": Accepted("id-1")})
        self.listened = 0

    async def receipts(self) -> AsyncIterator[Receipt]:
        """Fail once."""
        self.listened += 1
        if self.listened == 1:
            raise ConnectionError("a bug")
        async for receipt in super().receipts():
            yield receipt


async def test_receipts_that_end_in_an_error_are_listened_to_again(caplog: pytest.LogCaptureFixture):
    """A bug in a transport must not make every later page look undelivered."""
    sms = Breaking()
    desk = desk_of(sms)
    async with desk.running():
        await desk.clock.move(SECOND_MS)
        await desk.plan(page())
        await settle()
        sms.receive(Receipt("id-1", Outcome.DELIVERED))
        await settle()
    assert await desk.states() == {KEY: (DONE, 1)}
    assert "the receipts of transport sms ended" in caplog.text
