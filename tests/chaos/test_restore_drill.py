"""The drill: the machine dies and its disk with it; yesterday's backup goes on another one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, SITE, gateway, post_to, until, ward
from tests.support.pouring import occlusion, pour
from tests.support.web_hook import WebHook, web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]


def paged(hook: WebHook) -> list[str]:
    """About which course every page so far was."""
    return [body["message"].split()[0] for _, body in hook.calls]


def dripwatch(*words: str) -> "subprocess.CompletedProcess[str]":
    """The command line, to its end."""
    line = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.hazard("H-43")
def test_kill_lose_the_disk_restore(tmp_path: Path):
    """After kill -9 and the loss of the whole folder no page is repeated, no open incident is lost, and new alarms are paged."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"})
        with gateway(tmp_path / "gateway", file) as running:
            for number in (1, 2, 3):
                running.enrol(f"P-{number}", f"pump-{number}")
            pour(broker.port, [occlusion(SITE, "pump-1"), occlusion(SITE, "pump-2")])
            until(lambda: sorted(paged(hook)) == ["P-1", "P-2"], "both pages")
            running.tell("/incidents/P-2/ack")
            until(lambda: all(page["outcome"] for page in running.ask("/pages")), "both outcomes are journalled")
            open_before = {one["key"]: one["state"] for one in running.ask("/incidents")}
            made = dripwatch("backup", "--journal", str(running.journal), "--to", str(tmp_path / "backups"), "--keep", "3")
            assert made.returncode == 0, made.stderr
            (folder,) = (tmp_path / "backups").iterdir()
            token = running.token_file.read_text()

            running.kill()
            shutil.rmtree(running.journal.parent)
            looked = dripwatch("restore", "--from", str(folder), "--to", str(running.journal), "--look")
            assert looked.returncode == 0, looked.stderr
            assert not running.journal.exists()
            put_back = dripwatch("restore", "--from", str(folder), "--to", str(running.journal))
            assert put_back.returncode == 0, put_back.stderr
            running.start()
            assert {one["key"]: one["state"] for one in running.ask("/incidents")} == open_before
            assert running.token_file.read_text() == token
            assert sorted(paged(hook)) == ["P-1", "P-2"]

            pour(broker.port, [occlusion(SITE, "pump-3")])
            until(lambda: "P-3" in paged(hook), "the page of a new alarm")
            assert sorted(paged(hook)) == ["P-1", "P-2", "P-3"]

            again = dripwatch("restore", "--from", str(folder), "--to", str(running.journal))
            assert (again.returncode, "is there already" in again.stderr) == (2, True)
            assert running.stop() == 0
