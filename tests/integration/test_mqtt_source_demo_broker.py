"""The demo's broker: real or packaged, on loopback only, quiet, gone afterwards."""

import socket
from pathlib import Path

import pytest

from gateway.outside import embedded_broker as module
from gateway.outside.embedded_broker import BrokerFailed, demo_broker, embedded_broker, find_mosquitto, mosquitto_broker
from gateway.outside.mqtt_source import MqttSettings
from gateway.runtime.ports import Session
from tests.support.listening import listening, publish_many, seqs
from tests.support.process import binary

pytestmark = pytest.mark.servers

LOOPBACK_HEX = "0100007F"
LISTENING = "0A"


def listeners(port: int) -> set[str]:
    """Addresses on which something listens at this port, as the kernel writes them."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENING and int(row[1].split(":")[1], 16) == port}


def is_free(port: int) -> bool:
    """Whether nothing answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("kind", ["packaged", "real"])
async def test_it_carries_messages_on_loopback_only_and_goes_away(kind, capfd):
    """Either broker takes and delivers, binds nothing but 127.0.0.1, says nothing on the terminal, and frees its port."""
    async with embedded_broker() if kind == "packaged" else mosquitto_broker(binary("mosquitto")) as port:
        assert listeners(port) == {LOOPBACK_HEX}
        async with listening(MqttSettings(host="127.0.0.1", port=port, dropped_topic="")) as ear:
            await ear.see(Session.UP)
            await publish_many(port, 1_000)
            assert seqs(await ear.hear(1_000)) == list(range(1, 1_001))
    assert is_free(port)
    assert capfd.readouterr() == ("", "")


async def test_two_demos_run_side_by_side():
    """Each picks a port of its own."""
    async with embedded_broker() as one, embedded_broker() as other:
        assert one != other


async def test_the_demo_prefers_a_real_mosquitto(monkeypatch):
    """With Mosquitto installed the packaged broker is not started."""
    monkeypatch.setattr(module, "_start_embedded", None)
    async with demo_broker() as port:
        assert not is_free(port)


async def test_the_demo_needs_no_mosquitto(monkeypatch):
    """Without one on the machine the packaged broker serves."""
    monkeypatch.setattr(module, "find_mosquitto", lambda: None)
    monkeypatch.setattr(module, "mosquitto_broker", None)
    async with demo_broker() as port:
        assert not is_free(port)


def test_mosquitto_is_found_where_debian_puts_it(monkeypatch):
    """An ordinary user's PATH has no /usr/sbin; Mosquitto is found all the same."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert find_mosquitto() == binary("mosquitto")


async def test_a_mosquitto_that_ends_at_once_is_named():
    """A program that does not serve is told as what it is, with what it said."""
    with pytest.raises(BrokerFailed, match="ended at once"):
        async with mosquitto_broker("/bin/false"):
            pass


async def test_a_taken_port_is_not_the_end(monkeypatch):
    """When somebody takes the port between choosing and binding, another is chosen."""
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken, free = squatter.getsockname()[1], module._free_port()
        choices = iter([taken, free])
        monkeypatch.setattr(module, "_free_port", lambda: next(choices))
        async with embedded_broker() as port:
            assert port == free
