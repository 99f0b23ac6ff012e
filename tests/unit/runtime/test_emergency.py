"""When the journal stores nothing, people are told by the path that does not need it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from gateway.config.load import load_ward_mapping
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.runtime import telling
from gateway.runtime.emergency import REPEAT_MS, RETRY_MS, STEADY_MS, Emergency
from gateway.runtime.ports import Message, Rejected
from tests.support.fake_transport import FakeTransport
from tests.support.forwarding import settle
from tests.support.histories import WARD
from tests.support.runtime_world import StoryClock

FULL = "no space left on the device"


class House:
    """An emergency path with two transports; the fallback is `charge` (sms 8523, voice 8523)."""

    def __init__(self, script: Mapping[str, Any] | None = None, **ward: Any) -> None:
        self.clock = StoryClock()
        self.sms, self.voice = FakeTransport("sms", script), FakeTransport("voice")
        loaded = load_ward_mapping({**WARD, **ward}, "ward").ward
        self.emergency = Emergency({"sms": self.sms, "voice": self.voice}, self.clock, lambda: loaded)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It runs for the length of the block."""
        task = asyncio.create_task(self.emergency.run())
        await settle()
        try:
            yield
            assert not task.done(), "it ended by itself"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def pass_time(self, by_ms: int) -> None:
        """Let time pass."""
        await self.clock.move(by_ms)
        await settle()

    def said(self) -> list[str]:
        """What was said by sms, in order."""
        return [message.text for message in self.sms.asked]


@pytest.mark.hazard("H-41")
async def test_people_are_told_at_once_and_again_every_ten_minutes():
    """For as long as it lasts."""
    house = House()
    async with house.running():
        house.emergency.note(FULL)
        await settle()
        assert house.said() == [f"Dripwatch stores nothing: {FULL}. Pumps are NOT watched. Call the on-call engineer."]
        assert house.sms.asked[0].urgent
        await house.pass_time(REPEAT_MS - 1)
        assert len(house.said()) == 1
        await house.pass_time(1)
        assert len(house.said()) == 2


async def test_people_are_told_when_it_is_over():
    """Once, after it has stored for a minute; nothing when nobody was told of any trouble."""
    house = House()
    async with house.running():
        house.emergency.note(None)
        await house.pass_time(REPEAT_MS)
        assert house.said() == []
        house.emergency.note(FULL)
        await house.pass_time(MINUTE_MS)
        house.emergency.note(None)
        await house.pass_time(STEADY_MS)
        assert house.said()[1:] == ["Dripwatch stores again; what the pumps sent meanwhile is being read."]
        await house.pass_time(2 * REPEAT_MS)
        assert len(house.said()) == 2


async def test_a_disk_at_its_brink_does_not_page_every_second():
    """Full and not full in turns, for other reasons each time: one page, and one again after ten minutes."""
    house = House()
    async with house.running():
        for second in range(11 * 60):
            house.emergency.note(None if second % 2 else f"{FULL} ({second})")
            await house.pass_time(SECOND_MS)
        assert len(house.said()) == 2


async def test_the_next_contact_is_tried_when_the_first_refuses():
    """One that takes it is enough."""
    house = House({"8523": Rejected("no such number")})
    async with house.running():
        house.emergency.note(FULL)
        await settle()
        assert len(house.voice.asked) == 1
        await house.pass_time(REPEAT_MS - 1)
        assert len(house.voice.asked) == 1


async def test_nobody_reached_is_tried_again_soon(caplog: pytest.LogCaptureFixture):
    """Ten minutes would be long when nobody knows."""
    house = House({"8523": Rejected("busy")})
    house.voice.script["8523"] = Rejected("busy")
    async with house.running():
        house.emergency.note(FULL)
        await settle()
        assert "nobody could be told" in caplog.text
        house.sms.script.clear()
        await house.pass_time(RETRY_MS)
        assert len(house.sms.sent) == 1


async def test_a_hung_provider_delays_nobody_else(monkeypatch: pytest.MonkeyPatch):
    """Each person of the fallback is told by themselves."""
    monkeypatch.setattr(telling, "SEND_DEADLINE_S", 0.01)
    policies = {**WARD["policies"], "fallback": ["person:charge", "person:nurse-b"]}
    house = House({"8523": None}, policies=policies)
    async with house.running():
        house.emergency.note(FULL)
        while not house.voice.asked:  # charge's second contact, once the first was cut off
            await asyncio.sleep(0)
        assert {message.address for message in house.sms.asked} == {"8522", "8523"}
        assert len({message.key for message in house.sms.asked}) == 2


class Broken(FakeTransport):
    """A transport with a bug."""

    async def send(self, message: Message):
        """Raise."""
        raise KeyError("a bug")


async def test_a_transport_with_a_bug_does_not_end_the_gateway(caplog: pytest.LogCaptureFixture):
    """The next contact is tried, and the gateway lives on."""
    house = House()
    house.emergency._teller._transports["sms"] = Broken("sms")
    async with house.running():
        house.emergency.note(FULL)
        await settle()
        assert len(house.voice.asked) == 1
    assert "transport sms failed in a way it should not" in caplog.text
