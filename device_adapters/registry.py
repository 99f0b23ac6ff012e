"""Which adapter reads what: from a topic to a channel, from a channel's payload to readings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from device_adapters.contract import Adapter
from device_adapters.generic_json import GenericJson
from device_adapters.ihe_pcd import IhePcd
from gateway.domain.readings import Decoded, Refusal, Refused
from gateway.domain.words import Channel

_JSON = GenericJson()

ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType(
    {
        adapter.name: adapter
        for adapter in (
            _JSON,
            IhePcd(),
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


def decode(channel: str, payload: bytes) -> Decoded:
    """Read what was published on `channel`; never raises, and gives at least one reading or one refusal.

    Refuses: BAD_TOPIC (no such channel), UNKNOWN_ADAPTER, MALFORMED (an adapter failed: a bug, but the next message must not
    wait for its mending), and what the channel's adapter refuses.
    """
    try:
        if channel in _JSON_CHANNELS:
            return _JSON.decode_channel(channel, payload)
        if not channel.startswith(_RAW):
            return Decoded(refused=(Refused(Refusal.BAD_TOPIC, detail="no such channel"),))
        adapter = ADAPTERS.get(channel.removeprefix(_RAW))
        if adapter is None:
            return Decoded(refused=(Refused(Refusal.UNKNOWN_ADAPTER, detail="no adapter of this name"),))
        return adapter.decode(payload)
    except Exception as bug:  # noqa: BLE001  the last resort: the bytes are in the journal, and the queue goes on
        return Decoded(refused=(Refused(Refusal.MALFORMED, detail=type(bug).__name__),))
