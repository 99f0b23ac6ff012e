"""The sender: order, what a broken link gives back, and waiting that ends when the link is up."""

import asyncio
from pathlib import Path

import pytest

from device_adapters.envelope import Sent, opened
from gateway.bridge.keeper import Keeper
from gateway.bridge.sender import UNDER_WAY_MAX, Sender
from gateway.bridge.stamps import MachineClock, Stamper
from gateway.domain.words import ClockQuality
from tests.support.bridge_parts import AT, LIMITS, seen
from tests.support.waiting import eventually


class Broker:
    """Takes, holds or refuses what is published."""

    def __init__(self) -> None:
        self.up, self.held = True, asyncio.Event()
        self.held.set()
        self.arrived: list[tuple[str, Sent | None, bytes]] = []
        self.under_way = self.most = 0

    async def publish(self, topic: str, payload: bytes) -> None:
        if not self.up:
            raise ConnectionError("down")
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.held.wait()
        finally:
            self.under_way -= 1
        if not self.up:
            raise ConnectionError("lost")
        found = opened(payload)
        assert isinstance(found, tuple)
        self.arrived.append((topic, *found))


def synced() -> Stamper:
    """A stamper with a good clock, an hour after the frames were seen."""
    stamper = Stamper(MachineClock(wall=lambda: AT + 3_600_000, uptime=lambda: 3_605_000, follows=lambda: True, kernel="k1"))
    stamper.look()
    return stamper


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """A keeper with 30 frames, the last with an alarm, seen by a clock that was wrong."""
    made = Keeper(tmp_path / "s.db", LIMITS)
    for number in range(30):
        stamp = seen(5_000, clock=ClockQuality.FREE)
        made.put("pump-01", "raw/bbraun-bcc", b"%d" % number, stamp, slot="11", urgent=number == 29)
    return made


async def test_what_is_lost_on_the_way_comes_again_in_order_and_dated(keeper: Keeper):
    """The alarm first, the rest as it was; never more under way than allowed; true times once they are known."""
    await keeper.commit()
    broker = Broker()
    broker.held.clear()
    sender = Sender("ward", keeper, synced(), broker.publish)
    running = asyncio.create_task(sender.run())
    await eventually(lambda: broker.under_way == UNDER_WAY_MAX)
    broker.up = False
    broker.held.set()
    await eventually(lambda: broker.under_way == 0)
    assert (broker.arrived, keeper.waiting) == ([], 30)
    broker.up = True
    sender.link_is_up()
    await eventually(lambda: keeper.waiting == 0)
    topic, sent, body = broker.arrived[0]
    assert (topic, body) == ("dw/v1/ward/pump-01/raw/bbraun-bcc", b"29")
    assert sent is not None
    assert (sent.observed_at, sent.clock, sent.slot, sent.seq) == (AT, ClockQuality.SYNCED, "11", 30)
    assert [int(body) for _, _, body in broker.arrived[1:]] == list(range(29))
    assert broker.most <= UNDER_WAY_MAX
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await keeper.close()


async def test_what_was_under_way_at_the_end_is_kept(keeper: Keeper):
    """A sender that is cancelled gives everything back."""
    await keeper.commit()
    broker = Broker()
    broker.held.clear()
    running = asyncio.create_task(Sender("ward", keeper, synced(), broker.publish).run())
    await eventually(lambda: broker.under_way == UNDER_WAY_MAX)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await eventually(lambda: broker.under_way == 0)
    assert len(await keeper.take(100)) == 30
    await keeper.close()
