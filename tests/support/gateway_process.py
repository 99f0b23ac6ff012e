"""The real gateway as a child process, from a ward file of the test's own; stopped and killed by its pid."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Kind, Record
from tests.support.process import free_port, stop

SITE = "haem-ward"
ENGINEER = "engineer@ward.example"
PATIENCE_S = 30.0
ROOT = Path(__file__).parents[2]
POLL_S = 0.02


def mail_to(port: int) -> dict[str, str]:
    """A transport that mails through this SMTP server."""
    return {"kind": "apprise", "url": f"mailto://127.0.0.1:{port}/?mode=insecure&from=dripwatch@ward.example&to={{address}}"}


def post_to(port: int) -> dict[str, str]:
    """A transport that posts JSON to this HTTP server; the contact's address is the last part of the path."""
    return {"kind": "apprise", "url": f"json://127.0.0.1:{port}/{{address}}"}


def ward(
    broker_port: int,
    transports: Mapping[str, Mapping[str, str]],
    contact: Mapping[str, str],
    *,
    influx: Mapping[str, str] | None = None,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
    journal: str = "data/dripwatch.db",
) -> dict[str, Any]:
    """A ward file with one nurse; `ENGINEER` is the fallback. Alarms and stops are high and fire at once, unless `rules` differs.

    Each policy waits for an hour, so that within a test a page is sent again only because its first try failed.
    """
    policy = {
        "steps": [{"page": ["person:nurse-a"], "wait": "1h"}],
        "repeat": {"from_step": 1, "every": "1h"},
        "ack_lease": "30m",
    }
    file: dict[str, Any] = {
        "site": SITE,
        "timezone": "Asia/Hong_Kong",
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "client_id": "dripwatch-under-test"},
        "journal": {"path": journal},
        "console": {"listen": f"127.0.0.1:{free_port()}"},
        "transports": {name: dict(transport) for name, transport in transports.items()},
        "people": {
            "nurse-a": {"contacts": [dict(contact)]},
            "engineer": {"contacts": [dict.fromkeys(contact, ENGINEER)]},
        },
        "policies": {"high": policy, "medium": policy, "low": {"steps": []}, "fallback": ["person:engineer"]},
        "protocols": ["blinatumomab_home"],
        "rules": {"alarm-persistent": {"hold": "0s"}, "delivery-interrupted": {"hold": "0s", "priority": "high"}}
        | dict(rules or {}),
    }
    if influx is not None:
        file["influx"] = dict(influx)
    return file


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Poll until `holds()` is true and return what it gave; fail with `what` when the time is over."""
    end = time.monotonic() + seconds
    while not (given := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(POLL_S)
    return given


@dataclass
class GatewayProcess:
    """One gateway with its folder: `stop`, `kill` and `start` again keep ward file, journal and token."""

    folder: Path
    file: dict[str, Any]
    program: str = "gateway"
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False)
        self.write_ward()

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{self.file['console']['listen']}"

    @property
    def ward_file(self) -> Path:
        """The ward file."""
        return self.folder / "ward.yaml"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / str(self.file["journal"]["path"])

    @property
    def token_file(self) -> Path:
        """The API's token."""
        return self.journal.parent / "api-token"

    @property
    def bearer(self) -> dict[str, str]:
        """The header that makes us the administrator."""
        return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}

    @property
    def pid(self) -> int:
        """The running gateway's process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """Everything that the gateways of this folder have said on standard error."""
        path = self.folder / "gateway.log"
        return path.read_text() if path.exists() else ""

    def write_ward(self) -> None:
        """Write `file` down again (JSON is YAML), for the next start or reload."""
        self.ward_file.write_text(json.dumps(self.file, indent=1))

    # ---- life ------------------------------------------------------------------------------------------------------

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and return at once."""
        with (self.folder / "gateway.log").open("ab") as log:
            command = [sys.executable, "-X", "faulthandler", "-m", self.program, "run", "--ward", str(self.ward_file)]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self.process

    def start(self) -> float:
        """Start; return when it is ready, with the seconds that this took."""
        begin = time.monotonic()
        self.spawn()
        self.wait_ready()
        return time.monotonic() - begin

    def wait_ready(self) -> None:
        """Return when /health/ready says yes; fail with the log when the process ends before."""
        until(self.is_ready, "the gateway is ready")

    def is_ready(self) -> bool:
        """What /health/ready says now; no while nothing answers."""
        assert self.process is not None
        assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}:\n{self.log[-4000:]}"
        try:
            return self.client.get("/health/ready", headers=self.bearer).status_code == httpx.codes.OK
        except (httpx.TransportError, FileNotFoundError):
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; return when it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """SIGTERM; return its exit code when it is gone."""
        assert self.process is not None
        stop(self.process)
        return int(self.process.returncode)

    # ---- asking ----------------------------------------------------------------------------------------------------

    def ask(self, path: str) -> Any:
        """GET `/api/v1{path}`."""
        return self._answer("GET", path, None)

    def tell(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST to `/api/v1{path}` as `tester`."""
        return self._answer("POST", path, body)

    def enrol(self, course: str, pump: str) -> None:
        """Start a course with a 7-day bag."""
        self.tell("/courses", {"course": course, "pump": pump, "bag": "7-day", "checklist_complete": True})

    def command(self, *words: str) -> str:
        """Run `dripwatch` with these words as a person at this ward would; what it printed."""
        line = [sys.executable, "-m", "gateway", *words, "--ward", str(self.ward_file), "--as", "tester"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert done.returncode == 0, f"{words}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def health(self) -> dict[str, Any]:
        """What /health/ready says, ready or not."""
        answer: dict[str, Any] = self.client.get("/health/ready").json()
        return answer

    def resident_kib(self) -> int:
        """Resident memory of the process, in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = self.bearer | {"X-Dripwatch-User": "tester"}
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


@contextlib.contextmanager
def gateway(folder: Path, file: dict[str, Any], *, program: str = "gateway") -> Iterator[GatewayProcess]:
    """A ready gateway for the length of the block; whatever runs of it at the end is stopped."""
    running = GatewayProcess(folder, file, program)
    try:
        running.start()
        yield running
    finally:
        if running.process is not None:
            stop(running.process)
        running.client.close()


async def records_of(journal: Path, kinds: Sequence[Kind]) -> list[Record]:
    """The sound records of these kinds, also while a gateway writes."""
    open_journal = SqliteJournal.open(journal, read_only=True)
    try:
        found = await open_journal.read_kinds(kinds, 0, await open_journal.last_seq())
    finally:
        await open_journal.close()
    return [record for record in found if isinstance(record, Record)]
