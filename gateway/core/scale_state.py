"""What is remembered of a scale under a bag; what it means is decided in `scale`."""

from dataclasses import dataclass

from gateway.domain.instants import Instant


@dataclass(slots=True)
class Scale:
    """What a scale under the bag told, in grams, by its own observed times.

    `points` are weights a quarter of an hour apart, of the last two hours, oldest first, since the pump delivers from this bag.
    `falls`: whether the bag gets lighter as prescribed; None while nobody can tell. `proven_until`: until then it did flow.
    `percent`: delivered of prescribed over two hours at the most that the weight allows; -1 before there are two hours.
    """

    weighed_at: Instant = 0
    weight_g: float = 0.0
    points: tuple[tuple[Instant, float], ...] = ()
    falls: bool | None = None
    proven_until: Instant = 0
    percent: int = -1
