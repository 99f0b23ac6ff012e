"""What a session lives through on a real Mosquitto: restarts, rivals, silence, drops, a full inbox."""

import asyncio
import contextlib
import logging

import aiomqtt
import pytest

from gateway.outside import mqtt_source
from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.runtime.ports import Incoming, Session
from tests.support.brokers import mosquitto
from tests.support.listening import PATIENCE_S, listening, publish, publish_many, seqs

pytestmark = pytest.mark.servers

UP, LOST, DRAINED = Session.UP, Session.LOST, Session.DRAINED


def settings(port: int, **more) -> MqttSettings:
    """Settings for a broker on loopback that try again quickly."""
    return MqttSettings(**({"host": "127.0.0.1", "port": port, "backoff_min_s": 0.05, "backoff_max_s": 0.2} | more))


async def until(condition) -> None:
    """Wait for something that no event tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_broker_that_restarts_is_lost_up_and_drained_again(tmp_path, caplog, protocol):
    """Session changes come in true order around the messages, and each is one line in the log."""
    caplog.set_level(logging.INFO, logger="gateway.outside.mqtt_source")
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port, protocol=protocol)) as ear:
            await ear.see(UP, DRAINED)
            broker.stop()
            await ear.see(UP, DRAINED, LOST)
            assert ear.source.finding is not None
            broker.start()
            await ear.see(UP, DRAINED, LOST, UP)
            await publish(broker.port, ("dw/v1/home/p/event", b"back"))
            await ear.see(UP, DRAINED, LOST, UP, DRAINED)
    assert [item if isinstance(item, Session) else item.payload for item in ear.items] == [
        UP,
        DRAINED,
        LOST,
        UP,
        b"back",
        DRAINED,
    ]
    lines = [record.message for record in caplog.records if "broker session" in record.message]
    assert sum("session up" in line for line in lines) == 2
    assert "new: what was published" in lines[0]
    assert "resumed" in lines[-1]


async def test_tickets_of_a_dead_session_acknowledge_nothing(tmp_path):
    """After a restart of the broker the old tickets are void: the messages come again until their new tickets are used."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port), hold=True) as ear:
            await ear.see(UP)
            await publish_many(broker.port, 5)
            old = list(await ear.hear(5))
            broker.stop()
            await ear.see(UP, LOST)
            broker.start()
            await ear.hear(10)
            ear.source.acknowledge(old)
            await ear.fence()
        async with listening(settings(broker.port)) as ear:
            assert seqs(await ear.hear(5)) == [1, 2, 3, 4, 5]
            await ear.fence()
        async with listening(settings(broker.port)) as ear:
            await ear.see(UP, DRAINED)
    assert ear.messages == []


async def test_a_partly_acknowledged_backlog_resumes_where_it_was(tmp_path):
    """Only what was not acknowledged comes again."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port), hold=True) as ear:
            await ear.see(UP)
            await publish_many(broker.port, 10)
            ear.source.acknowledge((await ear.hear(10))[:6])
            await ear.fence()
        async with listening(settings(broker.port)) as ear:
            assert seqs(await ear.hear(4)) == [7, 8, 9, 10]


@pytest.mark.hazard("H-33")
async def test_what_the_broker_drops_is_told(tmp_path):
    """A tiny queue and a stalled gateway: the broker drops, and the source says so with the broker's count."""
    with mosquitto(tmp_path, options={"max_queued_messages": "10", "max_inflight_messages": "5"}) as broker:
        async with listening(settings(broker.port), hold=True) as ear:
            await ear.see(UP)
            await until(lambda: ear.source._dropped_at_broker is not None)
            await publish_many(broker.port, 100)
            await ear.until(lambda ear: len(ear.dropped) > 1)
    assert ear.dropped[0] < ear.dropped[1]
    assert not [message for message in ear.messages if message.topic.startswith("$SYS")]


async def test_only_another_count_is_told(tmp_path):
    """At first and at each change, never before the session is announced; what is no count is passed over."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port, dropped_topic="")) as ear:
            ear.source._on_dropped(b"4")
            await ear.see(UP)
            for payload in (b"7", b"7", b"0", b"not a number", b"", b"-1", b"9" * 5_000, b"3"):
                ear.source._on_dropped(payload)
            await ear.until(lambda ear: len(ear.dropped) == 4)
    assert ear.items[0] is UP
    assert ear.dropped == [4, 7, 0, 3]


@pytest.mark.hazard("H-46", "H-50")
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_rival_with_our_client_id_is_named(tmp_path, protocol):
    """Another client takes the id three times: the source comes back each time and says what it suspects."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port, client_id="twin", protocol=protocol)) as ear:
            for round_ in range(1, 4):
                await ear.until(lambda ear, wanted=round_: ear.sessions.count(UP) == wanted)
                with contextlib.suppress(aiomqtt.MqttError):
                    async with aiomqtt.Client("127.0.0.1", broker.port, identifier="twin") as rival:
                        await ear.until(lambda ear, wanted=round_: ear.sessions.count(LOST) == wanted)
                        assert rival.identifier == "twin"
            await ear.until(lambda ear: ear.sessions.count(UP) == 4)
            assert "does another client use the id 'twin'?" in ear.source.finding


class Passage:
    """A relay on loopback that can stop carrying while its connections stay open, as a dead mobile link does."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._pumps: set[asyncio.Task] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_) -> None:
        self.freeze()
        for writer in self._writers:
            writer.close()
        self._server.close()

    def freeze(self) -> None:
        """Carry nothing more on the connections that there are."""
        for pump in self._pumps:
            pump.cancel()
        self._pumps.clear()

    async def _carry(self, reader, writer) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += [writer, far_writer]
        self._pumps |= {asyncio.create_task(self._pump(*ends)) for ends in ((reader, far_writer), (far_reader, writer))}

    @staticmethod
    async def _pump(reader, writer) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def test_a_half_open_connection_is_noticed_by_the_keepalive(tmp_path):
    """A link that swallows everything without closing is lost after the keepalive, and a new one carries on."""
    with mosquitto(tmp_path) as broker:
        passage = Passage(broker.port)
        async with passage as port, listening(settings(port, keepalive_s=1)) as ear:
            await ear.see(UP)
            passage.freeze()
            await publish_many(broker.port, 20)
            await ear.until(lambda ear: ear.sessions.count(UP) == 2)
            assert seqs(await ear.hear(20)) == list(range(1, 21))
    assert LOST in ear.sessions


@pytest.mark.hazard("H-33")
async def test_a_full_inbox_stops_reading_and_loses_nothing(tmp_path, monkeypatch):
    """When nobody takes, the source stops at its limit (and one read more), and goes on when somebody does."""
    monkeypatch.setattr(mqtt_source, "IN_HAND_MAX", 100)
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port)) as ear:
            await ear.see(UP)
            await publish_many(broker.port, 900)
            await until(lambda: ear.source._link._paused)
            assert 100 <= len(ear.source._inbox._items) < 450
            assert seqs(await ear.hear(900)) == list(range(1, 901))


async def test_a_full_inbox_stays_away_until_somebody_takes(tmp_path, monkeypatch):
    """A session that ends while the inbox is full is not opened again before there is room."""
    monkeypatch.setattr(mqtt_source, "IN_HAND_MAX", 100)
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port), hold=True) as ear:
            await ear.see(UP)
            await publish_many(broker.port, 100)
            await until(lambda: not ear.source._inbox.has_room.is_set())
            connections = ear.source._connections
            ear.source._link.drop()
            ear.source._link._disconnected.set_result(None)
            await until(lambda: ear.source._link is None)
            await ear.until(lambda ear: LOST in ear.sessions)
            await ear.until(lambda ear: ear.sessions.count(UP) == 2)
            assert ear.source._connections == connections + 1
            assert seqs((await ear.hear(200))[100:]) == list(range(1, 101))


async def test_tell_is_bounded_while_the_broker_is_slow(tmp_path):
    """Of 5,000 things told at once the broker gets at most 1,000; the rest is dropped, and nothing grows."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port, topics=("dwack/#",))) as ear:
            await ear.see(UP)
            for number in range(5_000):
                ear.source.tell("dwack/home/p", b"%d" % number)
            await ear.until(lambda ear: len(ear.messages) == 1_000)
            await ear.fence()
    assert [int(message.payload) for message in ear.messages] == list(range(1_000))


async def test_a_cancelled_take_takes_nothing(tmp_path):
    """A reader that gives up waiting leaves what comes later for the next one."""
    source = MqttSource(settings(1))
    waiting = asyncio.create_task(source.take())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    message = Incoming("dw/v1/home/p/event", b"{}", None)
    source._inbox.put(message)
    assert await source.take() == [message]
