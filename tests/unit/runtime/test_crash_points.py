"""A crash at every write of a story: no page is lost, none gets a second key, the next run picks up where it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from gateway.domain.commands import Acknowledge, Enrol
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState, Outcome
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.gateway import Gateway
from gateway.runtime.ports import Entry, Incoming, Kind, OutboxRow, Receipt, SendState, Session
from gateway.runtime.replay import replay
from tests.support.forwarding import settle
from tests.support.histories import PROTOCOL
from tests.support.runtime_world import World, alarm, message

NEVER = 10**9
RESTARTS_MAX = 3


class DyingJournal(MemoryJournal):
    """The process dies at write number `dies_at`, before it was stored or after: that call and all later ones never return."""

    def __init__(self, dies_at: int, *, stored: bool) -> None:
        super().__init__()
        self.writes = 0
        self.died = asyncio.Event()
        self._dies_at, self._stored = dies_at, stored

    def revive(self) -> None:
        """Another process has it now."""
        self.died.clear()

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store, or die."""
        await self._before()
        first = await super().append(entries)
        await self._after()
        return first

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        """Store, or die."""
        await self._before()
        await super().commit(cursor, seq, plan)
        await self._after()

    async def mark(self, key: str, state: SendState, attempts: int) -> None:
        """Store, or die."""
        await self._before()
        await super().mark(key, state, attempts)
        await self._after()

    async def _before(self) -> None:
        self.writes += 1
        if self.died.is_set() or (self.writes == self._dies_at and not self._stored):
            await self._die()

    async def _after(self) -> None:
        if self.writes == self._dies_at and self._stored:
            await self._die()

    async def _die(self) -> None:
        self.died.set()
        await asyncio.Event().wait()


Step = Callable[[Gateway], Awaitable[object]]


class Story:
    """A pump raises an alarm; it is paged, delivered, escalated, taken. Whoever was cut off by a crash does it again."""

    def __init__(self, journal: DyingJournal) -> None:
        self.journal = journal
        self.world = World(journal, receipt_deadlines_ms={"sms": MINUTE_MS})
        self.said: list[Incoming] = []
        self._done = 0

    def steps(self) -> tuple[Step, ...]:
        """What happens, in order."""
        at, clock = self.world.clock.now(), self.world.clock
        enrol = Enrol(course="P-1", pump="pump-1", protocol=PROTOCOL, bag="7-day")
        return (
            lambda gateway: gateway.command("nurse-a", enrol),
            lambda gateway: self._say(message("pump-1", "telemetry", observed_at=at, delivery_status="delivering")),
            lambda gateway: self._say(alarm("pump-1", at)),
            lambda gateway: self._delivered(),
            lambda gateway: clock.move(2 * MINUTE_MS),
            lambda gateway: clock.move(3 * MINUTE_MS),
            lambda gateway: self._delivered(),
            lambda gateway: gateway.command("charge", Acknowledge(incident="P-1")),
            lambda gateway: clock.move(2 * MINUTE_MS),
        )

    async def _say(self, said: Incoming) -> None:
        if all(said.topic != before.topic for before in self.said):  # after a crash the broker says it again, not the pump
            self.said.append(said)
            self.world.source.say(said)

    async def _delivered(self) -> None:
        for number in range(1, len(self.world.transports["sms"].asked) + 1):
            self.world.transports["sms"].receive(Receipt(f"sms-{number}", Outcome.DELIVERED))

    async def tell(self) -> None:
        """The whole story, through as many gateways as it takes."""
        for _ in range(RESTARTS_MAX):
            telling = asyncio.create_task(self._tell_on())
            dying = asyncio.create_task(self.journal.died.wait())
            await asyncio.wait({telling, dying}, return_when=asyncio.FIRST_COMPLETED)
            dying.cancel()
            if telling.done():
                telling.result()
                return
            telling.cancel()
            await asyncio.wait({telling})
            self.journal.revive()
        raise AssertionError("it dies again and again")

    async def _tell_on(self) -> None:
        unheard = [said for said in self.said if all(said is not known for known in self.world.source.acknowledged)]
        async with self.world.running() as gateway:
            self.world.source.say(Session.UP, *unheard, Session.DRAINED)
            await settle()
            while self._done < len(self.steps()):
                await self.steps()[self._done](gateway)
                await settle()
                self._done += 1
            await self.world.clock.move(MINUTE_MS)
            await settle()
            self.incidents = gateway.incidents()


@pytest.mark.hazard("H-38")
@pytest.mark.parametrize("stored", [False, True], ids=["before", "after"])
async def test_a_crash_at_any_write(stored: bool):
    """Before each write was stored, and after: the story ends as it would have, with the pages that its journal asks for."""
    whole = Story(DyingJournal(NEVER, stored=stored))
    await whole.tell()
    keys = {row.key for row in await whole.world.pages()}
    assert len(keys) == 4, "sms and voice of step 1, and the two sms of step 2; then somebody has it"
    writes = whole.journal.writes
    assert writes >= 25
    for dies_at in range(1, writes + 1):
        story = Story(DyingJournal(dies_at, stored=stored))
        await story.tell()
        await _check(story, f"died at write {dies_at}")


async def _check(story: Story, when: str) -> None:
    world = story.world
    rows = await world.pages()
    decided = [paged.page.key for paged in (await replay(story.journal)).paged()]
    asked = world.asked()
    assert len(set(decided)) == len(decided), when
    assert {row.key for row in rows} == set(decided), when
    assert set(asked) <= set(decided), when
    assert {row.state for row in rows} == {SendState.DONE}, when
    first = [key for key in decided if key.endswith("/r1/nurse-a/0")]
    assert len(first) == 1, f"{when}: one incident, and one key for its first page"
    assert first[0] in {m.key for m in world.transports["sms"].sent}, when
    assert [line.state for line in story.incidents] == [IncidentState.ACKNOWLEDGED], when
    bodies = {record.body for record in await world.records(Kind.MESSAGE)}
    assert bodies == {said.payload for said in story.said}, when
