"""kill -9 of the whole gateway at any moment under load: no message lost, none counted twice, no page missing."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway.console.shapes import IncidentShape, PumpShape, Shape
from gateway.core.board import incident_lines, pump_line
from gateway.core.twin import missing
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.effects import item_of
from gateway.runtime.ports import EffectKind, Kind, OutboxRow, Record, SendState
from gateway.runtime.replay import Replayed, replay
from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, post_to, records_of, until, ward
from tests.support.web_hook import web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

ROUNDS = int(os.environ.get("DRIPWATCH_KILL_ROUNDS", "50"))
ALARMS = 2  # a round, each of another patient's pump: one at any moment, one just before the kill
JUST_BEFORE_S = 0.15
PUMPS = 20  # that deliver all the time
EVERY_S = 0.03  # a message of each pump: about 600 messages/s
ALIVE = (0.2, 2.2)  # from start to kill, in lengths of a start: some die before they listen, most under load
START_MAX_S = 2.5  # where a start takes longer, more of them die before they listen
DRAIN_S = 120.0

Key = tuple[str, str, int]


@dataclass(slots=True)
class Homes:
    """The publisher: pumps that go on whatever becomes of the gateway. `taken`: what the broker has acknowledged."""

    client: aiomqtt.Client
    taken: set[Key] = field(default_factory=set)

    async def deliver(self) -> None:
        """Telemetry of all pumps until cancelled."""
        for seq in itertools.count(1):
            reading = {"delivery_status": "delivering", "rate_ml_h": 0.6, "infused_ml": round(seq * 1e-5, 5)}
            await asyncio.gather(*(self._publish(f"pump-{n:02d}", "telemetry", seq, reading) for n in range(PUMPS)))
            await asyncio.sleep(EVERY_S)

    async def raise_alarm(self, name: str) -> None:
        """An occlusion at a home of its own."""
        change = {"alarm": "occlusion-downstream", "phase": "start", "priority": "high", "stops_delivery": True}
        await self._publish(f"alarm-{name}", "alarm", 1, change)

    async def _publish(self, device: str, channel: str, seq: int, what: dict[str, object]) -> None:
        stamp = {"observed_at": time.time_ns() // 1_000_000, "boot": "b1", "seq": seq}
        await self.client.publish(f"dw/v1/{SITE}/{device}/{channel}", json.dumps(stamp | what), qos=1)
        self.taken.add((device, "b1", seq))


@contextlib.asynccontextmanager
async def homes(port: int) -> AsyncIterator[Homes]:
    """Pumps that publish for the length of the block."""
    async with aiomqtt.Client("127.0.0.1", port, identifier="homes", max_inflight_messages=1000) as client:
        client.pending_calls_threshold = 1000
        living = Homes(client)
        delivering = asyncio.create_task(living.deliver())
        try:
            yield living
            assert not delivering.done()
        finally:
            delivering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await delivering


async def one_round(running: GatewayProcess, living: Homes, number: int, alive_s: float, dice: random.Random) -> float | None:
    """Start, raise two alarms and kill, all at seeded moments; the seconds until it was ready, where it came that far."""
    begin = time.monotonic()
    running.spawn()
    moments = [dice.uniform(0, alive_s), alive_s - dice.uniform(0, JUST_BEFORE_S)]
    raising = [asyncio.create_task(later(at_s, living, f"{number}-{n}")) for n, at_s in enumerate(moments)]
    ready_s = None
    while (left := begin + alive_s - time.monotonic()) > 0:
        if ready_s is None and await asyncio.to_thread(running.is_ready):
            ready_s = time.monotonic() - begin
        await asyncio.sleep(min(left, 0.05))
    running.kill()
    await asyncio.gather(*raising)
    return ready_s


async def later(seconds: float, living: Homes, name: str) -> None:
    """Raise an alarm after a while."""
    await asyncio.sleep(seconds)
    await living.raise_alarm(name)


async def settled(running: GatewayProcess, living: Homes) -> None:
    """Return when everything that the broker took has been judged and no page is in hand."""
    journal = SqliteJournal.open(running.journal, read_only=True)
    waited_for, after = set(living.taken), 0
    try:
        async with asyncio.timeout(DRAIN_S):
            while True:
                records = await journal.read(after, 10_000)
                waited_for -= {key_of(record) for record in records if isinstance(record, Record) and record.kind is Kind.MESSAGE}
                after = records[-1].seq if records else after
                numbers = (await asyncio.to_thread(running.health))["numbers"]
                if not waited_for and numbers["judged_seq"] >= after and not numbers["pages_in_hand"]:
                    return
                await asyncio.sleep(0 if records else 0.1)
    finally:
        await journal.close()


def key_of(record: Record) -> Key:
    """What identifies a message."""
    body = json.loads(record.body)
    return record.device, body["boot"], body["seq"]


def as_told(shape: type[Shape], lines: Iterable[object]) -> list[Any]:
    """Views as the API tells them, in an order of their own."""
    return in_order([shape.model_validate(line).model_dump(mode="json") for line in lines])


def in_order(told: list[Any]) -> list[Any]:
    """Sorted by name: what happened in the same millisecond has no order."""
    return sorted(told, key=lambda line: line.get("key") or line["device"])


@pytest.mark.hazard("H-01", "H-27", "H-38")
@pytest.mark.parametrize("seed", [20_261_122])
async def test_kill_the_gateway(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]):
    """Fifty kills: what the broker took from a pump is in the journal and counts once, and every alarm has paged."""
    dice = random.Random(seed)
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}, rules={"pump-never-heard": {"enabled": False}})
        with gateway(tmp_path / "gateway", file) as running:
            for number in range(PUMPS):
                running.enrol(f"D-{number:02d}", f"pump-{number:02d}")
            for number, n in itertools.product(range(ROUNDS), range(ALARMS)):
                running.enrol(f"A-{number}-{n}", f"alarm-{number}-{n}")
            running.kill()
            start_s = min(running.start(), START_MAX_S)
            running.kill()
            async with homes(broker.port) as living:
                starts = [await one_round(running, living, n, start_s * dice.uniform(*ALIVE), dice) for n in range(ROUNDS)]
            starts.append(await asyncio.to_thread(running.start))
            await settled(running, living)
            until(lambda: all(page["outcome"] for page in running.ask("/pages")), "what became of the last pages is journalled")
            told = {"incidents": running.ask("/incidents"), "pumps": running.ask("/pumps")}
            assert running.stop() == 0
        journal = SqliteJournal.open(running.journal, read_only=True)
        replayed = await replay(journal)
        pages = {item_of(row).key: row for row in await journal.outbox(EffectKind.PAGE, list(SendState), 10**6)}
        await journal.close()
        copies = Counter(key_of(record) for record in await records_of(running.journal, [Kind.MESSAGE]))

    assert living.taken - copies.keys() == set()
    check_effects(replayed, copies, told)
    sent = Counter(body["message"] for _, body in hook.calls)
    check_pages(replayed, pages, sent)
    with capsys.disabled():
        print(summary(starts, copies, sent))


def check_effects(replayed: Replayed, copies: Counter[Key], told: Mapping[str, Any]) -> None:
    """Each message took effect once, whatever came twice; the gateway that lived through it says what its journal says."""
    state = replayed.fold.monitor.state
    assert replayed.damaged == []
    assert replayed.fold.findings == []
    assert sum(pump.repeats for pump in state.pumps.values()) == copies.total() - len(copies)
    assert sum(missing(pump) for pump in state.pumps.values()) == 0
    assert as_told(IncidentShape, incident_lines(state)) == in_order(told["incidents"])
    pumps = (pump_line(pump, state.desk.now_at) for pump in state.pumps.values())
    assert as_told(PumpShape, pumps) == in_order(told["pumps"])


def check_pages(replayed: Replayed, planned: Mapping[str, OutboxRow], sent: Counter[str]) -> None:
    """Every alarm has paged: what the journal decides was planned under the same key, is done, and has arrived."""
    decided = {paged.page.key: paged.page for paged in replayed.paged()}
    assert {page.course for page in decided.values()} == {f"A-{r}-{n}" for r in range(ROUNDS) for n in range(ALARMS)}
    assert {key: item_of(row) for key, row in planned.items()} == decided
    assert {row.state for row in planned.values()} == {SendState.DONE}
    assert sent.keys() == {page.text for page in decided.values()}


def summary(starts: Sequence[float | None], copies: Counter[Key], sent: Counter[str]) -> str:
    """What was measured, in words."""
    ready = sorted(seconds for seconds in starts if seconds is not None)
    return (
        f"\n{ROUNDS} kills, {ROUNDS - len(ready) + 1} of them before the gateway was ready; "
        f"{len(copies)} messages, {copies.total() - len(copies)} journalled twice or more, 0 lost; "
        f"{len(sent)} pages, {sent.total() - len(sent)} duplicates, 0 missing; "
        f"start to ready {ready[0]:.1f} to {ready[-1]:.1f} s, median {statistics.median(ready):.1f} s"
    )
