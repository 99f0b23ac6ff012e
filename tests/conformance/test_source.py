"""What every source must do, on every broker that we run on: Mosquitto with both protocols, and the demo's embedded broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiomqtt
import pytest

from gateway.outside import mqtt_source
from gateway.outside.embedded_broker import embedded_broker
from gateway.outside.mqtt_source import MqttSettings
from gateway.runtime.ports import Incoming, Session
from tests.support.brokers import mosquitto
from tests.support.listening import listening, publish, publish_many, seqs

pytestmark = pytest.mark.servers

TELEMETRY = "dw/v1/home/pump-1/telemetry"
STATUS = "dw/v1/home/pump-1/status"


@dataclass(frozen=True, slots=True)
class World:
    """A broker to run on and how to reach it. `answers_while_stalled` is False for one that is documented not to."""

    settings: MqttSettings
    answers_while_stalled: bool = True

    @property
    def port(self) -> int:
        return self.settings.port


@contextlib.asynccontextmanager
async def on_mosquitto(folder: Path, protocol: str) -> AsyncIterator[World]:
    """The broker of a ward, tuned as in `deploy/`."""
    with mosquitto(folder) as broker:
        yield World(MqttSettings(host="127.0.0.1", port=broker.port, protocol=protocol))


@contextlib.asynccontextmanager
async def on_embedded() -> AsyncIterator[World]:
    """The broker of the demo, with the limits that its module documents."""
    async with embedded_broker() as port:
        yield World(MqttSettings(host="127.0.0.1", port=port, dropped_topic=""), answers_while_stalled=False)


@pytest.fixture(params=["mosquitto 3.1.1", "mosquitto 5", "embedded 3.1.1"])
async def world(request, tmp_path, monkeypatch) -> AsyncIterator[World]:
    """A world on each broker; a backlog counts as read after 0.4 s of quiet instead of 1 s."""
    monkeypatch.setattr(mqtt_source, "QUIET_CHECK_S", 0.1)
    name, protocol = request.param.split()
    async with on_mosquitto(tmp_path / "broker", protocol) if name == "mosquitto" else on_embedded() as made:
        yield made


async def test_messages_come_in_the_order_of_publishing(world):
    """Three hundred messages of one pump come once each, in order, after the session is up."""
    async with listening(world.settings) as ear:
        await ear.see(Session.UP)
        await publish_many(world.port, 300)
        messages = await ear.hear(300)
    assert seqs(messages) == list(range(1, 301))
    assert ear.items[0] is Session.UP


async def test_what_was_not_acknowledged_comes_again(world):
    """A gateway that took messages and stopped without acknowledging them gets the same messages again, in order."""
    async with listening(world.settings, hold=True) as ear:
        await ear.see(Session.UP)
        await publish_many(world.port, 50)
        await ear.hear(50)
    async with listening(world.settings) as ear:
        again = await ear.hear(50)
    assert seqs(again) == list(range(1, 51))


async def test_what_was_acknowledged_does_not_come_again(world):
    """After everything was acknowledged, the next gateway's backlog is empty."""
    async with listening(world.settings) as ear:
        await ear.see(Session.UP)
        await publish_many(world.port, 50)
        await ear.hear(50)
        await ear.fence()
    async with listening(world.settings) as ear:
        await ear.see(Session.UP, Session.DRAINED)
    assert ear.messages == []


async def test_the_broker_keeps_what_is_published_while_we_are_away(world):
    """Messages published between two runs of the gateway are delivered to the second one, in order, before it is drained."""
    async with listening(world.settings) as ear:
        await ear.see(Session.UP)
    await publish_many(world.port, 100)
    async with listening(world.settings) as ear:
        await ear.see(Session.UP, Session.DRAINED)
    assert seqs(ear.messages) == list(range(1, 101))
    assert ear.items[0] is Session.UP
    assert ear.items[-1] is Session.DRAINED


@pytest.mark.hazard("H-33")
async def test_a_stalled_consumer_stops_the_broker_and_loses_nothing(world):
    """Of 5,000 messages at most 1,000 come while nobody acknowledges; then all come, exactly once, in order."""
    async with listening(world.settings, hold=True) as ear:
        await ear.see(Session.UP)
        await publish_many(world.port, 5_000)
        await ear.hear(1)
        if world.answers_while_stalled:
            await ear.fence()
            assert len(ear.messages) <= 1_000
        ear.hold = False
        ear.source.acknowledge(ear.messages)
        messages = await ear.hear(5_000)
        await ear.fence()
    assert seqs(messages) == list(range(1, 5_001))


async def test_unacknowledged_messages_are_no_drained_backlog(world):
    """Quiet because nobody acknowledges is not the end of the backlog: drained is said after the acknowledgement."""
    async with listening(world.settings, hold=True) as ear:
        await ear.see(Session.UP)
        await publish_many(world.port, 10)
        messages = await ear.hear(10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ear.source.take(), 1.0)
        ear.source.acknowledge(messages)
        await ear.see(Session.UP, Session.DRAINED)


@pytest.mark.hazard("H-34")
async def test_a_retained_status_says_that_it_is_retained(world):
    """The status that the broker kept from before we came is marked; the one published while we listen is not."""
    await publish(world.port, (STATUS, b'{"online": true}'), retain=True)
    async with listening(world.settings) as ear:
        await ear.hear(1)
        await publish(world.port, (STATUS, b'{"online": false}'), retain=True)
        first, second = await ear.hear(2)
    assert (first.payload, first.retained) == (b'{"online": true}', True)
    assert (second.payload, second.retained) == (b'{"online": false}', False)


async def test_a_payload_over_the_limit_is_handed_on(world):
    """300 KiB are too large for a decoder and are its business to refuse: the journal keeps them."""
    payload = bytes(range(256)) * 1_200
    async with listening(world.settings) as ear:
        await ear.see(Session.UP)
        await publish(world.port, (TELEMETRY, payload), (TELEMETRY, b"next"))
        first, second = await ear.hear(2)
    assert first.payload == payload
    assert second.payload == b"next"


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_quality_of_service_arrives(world, qos):
    """Publishes of QoS 0 and 2 come like those of QoS 1; acknowledging them is harmless and nothing comes twice."""
    async with listening(world.settings) as ear:
        await ear.see(Session.UP)
        await publish(world.port, (TELEMETRY, b"a"), (TELEMETRY, b"b"), qos=qos)
        messages = await ear.hear(2)
        await ear.fence()
        assert [message.payload for message in messages] == [b"a", b"b"]
    async with listening(world.settings) as ear:
        await ear.see(Session.UP, Session.DRAINED)
    assert ear.messages == []


async def test_a_subscription_for_some_topics_hears_only_those(world):
    """Topics are the settings' own; other traffic of the broker stays outside."""
    async with listening(replace(world.settings, topics=("dw/v1/home/#", "dw/v1/ward/#"))) as ear:
        await ear.see(Session.UP)
        await publish(world.port, ("dw/v1/else/p/event", b"0"), ("dw/v1/home/p/event", b"1"), ("dw/v1/ward/p/event", b"2"))
        messages = await ear.hear(2)
    assert [(m.topic, m.payload) for m in messages] == [("dw/v1/home/p/event", b"1"), ("dw/v1/ward/p/event", b"2")]


async def test_tell_reaches_the_bridge(world):
    """What is told below dwack/ arrives at a bridge that listens there, in order."""
    told = []
    async with aiomqtt.Client("127.0.0.1", world.port) as bridge, listening(world.settings) as ear:
        await bridge.subscribe("dwack/#", qos=1)
        await ear.see(Session.UP)
        for seq in range(30):
            ear.source.tell("dwack/home/pump-1", b"%d" % seq)
        async for message in bridge.messages:
            told.append(bytes(message.payload))
            if len(told) == 30:
                break
    assert told == [b"%d" % seq for seq in range(30)]


@pytest.mark.hazard("H-18")
async def test_tell_refuses_what_a_pump_could_take_for_a_command(world):
    """The gateway publishes below dwack/ and nowhere else, also while there is no session."""
    async with listening(world.settings) as ear:
        with pytest.raises(ValueError, match="dwack/"):
            ear.source.tell("dw/v1/home/pump-1/set-rate", b"10")


async def test_acknowledging_without_a_session_is_nothing(world):
    """Tickets of a session that is gone, and tell before any session, do no harm."""
    async with listening(world.settings, hold=True) as ear:
        ear.source.tell("dwack/home/pump-1", b"too early")
        await ear.see(Session.UP)
        await publish_many(world.port, 3)
        messages = await ear.hear(3)
    ear.source.acknowledge(messages)
    async with listening(world.settings) as later:
        later.source.acknowledge(messages)
        await later.see(Session.UP)
        later.source.acknowledge([Incoming(TELEMETRY, b"{}", None)])
        await later.hear(3)
    assert seqs(later.messages) == [1, 2, 3]
