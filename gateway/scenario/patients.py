"""Simulated patients: where they live, when their cycles begin, and what is assumed of them."""

from gateway.config.settings import LoadedWard
from gateway.domain.instants import DAY_MS, HOUR_MS, Instant
from gateway.scenario import bag_life, habits, troubles
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.chances import Chances
from gateway.scenario.home import Home
from gateway.scenario.local_time import LocalTime
from gateway.scenario.places import Place
from rules.model import Protocol

FIRST_HOUR, LAST_HOUR = 9.0, 15.0  # a course starts on a working morning
STARTS_WITHIN_DAYS = 7
HOME_BY = "sms"  # how a home is reached, where the ward sends such messages


def place_of(loaded: LoadedWard, protocol: Protocol, assumed: Assumptions, seed: int) -> Place:
    """The homes of this ward. Raises ValueError, in words, for a protocol without the assumed bag."""
    bag = protocol.bags.get(assumed.bag)
    if bag is None:
        raise ValueError(f"protocol {protocol.name} has no {assumed.bag} bag; the simulated homes live on it")
    ward = loaded.ward
    homes_by = HOME_BY if HOME_BY in ward.transports else ""
    return Place(seed, ward.site, protocol.name, bag, LocalTime(ward.timezone, assumed), assumed, homes_by)


def start_of(place: Place, number: int, from_at: Instant) -> Instant:
    """When this patient's cycle begins: some day of the first week, by day. `from_at` is a local midnight."""
    chances = Chances(place.seed, number, "start")
    day = int(chances.roll() * STARTS_WITHIN_DAYS)
    return from_at + day * DAY_MS + round(chances.between((FIRST_HOUR, LAST_HOUR)) * HOUR_MS)


def patient(place: Place, number: int, start_at: Instant) -> Home:
    """A home in which everything happens as assumed, from `start_at` for one cycle."""
    home = Home(place, number, start_at)
    home.on_notice = lambda at: troubles.notice(home, at)
    home.on_dry = lambda at: troubles.run_dry(home, at)

    def begin(at: Instant) -> None:
        bag_life.begin(home, at)
        habits.begin(home, at)

    home.agenda.plan(start_at, begin)
    return home
