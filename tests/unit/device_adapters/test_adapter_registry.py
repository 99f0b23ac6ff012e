"""Topics, and which adapter reads what."""

import pytest

from device_adapters import registry
from device_adapters.envelope import Sent
from device_adapters.registry import ADAPTERS, Topic, decode, parse_topic
from device_adapters.template import Template
from gateway.domain.readings import Decoded, LinkStatus, Refusal, Refused
from tests.unit.device_adapters.hl7_encoder import status_message

LONGEST = "a" * 63


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        ("dw/v1/qmh/p1/telemetry", Topic("qmh", "p1", "telemetry")),
        ("dw/v1/qmh/p1/alarm", Topic("qmh", "p1", "alarm")),
        ("dw/v1/qmh/p1/event", Topic("qmh", "p1", "event")),
        ("dw/v1/qmh/p1/status", Topic("qmh", "p1", "status")),
        ("dw/v1/qmh/p1/diary", Topic("qmh", "p1", "diary")),
        ("dw/v1/0-site/p--1/raw/ihe-pcd", Topic("0-site", "p--1", "raw/ihe-pcd")),
        ("dw/v1/qmh/p1/raw/not-yet-written", Topic("qmh", "p1", "raw/not-yet-written")),
        (f"dw/v1/{LONGEST}/{LONGEST}/raw/{LONGEST}", Topic(LONGEST, LONGEST, f"raw/{LONGEST}")),
    ],
)
def test_topics_that_are_read(topic: str, parsed: Topic):
    """Site, device and channel stand in the topic."""
    assert parse_topic(topic) == parsed


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "dw/v1/qmh/p1",
        "dw/v2/qmh/p1/telemetry",
        "dw/v1/QMH/p1/telemetry",
        "dw/v1/-qmh/p1/telemetry",
        "dw/v1/qmh/p_1/telemetry",
        "dw/v1/qmh/p1/gossip",
        "dw/v1/qmh/p1/telemetry/more",
        "dw/v1/qmh/p1/telemetry\n",
        "dw/v1/qmh/p1/raw",
        "dw/v1/qmh/p1/raw/",
        "dw/v1/qmh/p1/raw/a/b",
        "dw/v1/qmh/p\u0661/telemetry",
        f"dw/v1/{LONGEST}a/p1/telemetry",
        "dw/v1/qmh/p1/telemetry" + "x" * 60_000,
    ],
)
def test_topics_that_are_refused(topic: str):
    """Anything else is no topic of ours."""
    refused = parse_topic(topic)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.BAD_TOPIC


def test_the_cache_of_topics_is_bounded():
    """Somebody who invents topics does not fill our memory."""
    assert registry._parse_topic.cache_info().maxsize == registry.TOPICS_CACHED
    before = registry._parse_topic.cache_info().currsize
    parse_topic("x" * 10_000)
    assert registry._parse_topic.cache_info().currsize == before


def test_channels_are_dispatched():
    """JSON channels by name, vendor bytes by the adapter in the topic."""
    assert decode("status", b'{"online": true}').readings == (LinkStatus(observed_at=0, online=True),)
    assert len(decode("raw/ihe-pcd", status_message()).readings) == 1
    assert len(decode("raw/generic-json", b'{"online": true}').readings) == 1
    assert decode("raw/nobody", b"").refused[0].reason is Refusal.UNKNOWN_ADAPTER
    assert decode("gossip", b"").refused[0].reason is Refusal.BAD_TOPIC
    assert decode("raw", b"").refused[0].reason is Refusal.BAD_TOPIC


def test_adapters_are_known_by_their_own_names():
    """The last level of the topic is the adapter's name; the worked example reads no real pump."""
    assert {name: adapter.name for name, adapter in ADAPTERS.items()} == {name: name for name in ADAPTERS}
    assert {"bbraun-bcc", "generic-json", "ihe-pcd", "relay-and-scale"} <= set(ADAPTERS)
    assert Template.name not in ADAPTERS


@pytest.mark.hazard("H-32", "H-49")
def test_an_adapter_that_raises_does_not_block_the_next_message(monkeypatch: pytest.MonkeyPatch):
    """A bug in an adapter becomes a named refusal without the payload."""

    class Broken:
        name = "broken"

        def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:
            raise RuntimeError(payload.decode())

    monkeypatch.setattr(registry, "ADAPTERS", {"broken": Broken()})
    assert decode("raw/broken", b"secret").refused == (Refused(Refusal.MALFORMED, detail="RuntimeError"),)
