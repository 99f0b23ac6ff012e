"""The demo as somebody meets it who has nothing but Python: it shows a day, and ends when it is told to, without a word."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.gateway_process import until
from tests.support.process import free_port, stop

ROOT = Path(__file__).parents[2]
NO_MOSQUITTO = "import gateway.outside.embedded_broker as own; own.find_mosquitto = lambda: None; "
MAIN = "from gateway.__main__ import main; main()"
GREETING = re.compile(r"--url (http://127\.0\.0\.1:\d+) --token-file (\S+)")


def courses_at(words: str) -> list[dict[str, object]]:
    """What the board of this demo knows; none while it is not there yet."""
    found = GREETING.search(words)
    if found is None:
        return []
    try:
        key = {"Authorization": f"Bearer {Path(found[2]).read_text().strip()}"}
        return list(httpx.get(f"{found[1]}/api/v1/courses", headers=key, timeout=5).raise_for_status().json())
    except (OSError, httpx.TransportError):
        return []


@pytest.mark.servers
@pytest.mark.parametrize(
    ("broker", "number"),
    [
        ("mosquitto", signal.SIGINT),
        ("mosquitto", signal.SIGTERM),
        ("packaged", signal.SIGINT),
        ("packaged", signal.SIGHUP),
    ],
)
def test_the_demo_ends_when_it_is_told_to(broker: str, number: signal.Signals, tmp_path: Path):
    """Ctrl-C reaches every process of the terminal at once, its broker too: no traceback, nobody left, nothing on the disk."""
    program = (NO_MOSQUITTO if broker == "packaged" else "") + MAIN
    said, complaints = tmp_path / "said", tmp_path / "complaints"
    with said.open("wb") as out, complaints.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "demo", "--no-browser", "--speed", "600", "--port", str(free_port())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        )
    try:
        until(lambda: len(courses_at(said.read_text())) == 6, "six homes are on the board")
        (os.kill if number is signal.SIGTERM else os.killpg)(process.pid, number)
        assert process.wait(timeout=60) == 0
    finally:
        stop(process)
    assert complaints.read_text() == ""
    assert "Traceback" not in said.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
