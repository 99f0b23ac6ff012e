"""The bags of a simulated home: hung, planned, changed early when the ward learns that one will not last, and the last one."""

from device_adapters.simulated_pump import SimulatedPump
from gateway.core.forecast import BagForecast
from gateway.domain.care import CloseWindow, OpenWindow, SilenceRules, WindowKind
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.domain.words import Condition, NotDeliveringReason
from gateway.scenario.home import Home
from gateway.scenario.places import Look, Told
from gateway.scenario.truth import TrueBag

NURSE = "nurse-at-home"
LOOK_BEFORE_MS = DAY_MS  # when the next visit is planned: the forecast is judged as it stands then
EARLIER_MS = HOUR_MS  # a visit that is planned by the forecast comes so long before the bag's earliest end
LAST_BAG_MS = HOUR_MS  # nobody hangs a bag for the last hour of a cycle
ROUND_MS = 2 * HOUR_MS  # a round may be so late: what was arranged counts as long


def begin(home: Home, at: Instant) -> None:
    """Enrolled, the first bag hung, the pump switched on."""
    told_ml = _new_bag(home, at)
    home.pump.works.bag.prime(told_ml)
    enrol = Enrol(
        course=home.course,
        pump=home.device,
        protocol=home.place.protocol,
        bag=home.place.bag.name,
        primed_ml=told_ml,
        planned_change_ms=round(home.place.assumed.change_days * DAY_MS),
        caregiver=home.caregiver,
    )
    home.deeds.append(Told(NURSE, enrol))
    home.truth.start(at)
    home.act(at, SimulatedPump.power_up)
    home.agenda.plan(home.end_at, lambda now: _end(home, now))


def change(home: Home, at: Instant) -> None:
    """A nurse stands at the bed and begins to change the bag."""
    if home.changing or home.ended:
        return
    home.changing = True
    assumed = home.place.assumed
    windowed = home.plans.happens(assumed.window_opened)
    if windowed:
        window_ms = round(assumed.window_min * MINUTE_MS)
        home.deeds.append(Told(NURSE, OpenWindow(course=home.course, kind=WindowKind.BAG_CHANGE, for_ms=window_ms)))
    if home.pump.works.alive:
        _stop(home, at)
    home.after(home.chances.minutes_ms(assumed.change_stop_min), lambda now: _hang(home, now, windowed=windowed), at)


def plan_by_forecast(home: Home, forecast: BagForecast, at: Instant) -> None:
    """The ward plans the visit: where the bag may end before its change, the change comes before the earliest end, by day.

    What is arranged is silenced with its reason, until the change should be over.
    """
    bag, local = home.truth.bags[-1], home.place.local
    if home.changing or home.ended or forecast.early_at - EARLIER_MS >= bag.change_at:
        return
    if not home.plans.happens(home.place.assumed.planned_by_forecast):
        return
    wanted_at = max(at, local.evening_before(forecast.early_at - EARLIER_MS))
    _plan_change(home, wanted_at)
    silence = SilenceRules(
        course=home.course,
        rules=("bag-ending-early",),
        until_at=wanted_at + ROUND_MS,
        reason="the change is planned before the earliest end of the bag",
    )
    home.deeds.append(Told(NURSE, silence))


def bring_forward(home: Home, at: Instant) -> Instant:
    """The next bag comes early: as soon as a nurse can be there; after the night where the bag lasts until then. Returns when."""
    if home.changing or home.ended:
        return at
    assumed, works = home.place.assumed, home.pump.works
    there_at = at + home.chances.minutes_ms(assumed.visit_min)
    morning_at = home.place.local.morning_after(there_at)
    lasts_ms = works.bag.remaining_ml / works.rate_ml_h * (1 - assumed.accuracy_most) * HOUR_MS
    return _plan_change(home, morning_at if morning_at < at + lasts_ms else there_at)


def _plan_change(home: Home, at: Instant) -> Instant:
    """The bag that hangs is changed at `at`, unless an earlier time is planned already; returns when."""
    bag = home.truth.bags[-1]
    bag.change_at = min(bag.change_at, at) if bag.change_at else at

    def go(now: Instant) -> None:
        if bag is home.truth.bags[-1] and now >= bag.change_at:
            change(home, now)

    home.agenda.plan(at, go)
    return bag.change_at


def _new_bag(home: Home, at: Instant) -> float:
    """A bag as it really is; returns the primed volume that is recorded for it, in mL."""
    assumed, kind, chances = home.place.assumed, home.place.bag, home.chances
    primed_ml = chances.between(assumed.primed_ml)
    bag = TrueBag(len(home.truth.bags) + 1, at, kind.fill_ml, primed_ml)
    home.truth.bags.append(bag)
    planned_at = at + round(assumed.change_days * DAY_MS)
    if planned_at < home.end_at - LAST_BAG_MS:
        late_min = chances.near(0.0, assumed.change_late_deviation_min, 3 * assumed.change_late_deviation_min)
        _plan_change(home, planned_at + round(late_min * MINUTE_MS))
        look_at = home.place.local.evening_before(planned_at - LOOK_BEFORE_MS)
        home.agenda.plan(max(at, look_at), lambda _: _look(home, bag))
    off_ml = assumed.primed_off_deviation_ml
    return round(max(0.0, chances.near(primed_ml, off_ml, 3 * off_ml)), 1)


def _look(home: Home, bag: TrueBag) -> None:
    if bag is home.truth.bags[-1] and not home.changing:
        home.deeds.append(Look(bag.number))


def _hang(home: Home, at: Instant, *, windowed: bool) -> None:
    """The new bag runs; whatever was wrong before is put right on the way."""
    if home.ended:
        return
    if not home.pump.works.alive:
        home.revive(at)
        _stop(home, at)
    home.put_right(at, keep=(Condition.BATTERY_LOW, Condition.RESERVOIR_EMPTY))
    home.trouble, home.changing = None, False
    _close(home, at)
    told_ml = _new_bag(home, at)
    home.act(at, lambda pump, now: pump.hang_bag(now, home.place.bag.fill_ml, primed_ml=told_ml))
    hung = HangBag(course=home.course, bag=home.place.bag.name, primed_ml=told_ml, hung_at=at)
    wait_ms = home.chances.minutes_ms(home.place.assumed.change_recorded_min)
    home.after(wait_ms, lambda _: home.deeds.extend(_recorded(home, hung, windowed=windowed)), at)


def _recorded(home: Home, hung: HangBag, *, windowed: bool) -> list[Told]:
    """What the nurse enters when the bag runs."""
    closed = [Told(NURSE, CloseWindow(course=home.course))] if windowed else []
    return [Told(NURSE, hung), *closed]


def _close(home: Home, at: Instant) -> None:
    """A bag is taken down: what is left in it would have flowed from now on, or from when the pump gave up on it."""
    bag = home.truth.bags[-1]
    bag.ended_at = at
    if not bag.ran_dry:
        bag.empty_at = (bag.spent_at or at) + round(home.true_left_ml() / home.truth.rate_ml_h * HOUR_MS)


def _end(home: Home, at: Instant) -> None:
    """The cycle is over; the pump is stopped and taken off."""
    if home.pump.works.alive:
        _stop(home, at)
    _close(home, at)
    home.deeds += home.network.due(at)
    home.deeds.append(Told(NURSE, EndCourse(course=home.course, reason="the cycle is over")))
    home.end(at)


def _stop(home: Home, at: Instant) -> None:
    home.act(at, lambda pump, now: pump.stop(now, NotDeliveringReason.CLINICIAN))
