"""What the bridge carries: bytes as a device sent them, and when the bridge saw them."""

from dataclasses import dataclass

from gateway.domain.instants import Instant
from gateway.domain.words import ClockQuality


@dataclass(frozen=True, slots=True)
class Seen:
    """When something was seen. `observed_at` is the bridge's wall clock, in ms; `clock` says whether it followed a reference.

    `uptime_ms` counts from the start of the kernel that `kernel` names: with it a wall clock that was wrong can be mended later.
    """

    observed_at: Instant
    clock: ClockQuality
    kernel: str
    uptime_ms: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of one device on its way to the broker.

    `id` is its place in the spool; (`boot`, `seq`) its place in the device's numbering; `channel` the last part of its topic,
    like `raw/bbraun-bcc`; `slot` says which of several pumps in the bytes is meant. `urgent` puts it before everything that is
    not: an alarm in it has begun or ended.
    """

    id: int
    device: str
    channel: str
    boot: str
    seq: int
    slot: str | None
    seen: Seen
    urgent: bool
    body: bytes
