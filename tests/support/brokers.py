"""Real Mosquitto brokers on loopback, tuned as in `deploy/`, with passwords or TLS where a test asks for them."""

import contextlib
import getpass
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import binary, free_port, stop, wait_listening

TUNED = {
    "max_inflight_messages": "1000",
    "max_queued_messages": "1000000",
    "persistent_client_expiration": "14d",
    "persistence": "true",
    "set_tcp_nodelay": "true",
    "sys_interval": "1",
}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: a CA, what it signed for the broker (127.0.0.1, localhost) and for a client, and a CA nobody trusts."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    stranger_ca: Path


class Broker:
    """One Mosquitto with its folder: `stop` and `start` keep port and persistence, `kill` is a power cut."""

    def __init__(self, folder: Path, config: Mapping[str, str], *, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"persistence_location {folder}/",
            f"user {getpass.getuser()}",  # started by root it would step down to a user who cannot write here
            *(f"{key} {value}" for key, value in config.items()),
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and return when it listens."""
        with self.log.open("ab") as out:
            command = [binary("mosquitto"), "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        wait_listening(self.port, self._process)

    def stop(self) -> None:
        """End it in good order (it writes its persistence); return when it is gone."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def mosquitto(
    folder: Path,
    *,
    users: Mapping[str, str] | None = None,
    tls: Certificates | None = None,
    want_client_certificate: bool = False,
    options: Mapping[str, str] | None = None,
) -> Iterator[Broker]:
    """A running broker on a free port of 127.0.0.1. `options` go over `TUNED`."""
    config = TUNED | {"allow_anonymous": "false" if users else "true"}
    if users:
        config["password_file"] = str(_password_file(folder, users))
    if tls is not None:
        config |= {"cafile": str(tls.ca), "certfile": str(tls.server_cert), "keyfile": str(tls.server_key)}
        config["require_certificate"] = "true" if want_client_certificate else "false"
    broker = Broker(folder, config | dict(options or {}))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def certificates(folder: Path) -> Certificates:
    """Make fresh ones with openssl (elliptic curves: quick)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "stranger"):
        _openssl(folder, *_NEW_KEY, "-x509", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=test {name}")
    (folder / "san.cnf").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("server", "client"):
        _openssl(folder, *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san.cnf", "-days", "2")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signing)
    return Certificates(
        ca=folder / "ca.pem",
        server_cert=folder / "server.pem",
        server_key=folder / "server.key",
        client_cert=folder / "client.pem",
        client_key=folder / "client.key",
        stranger_ca=folder / "stranger.pem",
    )


_NEW_KEY = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([binary("openssl"), *arguments], cwd=folder, check=True, capture_output=True)


def _password_file(folder: Path, users: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "passwords"
    path.touch(mode=0o600)
    for name, password in users.items():
        subprocess.run([binary("mosquitto_passwd"), "-b", str(path), name, password], check=True, capture_output=True)
    return path
