"""Which page goes out next: priority, fairness, retries, receipts; nobody's first page waits for another's three-hundredth."""

import pytest

from gateway.core.outbox import ANSWER_KEPT_MS, RECHECK_MS, Outbox
from gateway.core.turns import Sending, Stage
from gateway.domain.effects import Answer, Page
from gateway.domain.words import Outcome, Priority, WhyPaged

SECOND_MS = 1_000
ROOM = {"sms": 100, "voice": 100, "pager": 100}


def page(key: str, course: str = "P-017", *, transport: str = "sms", priority: Priority = Priority.HIGH, at: int = 0) -> Page:
    """A page with this key."""
    return Page(
        key=key,
        incident=f"{course}@1",
        course=course,
        person="nurse-a",
        transport=transport,
        address="1",
        priority=priority,
        why=WhyPaged.OPENED,
        about=("x",),
        text="x",
        code="4711",
        decided_at=at,
    )


def answer(key: str) -> Answer:
    """A reply to a person's message."""
    return Answer(key=key, person="nurse-a", transport="sms", address="1", text="x", decided_at=0)


def begun(outbox: Outbox, at: int, room=None, wanted=lambda _: True) -> list[str]:
    """Keys of what is begun at `at`."""
    return [sending.item.key for sending in outbox.due(at, ROOM if room is None else room, wanted).send]


@pytest.mark.hazard("H-48")
def test_the_most_urgent_goes_first():
    """High before medium before low, whatever came first; an answer counts as medium."""
    outbox = Outbox()
    for key, priority in [("low", Priority.LOW), ("medium", Priority.MEDIUM), ("high", Priority.HIGH)]:
        outbox.plan(page(key, key, priority=priority), 0)
    outbox.plan(answer("answer"), 1)
    assert begun(outbox, 1, {"sms": 1}) == ["high"]
    assert begun(outbox, 1, {"sms": 2}) == ["medium", "answer"]
    assert begun(outbox, 1, {"sms": 2}) == ["low"]


@pytest.mark.hazard("H-48")
def test_three_hundred_pages_for_one_patient_do_not_delay_another_s_first():
    """One place free at a time; the second patient's page is planned last and goes next."""
    outbox = Outbox()
    for n in range(300):
        outbox.plan(page(f"a{n}", "P-017"), n)
    assert [begun(outbox, 300, {"sms": 1}) for _ in range(40)] == [[f"a{n}"] for n in range(40)]
    outbox.plan(page("b", "P-018"), 300)
    assert begun(outbox, 301, {"sms": 1}) == ["b"]
    assert begun(outbox, 301, {"sms": 1}) == ["a40"]


def test_patients_take_turns():
    """Two with many pages share the room, each in the order of planning."""
    outbox = Outbox()
    for n in range(3):
        outbox.plan(page(f"a{n}", "P-017"), n)
    for n in range(3):
        outbox.plan(page(f"b{n}", "P-018"), 10 + n)
    assert begun(outbox, 20) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_newcomer_owes_nothing_and_is_owed_nothing_for_the_past():
    """Who was served a hundred times yesterday is not made to wait for a hundred pages of somebody new."""
    outbox = Outbox()
    outbox.plan(page("stuck", "P-000", transport="fax"), 0)
    for n in range(100):
        outbox.plan(page(f"a{n}", "P-017"), n)
        (key,) = begun(outbox, n, {"sms": 1})
        outbox.settle(key, Outcome.ACCEPTED, n)
    for n in range(10):
        outbox.plan(page(f"b{n}", "P-018"), 200)
    outbox.plan(page("a100", "P-017"), 201)
    assert "a100" in [begun(outbox, 201, {"sms": 1})[0] for _ in range(4)]


def test_a_full_transport_holds_up_only_itself():
    """Another channel's page goes past it."""
    outbox = Outbox()
    outbox.plan(page("sms1"), 0)
    outbox.plan(page("sms2"), 0)
    outbox.plan(page("pager", transport="pager"), 1)
    assert begun(outbox, 1, {"sms": 1, "pager": 1}) == ["sms1", "pager"]
    assert begun(outbox, 1, {"sms": 0, "pager": 1}) == []
    assert outbox.waiting("sms") == 1


@pytest.mark.parametrize("outcome", [Outcome.TEMPORARY, Outcome.UNKNOWN])
def test_what_failed_for_now_is_tried_again_after_1_5_15_and_then_every_30_seconds(outcome):
    """Until it is taken."""
    outbox, at, gaps = Outbox(), 0, []
    outbox.plan(page("p"), 0)
    for _ in range(6):
        assert begun(outbox, at) == ["p"]
        assert outbox.settle("p", outcome, at) is Stage.WAITING
        due_at = outbox.next_due()
        assert begun(outbox, due_at - 1) == []
        gaps.append((due_at - at) // SECOND_MS)
        at = due_at
    assert gaps == [1, 5, 15, 30, 30, 30]


def test_a_retry_delays_no_other_page():
    """The failed one waits; the next one goes."""
    outbox = Outbox()
    outbox.plan(page("p"), 0)
    begun(outbox, 0)
    outbox.settle("p", Outcome.TEMPORARY, 0)
    outbox.plan(page("q"), 10)
    assert begun(outbox, 10) == ["q"]


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.DELIVERED, Outcome.WITHDRAWN])
def test_what_is_taken_or_refused_for_good_is_done(outcome):
    """A transport without receipts has nothing more to say."""
    outbox = Outbox()
    outbox.plan(page("p"), 0)
    begun(outbox, 0)
    assert outbox.settle("p", outcome, 0) is None
    assert len(outbox) == 0
    assert outbox.next_due() is None
    assert outbox.settle("p", outcome, 0) is None


@pytest.mark.hazard("H-52")
def test_a_promised_receipt_is_waited_for_until_its_deadline():
    """Then the page has failed; what comes later is too late."""
    outbox = Outbox({"sms": 60 * SECOND_MS})
    outbox.plan(page("p"), 0)
    begun(outbox, 0)
    assert outbox.settle("p", Outcome.ACCEPTED, 2 * SECOND_MS) is Stage.AWAITING_RECEIPT
    assert begun(outbox, 30 * SECOND_MS) == []
    assert outbox.next_due() == 62 * SECOND_MS
    decided = outbox.due(62 * SECOND_MS, ROOM, lambda _: True)
    assert [sending.item.key for sending in decided.unreceipted] == ["p"]
    assert outbox.settle("p", Outcome.DELIVERED, 63 * SECOND_MS) is None


def test_a_receipt_in_time_ends_it():
    """Delivered is as far as a page can get."""
    outbox = Outbox({"sms": 60 * SECOND_MS})
    outbox.plan(page("p"), 0)
    begun(outbox, 0)
    outbox.settle("p", Outcome.ACCEPTED, 0)
    assert outbox.settle("p", Outcome.DELIVERED, SECOND_MS) is None
    assert len(outbox) == 0


def test_after_a_restart_attempts_go_on_counting_and_receipts_go_on_being_awaited():
    """What was accepted is not sent again; what was tried twice waits its third time."""
    outbox = Outbox({"sms": 60 * SECOND_MS})
    outbox.await_receipt(page("accepted"), 0, attempts=1)
    outbox.plan(page("tried"), 0, attempts=2)
    assert begun(outbox, 0) == ["tried"]
    outbox.settle("tried", Outcome.UNKNOWN, 0)
    assert [(s.item.key, s.attempts, s.due_at) for s in outbox.items()] == [("accepted", 1, 60_000), ("tried", 3, 15_000)]


def test_a_page_is_asked_for_before_each_attempt():
    """Pointless: withdrawn. Not now: looked at again soon. Answers are nobody's to withdraw."""
    outbox = Outbox()
    outbox.plan(page("pointless"), 0)
    outbox.plan(page("later"), 0)
    outbox.plan(answer("answer"), 0)
    verdicts = {"pointless": False, "later": None}
    decided = outbox.due(0, ROOM, lambda item: verdicts[item.key])
    assert [sending.item.key for sending in decided.withdrawn] == ["pointless"]
    assert [sending.item.key for sending in decided.send] == ["answer"]
    assert outbox.next_due() == RECHECK_MS
    verdicts["later"] = True
    assert begun(outbox, RECHECK_MS, wanted=lambda item: verdicts[item.key]) == ["later"]


def test_an_answer_that_cannot_be_sent_is_given_up_after_an_hour():
    """It would answer nothing any more; a page is never given up."""
    outbox = Outbox()
    outbox.plan(answer("answer@7"), 0)
    outbox.plan(page("late"), 0)
    assert sorted(begun(outbox, 0)) == ["answer@7", "late"]
    for key in ("answer@7", "late"):
        outbox.settle(key, Outcome.TEMPORARY, ANSWER_KEPT_MS)
    decided = outbox.due(ANSWER_KEPT_MS + 1_001, {"sms": 9}, lambda _: True)
    assert [sending.item.key for sending in decided.send] == ["late"]
    assert [sending.item.key for sending in decided.withdrawn] == ["answer@7"]


def test_a_key_is_one_page():
    """Planned twice, it is there once; while it is being sent it is not begun again."""
    outbox = Outbox()
    outbox.plan(page("p"), 0)
    outbox.plan(page("p"), 5)
    assert begun(outbox, 5) == ["p"]
    outbox.plan(page("p"), 6)
    assert begun(outbox, 6) == []
    assert outbox.items() == (Sending(page("p"), 1, 0, Stage.SENDING),)
