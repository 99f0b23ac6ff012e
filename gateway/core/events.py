"""What the monitor is told: one event for each journal record, in journal order. `seq` is the record's."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.commands import Command, Once
from gateway.domain.readings import Decoded
from gateway.domain.ward import Ward
from gateway.domain.words import Outcome
from rules.model import Protocol


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a device, decoded."""

    seq: int
    site: str
    device: str
    channel: str
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Commanded:
    """A person did something. `once`: where the request came with a key, so that a repetition has no second effect."""

    seq: int
    who: str
    command: Command
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """A person wrote back through a two-way transport."""

    seq: int
    transport: str
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt to send a page."""

    seq: int
    key: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The ward file and its protocols, as they are from now on. The first one after a start says `started`."""

    seq: int
    ward: Ward
    protocols: Mapping[str, Protocol]
    started: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """The gateway's own broker session: `lost`, `up`, `drained`."""

    seq: int
    session: str


@dataclass(frozen=True, slots=True)
class BrokerDropped:
    """The broker's count of messages that it dropped since it started, where it is another than before."""

    seq: int
    total: int


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed."""

    seq: int


Event = Heard | Commanded | Replied | Sent | Loaded | Linked | BrokerDropped | Ticked
