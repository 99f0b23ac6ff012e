"""Seeded dice for simulated homes: the same names give the same throws, whatever else is simulated beside them."""

from collections.abc import Mapping
from math import exp, log
from random import Random  # noqa: TID251 - seeded by name and never read from the machine
from statistics import NormalDist
from typing import Final

from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS

NEVER_MS: Final = 1_000 * 365 * DAY_MS  # a wait for something whose rate is 0


class Chances:
    """One stream of chance; `names` (seed, home, purpose) are its seed."""

    def __init__(self, *names: object) -> None:
        self._random = Random("/".join(map(str, names)))  # noqa: S311 - a world of its own, not a secret

    def happens(self, probability: float) -> bool:
        """Yes, with this probability."""
        return self._random.random() < probability

    def roll(self) -> float:
        """Anything from 0 up to 1."""
        return self._random.random()

    def between(self, bounds: tuple[float, float]) -> float:
        """Anything between two bounds, all equally likely."""
        return self._random.uniform(*bounds)

    def minutes_ms(self, bounds: tuple[float, float]) -> int:
        """A length in ms between two bounds in minutes."""
        return round(self.between(bounds) * MINUTE_MS)

    def hours_ms(self, bounds: tuple[float, float]) -> int:
        """A length in ms between two bounds in hours."""
        return round(self.between(bounds) * HOUR_MS)

    def near(self, mean: float, deviation: float, most: float) -> float:
        """Normally distributed around `mean`, never further off than `most`."""
        while abs(off := self._random.gauss(0.0, deviation)) > most:
            pass
        return mean + off

    def wait_ms(self, per_day: float) -> int:
        """How long until the next of events that come at random so often a day; at least 1 ms."""
        return max(1, round(self._random.expovariate(per_day) * DAY_MS)) if per_day > 0 else NEVER_MS

    def lognormal_ms(self, median_min: float, spread: float) -> int:
        """A length in ms with this median in minutes; `spread` is the deviation of its logarithm. At least one second."""
        return max(1_000, round(median_min * exp(self._random.gauss(0.0, spread)) * MINUTE_MS))

    def pick(self, mix: Mapping[str, float]) -> str:
        """One of the names, by their shares."""
        return self._random.choices(tuple(mix), tuple(mix.values()))[0]


def spread_of(median: float, bound: float, beyond: float) -> float:
    """The spread of a lognormal length with this median of which the share `beyond` exceeds `bound`."""
    return log(bound / median) / NormalDist().inv_cdf(1 - beyond)
