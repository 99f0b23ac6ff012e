"""The bridge as a process: what it loads, what it says to systemd, and how it refuses."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.bridge.spool import Spool
from tests.support.bridge_process import BridgeProcess, bridge_file
from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, until
from tests.support.process import free_port

LISTENS = [{"adapter": "generic-json", "listen": 65_001, "pump": "pump-01"}]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """`dripwatch bridge` that is expected to end by itself."""
    command = [sys.executable, "-m", "gateway", "bridge", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_bridge_never_loads_the_console_or_the_gateway():
    """What a Raspberry Pi has no room for stays on the disk."""
    code = "import gateway.field.bridge, sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "gateway.bridge.bridge" in loaded
    unwanted = ("gateway.console", "fastapi", "uvicorn", "apprise", "influxdb_client", "gpiozero", "serial", "gateway.app")
    assert loaded.isdisjoint(unwanted)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        ("site: a\n", "name: required, but missing"),
        ("{", "bridge.yaml:1"),
    ],
)
def test_a_wrong_file_ends_it_with_words(tmp_path: Path, content: str | None, words: str):
    """Exit code 2, lines, no traceback."""
    if content is not None:
        (tmp_path / "bridge.yaml").write_text(content)
    done = run("--config", str(tmp_path / "bridge.yaml"))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_spool_that_is_in_use_is_refused(tmp_path: Path):
    """Two bridges on one spool would send each frame twice."""
    path = tmp_path / "bridge.yaml"
    path.write_text(json.dumps(bridge_file(free_port(), lines=LISTENS)))
    spool = Spool.open(tmp_path / "spool" / "bridge.db", max_bytes=1 << 20, max_frames=1_000)
    done = run("--config", str(path))
    spool.close()
    assert (done.returncode, "another bridge uses this spool" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_systemd_hears_ready_alive_and_stopping(tmp_path: Path):
    """Also without a broker and without a pump: that is what its spool is for."""
    lines = [{"adapter": "generic-json", "tcp": f"127.0.0.1:{free_port()}", "pump": "pump-01"}]
    bridge = BridgeProcess(tmp_path / "bridge", bridge_file(free_port(), lines=lines))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        bridge.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
            until(lambda: "nothing listens" in bridge.log, "it says that there is no broker")
        finally:
            assert bridge.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"
    assert "Traceback" not in bridge.log
    assert (tmp_path / "bridge" / "spool" / "bridge.db").stat().st_size > 0


def test_a_check_says_one_line_about_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With a broker, a device, pins and a scale that says nothing: what works and what does not; no spool is made."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    with mosquitto(tmp_path / "broker") as broker, socket.create_server(("127.0.0.1", 0)) as device:
        lines = [{"adapter": "generic-json", "tcp": f"127.0.0.1:{device.getsockname()[1]}", "pump": "pump-01"}, *LISTENS]
        lines[1] = lines[1] | {"pump": "pump-02"}
        scale = {"data": 23, "clock": 24, "tare": 0, "counts_per_g": 400.0}
        file = bridge_file(broker.port, lines=lines) | {
            "clock": "trust",
            "beside": [{"pump": "pump-03", "relay": 5, "scale": scale}],
        }
        path = tmp_path / "bridge.yaml"
        path.write_text(json.dumps(file))
        done = run("--config", str(path), "--check")
    said = dict(line.split("  ", 1)[::-1] for line in done.stdout.splitlines())
    assert done.returncode == 1, done.stderr
    assert [word for words, word in said.items() if words.startswith(("spool", "clock", "line", "pins", "broker"))] == ["ok"] * 6
    assert [words for words, word in said.items() if word == "NO"] == [
        "scale of pump-03: the HX711 on pins 23 and 24 says nothing; look at its four wires"
    ]
    assert not (tmp_path / "spool").exists()


def test_a_check_names_what_cannot_be_reached(tmp_path: Path):
    """Neither broker nor port: a line each, in words."""
    lines = [{"adapter": "bbraun-bcc", "serial": {"port": "/dev/nowhere"}, "slots": {"11": "pump-01"}}]
    path = tmp_path / "bridge.yaml"
    path.write_text(json.dumps(bridge_file(free_port(), lines=lines)))
    done = run("--config", str(path), "--check")
    assert done.returncode == 1
    assert "NO  line: /dev/nowhere: there is no such port; is the cable in?" in done.stdout
    assert "NO  broker: 127.0.0.1:" in done.stdout
    assert "Traceback" not in done.stderr
