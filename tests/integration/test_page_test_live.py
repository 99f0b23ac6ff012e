"""`dripwatch page test` against a running gateway, a message centre that gives receipts and a paging terminal."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, gateway, until, ward
from tests.support.kannel import SENDER
from tests.support.smsc import FAILS, Centre, smsc
from tests.support.snpp import NOBODY, Terminal, snpp_terminal

pytestmark = pytest.mark.servers

NURSE, PAGER = "85290000001", "7001"

Ward = tuple[GatewayProcess, Centre, Terminal]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A gateway with a nurse who is reached by SMS and pager, and one whose number and pager both fail."""
    folder = tmp_path_factory.mktemp("page-test")
    with mosquitto(folder / "broker") as broker, smsc(folder / "smsc") as centre, snpp_terminal(folder / "snpp") as terminal:
        file = ward(broker.port, {}, {"sms": NURSE})
        file["transports"] = {
            "sms": {
                "kind": "smpp",
                "host": "127.0.0.1",
                "port": centre.port,
                "system_id": "gw",
                "password": "secret",
                "sender": SENDER,
                "receipts": True,
                "receipt_deadline": "60s",
            },
            "pager": {"kind": "snpp", "host": "127.0.0.1", "port": terminal.port},
        }
        file["people"] = {
            "nurse-a": {"contacts": [{"sms": NURSE}, {"pager": PAGER, "after": "10m"}]},
            "nurse-b": {"contacts": [{"sms": FAILS}, {"pager": NOBODY}]},
            "engineer": {"contacts": [{"sms": "85290000009"}]},
        }
        with gateway(folder / "gateway", file) as process:
            yield process, centre, terminal


def page_test(process: GatewayProcess, *words: str) -> tuple[int, list[str], str]:
    """(exit code, lines printed, what was said on standard error)."""
    line = [sys.executable, "-m", "gateway", "page", "test", *words, "--ward", str(process.ward_file), "--as", "engineer"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_the_receipt_of_each_contact_is_printed(running: Ward):
    """A receipt where one is promised, acceptance where none is; whatever the contacts' delays. Again at once: refused."""
    process, centre, terminal = running
    code, lines, _ = page_test(process, "nurse-a")
    assert code == 0, lines
    assert lines[0] == "a test page to nurse-a is on its way by sms, pager"
    assert f"sms {NURSE}: delivered" in lines
    assert f"pager {PAGER}: accepted" in lines
    texts = [text for to, text in centre.arrived if to == NURSE] + [text for to, text in terminal.pages if to == PAGER]
    assert len(texts) == 2
    assert all(text.startswith("TEST from Dripwatch haem-ward, ") and "Nothing to do" in text for text in texts)
    code, _, said = page_test(process, "nurse-a")
    assert code == 1
    assert "one a minute; try again in " in said


@pytest.mark.hazard("H-63")
def test_what_fails_is_said_and_the_exit_code_is_no(running: Ward):
    """The number is undeliverable, and the terminal knows no such pager."""
    process, _, _ = running
    code, lines, _ = page_test(process, "nurse-b", "--within", "30s")
    assert code == 1
    assert f"sms {FAILS}: REJECTED for good" in lines
    assert any(line.startswith(f"pager {NOBODY}: REJECTED for good: ") for line in lines)


def test_a_stranger_and_a_wrong_time_are_refused_in_a_line(running: Ward):
    """Exit 1 where the gateway says no, 2 where the call is wrong; never a traceback."""
    process, _, _ = running
    code, _, said = page_test(process, "nurse-z")
    assert code == 1
    assert said.startswith("dripwatch: the ward has no 'nurse-z'; it has: engineer, nurse-a, nurse-b")
    code, _, said = page_test(process, "engineer", "--within", "soon")
    assert code == 2
    assert said.count("\n") == 1


def test_nothing_is_forgotten_by_a_crash_and_nothing_is_counted(running: Ward):
    """After kill -9 the receipt stands; no incident came of it, and no page is counted in a report."""
    process, _, _ = running
    page_test(process, "engineer")
    before: Any = until(lambda: settled(process), "the receipt is whole")
    process.kill()
    process.start()
    assert process.ask("/people/engineer")["test"] == before
    assert process.ask("/incidents") == []
    line = process.ask("/pages")[0]
    assert (line["why"], line["course"], line["to"]) == ("test", "", "engineer")
    counted = [line.split()[-1] for line in report(process).splitlines() if line.strip().startswith("pages about")]
    assert counted == ["0", "0"]


def report(process: GatewayProcess) -> str:
    """The figures of the whole journal."""
    line = [sys.executable, "-m", "gateway", "report", "--journal", str(process.journal)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def settled(process: GatewayProcess) -> Any:
    """The engineer's receipt, once nothing more is waited for."""
    test = process.ask("/people/engineer")["test"]
    return test if test and not test["waits"] else None
