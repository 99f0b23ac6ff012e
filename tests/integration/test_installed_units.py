"""What deploy/install.sh lays out: a program that starts, units that systemd finds tight, and nothing written over."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, post_to, until, ward
from tests.support.web_hook import web_hook

pytestmark = pytest.mark.servers

UNITS = ("dripwatch.service", "dripwatch-watchdog.service", "dripwatch-backup.service", "dripwatch-backup.timer")
EXPOSURE_MAX = 2.0  # of 10, as systemd counts; what remains is the network, and a service without it pages nobody


def run(*words: str | Path, **extra: str) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    environment = os.environ | extra
    return subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, env=environment)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of one installation; bytecode is left out, for speed."""
    root = tmp_path_factory.mktemp("root")
    done = run(ROOT / "deploy/install.sh", "--root", root, PIP_NO_COMPILE="1")
    assert done.returncode == 0, done.stderr
    return root


def test_the_program_that_was_laid_out_starts(laid_out: Path):
    """It has its templates, rules and example with it, and reads the ward file that stands in /etc/dripwatch."""
    installed = laid_out / "opt/dripwatch/current"
    asked = run(installed / "bin/python", "-P", "-m", "gateway", "rules", "explain")
    assert asked.returncode == 0, asked.stderr
    packages = next(installed.glob("lib/python3*/site-packages"))
    for kind in ("*.html", "*.css", "*.js", "*.yaml", "*.svg"):
        shipped = {path.relative_to(ROOT) for path in (ROOT / "gateway").rglob(kind)}
        assert {path.relative_to(packages) for path in (packages / "gateway").rglob(kind)} == shipped, kind
    assert (laid_out / "etc/dripwatch/ward.yaml").read_text() == (ROOT / "deploy/ward.example.yaml").read_text()
    assert (installed / "bin/dripwatch").read_text().startswith("#!/opt/dripwatch/")


def test_systemd_accepts_the_units(laid_out: Path, tmp_path: Path):
    """`systemd-analyze verify` has no word against any of them."""
    for unit in UNITS:
        text = (laid_out / "etc/systemd/system" / unit).read_text()
        (tmp_path / unit).write_text(text.replace("/opt/dripwatch/", f"{laid_out}/opt/dripwatch/"))
    found = run("systemd-analyze", "verify", *(tmp_path / unit for unit in UNITS))
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_the_services_are_hardened(unit: str):
    """`systemd-analyze security` finds little exposed."""
    found = run("systemd-analyze", "security", "--offline=true", "--no-pager", ROOT / "deploy/systemd" / unit)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", found.stdout)
    assert exposure is not None, found.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX, found.stdout


def test_install_again_and_uninstall(laid_out: Path):
    """A second run leaves the ward file and the release before; uninstalling takes the program and leaves what people wrote."""
    written = laid_out / "etc/dripwatch/ward.yaml"
    written.write_text("site: ours\n")
    data = laid_out / "var/lib/dripwatch/dripwatch.db"
    data.parent.mkdir(parents=True)
    data.write_text("journal")
    first = (laid_out / "opt/dripwatch/current").resolve()
    done = run(ROOT / "deploy/install.sh", "--root", laid_out, PIP_NO_COMPILE="1")
    assert done.returncode == 0, done.stderr
    assert (laid_out / "opt/dripwatch/current").resolve() != first
    assert first.is_dir()
    gone = run(ROOT / "deploy/uninstall.sh", "--root", laid_out)
    assert gone.returncode == 0, gone.stderr
    assert written.read_text() == "site: ours\n"
    assert data.read_text() == "journal"
    left = sorted(str(path.relative_to(laid_out)) for path in laid_out.rglob("*") if path.is_file() or path.is_symlink())
    assert left == ["etc/dripwatch/ward.yaml", "var/lib/dripwatch/dripwatch.db"]


def test_every_script_is_sound():
    """Of every script that is shipped, shellcheck has nothing to say."""
    scripts = list((ROOT / "deploy").rglob("*.sh"))
    assert scripts
    found = run("shellcheck", *scripts)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_service_manager_hears_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """READY comes when it serves, WATCHDOG after the first audit, STOPPING when it is told to end."""
    path = tmp_path / "notify"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        mosquitto(tmp_path / "broker") as broker,
        web_hook() as hook,
    ):
        manager.bind(str(path))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        running = GatewayProcess(tmp_path / "gateway", ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}))
        try:
            running.spawn()
            assert manager.recv(100) == b"READY=1"
            until(running.is_ready, "the gateway is ready")
            assert manager.recv(100) == b"WATCHDOG=1"
            assert running.stop() == 0
            assert manager.recv(100) == b"STOPPING=1"
        finally:
            running.client.close()
            if running.process is not None and running.process.poll() is None:
                running.kill()
    assert json.loads(running.ward_file.read_text())["site"]
