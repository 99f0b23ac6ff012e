"""The simulated pump's messages, and what it keeps of them while the link is down."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.instants import Instant
from gateway.domain.words import Channel

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
