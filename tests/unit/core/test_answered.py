"""A command that comes twice with the same key happens once, and is answered as it was the first time."""

import pytest

from gateway.core.answered import ANSWERED_MAX, KEPT_MS, MISUSED
from gateway.core.events import Commanded, Ticked
from gateway.core.monitor import Monitor
from gateway.domain.commands import Acknowledge, Command, Enrol, HangBag, Once
from gateway.domain.effects import CommandResult
from gateway.domain.instants import HOUR_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import Kind, Record
from gateway.runtime.records import command_entry, event_of
from gateway.runtime.recovery import recover
from tests.support.core_world import World
from tests.support.histories import START_AT

HANG = HangBag(course="P-017", bag="48-hour")
NOBODYS = Acknowledge(incident="P-099")


class House:
    """A monitor with one course, told commands with keys."""

    def __init__(self) -> None:
        self.world = World()
        self.seq = 1_000
        self.at = self.world.at(10)

    @property
    def monitor(self) -> Monitor:
        return self.world.monitor

    def tell(self, command: Command, once: Once | None, who: str = "nurse-a") -> CommandResult:
        self.seq += 1
        effects = self.monitor.step(Commanded(self.seq, who, command, once), self.at)
        (result,) = [effect for effect in effects if isinstance(effect, CommandResult)]
        assert result.seq == self.seq  # whoever waits for this record is answered
        return result

    @property
    def hung_at(self) -> int:
        bag = self.monitor.state.courses["P-017"].bag
        assert bag is not None
        return bag.hung_at


@pytest.fixture
def house() -> House:
    """Ten minutes after its course began."""
    return House()


def test_a_repetition_changes_nothing_and_is_answered_the_same(house: House):
    """The bag hangs since the first word; the second says so, and which record did it."""
    first = house.tell(HANG, Once("k1", "d1"))
    assert (first.ok, first.first) == (True, 0)
    hung_at, house.at = house.hung_at, house.at + HOUR_MS
    again = house.tell(HANG, Once("k1", "d1"))
    assert (again.ok, again.message, again.first, again.misused) == (True, first.message, first.seq, False)
    assert house.hung_at == hung_at
    assert house.tell(HANG, None).ok
    assert house.hung_at == house.at  # without a key it is a new word


def test_a_refusal_stays_a_refusal(house: House):
    """What was refused once is refused again under that key, in the same words."""
    first = house.tell(NOBODYS, Once("k1", "d1"))
    again = house.tell(NOBODYS, Once("k1", "d1"))
    assert (first.ok, again.ok, again.message, again.first) == (False, False, first.message, first.seq)


def test_another_request_with_the_same_key_does_nothing(house: House):
    """A key that a program uses twice by mistake never hides what it asks for the second time."""
    house.tell(HANG, Once("k1", "d1"))
    hung_at, house.at = house.hung_at, house.at + HOUR_MS
    wrong = house.tell(HANG, Once("k1", "d2"))
    assert (wrong.ok, wrong.misused, wrong.message) == (False, True, MISUSED)
    assert house.hung_at == hung_at


def test_keys_are_each_persons_own(house: House):
    """Two programs that count from 1 do not answer for each other."""
    house.tell(HANG, Once("1", "d1"), who="nurse-a")
    assert house.tell(HANG, Once("1", "d2"), who="nurse-b").first == 0


def test_a_key_is_forgotten_after_a_day_and_beyond_a_thousand(house: House):
    """Memory is bounded: by age, and by number, the oldest first."""
    house.tell(NOBODYS, Once("old", "d"))
    house.at += KEPT_MS
    assert house.tell(NOBODYS, Once("old", "other")).first == 0
    for number in range(ANSWERED_MAX + 5):
        house.tell(NOBODYS, Once(str(number), "d"))
    answered = house.monitor.state.desk.answered
    assert len(answered) == ANSWERED_MAX
    assert house.tell(NOBODYS, Once("0", "d")).first == 0
    assert house.tell(NOBODYS, Once(str(ANSWERED_MAX), "d")).first > 0


def test_the_key_stands_in_the_journal():
    """What was asked for with a key is read back with it; a record without one as before."""
    entry = command_entry("nurse-a", HANG, START_AT, once=Once("k1", "d1"))
    record = Record(7, START_AT, Kind.COMMAND, "", "", "", entry.body)
    assert event_of(record) == Commanded(7, "nurse-a", HANG, Once("k1", "d1"))
    plain = command_entry("nurse-a", HANG, START_AT)
    assert event_of(Record(7, START_AT, Kind.COMMAND, "", "", "", plain.body)) == Commanded(7, "nurse-a", HANG)


async def test_a_repetition_after_a_restart_is_known():
    """A new process folds the journal, and with it what became of each key."""
    journal = MemoryJournal()
    enrol = Enrol(course="P-017", pump="pump-17", protocol="none", bag="7-day")
    await journal.append([command_entry("nurse-a", enrol, START_AT, once=Once("k1", "d1"))])
    monitor = (await recover(journal)).fold.monitor
    monitor.step(Ticked(2), START_AT + HOUR_MS)
    effects = monitor.step(Commanded(3, "nurse-a", enrol, Once("k1", "d1")), START_AT + HOUR_MS)
    assert [(one.seq, one.first) for one in effects if isinstance(one, CommandResult)] == [(3, 1)]
