"""What goes wrong at a simulated home, who notices, and how it is put right: by the caregiver, on the phone, or by a visit."""

from collections.abc import Iterable
from dataclasses import dataclass

from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.words import Condition, Power, Priority
from gateway.scenario import bag_life
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.chances import spread_of
from gateway.scenario.home import Home
from gateway.scenario.places import Trouble
from gateway.scenario.truth import Cause

_KEPT = frozenset({Condition.BATTERY_LOW, Condition.RESERVOIR_EMPTY})
_WELL_CHARGED_PERCENT = 50.0

# kind of event → what the pump shows at once, and what it means; an occlusion shows itself later
_SOUNDS = {
    "air": (Condition.AIR_IN_LINE, Cause.AIR),
    "door": (Condition.DOOR_OPEN, Cause.DOOR),
    "cassette": (Condition.CASSETTE_DETACHED, Cause.CASSETTE),
    "system-fault": (Condition.SYSTEM_FAULT, Cause.SYSTEM_FAULT),
}
_WHISPERS = {"reservoir-low": (Condition.RESERVOIR_LOW, Priority.LOW), "other": (Condition.OTHER, Priority.MEDIUM)}


def strike(home: Home, at: Instant, kind: str, *, needs_visit: bool) -> None:
    """An alarm of this kind, unless the home is in trouble already. What needs no visit the caregiver clears in time."""
    if not home.calm:
        return
    home.truth.count(f"technical {kind}" if needs_visit else f"transient {kind}")
    if kind == "occlusion":
        home.trouble = Trouble(Cause.OCCLUSION, needs_visit=needs_visit, shown=False)
        home.occlude(at)
        return
    if kind in _WHISPERS:
        condition, priority = _WHISPERS[kind]
        home.trouble = Trouble(None)
        home.sound(at, condition, priority, stops=False)
    else:
        condition, cause = _SOUNDS[kind]
        home.trouble = Trouble(cause, needs_visit=needs_visit)
        home.sound(at, condition)
    _heard(home, at, home.trouble)


def stop_by_hand(home: Home, at: Instant) -> None:
    """Stopped for a moment, and sometimes forgotten; the pump complains after a while."""
    if not home.calm:
        return
    assumed, chances = home.place.assumed, home.chances
    trouble = home.trouble = Trouble(Cause.STOPPED)
    home.act(at, SimulatedPump.stop)

    def complain(now: Instant) -> None:
        if home.trouble is trouble and home.pump.works.alive:
            home.sound(now, Condition.STOPPED_UNATTENDED, Priority.MEDIUM, stops=False)

    home.after(round(assumed.stop_reminder_min * MINUTE_MS), complain, at)
    if chances.happens(assumed.stop_forgotten):
        home.truth.count("stop forgotten")
        ring_ward_later(home, at, trouble)
        return
    home.truth.count("stop")
    home.after(chances.lognormal_ms(assumed.stop_min, assumed.stop_spread), lambda now: mend(home, now, trouble), at)


def die(home: Home, at: Instant) -> None:
    """The pump dies without a word."""
    if home.calm:
        home.truth.count("pump died")
        trouble = home.trouble = Trouble(Cause.DIED, needs_visit=True)
        home.act(at, SimulatedPump.die)
        ring_ward_later(home, at, trouble)


def run_dry(home: Home, at: Instant) -> None:
    """The bag is empty before the pump's counter says so: it finds air."""
    bag = home.truth.bags[-1]
    if not bag.ran_dry:
        bag.ran_dry, bag.empty_at = True, at
    trouble = home.trouble = Trouble(Cause.BAG_EMPTY, needs_visit=True)
    home.sound(at, Condition.AIR_IN_LINE)
    ring_ward_later(home, at, trouble)


def notice(home: Home, at: Instant) -> None:
    """What the pump does by itself becomes the home's trouble."""
    if home.changing or home.ended:
        return
    _watch_battery(home, at)
    trouble, pump = home.trouble, home.pump
    if trouble is not None and trouble.shown:
        return
    if trouble is not None and Condition.OCCLUSION_DOWNSTREAM in pump.active:
        trouble.shown = True
        _heard(home, at, trouble)
    elif Condition.RESERVOIR_EMPTY in pump.active:
        bag = home.truth.bags[-1]
        bag.spent_at = bag.spent_at or at
        home.trouble = Trouble(Cause.BAG_EMPTY, needs_visit=True)
        ring_ward_later(home, at, home.trouble)
    elif not pump.works.alive:
        home.truth.count("battery empty")
        home.trouble = Trouble(trouble.cause if trouble is not None else Cause.BATTERY)
        ring_ward_later(home, at, home.trouble)


def mend(home: Home, at: Instant, trouble: Trouble) -> None:
    """`trouble` is put right, unless it is over by then."""
    if trouble is not home.trouble or home.ended:
        return
    if trouble.cause is Cause.BAG_EMPTY:
        bag_life.change(home, at)
        return
    home.put_right(at, keep=_KEPT)
    if home.pump.works.stopped_by is not None:
        home.act(at, SimulatedPump.run)
    home.trouble = None


def set_about(home: Home, at: Instant, trouble: Trouble) -> None:
    """Somebody sets about mending what the pump shows: the home on the phone, or a nurse who comes."""
    if trouble is not home.trouble or trouble.mending or not trouble.shown:
        return
    trouble.mending = True
    assumed = home.place.assumed
    wait_ms = home.chances.minutes_ms(assumed.visit_min if trouble.needs_visit else assumed.hands_on_min)
    home.after(wait_ms, lambda now: mend(home, now, trouble), at)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ward hears on the phone: the pump is seen to run; somebody must come; until when something is arranged."""

    runs: bool
    needs_visit: bool
    arranged_at: Instant | None = None


def called(home: Home, at: Instant, about: Iterable[str]) -> Heard:
    """The ward rings about these rules and is answered: what can be mended on the phone is, and what cannot brings a nurse."""
    assumed, chances, works = home.place.assumed, home.chances, home.pump.works
    if home.trouble is not None:
        set_about(home, at, home.trouble)
    if works.alive and works.power is Power.BATTERY and works.battery_percent < _WELL_CHARGED_PERCENT:
        home.after(chances.minutes_ms(assumed.hands_on_min), home.plug_in, at)
    if works.alive and not home.pump.link_up and chances.happens(assumed.router_helps):
        home.after(chances.minutes_ms(assumed.router_min), lambda now: home.regain_link(now, early=True), at)
    change_at = bag_life.bring_forward(home, at) if any(rule.startswith("bag-") for rule in about) else None
    needs_visit = home.trouble is not None and home.trouble.shown and home.trouble.needs_visit
    return Heard(works.delivering, needs_visit, change_at)


def texted(home: Home, at: Instant) -> None:
    """The caregiver gets a text about the battery; who sleeps reads it in the morning, now and then."""
    if home.place.local.is_night(at) and home.chances.happens(home.place.assumed.battery_low_slept_through):
        return
    home.after(clear_ms(home, at), home.plug_in, at)


def ring_ward_later(home: Home, at: Instant, trouble: Trouble) -> None:
    """Nothing stays wrong for ever: hours later the home rings by itself."""
    assumed = home.place.assumed
    wait_ms = home.chances.lognormal_ms(assumed.unaided_min, assumed.unaided_spread)
    home.after(wait_ms, lambda now: set_about(home, now, trouble), at)


def clear_ms(home: Home, at: Instant) -> int:
    """How long the caregiver takes from an alarm to having cleared it."""
    assumed = home.place.assumed
    median_min = assumed.clear_night_min if home.place.local.is_night(at) else assumed.clear_day_min
    return home.chances.lognormal_ms(median_min, clear_spread(assumed, median_min))


def clear_spread(assumed: Assumptions, median_min: float) -> float:
    """So wide that the assumed share takes over half an hour."""
    return spread_of(median_min, 30.0, assumed.clear_over_half_hour)


def _heard(home: Home, at: Instant, trouble: Trouble) -> None:
    """The caregiver hears the pump: clears it in time, or cannot, and rings the ward sooner or later."""
    if trouble.needs_visit:
        ring_ward_later(home, at, trouble)
    else:
        home.after(clear_ms(home, at), lambda now: mend(home, now, trouble), at)


def _watch_battery(home: Home, at: Instant) -> None:
    """A low battery is heard by day, and slept through now and then by night."""
    works, assumed = home.pump.works, home.place.assumed
    low = works.alive and works.power is Power.BATTERY and works.battery_percent <= assumed.battery_low_percent
    if not low or Condition.BATTERY_LOW in home.pump.active:
        return
    home.truth.count("battery low")
    home.sound(at, Condition.BATTERY_LOW, Priority.LOW, stops=False)
    slept = home.place.local.is_night(at) and home.chances.happens(assumed.battery_low_slept_through)
    heard_at = home.place.local.morning_after(at) if slept else at
    home.after(clear_ms(home, heard_at), home.plug_in, heard_at)
