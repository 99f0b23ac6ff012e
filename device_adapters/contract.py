"""What an adapter is: bytes in, readings or named refusals out. No I/O, no clock, no state between messages."""

from typing import Protocol

from device_adapters.envelope import Sent
from gateway.domain.readings import Decoded


class Adapter(Protocol):
    """Turns one MQTT payload into readings.

    `name` is the last level of the topic `dw/v1/{site}/{device}/raw/{name}`. `decode` never raises and never invents: what it
    cannot read is a `Refused` with a named reason, whose text never repeats the payload (it may hold names).
    """

    name: str

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:
        """All readings of one payload, in its order. Units and bounds as in `gateway.domain.readings`.

        `payload` is without its envelope. `sent` says when and from which slot it came; an adapter whose frames tell the time
        themselves does not read it. The message's number is put on the readings by the registry.
        """
        ...
