"""Which adapter reads what: from a topic to a channel, from a channel's payload to readings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from device_adapters.bbraun_bcc import BbraunBcc
from device_adapters.bounds import PAYLOAD_BYTES_MAX
from device_adapters.contract import Adapter
from device_adapters.envelope import Sent, numbered, opened
from device_adapters.generic_json import GenericJson
from device_adapters.ihe_pcd import IhePcd
from device_adapters.relay_and_scale import RelayAndScale
from gateway.domain.instants import Instant
from gateway.domain.readings import Decoded, Refusal, Refused
from gateway.domain.words import Channel, ClockQuality

_JSON = GenericJson()

ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType(
    {
        adapter.name: adapter
        for adapter in (
            _JSON,
            IhePcd(),
            BbraunBcc(),
            RelayAndScale(),
        )
    }
)

TOPIC_CHARS_MAX: Final = 256  # three names of 63 and the fixed words need 209; over it: refused unread
TOPICS_CACHED: Final = 32_768  # 10,000 pumps on three channels each; beyond it the least used is parsed again

_RAW: Final = f"{Channel.RAW.value}/"
_JSON_CHANNELS: Final = frozenset(channel.value for channel in Channel if channel is not Channel.RAW)
_NAME: Final = "[a-z0-9][a-z0-9-]{0,62}"
_TOPIC = re.compile(rf"dw/v1/({_NAME})/({_NAME})/({'|'.join(sorted(_JSON_CHANNELS))}|{_RAW}{_NAME})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Topic:
    """`dw/v1/{site}/{device}/{channel}`; `channel` is `telemetry` … or `raw/{adapter}`."""

    site: str
    device: str
    channel: str


def parse_topic(topic: str) -> Topic | Refused:
    """Where a message came from. Refuses: BAD_TOPIC."""
    if len(topic) > TOPIC_CHARS_MAX:  # before the cache, which would keep it
        return Refused(Refusal.BAD_TOPIC, detail=f"at most {TOPIC_CHARS_MAX} characters")
    return _parse_topic(topic)


@lru_cache(maxsize=TOPICS_CACHED)
def _parse_topic(topic: str) -> Topic | Refused:
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return Refused(Refusal.BAD_TOPIC, detail="dw/v1/{site}/{device}/{channel}; names match [a-z0-9][a-z0-9-]{0,62}")
    site, device, channel = found.groups()
    return Topic(site, device, channel)


def decode(channel: str, payload: bytes, *, received_at: Instant | None = None) -> Decoded:
    """Read what was published on `channel`; never raises, and gives at least one reading or one refusal.

    `received_at` dates raw frames that neither tell the time themselves nor came in an envelope, as a `free` clock would.

    Refuses: BAD_TOPIC (no such channel), UNKNOWN_ADAPTER, what the envelope and the channel's adapter refuse, and MALFORMED (an
    adapter failed: a bug, but the next message must not wait for its mending).
    """
    try:
        if channel in _JSON_CHANNELS:
            return _JSON.decode_channel(channel, payload)
        if not channel.startswith(_RAW):
            return Decoded(refused=(Refused(Refusal.BAD_TOPIC, detail="no such channel"),))
        adapter = ADAPTERS.get(channel.removeprefix(_RAW))
        if adapter is None:
            return Decoded(refused=(Refused(Refusal.UNKNOWN_ADAPTER, detail="no adapter of this name"),))
        return _decode_raw(adapter, payload, received_at)
    except Exception as bug:  # noqa: BLE001  the last resort: the bytes are in the journal, and the queue goes on
        return Decoded(refused=(Refused(Refusal.MALFORMED, detail=type(bug).__name__),))


def _decode_raw(adapter: Adapter, payload: bytes, received_at: Instant | None) -> Decoded:
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Decoded(refused=(Refused(Refusal.TOO_LARGE, detail=f"at most {PAYLOAD_BYTES_MAX} bytes"),))
    found = opened(payload)
    if isinstance(found, Refused):
        return Decoded(refused=(found,))
    sent, body = found
    if sent is not None:
        return numbered(adapter.decode(body, sent), sent)
    return adapter.decode(body, Sent(received_at, clock=ClockQuality.FREE) if received_at is not None else None)
