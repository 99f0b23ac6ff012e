"""The watchdog as the gateway hears it: a heartbeat that stays away is a site alert, and nothing else is."""

import pytest

from gateway.core.events import Heard
from gateway.domain.readings import Decoded, LinkStatus
from tests.unit.core.world import World, minutes

WATCHDOG = {"watchdog": {"device": "watchdog-b", "silent_after": "5m"}}
SITE = "haem-ward"


def beat(world: World, at: float, *, said: float | None = None, online: bool = True) -> None:
    """The watchdog's status, as it said it at `said`."""
    status = LinkStatus(observed_at=0 if said == 0 else minutes(at if said is None else said), online=online)
    world.step(at, Heard, SITE, "watchdog-b", "status", Decoded((status,)))


def alerts(world: World) -> set[str]:
    """What fires about the site."""
    incident = world.incident_or_none(SITE)
    return set(incident.alerts) if incident is not None else set()


@pytest.mark.hazard("H-39")
def test_five_minutes_without_a_heartbeat_page_and_the_next_one_ends_it():
    """Medium, to the people of that policy; nothing while the heartbeats come."""
    world = World(WATCHDOG)
    for minute in range(1, 30):
        beat(world, minute)
        world.tick(minute + 0.9)
    assert world.pages == []
    world.tick(33.9)
    assert world.pages == []
    world.tick(34.1)
    assert alerts(world) == {"watchdog-silent"}
    assert world.pages[0].text.startswith("haem-ward MEDIUM: nobody watches Dripwatch itself since 08:34.")
    beat(world, 40)
    world.tick(43)
    assert alerts(world) == set()


def test_a_watchdog_that_was_never_heard_is_missed_too():
    """From the start of the gateway on."""
    world = World(WATCHDOG)
    world.tick(4.9)
    assert alerts(world) == set()
    world.tick(5.1)
    assert alerts(world) == {"watchdog-silent"}


@pytest.mark.hazard("H-34")
def test_what_the_broker_kept_and_a_last_will_are_no_heartbeats():
    """A retained status comes again with every subscription; it says nothing of now."""
    world = World(WATCHDOG)
    beat(world, 1)
    for minute in (2, 3, 4):
        beat(world, minute, said=1)
        beat(world, minute, said=0, online=False)
    world.tick(6.1)
    assert alerts(world) == {"watchdog-silent"}


def test_a_restart_gives_it_its_whole_time_again():
    """Nobody could hear it while the gateway was down."""
    world = World(WATCHDOG)
    beat(world, 1)
    world.load(60, started=True)
    world.link(60, "up")
    world.link(60, "drained")
    world.tick(64.9)
    assert alerts(world) == set()
    world.tick(65.1)
    assert alerts(world) == {"watchdog-silent"}


def test_a_ward_without_a_watchdog_knows_nothing_of_it():
    """No alert, and a device of that name is a device like any other."""
    world = World()
    beat(world, 1)
    world.tick(600)
    assert alerts(world) == set()
    assert f"{SITE}/watchdog-b" in world.monitor.state.pumps
    watched = World(WATCHDOG)
    beat(watched, 1)
    assert f"{SITE}/watchdog-b" not in watched.monitor.state.pumps
