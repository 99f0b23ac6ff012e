"""Everything has a limit: what strangers, patients and time could make grow for ever."""

import pytest

from gateway.core import store
from gateway.domain.commands import EndCourse, Enrol
from gateway.domain.instants import DAY_MS
from gateway.runtime import snapshots
from gateway.runtime.recovery import recover
from tests.support.forwarding import settle
from tests.support.histories import PROTOCOL, cells_of
from tests.support.runtime_world import World, message


@pytest.mark.hazard("H-32")
async def test_made_up_device_names_fill_no_memory(monkeypatch: pytest.MonkeyPatch):
    """Beyond the limit a stranger is read and forgotten; a pump that is enrolled is always remembered, and its alarm pages."""
    monkeypatch.setattr(store, "PUMPS_MAX", 5)
    world = World()
    async with world.running() as gateway:
        for number in range(50):
            world.source.say(message(f"made-up-{number}", "telemetry", observed_at=world.clock.now(), rate_ml_h=0.6))
        await settle()
        await world.enrol(gateway, "P-1")
        await world.alarm()
        assert len(world.source.acknowledged) == 52
        assert sorted(gateway._fold.monitor.state.pumps) == [*(f"ward/made-up-{n}" for n in range(5)), "ward/pump-1"]
        assert len(world.asked()) == 1
    assert len((await recover(world.journal)).fold.monitor.state.pumps) == 6


async def test_courses_that_ended_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    """Their history is the journal's; neither memory nor a snapshot keeps them."""
    monkeypatch.setattr(snapshots, "EVERY_RECORDS", 3)
    world = World()
    async with world.running() as gateway:
        for number in range(1, 4):
            enrol = Enrol(course=f"P-{number}", pump=f"pump-{number}", protocol=PROTOCOL, bag="7-day")
            assert (await gateway.command("nurse-a", enrol)).ok
            assert (await gateway.command("nurse-a", EndCourse(course=f"P-{number}"))).ok
            world.clock._now += 60 * DAY_MS
        await settle()
        assert set(gateway._fold.monitor.state.courses) == {"P-2", "P-3"}
        for _ in range(6):
            world.source.say(message("pump-9", "telemetry", observed_at=world.clock.now(), rate_ml_h=0.6))
            await settle()
        live = cells_of(gateway._fold.monitor.state)
    as_of, cells = await world.journal.load_snapshot()
    assert as_of > 0
    assert {name for name in cells if name.startswith("course:")} == {"course:P-2", "course:P-3"}
    assert cells_of((await recover(world.journal)).fold.monitor.state) == live


async def test_a_course_without_rules_asks_for_nothing():
    """Should its protocol be gone all the same, no deadline stands that nobody would ever meet."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm(condition="air-in-line")
        monitor = gateway._fold.monitor
        assert monitor._due("P-1") is not None
        monitor.state.courses["P-1"].protocol = "gone"
        for incident in list(monitor.state.courses["P-1"].open.values()):
            del monitor.state.courses["P-1"].open[incident.route]
        assert monitor._due("P-1") is None
