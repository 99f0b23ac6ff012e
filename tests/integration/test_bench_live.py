"""The technician's bench on live devices: a virtual pump on a pty, TCP, a real mosquitto, and a gateway that sees a replay."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.field.adapter_captures import read_capture
from gateway.field.cli import cli
from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, SITE, gateway, post_to, until, ward
from tests.support.process import binary, free_port, stop

pytestmark = pytest.mark.servers

PUMP = "pump-017"


def bench(*words: object) -> subprocess.Popen[str]:
    """`dripwatch …` in a process of its own, which hears Ctrl-C also where this one was started in the background."""
    command = ["env", "--default-signal=INT", sys.executable, "-m", "gateway", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=os.environ | {"NO_COLOR": "1"}
    )


def done(*words: object) -> Result:
    """The same in this process, to its end."""
    return CliRunner().invoke(cli, [str(word) for word in words])


@contextmanager
def virtual(family: str, link: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """A virtual pump on a port of this name, once it is there; orders are written to its standard input."""
    process = bench("simulate", "--serial", family, "--link", link, *words)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(link), process.stderr
        yield process
    finally:
        process.communicate("quit\n", timeout=30)
        assert process.returncode == 0
        assert not link.is_symlink()


def order(pump: subprocess.Popen[str], text: str) -> None:
    """Type an order."""
    assert pump.stdin is not None
    pump.stdin.write(text + "\n")
    pump.stdin.flush()


def test_a_pump_on_a_port_is_captured_until_ctrl_c_and_shown_on_the_board(tmp_path: Path):
    """Record a pump that alarms, play it onto a real broker ten times as fast: the gateway's board shows pump and alarm."""
    link, file = tmp_path / "port", tmp_path / "c.jsonl"
    with virtual("bbraun-bcc", link) as pump:
        recording = bench("adapter", "capture", "--serial", link, "--adapter", "bbraun-bcc", "--out", file)
        until(lambda: file.exists() and len(list(read_capture(file))) >= 2, "two answers are recorded")
        order(pump, "alarm air-in-line")
        until(lambda: b"INA15,1" in list(read_capture(file))[-1].body, "the alarm is recorded")
        recording.send_signal(signal.SIGINT)
        out, err = recording.communicate(timeout=30)
        assert (recording.returncode, err) == (0, "")
        assert "It may hold names" in out
    with mosquitto(tmp_path / "broker") as broker:
        ward_file = ward(broker.port, {"hook": post_to(free_port())}, {"hook": "nurse"})
        with gateway(tmp_path / "gateway", ward_file) as running:
            running.enrol("P-017", PUMP)
            place = ["--mqtt", f"127.0.0.1:{broker.port}", "--site", SITE, "--device", PUMP, "--speed", "10"]
            for _ in range(2):  # the second is a numbering of its own, and no repeat
                played = done("adapter", "replay", file, *place)
                assert (played.exit_code, played.stderr) == (0, "")
            until(lambda: running.ask("/courses")[0]["conditions"] == ["air-in-line"], "the board shows the pump's alarm")
            pump = running.ask(f"/pumps/{PUMP}")
            assert (pump["restarts"], pump["repeats"], pump["refusals"]) == (1, 0, {})


def test_a_check_finds_what_was_provoked_and_that_only_questions_were_asked(tmp_path: Path):
    """Live, with a script that raises one alarm: its law holds, those of the others do not, exit code 1."""
    script = tmp_path / "script"
    script.write_text("0.2 alarm occlusion\n2.5 clear  # by hand\n")
    with virtual("bbraun-bcc", tmp_path / "port", "--script", script):
        found = done("adapter", "check", "--serial", tmp_path / "port", "--adapter", "bbraun-bcc", "--seconds", "5", "--json")
    laws = {item["law"]: item for item in json.loads(found.stdout)}
    assert found.exit_code == 1
    assert laws["occlusion"]["holds"]
    assert not laws["door-open"]["holds"]
    assert "all of them reading ones" in laws["read-only"]["words"]
    assert all(laws[law]["holds"] for law in ("read", "bounds", "chunking", "resync", "times", "infused_ml"))


def test_a_bad_line_is_told_and_read_on(tmp_path: Path):
    """Wrong checks are refused by name, and a cable that is pulled and put in again goes on by itself."""
    bad = ("--wrong-checksum", "3", "--disconnect-every", "3")
    with virtual("bbraun-bcc", tmp_path / "port", *bad):
        words = ("--serial", tmp_path / "port", "--adapter", "bbraun-bcc", "--readings", "--frames", "5")
        found = done("adapter", "decode", *words)
    assert found.exit_code == 0, found.stderr
    assert "refused: bad-checksum at check" in found.stdout
    assert "waiting for it" in found.stderr
    assert "the line is open again" in found.stderr
    assert "delivery_status delivering" in found.stdout


def test_a_box_beside_a_pump_is_decoded_live(tmp_path: Path):
    """It speaks unasked; three frames are enough, two of them at once after an order."""
    with virtual("relay-and-scale", tmp_path / "port", "--every", "1") as box:
        order(box, "alarm")
        words = ("--serial", tmp_path / "port", "--adapter", "relay-and-scale", "--frames", "3", "--json")
        found = done("adapter", "decode", *words)
    frames = [json.loads(line) for line in found.stdout.splitlines()]
    assert (found.exit_code, len(frames)) == (0, 3)
    assert frames[-1]["readings"][-1]["phase"] == "continue"


def test_a_device_behind_tcp_and_one_behind_a_broker(tmp_path: Path):
    """A serial server, whose bytes are recorded as they come; and telemetry on a topic, explained; silence ends by the time."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(b'{"relay": "idle", "light": "green"}\n')
                caller.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        place, file = f"127.0.0.1:{server.getsockname()[1]}", tmp_path / "c.jsonl"
        found = done("adapter", "capture", "--tcp", place, "--frames", "1", "--out", file)
        thread.join()
    assert found.exit_code == 0
    assert [caught.channel for caught in read_capture(file)] == ["bytes"]
    with mosquitto(tmp_path / "broker") as broker:
        topic = f"dw/v1/{SITE}/{PUMP}/telemetry"
        publish = [binary("mosquitto_pub"), "-p", str(broker.port), "-t", topic, "-r", "-q", "1"]
        subprocess.run([*publish, "-m", '{"observed_at": 1772409600000, "rate_ml_h": 0.6}'], check=True)
        where = ("--mqtt", f"127.0.0.1:{broker.port}")
        found = done("adapter", "decode", *where, "--frames", "1")
        assert "what flows now: 0.6 mL/h" in found.stdout
        assert topic in found.stdout
        quiet = done("adapter", "decode", *where, "--topic", "dw/v1/nowhere/#", "--seconds", "0.5")
        assert (quiet.exit_code, quiet.stderr) == (1, "dripwatch: no frame\n")
        broker.stop()
        gone = done("adapter", "decode", *where)
        assert (gone.exit_code, len(gone.stderr.splitlines())) == (1, 1)
        assert "nothing listens at the broker's address" in gone.stderr
        gone = done("adapter", "replay", capture_of_telemetry(tmp_path), *where, "--site", SITE)
        assert (gone.exit_code, "nothing listens at the broker's address" in gone.stderr) == (1, True)


def capture_of_telemetry(folder: Path) -> Path:
    """A capture of one message."""
    path = folder / "t.jsonl"
    lines = [
        {"dripwatch_capture": 1, "from": "mqtt", "at": 1},
        {"at": 1, "channel": "telemetry", "topic": f"dw/v1/{SITE}/{PUMP}/telemetry", "hex": b"{}".hex()},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_killed_virtual_pump_leaves_its_name_free(tmp_path: Path):
    """After SIGKILL the link is stale; the next pump takes the name over, and a file of that name is left alone."""
    link = tmp_path / "port"
    first = bench("simulate", "--serial", "bbraun-bcc", "--link", link)
    assert first.stdout is not None
    first.stdout.readline()
    first.kill()
    first.communicate()
    assert link.is_symlink()
    link.unlink()
    link.symlink_to("/dev/pts/999999")  # as it was, but for certain: another program may have got the dead pump's number since
    with virtual("bbraun-bcc", link):
        pass
    link.write_text("mine")
    refused = done("simulate", "--serial", "bbraun-bcc", "--link", link)
    assert (refused.exit_code, link.read_text()) == (2, "mine")
    stop(first)
