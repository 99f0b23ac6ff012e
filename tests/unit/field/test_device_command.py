"""`dripwatch device`: the broker's folder as commands leave it, whatever is asked of it."""

import json
import stat
import subprocess
import tarfile
from base64 import b64decode
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.config.bridge import load_bridge_file
from gateway.field import device
from gateway.field.cli import cli
from gateway.outside import certificates
from gateway.outside.broker_folder import BrokerFolder
from gateway.outside.broker_register import DEVICES_MAX, CannotDo, Device, Register
from gateway.outside.broker_rules import Kind, password_hash
from tests.support.process import binary

SITE = "haem-ward"
NOW = 1_772_409_600_000  # March 2026


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A broker's folder."""
    run(tmp_path / "broker", "ca", "--site", SITE, "--host", "broker.example", "--host", "192.0.2.7")
    return tmp_path / "broker"


def run(folder: Path, *words: str, code: int = 0) -> str:
    """`dripwatch device WORDS` on this folder; all that it said."""
    done = CliRunner().invoke(cli, ["device", *words, "--broker", str(folder)])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


def add(folder: Path, name: str, *options: str) -> dict[str, bytes]:
    """Let somebody in; what its bundle holds."""
    bundle = folder.parent / f"{name}.tar.gz"
    run(folder, "add", name, *options, "--to", str(bundle))
    with tarfile.open(bundle) as packed:
        return {entry.name: packed.extractfile(entry).read() for entry in packed}


def modes(folder: Path) -> dict[str, int]:
    """Permission bits of the files below it."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def test_everything_is_for_its_owner_only(folder: Path):
    """Keys, hashes and lists; and nothing else is left lying about."""
    add(folder, "p1")
    found = modes(folder)
    assert found.pop(".lock")
    assert set(found.values()) == {0o600}
    certificates_and_keys = {"ca.crt", "ca.key", "house.crt", "house.key", "server.crt", "server.key"}
    assert set(found) == {"devices.json", "acl", "passwords", "devices.crl", "house.crl"} | certificates_and_keys
    assert stat.S_IMODE((folder.parent / "p1.tar.gz").stat().st_mode) == 0o600


def test_a_password_is_one_that_mosquitto_would_have_written(tmp_path: Path):
    """Mosquitto's own tool writes a password; ours, with its salt, writes the same."""
    kept = tmp_path / "kept"
    kept.touch(mode=0o600)
    subprocess.run([binary("mosquitto_passwd"), "-b", str(kept), "p1", "geheim"], check=True, capture_output=True)
    theirs = kept.read_text().strip().partition(":")[2]
    salt = b64decode(theirs.split("$")[3])
    assert password_hash("geheim", salt) == theirs


def test_the_bundle_of_a_bridge_is_the_bridge_s_own_file(folder: Path, tmp_path: Path):
    """Unpacked, and with its lines filled in, `dripwatch bridge` loads it; the certificate names the bridge."""
    for name, content in add(folder, "bridge-01", "--for", "pump-1", "--for", "pump-2").items():
        (tmp_path / "pi" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pi" / name).write_bytes(content)
    file = tmp_path / "pi/bridge.yaml"
    file.write_text(file.read_text().replace("\n# lines", "\nlines").replace("\n#   -", "\n  -"))
    loaded = load_bridge_file(file)
    assert (loaded.file.site, loaded.file.name, loaded.mqtt.host, loaded.mqtt.port) == (SITE, "bridge-01", "broker.example", 8883)
    assert loaded.file.lines[0].pump == "pump-1"
    assert loaded.mqtt.tls.key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY")


def test_what_a_pump_is_told(folder: Path):
    """Where the broker is, what it may do there, and a password where it was asked for."""
    held = add(folder, "p1", "--password")
    told = json.loads(held["device.json"])
    assert told["broker"] == {"host": "broker.example", "port": 8884, "tls": True, "protocols": ["3.1.1", "5"]}
    assert (told["username"], told["publish"], told["subscribe"]) == ("p1", [f"dw/v1/{SITE}/p1/#"], [f"dwack/{SITE}/p1"])
    assert sorted(held) == ["device.json", "secrets/ca.crt", "secrets/mqtt-password"]
    assert held["secrets/mqtt-password"].decode() not in (folder / "doors/passwords").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "p1"], "p1 may connect already"),
        (["add", "gateway-2"], "are the gateway's own"),
        (["add", f"{SITE}-watchdog"], "the client id of one of the house's own"),
        (["add", "P 1"], "is no name for a topic"),
        (["add", "p2/#"], "is no name for a topic"),
        (["add", "p2", "--for", "+"], "is no name for a topic"),
        (["add", "p2", "--as", "pump", "--for", "p3"], "speaks for itself only"),
        (["add", "gateway", "--as", "gateway", "--password"], "by a certificate only"),
        (["add", "p2", "--to", "/no/such/folder/p2.tar.gz"], "no such file or directory"),
        (["revoke", "p7"], "p7 may not connect as it is"),
        (["renew", "p7"], "p7 may not connect as it is"),
        (["ca", "--site", "other-ward", "--host", "x"], f"is the broker's folder of {SITE}, not of other-ward"),
        (["ca", "--site", SITE, "--host", "bröker"], "--host: "),
        (["ca", "--site", SITE, "--host", ""], "--host: "),
        (["ca", "--site", SITE, "--host", "x", "--owner", "nobody-of-this-name"], "there is no user"),
    ],
)
def test_refusals_say_what_and_change_nothing(folder: Path, tmp_path: Path, words: list[str], said: str):
    """One line, exit code 2, and the folder as it was."""
    add(folder, "p1")
    add(folder, "watchdog", "--as", "watchdog")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    if words[0] in ("add", "renew") and "--to" not in words:
        words = [*words, "--to", str(tmp_path / "new.tar.gz")]
    assert said in run(folder, *words, code=2)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new.tar.gz").exists()


def test_a_bundle_is_never_written_over(folder: Path):
    """It may be the only copy of a key that opens."""
    bundle = folder.parent / "p1.tar.gz"
    bundle.write_text("mine")
    assert "is there already" in run(folder, "add", "p1", "--to", str(bundle), code=2)
    assert bundle.read_text() == "mine"
    assert BrokerFolder(folder).read().devices == {}


def test_a_folder_that_is_none(tmp_path: Path):
    """Missing, or damaged: said in a line."""
    assert "is no broker's folder yet" in run(tmp_path / "nowhere", "list", code=2)
    assert "is no broker's folder yet" in run(tmp_path / "nowhere", "add", "p1", "--to", str(tmp_path / "x"), code=2)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/devices.json").write_text('{"site": 7}')
    assert "restore it from a backup" in run(tmp_path / "broken", "list", code=2)


def test_the_list_warns_before_a_certificate_ends(folder: Path):
    """Exit 1 within 60 days of the end; a revoked one is nobody's trouble."""
    add(folder, "p1")
    add(folder, "p2", "--password")
    assert "p2                   pump      password" in run(folder, "list")
    add(folder, "p3", "--days", "59")
    assert ": renew it" in run(folder, "list", code=1)
    run(folder, "revoke", "p3")
    assert "revoked" in run(folder, "list")


def test_a_broker_that_moves_gets_another_certificate(folder: Path):
    """`ca` again keeps the authorities, so that every bundle goes on opening."""
    held = add(folder, "p1")
    server = (folder / "doors/server.crt").read_bytes()
    run(folder, "ca", "--site", SITE, "--host", "elsewhere.example")
    assert (folder / "doors/server.crt").read_bytes() != server
    assert (folder / "doors/ca.crt").read_bytes() == held["secrets/ca.crt"]
    assert json.loads(add(folder, "p2")["device.json"])["broker"]["host"] == "elsewhere.example"
    assert list(BrokerFolder(folder).read().devices) == ["p1", "p2"]


def test_a_crash_between_two_files_is_mended_by_the_next_command(folder: Path):
    """The register is written first, and all else from it."""
    add(folder, "p1")
    (folder / "doors/acl").write_text("half")
    (folder / "doors/passwords").unlink()
    add(folder, "p2", "--password")
    assert "user p1\n" in (folder / "doors/acl").read_text()
    assert (folder / "doors/passwords").read_text().startswith("p2:$7$101$")


def test_two_commands_at_once_admit_only_once(folder: Path):
    """Both made credentials for the same name; the second one is refused."""
    broker = BrokerFolder(folder)
    first, second = (broker.prepare(Kind.PUMP, "p1", "tls", (), NOW, 1) for _ in range(2))
    broker.admit(first)
    with pytest.raises(CannotDo, match="by another command meanwhile"):
        broker.admit(second)


def test_the_number_of_devices_has_a_limit():
    """More than one broker serves are refused."""
    devices = {f"p{i}": Device(name=f"p{i}", kind=Kind.PUMP, door="tls", added_at=0) for i in range(DEVICES_MAX)}
    full = Register(site=SITE, hosts=("x",), devices=devices)
    with pytest.raises(CannotDo, match="one broker serves no more"):
        full.check_new(Kind.PUMP, "one-more", ())


def test_a_clock_that_cannot_be_right_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine that believes in 1970 would make credentials that open nothing."""
    monkeypatch.setattr(device, "system_ms", lambda: 7)
    assert "this machine's clock says 1970-01-01" in run(folder, "add", "p1", code=2)


def test_no_certificate_outlives_its_authority(folder: Path):
    """However long was asked for."""
    broker = BrokerFolder(folder)
    ends = certificates.valid_until((folder / "doors/ca.crt").read_bytes())
    late = broker.prepare(Kind.PUMP, "p1", "tls", (), ends - 1_000, 3_650)
    assert late.device.until == ends == certificates.valid_until(late.credentials.own.cert)
