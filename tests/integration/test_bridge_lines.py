"""Lines of every kind in a running bridge: serial, a device that is called, devices that call; lost and opened again."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from device_adapters.envelope import opened
from gateway.scenario.serial_pumps.bcc import SpacePump
from tests.support.bridge_process import BRIDGE, BridgeProcess, bridge_file
from tests.support.brokers import Broker, certificates, mosquitto
from tests.support.gateway_process import SITE, until
from tests.support.process import free_port
from tests.support.virtual_rack import rack_on_pty

pytestmark = pytest.mark.servers


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker without secrets."""
    with mosquitto(tmp_path / "broker") as running:
        yield running


def words(**content: Any) -> bytes:
    """One line of a pump that speaks our JSON."""
    return json.dumps({"observed_at": time.time_ns() // 1_000_000} | content).encode() + b"\n"


async def heard(listener: aiomqtt.Client, holds: Callable[[list[aiomqtt.Message]], bool]) -> list[aiomqtt.Message]:
    """Messages until `holds` says that they are enough."""
    found: list[aiomqtt.Message] = []
    async for message in listener.messages:
        found.append(message)
        if holds(found):
            break
    return found


def body_of(message: aiomqtt.Message) -> bytes:
    """The vendor's bytes in an envelope."""
    assert isinstance(message.payload, bytes)
    found = opened(message.payload)
    assert isinstance(found, tuple)
    return found[1]


async def test_devices_call_and_are_called(tmp_path: Path, broker: Broker):
    """A listener takes two callers, a line that was lost is opened again, and each frame is under its pump's name."""
    ours = free_port()
    with socket.create_server(("127.0.0.1", 0)) as device:
        place = f"127.0.0.1:{device.getsockname()[1]}"
        lines = [
            {"adapter": "generic-json", "listen": ours, "pump": "pump-01"},
            {"adapter": "generic-json", "tcp": place, "pump": "pump-02"},
        ]
        bridge = BridgeProcess(tmp_path / "bridge", bridge_file(broker.port, lines=lines))
        async with aiomqtt.Client("127.0.0.1", broker.port) as listener:
            await listener.subscribe(f"dw/v1/{SITE}/+/raw/#", qos=1)
            bridge.start()
            try:
                device.settimeout(30)
                for number in (1, 2):
                    wire, _ = device.accept()
                    wire.sendall(words(rate_ml_h=number))
                    found = await heard(listener, bool)
                    assert str(found[0].topic) == f"dw/v1/{SITE}/pump-02/raw/generic-json"
                    assert json.loads(body_of(found[0]))["rate_ml_h"] == number
                    wire.close()
                callers = [until(lambda: connected(ours), "the bridge listens") for _ in range(2)]
                for number, caller in enumerate(callers):
                    caller.sendall(words(infused_ml=number)[:20])
                for number, caller in enumerate(callers):
                    caller.sendall(words(infused_ml=number)[20:])
                found = await heard(listener, lambda all_: len(all_) == 2)
                assert sorted(json.loads(body_of(one))["infused_ml"] for one in found) == [0, 1]
                for caller in callers:
                    caller.close()
            finally:
                assert bridge.stop() == 0
            await listener.subscribe(f"dw/v1/{SITE}/{BRIDGE}/status", qos=1)
            told = await heard(listener, bool)
            assert json.loads(told[0].payload) == {"online": False}, "it has left in good order"


def connected(port: int) -> socket.socket | None:
    """A connection, where somebody listens."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except ConnectionRefusedError:
        return None


async def test_a_port_that_is_not_there_is_told_and_found_later(tmp_path: Path, broker: Broker):
    """The status names the port and the mend; when the cable is in, frames come, and the finding is gone."""
    port = tmp_path / "ttyUSB0"
    line = {"adapter": "bbraun-bcc", "serial": {"port": str(port)}, "pump": "pump-01"}
    bridge = BridgeProcess(tmp_path / "bridge", bridge_file(broker.port, lines=[line]))
    async with aiomqtt.Client("127.0.0.1", broker.port) as listener:
        await listener.subscribe(f"dw/v1/{SITE}/{BRIDGE}/status", qos=1)
        bridge.start()
        try:
            told = await heard(listener, lambda all_: "is the cable in" in str(findings(all_[-1])))
            assert findings(told[-1]) == [f"{port}: there is no such port; is the cable in?"]
            with rack_on_pty(slot_11=SpacePump()) as rack:
                port.symlink_to(rack.port)
                told = await heard(listener, lambda all_: findings(all_[-1]) == [])
                assert rack.questions > 1
                bridge.kill()
                gone = await heard(listener, lambda all_: json.loads(all_[-1].payload)["online"] is False)
                assert gone
        finally:
            bridge.stop()


def findings(message: aiomqtt.Message) -> list[str]:
    """What a status tells, but for the clock and the disk of the machine that runs the tests."""
    told = json.loads(message.payload).get("bridge", {}).get("findings", [])
    return [item for item in told if not item.startswith(("disk-low", "hot", "under-voltage"))]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_nothing_leaves_the_spool_before_the_broker_has_it(tmp_path: Path, protocol: str):
    """Over TLS with a password: a day's backlog goes out in order, alarms first, once the broker is there."""
    made = certificates(tmp_path / "certificates")
    ours = free_port()
    (tmp_path / "password").write_text("b-secret")
    with mosquitto(tmp_path / "broker", users={"b": "b-secret", "reader": "r"}, tls=made) as broker:
        broker.stop()
        lines = [{"adapter": "generic-json", "listen": ours, "pump": "pump-01"}]
        file = bridge_file(broker.port, lines=lines)
        file["mqtt"] |= {"username": "b", "password_file": str(tmp_path / "password"), "protocol": protocol}
        file["mqtt"]["tls"] = {"ca": str(made.ca)}
        bridge = BridgeProcess(tmp_path / "bridge", file)
        bridge.start()
        try:
            with until(lambda: connected(ours), "the bridge listens") as caller:
                for number in range(300):
                    caller.sendall(words(infused_ml=number))
                caller.sendall(words(alarm="air-in-line", phase="start"))
            spool = tmp_path / "bridge" / "spool" / "bridge.db-wal"
            until(lambda: spool.exists() and b"air-in-line" in spool.read_bytes(), "the alarm is durable")
            bridge.kill()
            broker.start()
            tls = aiomqtt.TLSParameters(ca_certs=str(made.ca))
            async with aiomqtt.Client("127.0.0.1", broker.port, username="reader", password="r", tls_params=tls) as listener:
                await listener.subscribe(f"dw/v1/{SITE}/pump-01/raw/#", qos=1)
                bridge.start()
                found = await heard(listener, lambda all_: len(all_) == 301)
            bodies = [json.loads(body_of(one)) for one in found]
            assert bodies[0]["alarm"] == "air-in-line"
            assert [body["infused_ml"] for body in bodies[1:]] == list(range(300))
        finally:
            assert bridge.stop() == 0
        assert "b-secret" not in bridge.log
