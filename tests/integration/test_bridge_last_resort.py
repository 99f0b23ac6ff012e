"""Nobody answers for an alarm: the bridge tells by its second path, until the gateway has the alarm."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.support.bridge_process import BRIDGE, BridgeProcess, bridge_file
from tests.support.brokers import mosquitto
from tests.support.gateway_process import gateway, post_to, until, ward
from tests.support.process import free_port
from tests.support.web_hook import web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]


@pytest.mark.hazard("H-36")
def test_the_second_path_is_told_until_the_gateway_answers(tmp_path: Path):
    """Without a gateway it is told after its time; a gateway that comes and journals the alarm ends it, also for raw frames."""
    ours = free_port()
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"post": post_to(hook.port)}, {"post": "nurse"})
        parts = {
            "lines": [{"adapter": "generic-json", "listen": ours, "pump": "pump-01"}],
            "last_resort": {"after": "2s", "url": post_to(hook.port)["url"], "address": "daughter"},
        }
        bridge = BridgeProcess(tmp_path / "bridge", bridge_file(broker.port, **parts))
        try:
            with gateway(tmp_path / "gateway", file) as running:
                running.stop()  # the broker knows it now, and keeps what comes
                bridge.start()
                with until(lambda: connected(ours), "the bridge listens") as caller:
                    told = {
                        "observed_at": time.time_ns() // 1_000_000,
                        "alarm": "occlusion",
                        "phase": "start",
                        "text": "Mrs Example",
                    }
                    caller.sendall(json.dumps(told).encode() + b"\n")
                who, body = until(lambda: hook.calls, "the second path is told")[0]
                assert who == "daughter"
                assert "pump-01: an alarm, and the gateway has not answered for 2 s. Look at the pump." in body["message"]
                assert "Example" not in str(body)
                running.start()
                until(lambda: "last resort: over" in bridge.log, "the gateway's answer ends it")
                device = until(lambda: device_of(running.ask("/pumps")), "the gateway knows the bridge")
                assert device["online"] is True
                assert device["bridge"]["dropped"] == 0
            assert [call[0] for call in hook.calls].count("daughter") == 1
        finally:
            assert bridge.stop() == 0


def device_of(pumps: list[dict[str, object]]) -> dict[str, object] | None:
    """The bridge among the devices, once it has told of itself."""
    return next((one for one in pumps if one["device"] == BRIDGE and one["bridge"]), None)


def connected(port: int) -> socket.socket | None:
    """A connection, where somebody listens."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except ConnectionRefusedError:
        return None
