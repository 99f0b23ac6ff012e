"""What deploy/install.sh lays out: a program that starts, units that systemd finds tight, and nothing written over."""

import io
import json
import mmap
import os
import re
import shutil
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, post_to, until, ward
from tests.support.web_hook import web_hook

pytestmark = pytest.mark.servers

UNITS = ("dripwatch.service", "dripwatch-watchdog.service", "dripwatch-backup.service", "dripwatch-backup.timer")
EXPOSURE_MAX = (
    2.5  # of 10, as systemd counts; what remains is the network (and a bridge's ports and pins), without which nobody is paged
)


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


@pytest.mark.hazard("H-73")
@pytest.mark.parametrize(
    "unit", [*(f"systemd/{unit}" for unit in UNITS if unit.endswith(".service")), "pi/dripwatch-bridge.service"]
)
def test_the_services_are_hardened(unit: str):
    """`systemd-analyze security` finds little exposed."""
    found = run("systemd-analyze", "security", "--offline=true", "--no-pager", ROOT / "deploy" / unit)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", found.stdout)
    assert exposure is not None, found.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX, found.stdout


def bundle(folder: Path, *names: str) -> Path:
    """A bundle with these files."""
    path = folder / "bridge-017.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        for name in names:
            content = f"{name}\n".encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("bridge.yaml", "../shadow"), "names files outside its own folder"),
        (("/etc/shadow", "bridge.yaml"), "names files outside its own folder"),
        (("ward.yaml",), "has no bridge.yaml"),
    ],
)
def test_a_bundle_that_is_none_is_refused(tmp_path: Path, names: tuple[str, ...], words: str):
    """Before anything of it is unpacked."""
    root = tmp_path / "root"
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/install.sh").write_text("#!/bin/sh\n")  # the program has nothing to do with it
    (tmp_path / "deploy/install.sh").chmod(0o755)
    shutil.copytree(ROOT / "deploy/pi", tmp_path / "deploy/pi")
    shutil.copytree(ROOT / "deploy/systemd", tmp_path / "deploy/systemd")
    done = run(tmp_path / "deploy/pi/install.sh", "--root", root, "--bundle", bundle(tmp_path, *names))
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not (root / "etc/dripwatch").exists()


def test_a_bridge_on_top_and_uninstall(laid_out: Path, tmp_path: Path):
    """The bridge's installer takes its bundle in and leaves the release before; uninstalling leaves what people wrote."""
    written = laid_out / "etc/dripwatch/ward.yaml"
    written.write_text("site: ours\n")
    data = laid_out / "var/lib/dripwatch/dripwatch.db"
    data.parent.mkdir(parents=True)
    data.write_text("journal")
    first = (laid_out / "opt/dripwatch/current").resolve()
    given = bundle(tmp_path, "bridge.yaml", "secrets/mqtt")
    done = run(ROOT / "deploy/pi/install.sh", "--root", laid_out, "--bundle", given, "--read-only-root", PIP_NO_COMPILE="1")
    assert done.returncode == 0, done.stderr
    assert (laid_out / "opt/dripwatch/current").resolve() != first
    assert first.is_dir()
    assert (laid_out / "etc/dripwatch/secrets/mqtt").read_text() == "secrets/mqtt\n"
    unit = laid_out / "etc/systemd/system/dripwatch-bridge.service"
    (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/dripwatch/", f"{laid_out}/opt/dripwatch/"))
    found = run("systemd-analyze", "verify", tmp_path / unit.name)
    assert (found.returncode, found.stderr) == (0, "")
    gone = run(ROOT / "deploy/uninstall.sh", "--root", laid_out)
    assert gone.returncode == 0, gone.stderr
    left = sorted(str(path.relative_to(laid_out)) for path in laid_out.rglob("*") if path.is_file() or path.is_symlink())
    assert left == [
        "etc/dripwatch/bridge.yaml",
        "etc/dripwatch/secrets/mqtt",
        "etc/dripwatch/ward.yaml",
        "var/lib/dripwatch/dripwatch.db",
    ]


def test_a_read_only_system_is_switched_on_and_off(tmp_path: Path):
    """Twice on is refused; off leaves the spool's own partition, and what somebody else wrote."""
    (tmp_path / "etc").mkdir()
    fstab = tmp_path / "etc/fstab"
    fstab.write_text("PARTUUID=1-02 / ext4 defaults 0 1\n")

    def switched(word: str) -> tuple[int, str]:
        done = run(ROOT / "deploy/pi/read-only-root.sh", word, DRIPWATCH_ROOT=str(tmp_path))
        return done.returncode, (done.stdout + done.stderr).strip()

    assert switched("status") == (0, "off")
    assert switched("on")[0] == 0
    assert switched("on") == (2, "read-only-root: is on already")
    assert (switched("status"), fstab.read_text().count("DRIPWATCH-SPOOL")) == ((0, "on"), 1)
    assert switched("off")[0] == 0
    assert switched("on")[0] == 0
    assert fstab.read_text().count("DRIPWATCH-SPOOL") == 1
    assert fstab.read_text().startswith("PARTUUID=1-02 / ext4 defaults 0 1\n")


def test_every_script_is_sound():
    """Of every script that is shipped, shellcheck has nothing to say."""
    scripts = list((ROOT / "deploy").rglob("*.sh"))
    assert scripts
    found = run("shellcheck", *scripts)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.hazard("H-40")
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


def test_a_release_that_still_runs_is_not_removed(tmp_path: Path):
    """Two upgrades without a restart in between: the running gateway keeps its files, and loses them once it has ended."""
    releases = [tmp_path / "opt/dripwatch" / name for name in ("1-old", "2-running", "3", "4")]
    for day, release in enumerate(releases, 1):
        release.mkdir(parents=True)
        os.utime(release, (day * 86_400, day * 86_400))
    library = releases[1] / "part.so"
    library.write_bytes(bytes(4_096))
    os.utime(releases[1], (2 * 86_400, 2 * 86_400))
    script = (ROOT / "deploy/install.sh").read_text()
    function = script[script.index("forget_old_releases() {") :].partition("\n}\n")[0] + "\n}\n"
    line = ["bash", "-euo", "pipefail", "-c", f"root={tmp_path}\n{function}forget_old_releases"]
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ):
        subprocess.run(line, check=True)
        assert sorted(path.name for path in releases[0].parent.iterdir()) == ["2-running", "3", "4"]
    subprocess.run(line, check=True)
    assert sorted(path.name for path in releases[0].parent.iterdir()) == ["3", "4"]
