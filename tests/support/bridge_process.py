"""The real bridge as a child process, from a file of the test's own; stopped and killed by its pid."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.gateway_process import ROOT, SITE
from tests.support.process import stop

BRIDGE = "bridge-01"


def bridge_file(broker_port: int, **parts: Any) -> dict[str, Any]:
    """A bridge of the test ward that commits every second; `parts` go over that."""
    file = {
        "site": SITE,
        "name": BRIDGE,
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "keepalive": "5s"},
        "clock": "trust",
        "spool": {"path": "spool/bridge.db", "commit": "1s"},
    }
    return file | parts


@dataclass
class BridgeProcess:
    """One bridge with its folder: `stop`, `kill` and `start` again keep file and spool."""

    folder: Path
    file: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / "bridge.yaml"

    @property
    def log(self) -> str:
        """All that it has said on standard error."""
        path = self.folder / "bridge.log"
        return path.read_text() if path.exists() else ""

    def start(self, **environment: str) -> None:
        """Start it and return at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.file, indent=1))
        command = [sys.executable, "-X", "faulthandler", "-m", "gateway", "bridge", "--config", str(self.path)]
        with (self.folder / "bridge.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
            )

    def kill(self) -> None:
        """SIGKILL; return when it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        stop(self.process)
        return int(self.process.returncode)
