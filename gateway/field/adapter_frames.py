"""What the technician's bench works on: a frame as it was caught, and what its adapter makes of it."""

from dataclasses import dataclass

from device_adapters.contract import Adapter
from device_adapters.envelope import MAGIC, Sent, enveloped
from device_adapters.registry import ADAPTERS, decode, parse_topic
from device_adapters.span import Span
from device_adapters.spans import explained
from gateway.domain.instants import Instant
from gateway.domain.readings import Decoded, Refused
from gateway.domain.words import Channel
from gateway.field.speaking import Wrong

RAW = f"{Channel.RAW.value}/"
BYTES = "bytes"  # the channel of bytes that nobody has cut into frames yet


@dataclass(frozen=True, slots=True)
class Caught:
    """Bytes of one frame, when they were complete, on which channel; `topic` where they came over MQTT, with any envelope."""

    at: Instant
    channel: str
    body: bytes
    slot: str | None = None
    topic: str | None = None

    @property
    def adapter(self) -> str:
        """The name of the adapter that reads the channel."""
        return self.channel.removeprefix(RAW) if self.channel.startswith(RAW) else "generic-json"


def adapter_named(name: str) -> Adapter:
    """The adapter. Raises `Wrong` with the names that there are."""
    if name not in ADAPTERS:
        raise Wrong(f"there is no adapter {name!r}; there are {', '.join(sorted(ADAPTERS))}")
    return ADAPTERS[name]


def decoded(caught: Caught) -> Decoded:
    """As the gateway would decode it, dated by when it was caught where it does not tell the time itself."""
    if caught.topic is not None:
        place = parse_topic(caught.topic)
        if isinstance(place, Refused):
            return Decoded(refused=(place,))
    body = caught.body
    if caught.channel.startswith(RAW) and caught.topic is None and not body.startswith(MAGIC):
        body = enveloped(Sent(caught.at, slot=caught.slot), body)
    return decode(caught.channel, body, received_at=caught.at)


def spans_of(caught: Caught) -> tuple[Span, ...]:
    """Its bytes explained; hidden whole where no adapter is known."""
    adapter = ADAPTERS.get(caught.adapter)
    if adapter is None:
        return (Span(0, len(caught.body), "frame", "no adapter of this name", hidden=True),) if caught.body else ()
    return explained(adapter, caught.body)
