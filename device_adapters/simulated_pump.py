"""A believable ambulatory pump without a clock, a socket or a die: time is an argument, messages are return values.

It drives scenarios, the demo and the benchmarks. Every method takes the time of the act, never earlier than the one before,
and returns what is published at once: nothing while the link is down.

    pump = SimulatedPump("p1", rate_ml_h=0.6, bag_ml=110, started_at=start)
    send(pump.power_up(start))
    send(pump.report(pump.next_report_at))

What it does by itself, as a real one: counts, runs empty, drains its battery, notices an occlusion late. That is found when
the next method is called, and stamped with the instant at which it happened.
"""

import re
from typing import Final

from device_adapters.simulated_parts import Kept, Noise, Outgoing, telemetry
from device_adapters.simulated_works import BATTERY_DRAIN_PERCENT_H, STOPPING, Bag, Works
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.words import (
    OCCLUSIONS,
    AlarmPhase,
    Channel,
    Condition,
    NotDeliveringReason,
    Power,
    Priority,
    PumpEventKind,
)

OF_THE_BAG: Final = frozenset(
    {Condition.RESERVOIR_EMPTY, Condition.RESERVOIR_LOW, Condition.NEAR_END, Condition.INFUSION_COMPLETE}
)
_BOOT = re.compile(r"(.*?)(\d*)")


class SimulatedPump:
    """One pump with one bag; rates in mL/h, volumes in mL.

    `infused_ml` on the wire counts from the hanging of the bag; it starts again at 0 with each bag and each start of the
    device, as volatile counters do. `noise`, a seeded `random.Random`, adds a wavering `pressure_mmhg`.
    """

    def __init__(
        self,
        device: str,
        *,
        rate_ml_h: float,
        bag_ml: float,
        started_at: Instant,
        report_every_ms: int = MINUTE_MS,
        boot: str = "b1",
        noise: Noise | None = None,
    ) -> None:
        self.device = device
        self.boot = boot
        self.works = Works(started_at, rate_ml_h, Bag(bag_ml))
        self.active: set[Condition] = set()
        self.link_up = True
        self._report_every_ms = report_every_ms
        self._next_report_at = started_at + report_every_ms
        self._noise = noise
        self._seq = 0
        self._keeps = False
        self._kept = Kept()
        self._out: list[Outgoing] = []

    @property
    def next_report_at(self) -> Instant:
        """When the next regular report is due."""
        return self._next_report_at

    @property
    def kept(self) -> int:
        """How many messages wait for the link."""
        return len(self._kept)

    def power_up(self, at: Instant) -> list[Outgoing]:
        """Switched on: a `power-on` event and a first report. A dead pump starts anew, with an empty memory."""
        self._advance(at)
        if not self.works.alive:
            self._start_anew()
        self._plan_report()
        self._say_event(PumpEventKind.POWER_ON)
        return self._report()

    def report(self, at: Instant) -> list[Outgoing]:
        """The regular report; also says what happened by itself since the last call."""
        self._advance(at)
        self._plan_report()
        return self._report()

    def alarm(
        self,
        at: Instant,
        condition: Condition,
        priority: Priority | None = None,
        stops: bool | None = None,
        code: str | None = None,
        text: str | None = None,
    ) -> list[Outgoing]:
        """The pump raises `condition`, or repeats it; a report follows when that changed the delivery."""
        self._advance(at)
        self._raise(condition, priority=priority, stops=condition in STOPPING if stops is None else stops, code=code, text=text)
        return self._flush()

    def clear(self, at: Instant, condition: Condition) -> list[Outgoing]:
        """The condition is cleared at the pump. Delivery goes on unless another condition or a person holds it."""
        self._advance(at)
        self._end(condition)
        return self._report()

    def stop(self, at: Instant, reason: str = NotDeliveringReason.USER) -> list[Outgoing]:
        """Stopped by hand, for a `NotDeliveringReason`."""
        self._advance(at)
        self.works.stopped_by = NotDeliveringReason(reason)
        self._say_event(PumpEventKind.DELIVERY_STOPPED, reason=str(reason))
        return self._report()

    def run(self, at: Instant) -> list[Outgoing]:
        """Delivering again, whatever held it; a condition that was not cleared stays raised."""
        self._advance(at)
        self.works.release()
        self._say_event(PumpEventKind.DELIVERY_STARTED, rate_ml_h=self.works.rate_ml_h)
        return self._report()

    def set_rate(self, at: Instant, rate_ml_h: float) -> list[Outgoing]:
        """Another rate is set, and delivered if the pump delivers."""
        self._advance(at)
        self.works.rate_ml_h = rate_ml_h
        self._say_event(PumpEventKind.RATE_CHANGED, rate_ml_h=rate_ml_h)
        return self._report()

    def set_battery(self, at: Instant, percent: float) -> list[Outgoing]:
        """The battery holds `percent` now; the next report says so."""
        self._advance(at)
        self.works.battery_percent = percent
        return self._flush()

    def unplug(self, at: Instant, drain_percent_h: float = BATTERY_DRAIN_PERCENT_H) -> list[Outgoing]:
        """Off mains: the battery loses `drain_percent_h` from now on; the next report says so."""
        self._advance(at)
        self.works.power = Power.BATTERY
        self.works.drain_percent_h = drain_percent_h
        return self._flush()

    def plug(self, at: Instant) -> list[Outgoing]:
        """Back on mains: the battery keeps what it has; the next report says so."""
        self._advance(at)
        self.works.power = Power.MAINS
        return self._flush()

    def hang_bag(self, at: Instant, bag_ml: float, rate_ml_h: float | None = None, primed_ml: float = 0.0) -> list[Outgoing]:
        """A new bag is hung and running; what was wrong with the old bag is over."""
        self._advance(at)
        self.works.bag = Bag(bag_ml)
        self.works.bag.prime(primed_ml)
        self.works.rate_ml_h = self.works.rate_ml_h if rate_ml_h is None else rate_ml_h
        self.works.release()
        for condition in sorted(self.active & OF_THE_BAG):
            self._end(condition)
        self._say_event(PumpEventKind.BAG_CHANGED, bag_ml=bag_ml, primed_ml=primed_ml)
        return self._report()

    def prime(self, at: Instant, ml: float) -> list[Outgoing]:
        """The line is primed again: `ml` leaves the bag and reaches nobody."""
        self._advance(at)
        self._say_event(PumpEventKind.PRIMED, primed_ml=self.works.bag.prime(ml))
        return self._flush()

    def occlude(self, at: Instant) -> list[Outgoing]:
        """The line is blocked: nothing reaches the patient, the pump counts on, and its alarm comes 0.6 mL later."""
        self._advance(at)
        self.works.blocked = True
        return self._flush()

    def disconnect(self, at: Instant, keeps: bool = True) -> list[Outgoing]:
        """The link is lost; the pump lives on and `keeps` what it would have sent. What happened before still goes out."""
        self._advance(at)
        self._plan_report()
        self.link_up = False
        self._keeps = keeps
        return self._flush()

    def reconnect(self, at: Instant) -> list[Outgoing]:
        """The link is back: what was kept, under its own times, then a live report. A dead pump starts anew."""
        while (
            not self.link_up and self.works.alive and self._next_report_at < at
        ):  # reports that nobody asked for while the link was down
            self.report(self._next_report_at)
        self._advance(at)
        self.link_up = True
        if not self.works.alive:
            return self.power_up(at)
        return [*self._kept.release(), *self.report(at)]

    def die(self, at: Instant) -> list[Outgoing]:
        """No power: not delivering, not reporting, keeping nothing. What happened before still goes out."""
        self._advance(at)
        self._lose_power()
        return self._flush()

    def _advance(self, at: Instant) -> None:
        """Let time pass, and say what comes about. Nobody asks a pump without a link for its reports: it makes them itself."""
        while not self.link_up and self.works.alive and self._next_report_at < at:
            self._pass_time(self._next_report_at)
            self._plan_report()
            self._say_telemetry()
        self._pass_time(at)

    def _pass_time(self, until: Instant) -> None:
        for _, condition in self.works.pass_time(until):
            self._raise(condition, stops=True, was_delivering=True)
            if condition is Condition.BATTERY_DEPLETED:
                self._lose_power()

    def _lose_power(self) -> None:
        self.works.alive = False
        self.link_up = False
        self._keeps = False
        self._kept.forget()

    def _start_anew(self) -> None:
        """A new boot: numbers and counters start again; the conditions of the last boot are forgotten, not ended."""
        prefix, number = _BOOT.fullmatch(self.boot).groups()  # type: ignore[union-attr]  # it matches any text
        self.boot = f"{prefix}{int(number or 1) + 1}"
        self._seq = 0
        self.link_up = True
        self.active.clear()
        self.works.alive = True
        self.works.release()
        self.works.bag.counter_ml = 0.0
        if self.works.power is Power.BATTERY and self.works.battery_percent <= 0:
            self.works.battery_percent = 100.0  # nobody starts it on the empty one

    def _raise(self, condition: Condition, *, stops: bool, was_delivering: bool | None = None, **said: str | None) -> None:
        was_delivering = self.works.delivering if was_delivering is None else was_delivering
        phase = AlarmPhase.CONTINUE if condition in self.active else AlarmPhase.START
        self.active.add(condition)
        if stops:
            self.works.holding.add(condition)
        decorations = {key: str(value) for key, value in said.items() if value is not None}
        self._say(Channel.ALARM, alarm=condition.value, phase=phase.value, stops_delivery=stops, **decorations)
        if was_delivering != self.works.delivering:
            self._say_telemetry()

    def _end(self, condition: Condition) -> None:
        self.active.discard(condition)
        self.works.holding.discard(condition)
        self.works.blocked = self.works.blocked and condition not in OCCLUSIONS
        self._say(Channel.ALARM, alarm=condition.value, phase=AlarmPhase.END.value)

    def _plan_report(self) -> None:
        """The next regular report, on the grid that began when the pump was made."""
        overdue_ms = self.works.at - self._next_report_at
        if overdue_ms >= 0:
            self._next_report_at += (overdue_ms // self._report_every_ms + 1) * self._report_every_ms

    def _report(self) -> list[Outgoing]:
        self._say_telemetry()
        return self._flush()

    def _say_event(self, event: PumpEventKind, **values: object) -> None:
        self._say(Channel.EVENT, event=event.value, **values)

    def _say_telemetry(self) -> None:
        self._say(Channel.TELEMETRY, **telemetry(self.works, self._noise))

    def _say(self, channel: Channel, **body: object) -> None:
        """Number a message; send it, keep it, or lose it. A dead pump says nothing."""
        if not self.works.alive:
            return
        self._seq += 1
        at = self.works.at
        message = Outgoing(at, channel.value, {"observed_at": at, "boot": self.boot, "seq": self._seq, **body})
        if self.link_up:
            self._out.append(message)
        elif self._keeps:
            self._kept.keep(message)

    def _flush(self) -> list[Outgoing]:
        said, self._out = self._out, []
        return said
