"""A crash at each write of a page's way, on the real journal: the page goes out under its one key, and its end is kept."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Outcome
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.effects import row_of
from gateway.runtime.ports import Accepted, EffectKind, Entry, Journal, OutboxRow, Receipt, SendState
from tests.support.fake_transport import FakeTransport
from tests.support.runtime_world import Desk, page

KEY = "P-1@7/r1/nurse-a/0"
WRITES = 5  # being sent, accepted, waits for its receipt, delivered, done
ALL = tuple(SendState)


class Dying:
    """A journal whose process dies at write number `dies_at` of the dispatcher, before it was stored or after."""

    def __init__(self, inner: SqliteJournal, dies_at: int, *, stored: bool) -> None:
        self.inner, self.died = inner, asyncio.Event()
        self.writes, self._dies_at, self._stored = 0, dies_at, stored

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store, or die."""
        await self._before()
        seq = await self.inner.append(entries)
        await self._after()
        return seq

    async def mark(self, key: str, state: SendState, attempts: int) -> None:
        """Store, or die."""
        await self._before()
        await self.inner.mark(key, state, attempts)
        await self._after()

    async def _before(self) -> None:
        self.writes += 1
        if self.died.is_set() or (self.writes == self._dies_at and not self._stored):
            await self._die()

    async def _after(self) -> None:
        if self.writes == self._dies_at:
            await self._die()

    async def _die(self) -> None:
        self.died.set()
        await asyncio.Event().wait()


def desk_of(journal: Journal, provider_id: str) -> tuple[Desk, FakeTransport]:
    """A dispatcher on this journal; its provider names what it takes so, and promises receipts."""
    sms = FakeTransport("sms", {"8521": Accepted(provider_id)})
    return Desk(sms, receipts_within_ms=MINUTE_MS, journal=journal), sms


async def row_in(journal: SqliteJournal) -> OutboxRow:
    """The page's row as it stands."""
    (row,) = await journal.outbox(EffectKind.PAGE, ALL, 10)
    return row


async def reach(journal: SqliteJournal, state: SendState) -> None:
    """Wait until the row stands so."""
    async with asyncio.timeout(20):
        while (await row_in(journal)).state is not state:
            await asyncio.sleep(0)


async def first_run(file: Path, dies_at: int, *, stored: bool) -> list[str]:
    """A page is durable and goes out, until the crash; returns the keys that the provider was asked for."""
    inner = SqliteJournal.open(file)
    journal = Dying(inner, dies_at, stored=stored)
    desk, sms = desk_of(journal, "id-1")  # type: ignore[arg-type]
    row = row_of(page(), 7, 0)
    assert row is not None
    await inner.commit("monitor", 7, [row])
    desk.dispatcher.plan(page(), desk.clock.now())
    async with desk.running(), asyncio.timeout(20):
        while not journal.died.is_set():
            if journal.writes == WRITES - 2 and (await row_in(inner)).state is SendState.AWAITING_RECEIPT:
                sms.receive(Receipt("id-1", Outcome.DELIVERED))
            await asyncio.sleep(0)
    await inner.close()
    return [message.key for message in sms.asked]


async def second_run(file: Path) -> tuple[list[str], list[tuple[str, Outcome]]]:
    """The next process: what it sends, and all outcomes that the journal holds in the end."""
    journal = SqliteJournal.open(file)
    desk, sms = desk_of(journal, "id-2")
    await desk.dispatcher.restore()
    async with desk.running():
        sms.receive(Receipt("id-1", Outcome.DELIVERED))  # of the first run's page, if the provider has it
        if desk.dispatcher.waiting:
            sms.receive(Receipt("id-2", Outcome.DELIVERED))
        await reach(journal, SendState.DONE)
    outcomes = await desk.outcomes()
    await journal.close()
    return [message.key for message in sms.asked], outcomes


@pytest.mark.hazard("H-38")
@pytest.mark.parametrize("stored", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, WRITES + 1))
async def test_a_crash_at_each_write(tmp_path: Path, dies_at: int, stored: bool):
    """Sent once or twice under one key, delivered in the end; what nobody can know is written down as unknown."""
    before = await first_run(tmp_path / "journal.db", dies_at, stored=stored)
    if (dies_at, stored) == (WRITES, True):
        after, outcomes = [], [(KEY, Outcome.DELIVERED)]  # nothing was left to do
    else:
        after, outcomes = await second_run(tmp_path / "journal.db")
    assert set(before + after) == {KEY}
    assert len(before) + len(after) <= 2
    assert outcomes[-1] == (KEY, Outcome.DELIVERED)
    was_on_the_wire = (dies_at, stored) in {(1, True), (2, False), (2, True), (3, False)}
    assert ((KEY, Outcome.UNKNOWN) in outcomes) is was_on_the_wire
