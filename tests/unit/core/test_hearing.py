"""What the broker says that it dropped: a rise of its count is a site alert until somebody takes it."""

import pytest

from gateway.core import hearing
from gateway.core.desk import Desk
from gateway.core.events import BrokerDropped
from gateway.domain.commands import Acknowledge
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.outlook import BrokerDrops
from tests.unit.core.world import World

SITE = "haem-ward"


def alerts(world: World) -> set[str]:
    """What fires about the site."""
    incident = world.incident_or_none(SITE)
    return set(incident.alerts) if incident is not None else set()


@pytest.mark.parametrize(
    ("counts", "drops"),
    [
        ((7,), None),  # where we came in
        ((0, 0, 0), None),
        ((7, 9), BrokerDrops(1, 1, 2)),
        ((7, 3), BrokerDrops(1, 1, 3)),  # the broker was started anew
        ((7, 0), None),
        ((7, 0, 7), BrokerDrops(2, 2, 7)),
        ((0, 1, 1, 5), BrokerDrops(1, 3, 5)),
    ],
)
def test_counts_become_drops(counts, drops):
    """One count a millisecond: what of it is news, since when, and how much in all."""
    desk = Desk()
    for at, total in enumerate(counts):
        before = desk.drops
        assert hearing.count_dropped(desk, total, at) is (desk.drops != before)
    assert desk.drops == drops


def test_a_later_rise_is_a_trouble_of_its_own():
    """Within an hour of the last one it is the same."""
    desk = Desk()
    hearing.count_dropped(desk, 0, 0)
    hearing.count_dropped(desk, 1, MINUTE_MS)
    hearing.count_dropped(desk, 2, MINUTE_MS + HOUR_MS)
    assert desk.drops == BrokerDrops(MINUTE_MS, MINUTE_MS + HOUR_MS, 2)
    hearing.count_dropped(desk, 5, MINUTE_MS + 2 * HOUR_MS + 1)
    assert desk.drops == BrokerDrops(MINUTE_MS + 2 * HOUR_MS + 1, MINUTE_MS + 2 * HOUR_MS + 1, 3)


def test_a_broker_that_goes_on_dropping_pages_as_one_trouble():
    """Its count rises every ten seconds; the policy pages as it would for anything, and taking it holds for the lease."""
    world = World()
    world.step(0, BrokerDropped, 0)
    for tick in range(6):
        world.step(1 + tick / 6, BrokerDropped, 10 * (tick + 1))
    assert alerts(world) == {"broker-dropped"}
    assert [page.person for page in world.pages] == ["nurse-a"]
    assert world.do(2, Acknowledge(incident=SITE)).ok
    for tick in range(6):
        world.step(2.5 + tick / 6, BrokerDropped, 100 + tick)
    assert alerts(world) == {"broker-dropped"}
    assert [page.person for page in world.pages] == ["nurse-a"]


def test_what_was_dropped_while_the_gateway_did_not_run_is_found():
    """The count of before is in the journal; a restart compares with it."""
    world = World()
    world.step(0, BrokerDropped, 4)
    world.load(60, started=True)
    world.link(60, "up")
    world.step(60, BrokerDropped, 4)
    assert alerts(world) == set()
    world.load(90, started=True)
    world.link(90, "up")
    world.step(90, BrokerDropped, 1_000)
    assert alerts(world) == {"broker-dropped"}
    assert world.pages[0].text.startswith("haem-ward MEDIUM: 996 messages lost at the broker since 09:30.")
