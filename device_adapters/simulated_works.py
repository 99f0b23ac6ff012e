"""The insides of the simulated pump: bag, motor, line and battery, and how time passes over them. It sends nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.words import Condition, NotDeliveringReason, Power

OCCLUSION_VOLUME_ML: Final = 0.6  # what a line swallows before the pressure alarm: 60 min at 0.6 mL/h
BATTERY_DRAIN_PERCENT_H: Final = 5.0
_USED_UP_ML: Final = 1e-9
_ROUNDING_MS: Final = 1e-6  # what sums of floats may be off by; below it a bag would last a millisecond too long

STOPPING: Final = frozenset(
    {
        Condition.OCCLUSION,
        Condition.OCCLUSION_DOWNSTREAM,
        Condition.OCCLUSION_UPSTREAM,
        Condition.AIR_IN_LINE,
        Condition.DOOR_OPEN,
        Condition.CASSETTE_DETACHED,
        Condition.RESERVOIR_EMPTY,
        Condition.BATTERY_DEPLETED,
        Condition.SYSTEM_FAULT,
    }
)


@dataclass(slots=True)
class Bag:
    """A hung bag, in mL: what left it was infused or primed, the rest remains. `counter_ml` is what the display shows."""

    volume_ml: float
    primed_ml: float = 0.0
    infused_ml: float = 0.0
    counter_ml: float = 0.0

    @property
    def remaining_ml(self) -> float:
        """What is left, never below zero."""
        return max(0.0, self.volume_ml - self.primed_ml - self.infused_ml)

    def take(self, ml: float) -> float:
        """Infuse up to `ml`; returns how much there was."""
        taken = min(ml, self.remaining_ml)
        self.infused_ml += taken
        self.counter_ml += taken
        return taken

    def prime(self, ml: float) -> float:
        """Run up to `ml` through the line onto the floor; returns how much there was."""
        taken = min(ml, self.remaining_ml)
        self.primed_ml += taken
        return taken


@dataclass(slots=True)
class Works:
    """State at the instant `at`. `blocked` is a fault of the line that the pump has yet to notice."""

    at: Instant
    rate_ml_h: float
    bag: Bag
    battery_percent: float = 100.0
    power: Power = Power.MAINS
    drain_percent_h: float = BATTERY_DRAIN_PERCENT_H
    alive: bool = True
    blocked: bool = False
    swallowed_ml: float = 0.0
    to_patient_ml: float = 0.0
    holding: set[Condition] = field(default_factory=set)
    stopped_by: NotDeliveringReason | None = None

    @property
    def turning(self) -> bool:
        """Nothing and nobody holds the motor."""
        return self.alive and not self.holding and self.stopped_by is None

    @property
    def delivering(self) -> bool:
        """What the pump believes: it turns, and the bag is not empty."""
        return self.turning and self.bag.remaining_ml > _USED_UP_ML

    @property
    def reason(self) -> NotDeliveringReason | None:
        """Why it does not deliver; a condition counts before a person, as on a pump's display."""
        if self.delivering:
            return None
        return self.stopped_by if self.stopped_by is not None and not self.holding else NotDeliveringReason.ALARM

    def release(self) -> None:
        """Whatever held the motor lets go."""
        self.holding.clear()
        self.stopped_by = None

    def pass_time(self, until: Instant) -> Iterator[tuple[Instant, Condition]]:
        """Run on to `until`; yields each condition at the instant at which it comes about, in order."""
        if until < self.at:
            raise ValueError("time runs forward")
        while (due := self._next_due(until)) is not None:
            self._run(due[0])
            self.holding.add(due[1])
            self.swallowed_ml = 0.0
            yield due
            self.alive = self.alive and due[1] is not Condition.BATTERY_DEPLETED
        self._run(until)

    def _next_due(self, until: Instant) -> tuple[Instant, Condition] | None:
        due: list[tuple[Instant, Condition]] = []
        if self.turning:
            left_ml = self.bag.remaining_ml if self.delivering else 0.0
            due += _due(self.at, left_ml, self.rate_ml_h, Condition.RESERVOIR_EMPTY)
        if self.delivering and self.blocked:
            room_ml = OCCLUSION_VOLUME_ML - self.swallowed_ml
            due += _due(self.at, room_ml, self.rate_ml_h, Condition.OCCLUSION_DOWNSTREAM)
        if self.alive and self.power is Power.BATTERY:
            due += _due(self.at, self.battery_percent, self.drain_percent_h, Condition.BATTERY_DEPLETED)
        return next((item for item in sorted(due) if item[0] <= until), None)

    def _run(self, until: Instant) -> None:
        """From `at` to `until` nothing changes its course."""
        hours = (until - self.at) / HOUR_MS
        self.at = until
        if self.delivering:
            taken_ml = self.bag.take(self.rate_ml_h * hours)
            if self.blocked:
                self.swallowed_ml += taken_ml
            else:
                self.to_patient_ml += taken_ml
        if self.alive and self.power is Power.BATTERY:
            self.battery_percent = max(0.0, self.battery_percent - self.drain_percent_h * hours)


def _due(at: Instant, amount: float, per_hour: float, condition: Condition) -> list[tuple[Instant, Condition]]:
    """When `amount` is used up, rounded up to a millisecond; nothing when it never is."""
    if amount <= 0:
        return [(at, condition)]
    if per_hour <= 0:
        return []
    return [(at + ceil(amount / per_hour * HOUR_MS - _ROUNDING_MS), condition)]
