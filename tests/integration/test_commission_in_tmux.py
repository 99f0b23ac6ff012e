"""`dripwatch commission` as a technician types it: in a terminal of 80 by 24, on a pump at the end of a cable."""

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.scenario.serial_pumps.bcc import SpacePump
from tests.support.gateway_process import ROOT, until
from tests.support.process import binary
from tests.support.virtual_rack import rack_on_pty

pytestmark = pytest.mark.servers


class Terminal:
    """One tmux server of its own with one window."""

    def __init__(self, socket: Path) -> None:
        self._tmux = [binary("tmux"), "-S", str(socket), "-f", "/dev/null"]

    def open(self, command: str, **environment: str) -> None:
        """Type the command; the window stays when it has ended."""
        line = ["new-session", "-d", "-x", "80", "-y", "24", f"{command}; echo ended $?; read -r _"]
        subprocess.run([*self._tmux, *line], check=True, cwd=ROOT, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})

    def keys(self, *keys: str) -> None:
        """Press them."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def shows(self) -> str:
        """What stands on the screen."""
        done = subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True)
        return done.stdout

    def sees(self, words: str) -> str:
        """Wait until these words are on the screen; returns it."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.shows()
            return words in seen

        with contextlib.suppress(AssertionError):
            until(there, words)
        assert words in seen, f"not on the screen: {words!r}\n{seen}"
        return seen


@contextlib.contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """A terminal for the length of the block."""
    made = Terminal(folder / "tmux")
    try:
        yield made
    finally:
        subprocess.run([*made._tmux, "kill-server"], check=False, capture_output=True)


def test_a_technician_begins_leaves_and_signs(tmp_path: Path):
    """A step passes, the record is incomplete and says so, and `verify` finds it signed; nobody needs a mouse or a colour."""
    records = tmp_path / "records"
    program = f"{shlex.quote(sys.executable)} -m gateway commission"
    with rack_on_pty(slot_11=SpacePump(rate_ml_h=0.6)) as rack, terminal(tmp_path) as screen:
        asked = f"--pump pump-19 --adapter bbraun-bcc --serial {rack.port} --slot 11 --rate 0.6 --no-gateway --as tech"
        screen.open(f"{program} {asked} --folder {shlex.quote(str(records))}", NO_COLOR="1")
        seen = screen.sees("PUMP: delivering, 0.6 mL/h")
        assert seen.count("\n") == 24
        assert "Network pull" in seen
        screen.keys("Enter")
        screen.sees("PASSED: it says that it runs on mains")
        screen.keys("Down", "Down", "Enter")
        screen.sees("0.6 of 0.6 mL/h: +0.0 %")
        screen.keys("w")
        screen.sees("The record will say INCOMPLETE")
        screen.keys("yes", "Enter")
        screen.sees("ended 1")
    (document,) = records.glob("*.json")
    line = [sys.executable, "-m", "gateway", "commission", "verify", str(document)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "signed by this site; unchanged" in done.stdout
    assert "RATE" in done.stdout.upper()
    assert (records / "site.key").stat().st_mode & 0o777 == 0o600
