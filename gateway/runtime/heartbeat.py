"""The gateway's heartbeat over the broker, for the watchdog on another host.

Topic `dwack/{site}/gateway`, retained: `{"at": 1772409600000, "ready": true}` every 10 s, at once after the session is up.
The Last Will on the same topic is `{"gone": true}`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.instants import SECOND_MS, Instant
from gateway.runtime.ports import Clock, Source

EVERY_MS = 10 * SECOND_MS
LAST_WILL = b'{"gone":true}'
NAME = "gateway"


@dataclass(frozen=True, slots=True)
class Beat:
    """The gateway was alive at `at`, by its own clock, and said whether it hears, stores, judges and can page."""

    at: Instant
    ready: bool


def topic_of(site: str) -> str:
    """Where a site's gateway beats."""
    return f"dwack/{site}/{NAME}"


def body_of(beat: Beat) -> bytes:
    """The message."""
    return json.dumps({"at": beat.at, "ready": beat.ready}, separators=(",", ":")).encode()


def read(payload: bytes) -> Beat | None:
    """A beat; None for the Last Will and for what is no beat."""
    try:
        body = json.loads(payload)
        return Beat(int(body["at"]), bool(body["ready"]))
    except (ValueError, KeyError, TypeError):
        return None


async def beat_on(source: Source, clock: Clock, site: Callable[[], str], ready: Callable[[], bool]) -> None:
    """Beat until cancelled; while there is no session the beats are lost, which is what they are for."""
    while True:
        now = clock.now()
        source.tell(topic_of(site()), body_of(Beat(now, ready())), retain=True)
        await clock.sleep_until(now + EVERY_MS)
