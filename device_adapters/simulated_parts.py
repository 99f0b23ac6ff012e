"""The simulated pump's messages: their form, what an observation says, and what is kept while the link is down."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from device_adapters.simulated_works import Works
from gateway.domain.instants import Instant
from gateway.domain.words import Channel, DeliveryStatus

KEPT_MAX: Final = 10_000  # full: the oldest telemetry goes first, then the oldest of the rest


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message: `at` is when it was observed, whenever it is published; `body` says the same in `observed_at`."""

    at: Instant
    channel: str
    body: dict[str, object]

    @property
    def seq(self) -> int:
        """Its number within the boot."""
        return int(str(self.body["seq"]))

    def payload(self) -> bytes:
        """The body as compact JSON."""
        return json.dumps(self.body, separators=(",", ":")).encode()


@dataclass(slots=True)
class Kept:
    """What would have been sent, in two queues: a report is worth less than an alarm or an event."""

    reports: deque[Outgoing] = field(default_factory=deque)
    others: deque[Outgoing] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.reports) + len(self.others)

    def keep(self, message: Outgoing) -> None:
        """Add; drop the oldest when full."""
        (self.reports if message.channel == Channel.TELEMETRY else self.others).append(message)
        if len(self) > KEPT_MAX:
            (self.reports or self.others).popleft()

    def release(self) -> list[Outgoing]:
        """Everything in the order in which it was numbered; nothing is left."""
        everything = sorted((*self.reports, *self.others), key=lambda message: message.seq)
        self.forget()
        return everything

    def forget(self) -> None:
        """Drop everything."""
        self.reports.clear()
        self.others.clear()


class Noise(Protocol):
    """What the pump needs of a seeded `random.Random`."""

    def gauss(self, mu: float, sigma: float, /) -> float:
        """A normally distributed number."""
        ...


def telemetry(works: Works, noise: Noise | None) -> dict[str, object]:
    """What the pump measures of itself, as its display would show it; `noise` adds a wavering line pressure."""
    status = DeliveryStatus.DELIVERING if works.delivering else DeliveryStatus.NOT_DELIVERING
    body: dict[str, object] = {"delivery_status": status.value}
    if works.reason is not None:
        body["not_delivering_reason"] = works.reason.value
    body |= {
        "rate_ml_h": works.rate_ml_h if works.delivering else 0.0,
        "set_rate_ml_h": works.rate_ml_h,
        "infused_ml": round(works.bag.counter_ml, 3),
        "remaining_ml": round(works.bag.remaining_ml, 3),
        "battery_percent": round(works.battery_percent, 1),
        "power": works.power.value,
        "locked": True,
    }
    if noise is not None:
        body["pressure_mmhg"] = round(noise.gauss(40.0, 3.0), 1)
    return body
