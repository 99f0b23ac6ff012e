"""The technician's tools at the shipped broker, which encrypts and lets in whom it knows: by certificate, and by password."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import app_bridge_check
from gateway.field import commission
from gateway.field.adapter_captures import read_capture
from gateway.field.adapter_live import listen
from gateway.field.cli import cli
from tests.support.doors import SITE, Doors, doors
from tests.support.process import binary

pytestmark = pytest.mark.servers

CERTIFICATE, PASSWORD = "bench-1", "bench-2"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Two benches that see the whole ward and one that sees p2 only; p1 has said something, and the broker keeps it."""
    with doors(tmp_path_factory.mktemp("doors")) as made:
        made.add(CERTIFICATE, "--as", "bench")
        made.add(PASSWORD, "--as", "bench", "--password")
        made.add("bench-3", "--as", "bench", "--for", "p2", "--password")
        made.add("bridge-1", "--for", "p2", "--for", "p1", "--password")
        made.restart()
        at = [binary("mosquitto_pub"), "-p", str(made.ports["password"]), "--cafile", str(secret(made, "bridge-1", "ca.crt"))]
        who = ["-u", "bridge-1", "-P", secret(made, "bridge-1", "mqtt-password").read_text()]
        said = ["-q", "1", "-r", "-t", f"dw/v1/{SITE}/p1/telemetry", "-m", '{"observed_at": 1772409600000, "rate_ml_h": 0.6}']
        subprocess.run([*at, *who, *said], check=True)
        yield made


def secret(house: Doors, name: str, file: str) -> Path:
    """A file of somebody's bundle."""
    return house.folder / name / "secrets" / file


def let_in(house: Doors, name: str) -> list[str]:
    """The options that a bundle stands for."""
    words = ["--ca", str(secret(house, name, "ca.crt"))]
    if secret(house, name, "mqtt-password").exists():
        password = str(secret(house, name, "mqtt-password"))
        return ["--mqtt", f"localhost:{house.ports['password']}", *words, "--username", name, "--password-file", password]
    cert, key = (str(secret(house, name, file)) for file in ("device.crt", "device.key"))
    return ["--mqtt", f"127.0.0.1:{house.ports['devices']}", *words, "--cert", cert, "--key", key]


def adapter(*words: object) -> Result:
    """`dripwatch adapter WORDS`."""
    return CliRunner().invoke(cli, ["adapter", *map(str, words)])


@pytest.mark.hazard("H-72")
@pytest.mark.parametrize("name", [CERTIFICATE, PASSWORD])
def test_a_bench_hears_the_ward_and_records_it(house: Doors, tmp_path: Path, name: str):
    """Decode, check and capture come in at either door, over TLS."""
    where = let_in(house, name)
    assert "rate_ml_h 0.6" in adapter("decode", *where, "--frames", 1, "--readings").stdout
    assert "1 of 1 frames without a refusal" in adapter("check", *where, "--frames", 1).stdout
    assert adapter("capture", *where, "--frames", 1, "--out", tmp_path / "c.jsonl").exit_code == 0
    assert [caught.topic for caught in read_capture(tmp_path / "c.jsonl")] == [f"dw/v1/{SITE}/p1/telemetry"]


def test_a_commissioning_listens_the_same_way(house: Doors):
    """The screen's own way to the broker: the pump's topics, with the credentials of either door."""
    for name in (CERTIFICATE, PASSWORD):
        words = ["--pump", "p1", "--adapter", "generic-json", *let_in(house, name)]
        live = commission._live(commission.commission.make_context("commission", words).params, SITE)
        heard: list[str] = []
        listen(live, lambda caught, heard=heard: heard.append(caught.topic), heard.append, seconds=30)
        assert heard == [f"dw/v1/{SITE}/p1/telemetry"]


def test_a_bench_hears_no_more_than_it_may_and_says_nothing(house: Doors, tmp_path: Path):
    """One for p2 hears nothing of p1; what is played with a bench's credentials the broker refuses, and that is told."""
    quiet = adapter("capture", *let_in(house, "bench-3"), "--seconds", 1, "--out", tmp_path / "none.jsonl")
    assert (quiet.exit_code, (tmp_path / "none.jsonl").exists()) == (1, False)
    assert "nothing came" in quiet.stderr
    adapter("capture", *let_in(house, CERTIFICATE), "--frames", 1, "--out", tmp_path / "c.jsonl")
    refused = adapter("replay", tmp_path / "c.jsonl", *let_in(house, PASSWORD), "--site", SITE)
    assert refused.exit_code == 1
    assert f"lets us not write to dw/v1/{SITE}/p1/telemetry; see its access rules" in refused.stderr
    played = adapter("replay", tmp_path / "c.jsonl", *let_in(house, "bridge-1"), "--site", SITE)
    assert (played.exit_code, played.stdout) == (0, "1 frames in 0.0 s, as p1\n")


def test_what_is_wrong_with_the_credentials_is_said(house: Doors, tmp_path: Path):
    """No certificate where one is asked for, another's authority, a wrong password: one line each, and no secret in it."""
    (tmp_path / "wrong").write_text("geheim")
    ca, devices, password = (str(secret(house, PASSWORD, "ca.crt")), *(house.ports[door] for door in ("devices", "password")))
    other = str(house.broker.doors / "house.crt")
    user = ["--username", PASSWORD, "--password-file", tmp_path / "wrong"]
    for words, said in (
        ([f"127.0.0.1:{devices}", "--ca", ca], "does it ask for a certificate of ours?"),
        ([f"127.0.0.1:{devices}"], "is it a TLS port?"),
        ([f"127.0.0.1:{password}", "--ca", other], "the broker's certificate is not trusted"),
        ([f"127.0.0.1:{password}", "--tls"], "the broker's certificate is not trusted"),
        ([f"127.0.0.1:{password}", "--ca", ca, *user], "refused the user name or password"),
    ):
        file = capture_of_one(tmp_path)
        for found in (adapter("decode", "--mqtt", *words), adapter("replay", file, "--mqtt", *words, "--site", SITE)):
            assert (found.exit_code, len(found.stderr.splitlines()), "geheim" in found.stderr) == (1, 1, False)
            assert said in found.stderr


def capture_of_one(folder: Path) -> Path:
    """A capture with one message of p1."""
    path = folder / "one.jsonl"
    frame = {"at": 1, "channel": "telemetry", "topic": f"dw/v1/{SITE}/p1/telemetry", "hex": "7b7d"}
    path.write_text(f'{{"dripwatch_capture": 1, "from": "mqtt", "at": 1}}\n{json.dumps(frame)}\n')
    return path


@pytest.mark.hazard("H-72")
def test_an_empty_tls_trusts_the_systems_authorities(house: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`tls: {}` speaks TLS: with the broker's authority among the system's it gets in, without it the password is kept back."""
    file = tmp_path / "bridge.yaml"
    broker = {"host": "localhost", "port": house.ports["password"], "tls": {}, "username": "bridge-1"}
    broker["password_file"] = str(secret(house, "bridge-1", "mqtt-password"))
    lines = [{"adapter": "generic-json", "listen": 1, "pump": "p2"}]
    whole = {"site": SITE, "name": "bridge-1", "clock": "trust", "spool": {"max_bytes": "1MiB"}, "mqtt": broker, "lines": lines}
    file.write_text(json.dumps(whole))
    monkeypatch.setattr(app_bridge_check, "PATIENCE_S", 4.0)
    said: list[str] = []
    assert app_bridge_check.check_bridge(file, said.append) == 1
    assert "certificate is not trusted" in said[-1]
    monkeypatch.setenv("SSL_CERT_FILE", str(secret(house, "bridge-1", "ca.crt")))
    assert app_bridge_check.check_bridge(file, said.append) == 0
    assert said[-1] == f"ok  broker: localhost:{house.ports['password']} lets us in"
