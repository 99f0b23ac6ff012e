"""Getting in: passwords, TLS, names, permissions. What is wrong is said in words, and trying goes on."""

import asyncio
import contextlib
import socketserver
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outside import mqtt_link
from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.runtime.ports import Session
from tests.benchmarks.publisher import packets
from tests.support.brokers import Certificates, certificates, mosquitto
from tests.support.listening import PATIENCE_S, listening, publish_many, seqs
from tests.support.process import free_port

pytestmark = pytest.mark.servers

USERS = {"gateway": "right"}
CONNECT, SUBSCRIBE = 0x10, 0x80  # packet types


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Certificates:
    """One set of certificates for all tests here: making them takes a while."""
    return certificates(tmp_path_factory.mktemp("certificates"))


def settings(port: int, **more) -> MqttSettings:
    """Settings for a broker on loopback that try again quickly."""
    return MqttSettings(**({"host": "127.0.0.1", "port": port, "backoff_min_s": 0.05, "backoff_max_s": 0.1} | more))


async def finding_of(source: MqttSource, words: str) -> str:
    """Wait until the source's finding has `words` in it; return it."""
    async with asyncio.timeout(PATIENCE_S):
        while words not in (source.finding or ""):
            await asyncio.sleep(0.01)
    return source.finding


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_the_right_password_opens(tmp_path, protocol):
    """With the right password there is a session and nothing to find."""
    with mosquitto(tmp_path, users=USERS) as broker:
        async with listening(settings(broker.port, username="gateway", password="right", protocol=protocol)) as ear:
            await ear.see(Session.UP)
            assert ear.source.finding is None


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_wrong_password_is_named_without_being_shown(tmp_path, protocol):
    """The finding says that user name or password were refused; it does not repeat the password."""
    with mosquitto(tmp_path, users=USERS) as broker:
        wrong = settings(broker.port, username="gateway", password="not-this-one", protocol=protocol)
        async with listening(wrong) as ear:
            found = await finding_of(ear.source, "refused the user name or password")
    assert "not-this-one" not in found


async def test_a_password_put_right_at_the_broker_lets_us_in(tmp_path):
    """The source keeps trying: when the broker's door opens, the session comes up without a restart."""
    port = free_port()
    async with listening(settings(port)) as ear:
        await finding_of(ear.source, "nothing listens")
        with mosquitto(tmp_path, options={"port": str(free_port()), "listener": f"{port} 127.0.0.1"}):
            await ear.see(Session.UP)
            assert ear.source.finding is None


@pytest.mark.hazard("H-72")
async def test_tls_with_our_own_certificate_carries_messages(tmp_path, made):
    """With the right CA and a client certificate 2,000 messages come through TLS in order."""
    tls = {"tls_ca": str(made.ca), "tls_cert": str(made.client_cert), "tls_key": str(made.client_key)}
    plain = free_port()
    both = {"listener": f"{plain} 127.0.0.1"}
    with mosquitto(tmp_path, tls=made, want_client_certificate=True, options=both) as broker:
        async with listening(settings(broker.port, **tls)) as ear:
            await ear.see(Session.UP)
            await publish_many(plain, 2_000)
            assert seqs(await ear.hear(2_000)) == list(range(1, 2_001))


@pytest.mark.hazard("H-72")
async def test_a_certificate_of_a_stranger_is_not_trusted(tmp_path, made):
    """A broker whose certificate another CA signed gets no password from us; the finding says why."""
    with mosquitto(tmp_path, tls=made) as broker:
        async with listening(settings(broker.port, tls_ca=str(made.stranger_ca))) as ear:
            await finding_of(ear.source, "certificate is not trusted")


async def test_a_missing_client_certificate_is_found(tmp_path, made):
    """A broker that wants a certificate hangs up on us; that is said and does not end the source."""
    with mosquitto(tmp_path, tls=made, want_client_certificate=True) as broker:
        async with listening(settings(broker.port, tls_ca=str(made.ca))) as ear:
            await finding_of(ear.source, "hung up before it answered")


async def test_plain_speech_to_a_tls_port_is_found(tmp_path, made):
    """Forgetting `tls_ca` shows as a broker that hangs up, with the hint at TLS."""
    with mosquitto(tmp_path, tls=made) as broker:
        async with listening(settings(broker.port)) as ear:
            await finding_of(ear.source, "is it a TLS port?")


async def test_an_unreadable_ca_file_is_found(tmp_path):
    """A path that does not exist is named as a file problem, not as the broker's."""
    with mosquitto(tmp_path) as broker:
        async with listening(settings(broker.port, tls_ca=str(Path(tmp_path) / "absent.pem"))) as ear:
            await finding_of(ear.source, "cannot read a TLS file")


@pytest.mark.parametrize("host", ["broker.invalid", "x" * 70 + ".example"])
async def test_a_name_that_does_not_resolve_is_found(host):
    """An unknown host, also one that no name service would take, is a finding and no crash."""
    async with listening(settings(1883, host=host)) as ear:
        await finding_of(ear.source, "does not resolve")


@contextlib.asynccontextmanager
async def speaking(answers: dict[int, bytes]) -> AsyncIterator[int]:
    """Port of something that answers packets of the types in `answers` (`ID`: the packet's own) and ignores all others."""

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            heard = bytearray()
            with contextlib.suppress(OSError):
                while piece := self.request.recv(1_000):
                    heard += piece
                    for kind, body in packets(heard):
                        self.request.sendall(answers.get(kind, b"").replace(b"ID", body[:2]))

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering)
    serving = asyncio.create_task(asyncio.to_thread(server.serve_forever, 0.01))
    try:
        yield server.server_address[1]
    finally:
        await asyncio.to_thread(server.shutdown)
        await serving
        await asyncio.to_thread(server.server_close)  # waits until every caller has hung up


async def test_a_broker_that_never_answers_is_found(monkeypatch):
    """A port that accepts and stays silent does not hold the source for ever."""
    monkeypatch.setattr(mqtt_link, "ANSWER_S", 0.2)
    async with speaking({}) as port, listening(settings(port)) as ear:
        await finding_of(ear.source, "does not answer")


async def test_stopping_while_the_broker_is_silent_stops_at_once():
    """A gateway that is told to end while it waits for an answer ends without one."""
    async with speaking({}) as port, listening(settings(port)) as ear:
        async with asyncio.timeout(PATIENCE_S):
            while not ear.source._connections:
                await asyncio.sleep(0)


@pytest.mark.hazard("H-46")
async def test_a_refused_subscription_is_no_session():
    """A broker that lets us in but does not let us hear must not look like a working session."""
    answers = {CONNECT: b"\x20\x02\x00\x00", SUBSCRIBE: b"\x90\x04ID\x80\x80"}
    async with speaking(answers) as port, listening(settings(port)) as ear:
        await finding_of(ear.source, "refused the subscription to dw/v1/#")
        assert ear.source._inbox._items == []


async def test_a_broker_that_keeps_its_counters_to_itself_is_good_enough():
    """The refusal of the `$SYS` topic alone does not keep us from hearing the pumps."""
    answers = {CONNECT: b"\x20\x02\x00\x00", SUBSCRIBE: b"\x90\x04ID\x01\x80"}
    async with speaking(answers) as port, listening(settings(port)) as ear:
        await ear.see(Session.UP)
