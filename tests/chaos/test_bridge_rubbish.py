"""A bridge among devices and strangers that send rubbish: it goes on, and the next good frame arrives."""

import contextlib
import json
import random
import signal
import socket
import time
from pathlib import Path

import aiomqtt
import pytest

from tests.support.bridge_process import BridgeProcess, bridge_file
from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, until
from tests.support.process import free_port

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

RUBBISH = (b"", b"[]", b"null", b'{"seq": null}', b'{"seq": "x"}', b"\xff", b"[" * 5_000, b'{"boot": "b", "seq": 1e400}')


@pytest.mark.hazard("H-32")
async def test_rubbish_from_every_side_and_a_broker_that_hangs(tmp_path: Path):
    """Megabytes without an end, too many callers, rubbish where the gateway should answer, a broker that stops answering."""
    ours = free_port()
    with mosquitto(tmp_path / "broker") as broker:
        lines = [{"adapter": "generic-json", "listen": ours, "pump": "pump-01"}]
        file = bridge_file(broker.port, lines=lines, last_resort={"after": "60s", "url": "json://127.0.0.1:9/{address}"})
        bridge = BridgeProcess(tmp_path / "bridge", file)
        bridge.start()
        try:
            with contextlib.ExitStack() as calls:
                first = calls.enter_context(until(lambda: connected(ours), "the bridge listens"))
                first.sendall(random.Random(1).randbytes(2_000_000).replace(b"\n", b" "))
                for _ in range(20):
                    calls.enter_context(socket.create_connection(("127.0.0.1", ours)))
                async with aiomqtt.Client("127.0.0.1", broker.port) as stranger:
                    for body in RUBBISH:
                        await stranger.publish(f"dwack/{SITE}/pump-01", body, qos=1)
                async with aiomqtt.Client("127.0.0.1", broker.port) as listener:
                    await listener.subscribe(f"dw/v1/{SITE}/pump-01/raw/#", qos=1)
                    assert broker._process is not None
                    broker._process.send_signal(signal.SIGSTOP)
                    told = {"observed_at": time.time_ns() // 1_000_000, "alarm": "occlusion", "phase": "start"}
                    first.sendall(b"\n" + json.dumps(told).encode() + b"\n")
                    wal = tmp_path / "bridge" / "spool" / "bridge.db-wal"
                    until(lambda: b"occlusion" in wal.read_bytes(), "the alarm is durable")
                    broker._process.send_signal(signal.SIGCONT)
                    async for message in listener.messages:
                        assert isinstance(message.payload, bytes)
                        assert b"occlusion" in message.payload
                        break
        finally:
            assert bridge.stop() == 0
        assert "Traceback" not in bridge.log
        assert "internal error" not in bridge.log


def connected(port: int) -> socket.socket | None:
    """A connection, where somebody listens."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except ConnectionRefusedError:
        return None
