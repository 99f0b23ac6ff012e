"""The watchdog on another host, as the gateway hears it: its heartbeats are the `status` of a device that the ward file names."""

from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.events import Heard
from gateway.domain.instants import Instant
from gateway.domain.readings import LinkStatus
from gateway.domain.view import Facet
from gateway.domain.ward import Ward


def is_watchdog(event: Heard, ward: Ward) -> bool:
    """Whether this is the watchdog's own word, and no pump's."""
    return ward.watchdog is not None and event.device == ward.watchdog.device and event.site == ward.site


def take(event: Heard, now: Context) -> int:
    """Take its word in; returns the facets that it changed. A heartbeat counts once: a broker tells the last one anew."""
    desk, woken = now.desk, 0
    for reading in event.decoded.readings:
        if isinstance(reading, LinkStatus) and reading.online and reading.observed_at != desk.watchdog_said_at:
            desk.watchdog_at, desk.watchdog_said_at, woken = now.at, reading.observed_at, Facet.WATCHDOG
    return woken


def begin(now: Context, *, started: bool) -> None:
    """The ward file was loaded: a watchdog that nobody could hear before has its whole time from now on."""
    if now.ward.watchdog is not None and (started or not now.desk.watchdog_at):
        now.desk.watchdog_at = max(now.desk.watchdog_at, now.at)


def due_at(ward: Ward, desk: Desk) -> Instant | None:
    """By when its next heartbeat must come; None without a watchdog."""
    return desk.watchdog_at + ward.watchdog.silent_ms if ward.watchdog is not None else None
