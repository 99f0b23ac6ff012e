"""What an operator does to a gateway: reload it, end it, start a second one by mistake."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import PATIENCE_S, ROOT, SITE, GatewayProcess, gateway, post_to, until, ward
from tests.support.pouring import occlusion, pour
from tests.support.web_hook import WebHook, web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]


def paged(hook: WebHook) -> list[tuple[str, str]]:
    """(who, about which course) of every page so far."""
    return [(who, body["message"].split()[0]) for who, body in hook.calls]


def reload(running: GatewayProcess, said: str) -> None:
    """Write the ward file down, send HUP, and wait until the log says so."""
    running.write_ward()
    running.signal(signal.SIGHUP)
    until(lambda: said in running.log, f"the log says: {said}")


def run(ward_file: Path) -> "subprocess.CompletedProcess[str]":
    """`dripwatch run`, to its end."""
    command = [sys.executable, "-m", "gateway", "run", "--ward", str(ward_file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.mark.hazard("H-63")
def test_hangup_takes_the_ward_file_in_again(tmp_path: Path):
    """A new address is used from now on and nobody is paged again; a file that is wrong changes nothing and is named."""
    with (
        mosquitto(tmp_path / "broker") as broker,
        web_hook() as hook,
        gateway(tmp_path / "gateway", ward(broker.port, {"web": post_to(hook.port)}, {"web": "first"})) as running,
    ):
        for number in (1, 2, 3):
            running.enrol(f"P-{number}", f"pump-{number}")
        pour(broker.port, [occlusion(SITE, "pump-1")])
        until(lambda: paged(hook) == [("first", "P-1")], "the page to the first address")

        running.file["people"]["nurse-a"] = {"contacts": [{"web": "second"}]}
        reload(running, "was taken in again")
        pour(broker.port, [occlusion(SITE, "pump-2")])
        until(lambda: paged(hook) == [("first", "P-1"), ("second", "P-2")], "the page to the second address")

        running.file["people"]["nurse-a"] = {"contacts": [{"pigeon": "third"}]}
        reload(running, "the old one stays in force")
        assert "pigeon" in running.log
        pour(broker.port, [occlusion(SITE, "pump-3")])
        until(lambda: len(hook.calls) > 2, "the page to the second address")
        assert paged(hook) == [("first", "P-1"), ("second", "P-2"), ("second", "P-3")]
        assert running.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_it_is_told_to(tmp_path: Path, number: signal.Signals):
    """With a page that hangs at its provider and a reader of the live board, it ends with 0 and without a complaint."""
    with (
        mosquitto(tmp_path / "broker") as broker,
        web_hook() as hook,
        gateway(tmp_path / "gateway", ward(broker.port, {"web": post_to(hook.port)}, {"web": "hang-nurse"})) as running,
    ):
        running.enrol("P-017", "pump-01")
        pour(broker.port, [occlusion(SITE, "pump-01")])
        hook.wait_hanging(1)
        with running.client.stream("GET", "/live") as live:
            assert live.status_code == 200
            next(live.iter_raw())
            running.signal(number)
            assert running.process is not None
            assert running.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in running.log
        assert "ERROR" not in running.log


@pytest.mark.hazard("H-50")
def test_a_second_gateway_on_the_same_journal_is_refused(tmp_path: Path):
    """One line says why, the exit code is 2, and the first gateway is not disturbed."""
    with (
        mosquitto(tmp_path / "broker") as broker,
        web_hook() as hook,
        gateway(tmp_path / "gateway", ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"})) as running,
    ):
        second = run(running.ward_file)
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr == f"{running.journal}: another gateway has this journal open; stop it first\n"
        assert running.is_ready()
        assert running.log.count("broker session up") == 1


def test_a_second_gateway_on_the_same_port_is_refused(tmp_path: Path):
    """A ward of its own but the console's port of another: one line names the address, and the exit code is not 0."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"})
        with gateway(tmp_path / "gateway", file) as running:
            other = GatewayProcess(tmp_path / "other", file | {"mqtt": file["mqtt"] | {"client_id": "another"}})
            other.client.close()
            second = run(other.ward_file)
            assert second.returncode == 2
            assert second.stderr.splitlines()[-1].endswith(f"{file['console']['listen']}; is another gateway running there?")
            assert "Traceback" not in second.stderr
            assert running.is_ready()
