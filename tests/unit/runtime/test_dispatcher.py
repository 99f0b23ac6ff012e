"""Handing pages over: many at once, none waiting for another, each with an outcome in the journal."""

import asyncio

import pytest

from gateway.core.outbox import RECHECK_MS
from gateway.domain.instants import SECOND_MS
from gateway.domain.words import Outcome, Priority
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime import dispatcher
from gateway.runtime.dispatcher import SENDS_AT_ONCE
from gateway.runtime.effects import row_of
from gateway.runtime.ports import Message, Rejected, SendState, Unknown
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import settle
from tests.support.runtime_world import Desk, answer, page

DONE, PLANNED, SENDING = SendState.DONE, SendState.PLANNED, SendState.SENDING


def keys(transport: FakeTransport) -> list[str]:
    """What it was asked to send, in order."""
    return [message.key for message in transport.asked]


async def test_an_accepted_page_is_done():
    """One attempt, its outcome in the journal, its row finished."""
    sms = FakeTransport("sms")
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
    assert keys(sms) == ["P-1@7/r1/nurse-a/0"]
    assert await desk.outcomes() == [("P-1@7/r1/nurse-a/0", Outcome.ACCEPTED)]
    assert await desk.states() == {"P-1@7/r1/nurse-a/0": (DONE, 1)}
    assert desk.dispatcher.waiting == 0


async def test_an_answer_is_marked_done_and_never_journalled():
    """An answer is told nobody but its reader: no rule waits for what becomes of it."""
    sms = FakeTransport("sms")
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(answer())
        await settle()
    assert keys(sms) == ["answer@9"]
    assert await desk.outcomes() == []
    assert await desk.states() == {"answer@9": (DONE, 1)}


async def test_the_row_says_that_it_is_being_sent_before_it_is():
    """A crash during the send leaves a trace: it will be sent again under the same key."""
    sms = FakeTransport("sms", {"8521": None})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        assert await desk.states() == {"P-1@7/r1/nurse-a/0": (SENDING, 1)}
        sms.release()
        await settle()
        assert await desk.states() == {"P-1@7/r1/nurse-a/0": (DONE, 1)}


async def test_temporary_failures_are_tried_again_ever_more_slowly():
    """After 1, 5 and 15 seconds, then every 30: always with the same key."""
    sms = FakeTransport("sms", {"8521": Rejected("queue full", temporary=True)})
    desk = Desk(sms)
    tried = []
    async with desk.running():
        await desk.plan(page())
        for second in range(120):
            await settle()
            tried += [second] * (len(sms.asked) - len(tried))
            await desk.clock.move(SECOND_MS)
    assert tried == [0, 1, 6, 21, 51, 81, 111]
    assert set(keys(sms)) == {"P-1@7/r1/nurse-a/0"}
    assert set(await desk.outcomes()) == {("P-1@7/r1/nurse-a/0", Outcome.TEMPORARY)}
    assert await desk.states() == {"P-1@7/r1/nurse-a/0": (PLANNED, 7)}


async def test_an_unknown_outcome_is_sent_again_with_the_same_key():
    """Twice perhaps, never not at all."""
    sms = FakeTransport("sms", {"8521": Unknown("connection lost")})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        sms.script.clear()
        await desk.clock.move(SECOND_MS)
        await settle()
    assert keys(sms) == ["P-1@7/r1/nurse-a/0"] * 2
    assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.UNKNOWN, Outcome.ACCEPTED]


async def test_a_refusal_for_good_ends_the_page():
    """It is not tried again: the next contact is the core's business."""
    sms = FakeTransport("sms", {"8521": Rejected("no such number")})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await desk.clock.move(60 * SECOND_MS)
    assert len(sms.asked) == 1
    assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.REJECTED]
    assert await desk.states() == {"P-1@7/r1/nurse-a/0": (DONE, 1)}


async def test_a_hung_transport_delays_no_other_channel():
    """All its places hang, more wait for it; the other channel's page goes out at once, and so does its retry."""
    sms, voice = FakeTransport("sms", {"8521": None}), FakeTransport("voice", {"8522": Rejected("busy", temporary=True)})
    desk = Desk(sms, voice)
    async with desk.running():
        await desk.plan(*(page(f"P-{n}@7/r1/nurse-a/0") for n in range(SENDS_AT_ONCE + 5)))
        await settle()
        assert len(sms.asked) == SENDS_AT_ONCE
        await desk.plan(page("P-99@8/r1/nurse-b/0", transport="voice", address="8522"))
        await settle()
        assert len(voice.asked) == 1
        voice.script.clear()
        await desk.clock.move(SECOND_MS)
        await settle()
        assert len(voice.asked) == 2
        assert len(sms.asked) == SENDS_AT_ONCE


async def test_no_more_tasks_than_places():
    """Ten thousand waiting pages are data, not tasks."""
    sms = FakeTransport("sms", {"8521": None})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(*(page(f"P-{n}@7/r1/nurse-a/0") for n in range(1_000)))
        await settle()
        assert len(desk.dispatcher._tasks) == SENDS_AT_ONCE
        assert desk.dispatcher.waiting == 1_000
        sms.release()
        await settle(5_000)
        assert desk.dispatcher.waiting == 0
    assert sorted(keys(sms)) == sorted(f"P-{n}@7/r1/nurse-a/0" for n in range(1_000))


async def test_one_patients_pages_do_not_delay_anothers():
    """With one place free at a time, the course with one page waits for at most one of the other's three hundred."""
    sms = FakeTransport("sms", {"8521": None})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(*(page(f"P-1@{n}/r1/nurse-a/0") for n in range(300)))
        await settle()
        await desk.plan(page("P-2@999/r1/nurse-a/0"))
        sms.release()
        await settle(3_000)
    assert keys(sms).index("P-2@999/r1/nurse-a/0") <= SENDS_AT_ONCE + 1


async def test_the_most_urgent_goes_first():
    """High before medium, whoever came first."""
    sms = FakeTransport("sms", {"8521": None})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(*(page(f"P-1@{n}/r1/nurse-a/0", priority=Priority.MEDIUM) for n in range(SENDS_AT_ONCE + 3)))
        await settle()
        await desk.plan(page("P-2@999/r1/nurse-a/0"))
        sms.release()
        await settle()
    assert keys(sms)[SENDS_AT_ONCE] == "P-2@999/r1/nurse-a/0"


async def test_a_page_that_became_pointless_is_withdrawn():
    """Somebody has the incident before the retry: no more attempts, and the journal says why not."""
    sms = FakeTransport("sms", {"8521": Rejected("busy", temporary=True)})
    desk = Desk(sms)
    async with desk.running():
        await desk.plan(page())
        await settle()
        desk.verdict = lambda page: False
        await desk.clock.move(SECOND_MS)
        await settle()
    assert len(sms.asked) == 1
    assert [outcome for _, outcome in await desk.outcomes()] == [Outcome.TEMPORARY, Outcome.WITHDRAWN]
    assert await desk.states() == {"P-1@7/r1/nurse-a/0": (DONE, 1)}


async def test_a_page_waits_while_nothing_fires():
    """It goes out when the alert fires again."""
    sms = FakeTransport("sms")
    desk = Desk(sms)
    desk.verdict = lambda page: None
    async with desk.running():
        await desk.plan(page())
        await settle()
        assert keys(sms) == []
        desk.verdict = lambda page: True
        await desk.clock.move(RECHECK_MS)
        await settle()
        assert len(keys(sms)) == 1


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
