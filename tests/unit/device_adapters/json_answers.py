"""What the JSON channels make of one object, for tests."""

import json

from device_adapters.generic_json import GenericJson
from gateway.domain.readings import Decoded, Reading, Refusal

AT = 1_772_409_600_000
JSON = GenericJson()


def send(channel: str, **body: object) -> Decoded:
    """One object on a channel, with a time unless it brings one."""
    return JSON.decode_channel(channel, json.dumps({"observed_at": AT, **body}).encode())


def reading(decoded: Decoded) -> Reading:
    """The only reading."""
    assert not decoded.refused
    (found,) = decoded.readings
    return found


def refusal(decoded: Decoded) -> tuple[Refusal, str]:
    """The only refusal: its reason and its place."""
    assert not decoded.readings
    (found,) = decoded.refused
    return found.reason, found.where
