"""What the gateway itself remembers besides pumps, courses and incidents. A cell by itself, saved as one."""

from dataclasses import dataclass, field

from gateway.core.answered import Answered
from gateway.core.channel_state import Channels
from gateway.domain.instants import Instant
from gateway.domain.outlook import BrokerDrops


@dataclass(slots=True)
class Issued:
    """A reply code in use: which incident and whom it is for."""

    incident: str
    subject: str
    person: str
    at: Instant


@dataclass(slots=True)
class Desk:
    """The gateway's own hearing, reply codes, answers given; `stopped`: by person, transports by which they want no pages.

    `answered`: what became of commands that came with a key, by that key, oldest first.
    """

    now_at: Instant = 0
    connected: bool = False
    lost_at: Instant = 0
    started_at: Instant = 0
    deaf_from: Instant = 0
    deaf_until: Instant | None = None
    linked_at: Instant = 0
    codes: dict[str, dict[str, Issued]] = field(default_factory=dict)
    code_count: int = 0
    corrections: dict[str, list[Instant]] = field(default_factory=dict)
    stopped: dict[str, list[str]] = field(default_factory=dict)
    watchdog_at: Instant = 0
    watchdog_said_at: Instant = 0
    dropped_total: int | None = None
    drops: BrokerDrops | None = None
    answered: dict[str, Answered] = field(default_factory=dict)
    channels: Channels = field(default_factory=Channels)


def begin_deaf(desk: Desk, at: Instant) -> None:
    """The process starts: it has no session yet, and what the broker kept is still to be read."""
    desk.started_at = desk.lost_at = at
    desk.deaf_from = desk.now_at  # nobody listened since the last record
    desk.connected, desk.deaf_until = False, None
