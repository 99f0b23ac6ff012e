"""What is known on the bench: what the pump says on its line, and what the gateway makes of it. Values; time is an argument.

`at` is a clock that never jumps (ms); `observed_at` is the sender's.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from device_adapters.telling import Tells
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.readings import AlarmChange, AlarmsClear, Decoded, LinkStatus, Observation
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power

NEVER: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be shown. `rate_ml_h` is the prescription's; `volume_ml` enough to judge by.

    `cut_ms` and `battery_ms`: how long network and mains are pulled at least. `asks_gateway`: there is a gateway to ask.
    """

    device: str
    adapter: str
    tells: Tells
    course: str = ""
    rate_ml_h: float | None = None
    volume_ml: float = 0.2
    cut_ms: int = 60 * SECOND_MS
    battery_ms: int = 10 * SECOND_MS
    asks_gateway: bool = True


@dataclass(frozen=True, slots=True)
class Counted:
    """The pump's counter at an observed time, and whether it said that it delivered."""

    observed_at: Instant
    infused_ml: float
    delivering: bool


@dataclass(frozen=True, slots=True)
class GatewayWord:
    """What the gateway says of the device, as asked at `at`. `conditions` are those that it holds active.

    `heard_at` is its text for when it heard the device last, empty for never; that word was `lag_ms` old when it came.
    """

    at: Instant
    heard_at: str
    lag_ms: int
    course: str
    boot: str
    missing: int
    clock_offset_ms: int
    clock_doubtful: bool
    conditions: frozenset[Condition]
    bench_until: str = ""


@dataclass(slots=True)
class Line:
    """What came on the line: newest values, alarms that are active, refusals by reason. Instants are NEVER until then."""

    heard_at: Instant = NEVER
    frames: int = 0
    power: Power | None = None
    power_at: Instant = NEVER
    status: DeliveryStatus | None = None
    rate_ml_h: float | None = None
    set_rate_ml_h: float | None = None
    rate_at: Instant = NEVER
    counted: Counted | None = None
    counted_at: Instant = NEVER
    battery_percent: float | None = None
    remaining_ml: float | None = None
    active: dict[Condition, Instant] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def hear(self, decoded: Decoded, at: Instant) -> None:
        """A message came."""
        self.frames += 1
        self.refused.update(one.reason.value for one in decoded.refused)
        for reading in decoded.readings:
            if not isinstance(reading, LinkStatus):  # the broker's own word of it, which it may have kept for days
                self.heard_at = at
            if isinstance(reading, Observation):
                self._measured(reading, at)
            elif isinstance(reading, AlarmChange):
                self._alarmed(reading, at)
            elif isinstance(reading, AlarmsClear):
                for condition in reading.conditions:
                    self.active.pop(condition, None)

    @property
    def delivering(self) -> bool:
        """Whether its newest word is that it delivers."""
        return self.status is DeliveryStatus.DELIVERING

    def _measured(self, told: Observation, at: Instant) -> None:
        if told.delivery_status is not None:
            self.status = told.delivery_status
        if told.power is not None:
            self.power, self.power_at = told.power, at
        if told.rate_ml_h is not None:
            self.rate_ml_h = told.rate_ml_h
        if told.set_rate_ml_h is not None or told.rate_ml_h is not None:
            self.set_rate_ml_h, self.rate_at = told.set_rate_ml_h, at
        if told.infused_ml is not None:
            self.counted, self.counted_at = Counted(told.observed_at, told.infused_ml, self.delivering), at
        self.battery_percent = told.battery_percent if told.battery_percent is not None else self.battery_percent
        self.remaining_ml = told.remaining_ml if told.remaining_ml is not None else self.remaining_ml

    def _alarmed(self, told: AlarmChange, at: Instant) -> None:
        if told.phase in (AlarmPhase.START, AlarmPhase.CONTINUE):
            self.active.setdefault(told.condition, at)
        elif told.phase is AlarmPhase.END:
            self.active.pop(told.condition, None)
