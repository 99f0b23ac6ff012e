"""Handing pages over: many at once, none waiting for another, each with an outcome in the journal."""

import pytest

from gateway.core.outbox import RECHECK_MS
from gateway.domain.instants import SECOND_MS
from gateway.domain.words import Outcome, Priority
from gateway.runtime.dispatcher import SENDS_AT_ONCE
from gateway.runtime.ports import Rejected, SendState, Unknown
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


@pytest.mark.hazard("H-53")
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
        looks = counted(desk)
        await settle()
        assert looks == [], "what waits for room is not looked at again and again"
        voice.script.clear()
        await desk.clock.move(SECOND_MS)
        await settle()
        assert len(voice.asked) == 2
        assert len(sms.asked) == SENDS_AT_ONCE


def counted(desk: Desk) -> list[int]:
    """The times at which the dispatcher looks for what is due, from now on."""
    looks: list[int] = []
    due = desk.outbox.due
    desk.outbox.due = lambda at, *asked, **rest: (looks.append(at), due(at, *asked, **rest))[1]  # type: ignore[method-assign]
    return looks


async def test_a_full_journal_takes_no_room():
    """A page that was accepted has left its place, although its outcome cannot be stored yet."""
    sms = FakeTransport("sms")
    desk = Desk(sms)
    async with desk.running():
        desk.journal.refusing = "no space left on the device"
        for number in range(3 * SENDS_AT_ONCE):
            desk.dispatcher.plan(page(f"P-{number}@7/r1/nurse-a/0"), desk.clock.now())
        await settle()
        assert len(sms.sent) == 3 * SENDS_AT_ONCE


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
