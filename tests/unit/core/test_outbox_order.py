"""The order of the outbox against a plain statement of it; a look costs what moves, not what waits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.outbox import Outbox
from gateway.core.turns import STALE_MAX, Sending, Stage, Timers
from gateway.domain.effects import Page
from gateway.domain.words import Outcome, Priority
from tests.unit.core.test_outbox import page

TRANSPORTS = ("sms", "pager", "fax")
COURSES = ("P-1", "P-2", "P-3")
PRIORITIES = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)


class Plain:
    """What the outbox promises, said without any care for speed: each pick looks at everything."""

    def __init__(self) -> None:
        self.waiting: dict[str, tuple[int, int, Page]] = {}  # key → (due, number, page)
        self.sending: dict[str, Page] = {}
        self.served: dict[str, int] = {}
        self.turn = self.number = 0

    def plan(self, item: Page, at: int) -> None:
        """Due at once."""
        self.number += 1
        self.waiting[item.key] = (at, self.number, item)

    def due(self, at: int, room: dict[str, int]) -> list[str]:
        """Again and again the best of what is due and has room: priority, then who was served least, then the longest wait."""
        owners = [item.course for _, _, item in self.waiting.values()] + [item.course for item in self.sending.values()]
        self.served = {owner: self.served.get(owner, self.turn - 1) for owner in dict.fromkeys(owners)}
        picked: list[str] = []
        while ready := [entry for entry in self.waiting.values() if entry[0] <= at and room[entry[2].transport] > 0]:
            best = min(ready, key=lambda entry: self._place(ready, entry))[2]
            self.turn = max(self.turn, self.served[best.course])
            self.served[best.course] += 1
            room[best.transport] -= 1
            self.sending[best.key] = self.waiting.pop(best.key)[2]
            picked.append(best.key)
        return picked

    def _place(self, ready: list[tuple[int, int, Page]], entry: tuple[int, int, Page]) -> tuple[int, int, int, str, int, int]:
        due, number, item = entry
        queue = [other[:2] for other in ready if (other[2].course, other[2].priority) == (item.course, item.priority)]
        return (-item.priority.rank, self.served[item.course], min(queue)[0], item.course, due, number)

    def settle(self, key: str, retry_at: int | None) -> None:
        """Done, or tried again."""
        item = self.sending.pop(key)
        if retry_at is not None:
            self.plan(item, retry_at)


@st.composite
def days(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """(what happens, a number that chooses, ms that pass before it)."""
    what = st.sampled_from(["plan", "plan", "plan", "due", "done", "again"])
    return draw(st.lists(st.tuples(what, st.integers(0, 10**6), st.sampled_from([0, 1, 500, 5_000, 30_000])), max_size=60))


@settings(max_examples=200, deadline=None)
@given(days())
def test_the_order_is_the_plain_one(day: list[tuple[str, int, int]]):
    """Whatever comes, is sent, fails and is tried again on three channels for three patients."""
    outbox, plain, at, attempts = Outbox(), Plain(), 0, dict[str, int]()
    for number, (what, choice, after) in enumerate(day):
        at += after
        if what == "plan":
            item = page(
                f"k{number}",
                COURSES[choice % 3],
                transport=TRANSPORTS[choice // 3 % 3],
                priority=PRIORITIES[choice // 9 % 3],
                at=at,
            )
            outbox.plan(item, at)
            plain.plan(item, at)
        elif what == "due":
            room = {"sms": choice % 3, "pager": choice // 3 % 3}
            begun = [sending.item.key for sending in outbox.due(at, room, lambda _: True, elsewhere=1).send]
            assert begun == plain.due(at, room | {"fax": 1})
        elif plain.sending:
            key = sorted(plain.sending)[choice % len(plain.sending)]
            attempts[key] = attempts.get(key, 0) + 1
            again = what == "again"
            wait_ms = (1_000, 5_000, 15_000, 30_000)[min(attempts[key], 4) - 1]
            outbox.settle(key, Outcome.TEMPORARY if again else Outcome.ACCEPTED, at)
            plain.settle(key, at + wait_ms if again else None)
        assert len(outbox) == len(plain.waiting) + len(plain.sending)


def asked(outbox: Outbox, at: int, room: dict[str, int], verdict: bool | None = True) -> tuple[list[str], list[str]]:
    """(keys that `wanted` was asked for, keys that were begun) of one look."""
    seen: list[str] = []

    def wanted(item: Page) -> bool | None:
        seen.append(item.key)
        return verdict

    return seen, [sending.item.key for sending in outbox.due(at, room, wanted).send]


def test_only_what_would_be_sent_is_asked_for():
    """A thousand pages wait for one place: one question a look, whatever waits behind."""
    outbox = Outbox()
    for number in range(1_000):
        outbox.plan(page(f"k{number}", f"P-{number}"), 0)
    assert asked(outbox, 0, {"sms": 0}) == ([], [])
    assert asked(outbox, 0, {"sms": 1}) == (["k0"], ["k0"])
    assert asked(outbox, 0, {"sms": 2}) == (["k1", "k10"], ["k1", "k10"]), "equals in the order of their names"


def test_what_became_pointless_while_it_waited_takes_no_place():
    """Withdrawn when its turn comes; the next one is sent in the same look."""
    outbox = Outbox()
    outbox.plan(page("over", "P-1"), 0)
    outbox.plan(page("real", "P-2"), 0)
    decided = outbox.due(0, {"sms": 1}, lambda item: item.key == "real")
    assert [sending.item.key for sending in decided.withdrawn] == ["over"]
    assert [sending.item.key for sending in decided.send] == ["real"]


def test_an_urgent_page_overtakes_what_waits_for_room():
    """Two hundred of medium priority queue before a full transport; the high one is next all the same."""
    outbox = Outbox()
    for number in range(200):
        outbox.plan(page(f"k{number}", f"P-{number}", priority=Priority.MEDIUM), 0)
    outbox.due(0, {"sms": 16}, lambda _: True)
    outbox.plan(page("urgent", "P-150"), 1)
    assert asked(outbox, 1, {"sms": 1})[1] == ["urgent"]


def test_one_patient_is_served_once_a_round_whatever_the_channel():
    """Turns are counted over all transports and priorities: who has ten channels has no ten turns."""
    outbox = Outbox()
    for number in range(4):
        outbox.plan(page(f"a{number}", "P-1", transport="sms"), 0)
        outbox.plan(page(f"b{number}", "P-1", transport="pager"), 0)
    outbox.plan(page("c", "P-2", transport="pager"), 1)
    assert asked(outbox, 1, {"sms": 1, "pager": 1})[1] == ["a0", "c"]


def test_an_intermediate_receipt_gives_no_more_time():
    """`Accepted by the next exchange` each minute is not delivered: the deadline counts from the first acceptance."""
    outbox = Outbox({"sms": 60_000})
    outbox.plan(page("p"), 0)
    outbox.due(0, {"sms": 1}, lambda _: True)
    outbox.settle("p", Outcome.ACCEPTED, 0)
    assert outbox.settle("p", Outcome.ACCEPTED, 59_000) is Stage.AWAITING_RECEIPT
    assert [sending.item.key for sending in outbox.due(60_000, {}, lambda _: True).unreceipted] == ["p"]


def test_receipts_that_came_leave_nothing_behind():
    """A hundred thousand deadlines that were met do not pile up until they pass."""
    timers, living = Timers(), list[Sending]()
    for number in range(1, 3 * STALE_MAX):
        sending = Sending(page(f"k{number}"), 1, number, Stage.AWAITING_RECEIPT, number)
        timers.add(sending, living, len(living))
        sending.number = -1  # its receipt is here
    assert len(timers._heap) <= STALE_MAX
    assert timers.next_due() is None
