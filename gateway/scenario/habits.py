"""What happens to a simulated home at random: alarms, technical events, stops by hand, walks, gaps of the internet, a dead pump.

Rates that change in the course of a day or a bag are thinned: the dice fall at the highest rate, and count by the present one.
"""

from collections.abc import Callable

from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.scenario import troubles
from gateway.scenario.home import Home

HOURS_A_WEEK = 168
WORKDAYS = 5
CYCLE_MS = 28 * DAY_MS

Happening = Callable[[Instant], None]


def begin(home: Home, at: Instant) -> None:
    """Let things happen from now on."""
    assumed, chances = home.place.assumed, home.chances
    transient_per_day = chances.between(assumed.transient_per_day)
    day_share = (assumed.night_from_h - assumed.night_until_h) / 24
    _at_random(home, at, transient_per_day * assumed.busy_times, lambda now: _transient(home, now))
    _at_random(home, at, _technical_per_day_max(home), lambda now: _technical(home, now))
    _at_random(home, at, assumed.stop_per_week / 7 / day_share, lambda now: _by_day(home, now, troubles.stop_by_hand))
    _at_random(home, at, assumed.unplug_per_day / day_share, lambda now: _by_day(home, now, _unplug))
    _at_random(home, at, assumed.gaps_per_day, lambda now: _gap(home, now))
    for outage_at in _moments(home, at, assumed.outages_per_cycle):
        home.agenda.plan(outage_at, lambda now: home.lose_link(now, chances.hours_ms(assumed.outage_h)))
    for death_at in _moments(home, at, assumed.died_per_cycle):
        home.agenda.plan(death_at, lambda now: troubles.die(home, now))


def _moments(home: Home, at: Instant, per_cycle: float) -> list[Instant]:
    """When things happen that happen so often in a full cycle; a shorter course has its share of them."""
    expected = per_cycle * (home.end_at - at) / CYCLE_MS
    count = int(expected) + home.chances.happens(expected % 1)
    return [at + round(home.chances.roll() * (home.end_at - at)) for _ in range(count)]


def _at_random(home: Home, at: Instant, per_day: float, happening: Happening) -> None:
    """Again and again, so often a day on average."""

    def happen(now: Instant) -> None:
        happening(now)
        home.after(home.chances.wait_ms(per_day), happen, now)

    home.after(home.chances.wait_ms(per_day), happen, at)


def _transient(home: Home, at: Instant) -> None:
    assumed, chances = home.place.assumed, home.chances
    kind = chances.pick(assumed.transient_mix)
    if chances.happens(1.0 if is_busy(home, at) else 1 / assumed.busy_times):
        troubles.strike(home, at, kind, needs_visit=False)


def is_busy(home: Home, at: Instant) -> bool:
    """Whether a bag ends soon or has just begun: most alarms come then."""
    assumed, bag = home.place.assumed, home.truth.bags[-1]
    ends_at = bag.change_at or bag.hung_at + round(assumed.change_days * DAY_MS)
    begins = at - bag.hung_at < assumed.busy_after_change_min * MINUTE_MS
    return begins or ends_at - at < assumed.busy_before_change_h * HOUR_MS


def _technical_per_day_max(home: Home) -> float:
    """The off-hours rate, such that the mean over a week is the assumed one."""
    assumed = home.place.assumed
    office_share = WORKDAYS * (assumed.office_until_h - assumed.office_from_h) / HOURS_A_WEEK
    times = assumed.technical_off_hours_times
    return assumed.technical_per_bag / assumed.change_days * times / (times * (1 - office_share) + office_share)


def _technical(home: Home, at: Instant) -> None:
    assumed, chances = home.place.assumed, home.chances
    kind = chances.pick(assumed.technical_mix)
    if chances.happens(1.0 if home.place.local.is_off_hours(at) else 1 / assumed.technical_off_hours_times):
        troubles.strike(home, at, kind, needs_visit=True)


def _by_day(home: Home, at: Instant, happening: Callable[[Home, Instant], None]) -> None:
    """People sleep at night."""
    if not home.place.local.is_night(at):
        happening(home, at)


def _unplug(home: Home, at: Instant) -> None:
    """A walk; now and then nobody plugs the pump in again."""
    assumed, chances = home.place.assumed, home.chances
    if not home.pump.works.alive or home.pump.works.power != "mains":
        return
    home.act(at, SimulatedPump.unplug)
    home.truth.count("unplugged")
    if chances.happens(assumed.unplug_forgotten):
        home.truth.count("unplugged and forgotten")
    else:
        home.after(chances.lognormal_ms(assumed.unplug_min, assumed.unplug_spread), home.plug_in, at)


def _gap(home: Home, at: Instant) -> None:
    home.truth.count("gap")
    home.lose_link(at, home.chances.lognormal_ms(home.place.assumed.gap_min, home.place.assumed.gap_spread))
