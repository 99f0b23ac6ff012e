"""Parts of a bridge for unit tests: stamps, frames, a spool's limits."""

from gateway.bridge.frames import Frame, Seen
from gateway.bridge.keeper import SpoolLimits
from gateway.domain.words import ClockQuality

AT = 1_772_409_600_000
LIMITS = SpoolLimits(max_bytes=1 << 20, max_frames=1_000, commit_ms=10_000)


def seen(at: int = AT, *, clock: ClockQuality = ClockQuality.SYNCED, kernel: str = "k1", uptime_ms: int = 5_000) -> Seen:
    """A stamp."""
    return Seen(at, clock, kernel, uptime_ms)


def frame(number: int, *, urgent: bool = False, body: bytes = b"frame", device: str = "pump-01") -> Frame:
    """A frame with its number as id and seq."""
    return Frame(number, device, "raw/generic-json", "b1", number, None, seen(AT + number), urgent, body)
