"""Hours of a ward in trouble, lived by a whole gateway in virtual time; run as a program it prints digests of what came of it."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterable

from gateway.core.board import Board, build_board, incident_lines
from gateway.domain.effects import Effect
from gateway.domain.instants import HOUR_MS, Instant
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.effects import row_of
from gateway.runtime.fold import Fold
from gateway.runtime.gateway import Gateway
from gateway.runtime.ports import Damaged, EffectKind, Incoming, Journal, Record, Rejected, SendState, Session
from gateway.runtime.replay import replay
from gateway.runtime.vitals import CURSOR as VITALS
from gateway.scenario.day import Day, Said, Told
from rules.loader import load_protocol
from tests.support.forwarding import ScriptedSink, settle
from tests.support.histories import PROTOCOL, SITE, START_AT, cells_of, protocol_texts
from tests.support.runtime_world import World


class UpTo:
    """A journal's records up to the one that the live gateway judged last."""

    def __init__(self, journal: Journal, last: int) -> None:
        self._journal, self._last = journal, last

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        """As the journal, and no further."""
        return [record for record in await self._journal.read(after, limit) if record.seq <= self._last]


def new_world(journal: Journal) -> World:
    """A ward with a store that is away, so that every judgement stays in the outbox, and a number that takes no text."""
    sink = ScriptedSink()
    sink.down = True
    world = World(journal, sink=sink)
    world.transports["sms"].script["8523"] = Rejected("no such number")
    return world


def new_day() -> Day:
    """The demo's day, on our ward."""
    return Day(START_AT, load_protocol(protocol_texts()[PROTOCOL], PROTOCOL), SITE)


async def live_on(world: World, gateway: Gateway, day: Day, at: Instant) -> None:
    """Everything that is due at `at`: pumps publish, people act."""
    for deed in day.due(at):
        if isinstance(deed, Said):
            world.source.say(Incoming(deed.topic, deed.payload, ticket=None))
        elif isinstance(deed, Told):
            await gateway.command(deed.who, deed.command)


async def begin(world: World, gateway: Gateway, day: Day) -> None:
    """The session is up, the courses are enrolled."""
    world.source.say(Session.UP, Session.DRAINED)
    for told in day.enrolments():
        await gateway.command(told.who, told.command)


async def live(world: World, hours: float) -> tuple[Fold, int]:
    """Live through so many hours, each instant at its time; returns the live fold and the newest record that it judged."""
    day = new_day()
    async with world.running() as gateway:
        await begin(world, gateway, day)
        while (at := day.next_at()) < START_AT + hours * HOUR_MS:
            await world.clock.move(max(0, at - world.clock.now()))
            await live_on(world, gateway, day, world.clock.now())
            await settle(60)
            if gateway.pages() and gateway.pages()[0].outcome is None:
                await gateway.reply("sms", "8521", gateway.pages()[0].page.code)
        await settle()
        return gateway._fold, gateway.judged_seq


def told_by(fold: Fold, at: Instant) -> dict[str, object]:
    """All that a fold knows and shows: its cells, its board, its incidents."""
    state = fold.monitor.state
    board: Board = build_board(state, at)
    return {"cells": cells_of(state), "board": repr(board), "incidents": repr(incident_lines(state))}


def rows_of(effects: Iterable[tuple[int, Effect]]) -> dict[str, bytes]:
    """What these effects are in an outbox: by key, as bytes. Effects of one record are numbered in their order."""
    rows: dict[str, bytes] = {}
    seq, number = 0, 0
    for at_seq, effect in effects:
        seq, number = (seq, number + 1) if at_seq == seq else (at_seq, 0)
        row = row_of(effect, at_seq, number)
        if row is not None:
            rows[row.key] = row.body
    return rows


async def outbox_of(journal: Journal) -> dict[str, bytes]:
    """What the core decided and the live gateway made durable: by key, as bytes. What the shell says of itself is left out."""
    rows = [row for kind in EffectKind for row in await journal.outbox(kind, SendState, 1_000_000)]
    return {row.key: row.body for row in rows if not row.key.startswith(f"{VITALS}@")}


async def told_again(journal: Journal, last: int, at: Instant) -> tuple[dict[str, object], dict[str, bytes]]:
    """What a replay of the records up to `last` knows and shows, and the effects that it decides."""
    told = await replay(UpTo(journal, last))  # type: ignore[arg-type]  # a replay only reads
    return told_by(told.fold, at), rows_of(told.effects)


def digest(what: object) -> str:
    """A short name for a large value."""
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=repr).encode()).hexdigest()


async def _main(hours: float) -> dict[str, object]:
    world = new_world(MemoryJournal())
    fold, last = await live(world, hours)
    at = world.clock.now()
    again, effects = await told_again(world.journal, last, at)
    return {
        "records": last,
        "pages": len(await world.pages()),
        "live": digest(told_by(fold, at)),
        "replayed": digest(again),
        "planned": digest(await outbox_of(world.journal)),
        "decided": digest(effects),
        "journal": digest([(r.seq, r.received_at, r.kind, r.topic, r.body) for r in await world.records()]),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(float(sys.argv[1])))))
