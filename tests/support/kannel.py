"""A real Kannel on loopback: bearerbox, smsbox, and fakesmsc in the place of an SMS centre."""

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import httpx

from tests.support.process import binary, free_ports, stop, wait_listening

SENDER = "13013"
NOT_ROUTED = "85290000404"  # no centre takes this number
UNCONNECTED = "85290000503"  # the centre for this number is never connected: messages wait in the queue until it is full

_CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = adm
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
dlr-storage = internal
sms-outgoing-queue-limit = 10

group = smsc
smsc = fake
smsc-id = CENTRE
host = 127.0.0.1
our-host = 127.0.0.1
port = {centre}
connect-allow-ip = "127.0.0.1"
denied-prefix = "{not_routed};{unconnected}"

group = smsc
smsc = fake
smsc-id = AWAY
host = 127.0.0.1
our-host = 127.0.0.1
port = {away}
connect-allow-ip = "127.0.0.1"
allowed-prefix = "{unconnected}"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {port}
sendsms-interface = 127.0.0.1
global-sender = {sender}

group = sendsms-user
username = gw
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
post-url = "{replies_to}"
send-sender = true
max-messages = 0
catch-all = true
"""

_GOT = re.compile(rb"Got message \d+: <(\S+) (\S+) (?:udh (\S+) )?(text|ucs-2|data) (.*?)>\n(?=\d{4}-|$)", re.DOTALL)


class Kannel:
    """All three programs with their folder. `port` is smsbox's; replies go to `replies_to`."""

    def __init__(self, folder: Path, replies_to: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.port, self._centre_port, self._away_port, self._admin_port, self._boxes_port = free_ports(5)
        self._config = folder / "kannel.conf"
        self._config.write_text(
            _CONFIG.format(
                admin=self._admin_port,
                smsbox=self._boxes_port,
                centre=self._centre_port,
                away=self._away_port,
                port=self.port,
                sender=SENDER,
                replies_to=replies_to,
                not_routed=NOT_ROUTED,
                unconnected=UNCONNECTED,
            )
        )
        self._processes: list[subprocess.Popen[bytes]] = []
        self._centre: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its sendsms interface."""
        return f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """(number, text) of every message that the centre has whole; parts put together."""
        log = self._folder / "fakesmsc.log"
        whole: list[tuple[str, str]] = []
        parts: dict[tuple[str, bytes], list[bytes]] = {}
        for found in _GOT.finditer(log.read_bytes() if log.exists() else b""):
            to, raw = found[2].decode(), _unescaped(found[4], found[5])
            if found[3] is None:
                whole.append((to, raw.decode("utf-16-be" if found[4] == b"ucs-2" else "utf-8")))
                continue
            heading = unquote_to_bytes(found[3])
            so_far = parts.setdefault((to, heading[3:4]), [])
            so_far.append(raw)
            if len(so_far) == heading[4]:  # only now: Kannel may cut between the halves of an emoji
                joined = b"".join(parts.pop((to, heading[3:4])))
                whole.append((to, joined.decode("utf-16-be" if b"\0 " in joined else "utf-8")))
        return whole

    def start(self) -> None:
        """Start all; return when a centre is connected."""
        bearerbox = self._spawn("bearerbox")
        wait_listening(self._admin_port, bearerbox)
        self._wait_for_centre(connected=False)
        wait_listening(self._boxes_port, bearerbox)
        wait_listening(self.port, self._spawn("smsbox"))
        self.connect_centre()

    def connect_centre(self, *written: tuple[str, str]) -> None:
        """Let a new centre connect in place of the old one; it brings what people have `written`: (number, text)."""
        self.disconnect_centre()
        messages = [f"{number} {SENDER} text {text}" for number, text in written] or ["nobody nowhere text nothing"]
        command = [_fakesmsc(), "-H", "127.0.0.1", "-r", str(self._centre_port), "-i", "0.01", "-m", str(len(written))]
        with (self._folder / "fakesmsc.log").open("ab") as out:
            self._centre = subprocess.Popen([*command, *messages], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self._wait_for_centre(connected=True)

    def disconnect_centre(self) -> None:
        """End the centre; return when Kannel knows."""
        if self._centre is not None:
            stop(self._centre)
            self._centre = None
            self._wait_for_centre(connected=False)

    def fill_queue(self) -> None:
        """Put messages for `UNCONNECTED` into the queue until Kannel takes no more."""
        headers = {"X-Kannel-Username": "gw", "X-Kannel-Password": "secret", "X-Kannel-To": UNCONNECTED}
        for _ in range(100):
            answer = httpx.post(self.url, headers=headers | {"Content-Type": "text/plain"}, content=b"waits", trust_env=False)
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return
            assert answer.text.startswith("3:"), answer.text
        raise AssertionError("Kannel's queue has no end")

    def stop(self) -> None:
        """End all by pid. bearerbox takes its time with a goodbye that nobody needs."""
        for process in (self._centre, *reversed(self._processes)):
            if process is not None:
                process.kill()
                process.wait()

    def _spawn(self, program: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{program}.log").open("ab") as out:
            command = [binary(program), "-v", "1", str(self._config)]
            process = subprocess.Popen(command, cwd=self._folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def _wait_for_centre(self, *, connected: bool) -> None:
        end = time.monotonic() + 20
        while not (status := self._status_of_centre()) or (b"online" in status) is not connected:
            assert time.monotonic() < end, f"Kannel's centre: {status!r}"
            time.sleep(0.02)

    def _status_of_centre(self) -> bytes:
        answer = httpx.get(f"http://127.0.0.1:{self._admin_port}/status.txt?password=adm", trust_env=False)
        return next((line for line in answer.content.splitlines() if b"CENTRE[" in line), b"")


def _unescaped(kind: bytes, written: bytes) -> bytes:
    """Fakesmsc escapes all but `text`."""
    return written if kind == b"text" else unquote_to_bytes(written.replace(b"+", b" "))


def _fakesmsc() -> str:
    path = Path("/usr/lib/kannel/test/fakesmsc")
    return str(path) if path.exists() else binary("fakesmsc")


@contextlib.contextmanager
def kannel(folder: Path, replies_to: str = "http://127.0.0.1:9/") -> Iterator[Kannel]:
    """A running Kannel with a centre connected."""
    made = Kannel(folder, replies_to)
    try:
        made.start()
        yield made
    finally:
        made.stop()
