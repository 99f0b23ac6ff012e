"""The shipped broker: `deploy/mosquitto/mosquitto.conf` but for ports and folders, and credentials as the commands make them."""

import contextlib
import getpass
import ssl
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from gateway.field.cli import cli
from gateway.outside.broker_folder import BrokerFolder
from gateway.outside.mqtt_settings import MqttSettings
from tests.support.process import binary, free_ports, stop, wait_listening

ROOT = Path(__file__).parents[2]
SITE = "haem-ward"
DOORS = {8883: "devices", 8884: "password", 8885: "house"}


@dataclass
class Doors:
    """A broker with its three doors on free ports of 127.0.0.1, and the folder that says who may come in."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def broker(self) -> BrokerFolder:
        """The broker's folder."""
        return BrokerFolder(self.folder / "broker")

    @property
    def config(self) -> Path:
        """The configuration with which it runs."""
        return self.folder / "mosquitto.conf"

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def device(self, *words: str, code: int = 0) -> str:
        """`dripwatch device WORDS` on this broker's folder; what it said."""
        done = CliRunner().invoke(cli, ["device", *words, "--broker", str(self.broker.path)])
        assert done.exit_code == code, f"{words}: {done.exit_code} {done.output}"
        return done.output

    def add(self, name: str, *options: str, verb: str = "add") -> Path:
        """Let somebody in; the folder into which the bundle was unpacked."""
        bundle, at = self.folder / f"{name}.tar.gz", self.folder / name
        bundle.unlink(missing_ok=True)
        self.device(verb, name, *options, "--to", str(bundle))
        with tarfile.open(bundle) as packed:
            packed.extractall(at, filter="data")
        return at

    def start(self) -> None:
        """Start; return when it listens at every door."""
        with (self.folder / "mosquitto.log").open("ab") as out:
            command = [binary("mosquitto"), "-c", str(self.config)]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        for port in self.ports.values():
            wait_listening(port, self.process)

    def restart(self) -> None:
        """What an operator does after each change of the folder: a reload would not do (docs/adr/0032)."""
        assert self.process is not None
        stop(self.process)
        self.start()

    def settings(self, unpacked: Path, door: str, **more: object) -> MqttSettings:
        """How whoever holds these credentials connects there."""
        secrets = unpacked / "secrets"
        password = secrets / "mqtt-password"
        keys = {"tls_cert": str(secrets / "device.crt"), "tls_key": str(secrets / "device.key")}
        who = {"username": unpacked.name, "password": password.read_text()} if password.exists() else keys
        given = {"host": "127.0.0.1", "port": self.ports[door], "tls_ca": str(secrets / "ca.crt"), **who, **more}
        return MqttSettings(backoff_min_s=0.1, **given)  # type: ignore[arg-type]


def shipped(folder: Path, ports: dict[str, int]) -> str:
    """The shipped configuration with these ports, on loopback, and with this folder; a port that it lacks is a failure."""
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text()
    swaps = {f"listener {number}": f"listener {ports[door]} 127.0.0.1" for number, door in DOORS.items()}
    swaps |= {"/etc/mosquitto/doors": str(folder / "broker/doors"), "/var/lib/mosquitto/": f"{folder}/kept/"}
    for old, new in swaps.items():
        assert old in text, f"the shipped configuration has no {old!r}"
        text = text.replace(old, new)
    return f"{text}user {getpass.getuser()}\n"  # started by root it would step down to a user who cannot read here


@contextlib.contextmanager
def doors(folder: Path, *, hosts: Sequence[str] = ("127.0.0.1", "localhost"), more: str = "") -> Iterator[Doors]:
    """The shipped broker for the length of the block; nobody but the gateway may come in yet. `more`: lines of configuration."""
    made = Doors(folder, dict(zip(DOORS.values(), free_ports(3), strict=True)))
    (folder / "kept").mkdir(parents=True)
    made.config.write_text(shipped(folder, made.ports) + more)
    made.device("ca", "--site", SITE, *(word for host in hosts for word in ("--host", host)))
    made.add("gateway", "--as", "gateway", "--for", "test-pump")
    made.start()
    try:
        yield made
    finally:
        if made.process is not None:
            assert made.process.poll() is None, f"the broker ended with {made.process.returncode}:\n{made.log[-2000:]}"
            stop(made.process)


def client_context(unpacked: Path) -> ssl.SSLContext:
    """TLS as whoever holds these credentials speaks it."""
    secrets = unpacked / "secrets"
    context = ssl.create_default_context(cafile=str(secrets / "ca.crt"))
    if (secrets / "device.crt").exists():
        context.load_cert_chain(secrets / "device.crt", secrets / "device.key")
    return context
