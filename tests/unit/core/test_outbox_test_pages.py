"""A test page in the outbox: behind everything else, with room left, and not for ever."""

from dataclasses import replace

from gateway.core.outbox import RECHECK_MS, ROOM_KEPT, TEST_KEPT_MS, Outbox
from gateway.domain.effects import Page
from gateway.domain.words import Outcome, Priority, WhyPaged

AT = 1_000_000
LOW = Page(
    key="P-017@5/r1/nurse-a/0",
    incident="P-017@5",
    course="P-017",
    person="nurse-a",
    transport="sms",
    address="85290000001",
    priority=Priority.LOW,
    why=WhyPaged.OPENED,
    about=("battery-running-out",),
    text="P-017 LOW",
    code="4711",
    decided_at=AT,
)


def a_test(number: int) -> Page:
    """The test page of one of many people."""
    name = f"haem-ward.test@{number}"
    return replace(
        LOW, key=f"{name}/r1/nurse-{number}/0", incident=name, course="", priority=Priority.INFORMATION, why=WhyPaged.TEST
    )


def sent(outbox: Outbox, at: int, room: int) -> list[str]:
    """Keys of what is sent now, in order."""
    return [sending.item.key for sending in outbox.due(at, {"sms": room}, lambda _: True).send]


def test_a_test_comes_behind_a_page_of_low_priority():
    """However long it has waited."""
    outbox = Outbox()
    outbox.plan(a_test(1), AT - 60_000)
    outbox.plan(LOW, AT)
    assert sent(outbox, AT, ROOM_KEPT + 2) == [LOW.key, a_test(1).key]


def test_tests_leave_room():
    """Sixteen tests by a provider that hangs take four places of sixteen; a real page takes the next at once."""
    outbox = Outbox()
    for number in range(16):
        outbox.plan(a_test(number), AT)
    begun = sent(outbox, AT, ROOM_KEPT + 4)
    assert len(begun) == 4
    outbox.plan(LOW, AT)
    assert sent(outbox, AT + RECHECK_MS, ROOM_KEPT) == [LOW.key]
    for key in begun:
        outbox.settle(key, Outcome.ACCEPTED, AT + RECHECK_MS)
    assert len(sent(outbox, AT + 2 * RECHECK_MS, ROOM_KEPT + 4)) == 4


def test_a_test_is_given_up():
    """Nobody wants to learn at three in the morning that somebody tried a telephone at noon."""
    outbox = Outbox()
    outbox.plan(a_test(1), AT)
    late = outbox.due(AT + TEST_KEPT_MS + 1, {"sms": 16}, lambda _: True)
    assert [sending.item.key for sending in late.withdrawn] == [a_test(1).key]
    assert not late.send
    assert len(outbox) == 0


def test_a_person_who_stops_meanwhile_gets_none():
    """The state is asked for tests as for pages."""
    outbox = Outbox()
    outbox.plan(a_test(1), AT)
    assert outbox.due(AT, {"sms": 16}, lambda _: False).withdrawn
