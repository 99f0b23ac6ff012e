"""A pump's past as the API says it."""

from gateway.console.shapes import Shape, When
from gateway.domain.readings import Refusal


class MeasuredShape(Shape):
    """What the pump measured; null where it said nothing. Volumes in mL, rates in mL/h."""

    at: When
    delivering: bool | None
    rate_ml_h: float | None
    set_rate_ml_h: float | None
    infused_ml: float | None
    remaining_ml: float | None
    battery_percent: float | None


class HappenedShape(Shape):
    """An alarm condition that began or ended, something done at the pump, or its connection; in the MQTT contract's words."""

    at: When
    received_at: When
    seq: int
    channel: str
    what: str
    phase: str = ""


class SeriesShape(Shape):
    """At most 600 points. Neighbours further apart than `gap_ms` have nothing between them; `whole`: nothing was left out."""

    device: str
    since: When
    until: When
    points: list[MeasuredShape]
    happened: list[HappenedShape]
    gap_ms: int
    refused: int
    whole: bool


class ReadingShape(Shape):
    """What a decoder made of a message: which kind of reading, its place in the sender's numbering, and its values as JSON."""

    kind: str
    observed_at: When
    boot: str
    seq: int | None
    values: str


class RefusedShape(Shape):
    """What could not be decoded: why, which part, and the mend."""

    reason: Refusal
    where: str
    detail: str


class RawShape(Shape):
    """A message as it came. `body` is Base64; of a catch-up of hundreds the first 20 `readings` are told.

    `damaged`: its bytes are not what was stored, and nothing else of it is told.
    """

    seq: int
    received_at: When | None = None
    topic: str = ""
    body: str = ""
    readings: tuple[ReadingShape, ...] = ()
    readings_left: int = 0
    refused: tuple[RefusedShape, ...] = ()
    damaged: str = ""


class MessagesShape(Shape):
    """Messages, newest first. `next_before` is what to give as `before` for older ones; null where these were the last."""

    device: str
    messages: list[RawShape]
    next_before: int | None
