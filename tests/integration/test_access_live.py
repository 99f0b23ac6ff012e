"""Users and tokens of a real gateway: by the command line, in the browser's way, through kill -9, and in the audit."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, gateway, mail_to, ward

pytestmark = pytest.mark.servers

PASSWORD = "three quiet words"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A gateway with its broker; nobody has a user yet."""
    with mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        file = ward(broker.port, {"mail": mail_to(9)}, {"mail": "a@ward.example"})
        with gateway(tmp_path_factory.mktemp("ward"), file) as made:
            yield made


def typed(running: GatewayProcess, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dripwatch` at this ward with something on standard input."""
    line = [sys.executable, "-m", "gateway", *words, "--ward", str(running.ward_file), "--as", "boss"]
    return subprocess.run(
        line, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


@contextlib.contextmanager
def browser(running: GatewayProcess) -> Iterator[httpx.Client]:
    """A browser on the gateway's machine."""
    with httpx.Client(base_url=running.url, trust_env=False, timeout=30, headers={"Accept": "text/html"}) as client:
        yield client


def sign_in(running: GatewayProcess, client: httpx.Client, name: str) -> None:
    """Fill in the form; the cookie stays with the browser."""
    csrf = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)[1]
    answer = client.post("/login", data={"csrf": csrf, "name": name, "password": PASSWORD}, headers={"Origin": running.url})
    assert answer.status_code == 303, answer.text


def test_from_the_first_user_to_the_audit_through_kill_9(running):
    """The five minutes of docs/access.md, and what is left of them when the power fails."""
    added = typed(running, "user", "add", "nurse-a", "--role", "triage", stdin=PASSWORD + "\n")
    assert (added.returncode, added.stdout) == (0, "nurse-a can sign in, as triage\n"), added.stderr
    token = typed(running, "token", "add", "monitoring", "--for", "90d").stdout.strip()
    assert re.fullmatch(r"dw_[\w-]{43}", token)
    with browser(running) as nurse:
        sign_in(running, nurse, "nurse-a")
        running.kill()
        running.start()
        assert "Account of nurse-a" in nurse.get("/account").text
        assert nurse.get("/access").status_code == 403
        board = httpx.get(f"{running.url}/api/v1/board", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert board.status_code == 200
        refused = typed(running, "user", "list", DRIPWATCH_TOKEN=token)
        assert (refused.returncode, "monitoring (read) may not do this" in refused.stderr) == (1, True), refused.stderr
        assert re.search(r"nurse-a +triage +open, signed in at 1 browser\n", typed(running, "user", "list").stdout)
        for words in (("user", "role", "nurse-a", "read"), ("user", "disable", "nurse-a"), ("token", "revoke", "monitoring")):
            assert typed(running, *words).returncode == 0
        assert "Account of nurse-a" not in nurse.get("/account").text
    assert told_by_the_audit(running) == [
        "boss added the user nurse-a (triage)",
        "boss made the token monitoring (read)",
        "boss changed the role of nurse-a (triage, now read)",
        "boss disabled the user nurse-a",
        "boss revoked the token monitoring",
    ]
    kept = b"".join(path.read_bytes() for path in running.journal.parent.iterdir() if path.is_file())
    assert not [secret for secret in (PASSWORD, token) if secret.encode() in kept + running.log.encode()]


def told_by_the_audit(running: GatewayProcess) -> list[str]:
    """What `boss` changed of users and tokens, in the audit's words."""
    line = [sys.executable, "-m", "gateway", "audit", "--journal", str(running.journal), "--what", "access"]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line.partition("  ")[2] for line in told.splitlines() if "boss" in line]


def test_a_call_that_is_wrong_is_one_line(running):
    """Exit 1 when the gateway says no, 2 when the line is wrong."""
    weak = typed(running, "user", "add", "nurse-b", "--role", "read", stdin="short\n")
    assert (weak.returncode, weak.stderr.count("\n")) == (1, 1)
    assert "12 to 128 characters" in weak.stderr
    none = typed(running, "user", "add", "nurse-b", "--role", "read")
    assert (none.returncode, none.stderr) == (
        2,
        "dripwatch: the password is missing; type it at a terminal, or put it on standard input\n",
    )


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(running):
    """Nobody reads it over a shoulder."""
    here, there = pty.openpty()
    line = [sys.executable, "-m", "gateway", "user", "add", "nurse-c", "--role", "read", "--ward", str(running.ward_file)]
    process = subprocess.Popen(line, cwd=ROOT, stdin=there, stdout=there, stderr=there, start_new_session=True)
    os.close(there)
    shown = b""
    for prompt in (b"Password of nurse-c: ", b"Again: "):
        while prompt not in shown:
            shown += os.read(here, 1_000)
        os.write(here, PASSWORD.encode() + b"\n")
    while b"can sign in" not in shown:
        shown += os.read(here, 1_000)
    assert process.wait(30) == 0
    os.close(here)
    assert PASSWORD.encode() not in shown


def test_a_list_of_users_that_is_damaged_stops_the_start_in_one_line(tmp_path):
    """Rather than a gateway that forgets whom it has let in."""
    with mosquitto(tmp_path) as broker:
        running = GatewayProcess(tmp_path / "ward", ward(broker.port, {"mail": mail_to(9)}, {"mail": "a@ward.example"}))
        store = running.journal.with_name("access.db")
        store.parent.mkdir(parents=True)
        store.write_bytes(b"no database " * 1_000)
        process = running.spawn()
        assert process.wait(30) == 2
        running.client.close()
    last = running.log.strip().splitlines()[-1]
    assert last.startswith(f"{store}: ")
    assert "damaged" in last
    assert "Traceback" not in running.log
