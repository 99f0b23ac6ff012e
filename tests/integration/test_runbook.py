"""Every block of the runbook that can be run is run, in its order, on a ward in the middle of its day."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, SITE, GatewayProcess, gateway, post_to, until, ward
from tests.support.pouring import occlusion, pour
from tests.support.web_hook import web_hook

pytestmark = pytest.mark.servers

BOOK = (ROOT / "deploy" / "runbook.md").read_text()
BLOCKS = re.findall(r"^```sh( may exit 1: [^\n]+)?\n(.*?)^```$", BOOK, re.MULTILINE | re.DOTALL)
SETTINGS = BLOCKS[0][1]  # the names that are meant in all of them
DEVICES = ("pump-17", "bridge-3")


@dataclass(frozen=True, slots=True)
class Machine:
    """The gateway's machine, as far as the book speaks of it: its folders lie below `root`."""

    root: Path
    running: GatewayProcess

    @property
    def desk(self) -> Path:
        """Where the commands are typed: a checkout's `deploy` is here, and what they leave behind."""
        return self.root / "desk"

    def run(self, block: str) -> "subprocess.CompletedProcess[str]":
        """One block in a shell of its own, with this machine's folders and port."""
        text = f"{SETTINGS}\n{block}".replace("127.0.0.1:8080", self.running.file["console"]["listen"])
        for folder in ("/etc/", "/var/lib/"):
            text = re.sub(rf"(?<![\w/.]){folder}", f"{self.root}{folder}", text)
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        environment = {"PATH": path, "HOME": str(self.root), "LANG": os.environ.get("LANG", "C.UTF-8")}
        line = ["bash", "-euo", "pipefail", "-c", text]
        return subprocess.run(line, cwd=self.desk, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """One patient, an alarm that somebody was paged for, a backup of the night, the broker's folder, a program's token."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port), "mail": post_to(hook.port)}, {"web": "nurse-a"})
        for name, person in file["people"].items():
            person["contacts"] = [{"web": name}, {"mail": name}]
        file["policies"]["high"] = file["policies"]["medium"] = {
            "steps": [{"page": ["schedule:nurses"], "wait": "1h"}, {"page": ["person:engineer"], "wait": "1h"}],
            "repeat": {"from_step": 1, "every": "1h"},
        }
        turns = {"every": "1w", "handover": "mon 08:00", "people": ["nurse-a", "engineer"], "starts": "2026-03-02"}
        file["schedules"] = {"nurses": {"rotation": turns}}
        file["journal"]["path"] = str(tmp_path / "var/lib/dripwatch/dripwatch.db")
        with gateway(tmp_path / "etc/dripwatch", file) as running:
            running.enrol("P-017", "pump-17")
            pour(broker.port, [occlusion(SITE, "pump-17")])
            until(lambda: hook.calls, "the page")
            made = Machine(tmp_path, running)
            made.desk.mkdir()
            (made.desk / "deploy").symlink_to(ROOT / "deploy")
            prepared = [
                f"dripwatch device ca --site {SITE} --host broker.ward.example",
                *(f"dripwatch device add {name} --to {name}.first.tar.gz" for name in DEVICES),
                "dripwatch device add gateway --as gateway --to gateway.first.tar.gz",
                "dripwatch backup --journal /var/lib/dripwatch/dripwatch.db --to /var/lib/dripwatch-backups",
                "dripwatch token add monitoring --role read",
            ]
            for line in prepared:
                done = made.run(line)
                assert done.returncode == 0, (line, done.stderr)
            yield made


def test_every_command_of_the_book_runs(machine: Machine):
    """In its order, each with the exit code that it should have; and they did what the book says."""
    said = {}
    for may_exit_1, block in BLOCKS[1:]:
        done = machine.run(block)
        assert done.returncode in ((0, 1) if may_exit_1 else (0,)), f"{block}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        said[block.split("\n", 1)[0]] = done.stdout
    assert "ready" in said["dripwatch doctor"]
    assert "P-017@" in said["dripwatch doctor"]
    board = machine.running.ask("/courses")
    assert [(course["course"], course["pump"]) for course in board] == [("P-018", "pump-18")]
    assert (machine.root / "var/lib/dripwatch-restored/dripwatch.db").is_file()
    assert "bridge-3" in machine.run("dripwatch device list || true").stdout
    assert (machine.desk / "p-017.csv").read_text().startswith("record,at,kind,course,pump,")
    assert (machine.desk / "monitoring.token").read_text().startswith("dw_")
