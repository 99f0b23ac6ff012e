"""One simulated home: a pump, its power, its link, and the truth about all of it.

Pure: time is an argument, chance is seeded, and what comes of an instant is returned. Its bags are `bag_life`'s business, what
goes wrong and who mends it `troubles`', what happens to it `habits`'.
"""

from collections.abc import Callable, Iterable
from math import ceil

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from device_adapters.simulated_works import OCCLUSION_VOLUME_ML
from gateway.domain.instants import DAY_MS, HOUR_MS, SECOND_MS, Instant
from gateway.domain.ward import Contact
from gateway.domain.words import Condition, Power, Priority
from gateway.scenario.chances import Chances
from gateway.scenario.network import Network
from gateway.scenario.places import Agenda, Deed, Place, Trouble
from gateway.scenario.truth import Cause, Truth

PumpAct = Callable[[SimulatedPump, Instant], list[Outgoing]]

_CAUSES = {
    Condition.RESERVOIR_EMPTY: Cause.BAG_EMPTY,
    Condition.BATTERY_DEPLETED: Cause.BATTERY,
    Condition.OCCLUSION_DOWNSTREAM: Cause.OCCLUSION,
}


class Home:
    """One patient for one cycle. `due(at)` lives on up to `at`; `next_at` is when something happens next.

    `factor` is the pump's true rate over the rate that it counts by.
    """

    def __init__(self, place: Place, number: int, start_at: Instant) -> None:
        assumed, bag = place.assumed, place.bag
        self.place, self.start_at = place, start_at
        self.end_at = start_at + round(assumed.cycle_days * DAY_MS)
        self.course, self.device = f"S-{number:03d}", f"sim-{number:03d}"
        self.caregiver = (Contact(place.homes_by, f"8526{number:07d}"),) if place.homes_by else ()  # a number of its own
        self.chances = Chances(place.seed, number, "home")
        self.plans = Chances(place.seed, number, "plans")  # what the ward plans for it: whatever it does, the home's dice stay
        self.factor = self.chances.near(1.0, assumed.accuracy_deviation, assumed.accuracy_most)
        self.truth = Truth(bag.rate_ml_h * self.factor, start_at)
        self.pump = SimulatedPump(
            self.device,
            rate_ml_h=bag.rate_ml_h,
            bag_ml=bag.fill_ml,
            started_at=start_at,
            report_every_ms=round(assumed.report_s * SECOND_MS),
        )
        self.network = Network(place.site, self.device, assumed, Chances(place.seed, number, "network"))
        self.agenda = Agenda()
        self.deeds: list[Deed] = []
        self.trouble: Trouble | None = None
        self.changing = self.ended = False
        self.on_notice: Callable[[Instant], None] = lambda _: None
        self.on_dry: Callable[[Instant], None] = lambda _: None
        self._down_until = self._lost_at = self._charged_at = start_at
        self._pump_due_at: Instant | None = None
        self._dry_at: Instant | None = None

    # ---- time ------------------------------------------------------------------------------------------------------

    @property
    def next_at(self) -> Instant | None:
        """When something happens next; None when this home's story is over."""
        return min(filter(None, (self.agenda.next_at, self._pump_due_at, self._dry_at, self.network.next_at)), default=None)

    def due(self, at: Instant) -> list[Deed]:
        """Everything that happens up to `at`, in order."""
        while (next_at := self.next_at) is not None and next_at <= at:
            if self.agenda.next_at == next_at:
                self.agenda.do_next()
            elif self._dry_at == next_at:
                self.on_dry(next_at)
            elif self._pump_due_at == next_at:
                self._report(next_at)
            self.deeds += self.network.due(next_at)
        deeds, self.deeds = self.deeds, []
        return deeds

    def after(self, wait_ms: int, act: Callable[[Instant], None], at: Instant) -> None:
        """Plan something for `wait_ms` after `at`."""
        self.agenda.plan(at + wait_ms, act)

    def end(self, at: Instant) -> None:
        """The story is over."""
        self.truth.end(at)
        self.ended = True
        self.agenda.clear()
        self._pump_due_at = self._dry_at = None

    # ---- the pump --------------------------------------------------------------------------------------------------

    def act(self, at: Instant, do: PumpAct) -> None:
        """Something is done to the pump, or time passes over it: the truth is kept, and what it says is sent."""
        pump, works = self.pump, self.pump.works
        since, before_ml, was_up = works.at, works.to_patient_ml, pump.link_up
        said = do(pump, at)
        moved_ml = (works.to_patient_ml - before_ml) * self.factor
        cause = self._cause()
        self.truth.flow(since=since, until=at, ml=moved_ml, flows=works.delivering and not works.blocked, cause=cause)
        if not works.delivering and cause is not Cause.DIED and not self.changing:
            self.truth.note_sign(at)  # a nurse who stops the pump to change the bag is no sign of the pump's
        if pump.link_up is not was_up:
            self._link_changed(at)
        self.network.carry(said, at)
        self.on_notice(at)
        self._foresee(at)

    @property
    def calm(self) -> bool:
        """Nothing is wrong, and the pump runs."""
        return self.trouble is None and not self.changing and not self.ended and self.pump.works.delivering

    def sound(self, at: Instant, condition: Condition, priority: Priority | None = None, *, stops: bool = True) -> None:
        """The pump raises an alarm."""
        self.act(at, lambda pump, now: pump.alarm(now, condition, priority, stops=stops))

    def clear(self, at: Instant, condition: Condition) -> None:
        """Somebody clears an alarm at the pump."""
        self.act(at, lambda pump, now: pump.clear(now, condition))

    def occlude(self, at: Instant) -> None:
        """The line closes; the pump notices when some volume, less or more, has gone into it."""
        self.act(at, SimulatedPump.occlude)
        self.pump.works.swallowed_ml = OCCLUSION_VOLUME_ML - self.chances.between(self.place.assumed.occlusion_ml)
        self._foresee(at)

    def put_right(self, at: Instant, *, keep: Iterable[Condition]) -> None:
        """Power, line and alarms; what `keep` names is left as it is."""
        if not self.pump.works.alive:
            self.revive(at)
        if self.pump.works.blocked:
            self.clear(at, Condition.OCCLUSION_DOWNSTREAM)
        for condition in sorted(self.pump.active - set(keep)):
            self.clear(at, condition)

    def true_left_ml(self) -> float:
        """What is really left in the bag."""
        bag = self.truth.bags[-1]
        return max(0.0, bag.fill_ml - bag.primed_ml - self.factor * self.pump.works.bag.infused_ml)

    # ---- power -----------------------------------------------------------------------------------------------------

    def plug_in(self, at: Instant) -> None:
        """Back on mains."""
        if self.ended:
            return
        self._charged_at = at
        self.act(at, SimulatedPump.plug)
        if Condition.BATTERY_LOW in self.pump.active and self.pump.works.alive:
            self.clear(at, Condition.BATTERY_LOW)

    def revive(self, at: Instant) -> None:
        """A dead pump is plugged in and switched on: a new start, and heard again."""
        self._charged_at = self._down_until = at
        self.act(at, SimulatedPump.plug)
        self.act(at, SimulatedPump.power_up)

    # ---- link ------------------------------------------------------------------------------------------------------

    def lose_link(self, at: Instant, for_ms: int) -> None:
        """The home cannot be heard for a while."""
        self._down_until = max(self._down_until, at + for_ms)
        if self.pump.works.alive and self.pump.link_up:
            self.act(at, SimulatedPump.disconnect)
        self.agenda.plan(self._down_until, self.regain_link)

    def regain_link(self, at: Instant, *, early: bool = False) -> None:
        """The link is back when its time has come, or when somebody brings it back early."""
        self._down_until = min(self._down_until, at) if early else self._down_until
        if at >= self._down_until and self.pump.works.alive and not self.pump.link_up and not self.ended:
            self.act(at, SimulatedPump.reconnect)

    def _link_changed(self, at: Instant) -> None:
        self.truth.link(at, up=self.pump.link_up)
        if self.pump.link_up:
            self.network.tell_status(at, online=True)
            return
        self._lost_at = at

        def will(now: Instant) -> None:
            if self._lost_at == at and not self.pump.link_up:
                self.network.tell_status(now, online=False)

        self.after(round(self.place.assumed.will_s * SECOND_MS), will, at)

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _cause(self) -> Cause:
        """Why nothing flows, if nothing flows."""
        if self.changing:
            return Cause.BAG_CHANGE
        if self.trouble is not None and self.trouble.cause is not None:
            return self.trouble.cause
        holding = self.pump.works.holding
        return next((cause for condition, cause in _CAUSES.items() if condition in holding), Cause.STOPPED)

    def _report(self, at: Instant) -> None:
        works = self.pump.works
        if works.power is Power.MAINS and works.battery_percent < 100.0:
            charged = self.place.assumed.charge_percent_h * (at - self._charged_at) / HOUR_MS
            works.battery_percent = min(100.0, works.battery_percent + charged)
        self._charged_at = at
        self.act(at, SimulatedPump.report)

    def _foresee(self, at: Instant) -> None:
        """When the pump speaks next by itself, and when the bag is really empty."""
        works = self.pump.works
        self._pump_due_at = self._dry_at = None
        if self.ended or not works.alive:
            return
        dues: list[float] = [self.pump.next_report_at]
        if works.turning:
            dues.append(at + works.bag.remaining_ml / works.rate_ml_h * HOUR_MS)
        if works.delivering and works.blocked:
            dues.append(at + (OCCLUSION_VOLUME_ML - works.swallowed_ml) / works.rate_ml_h * HOUR_MS)
        if works.power is Power.BATTERY:
            low = self.place.assumed.battery_low_percent
            amount = works.battery_percent - (low if works.battery_percent > low else 0.0)
            dues.append(at + amount / works.drain_percent_h * HOUR_MS)
        self._pump_due_at = max(at + 1, ceil(min(dues)))
        if works.delivering:
            self._dry_at = max(at + 1, ceil(at + self.true_left_ml() / self.truth.rate_ml_h * HOUR_MS))
