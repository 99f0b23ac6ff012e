"""The gateway's own test on real servers: a real alarm, a real page, a real answer, and only then the switch outside."""

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, gateway, mail_to, until, ward
from tests.support.smtp import Mail, MailServer, mail_server

pytestmark = pytest.mark.servers

NURSE = "nurse-a@ward.example"
TESTER = "tester@ward.example"
HOPS = ["published", "journalled", "judged", "page planned", "handed over", "accepted", "acknowledged"]


@dataclass
class Switch:
    """A dead man's switch outside: counts how often it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def switch() -> Iterator[Switch]:
    """It runs for the length of the block."""
    known = Switch()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class House:
    """A gateway with one patient and a synthetic pump."""

    gateway: GatewayProcess
    mail: MailServer
    switch: Switch

    def tester_mails(self) -> list[Mail]:
        """What the test recipient got."""
        return [mail for mail in self.mail.mails if mail.recipient == TESTER]

    def begin_probe(self, *words: str) -> subprocess.Popen[str]:
        """`dripwatch probe` as a technician types it."""
        line = [sys.executable, "-m", "gateway", "probe", *words, "--ward", str(self.gateway.ward_file), "--as", "tester"]
        return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answer_page(self, before: int) -> None:
        """The test recipient replies with the code of the newest page."""
        mail = until(lambda: [one for one in self.tester_mails()[before:] if "Reply" in one.text], "the test page")[-1]
        code = re.search(r"Reply (\d+)", mail.text)
        assert code is not None
        self.gateway.tell("/replies", {"transport": "email", "address": TESTER, "text": code[1]})


def file_with_test(broker: int, smtp: int, outside: int, **more: Any) -> dict[str, Any]:
    """A ward whose test recipient is nobody else's."""
    file = ward(broker, {"email": mail_to(smtp)}, {"email": NURSE})
    file["people"]["tester"] = {"contacts": [{"email": TESTER}]}
    file["synthetic"] = {"pump": "test-pump", "page": "tester", "ping": f"http://127.0.0.1:{outside}/secret-uuid", **more}
    return file


@contextlib.contextmanager
def house(folder: Path, **more: Any) -> Iterator[House]:
    """Everything runs for the length of the block."""
    with contextlib.ExitStack() as servers:
        broker, mail = servers.enter_context(mosquitto(folder / "broker")), servers.enter_context(mail_server())
        outside = servers.enter_context(switch())
        file = file_with_test(broker.port, mail.port, outside.port, **more)
        running = servers.enter_context(gateway(folder / "gateway", file))
        running.enrol("P-017", "pump-01")
        yield House(running, mail, outside)


def test_a_probe_passes_every_hop_and_leaves_no_trace_on_the_board(tmp_path: Path):
    """Twice in a row, each with a page of its own; the patient's board, incidents and pages know nothing of it."""
    with house(tmp_path, within="20s") as home:
        for number in (1, 2):
            before = len(home.tester_mails())
            probing = home.begin_probe("--json")
            home.answer_page(before)
            out, err = probing.communicate(timeout=60)
            assert (probing.returncode, err) == (0, ""), out
            report = json.loads(out)
            assert [line["hop"] for line in report["hops"]] == HOPS
            assert report["pinged"]
            assert home.switch.asked == ["/secret-uuid"] * number
        told = until(lambda: [one.text for one in home.tester_mails()], "mails")
        assert all("SYNTHETIC" in text for text in told), told
        assert [mail.recipient for mail in home.mail.mails if mail.recipient != TESTER] == []
        board = home.gateway.ask("/board")
        assert [line["course"] for line in board["courses"]] == ["P-017"]
        assert "test-pump" not in [pump["device"] for pump in board["pumps"]]
        assert home.gateway.ask("/incidents") == []
        assert home.gateway.ask("/pages") == []
        assert "secret-uuid" not in home.gateway.log


def test_a_page_that_nobody_takes_fails_the_probe_by_name(tmp_path: Path):
    """Exit 1 with the hop; the switch outside hears nothing; the finding stands in the health."""
    with house(tmp_path, within="1s") as home:
        probing = home.begin_probe()
        out, _ = probing.communicate(timeout=60)
        assert probing.returncode == 1
        assert [line.split("  ")[0] for line in out.splitlines()] == HOPS
        assert "acknowledged  NOT IN TIME" in out
        assert home.switch.asked == []
        assert any("own test failed" in finding for finding in home.gateway.health()["findings"])


def test_a_ward_without_a_synthetic_pump_says_so(tmp_path: Path):
    """One line, exit 1."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"email": mail_to(broker.port)}, {"email": NURSE})
        with gateway(tmp_path / "gateway", file) as running:
            line = [sys.executable, "-m", "gateway", "probe", "--ward", str(running.ward_file)]
            done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "sets up no synthetic pump" in done.stderr
