"""The whole way on real servers: a pump alarms, the page leaves by Kannel, SMPP or SNPP, the nurse's reply takes it."""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, until, ward
from tests.support.kannel import SENDER, kannel
from tests.support.process import binary
from tests.support.smsc import FAILS, smsc
from tests.support.snpp import snpp_terminal

pytestmark = pytest.mark.servers

NURSE, ENGINEER = "85290000001", "85290000002"
TOKEN = "a-token-of-tests-0123456789"
PAGE = r"P-017 HIGH: pump alarm air in line since \d\d:\d\d\..* Reply (\d{4}) to take it\."


def ward_with(broker: Broker, transport: dict[str, Any], *, nurse: str = NURSE, engineer: str = ENGINEER) -> dict[str, Any]:
    """A ward whose only transport is this one, named `sms`."""
    file = ward(broker.port, {}, {"sms": nurse})
    file["transports"] = {"sms": transport}
    file["people"]["engineer"]["contacts"] = [{"sms": engineer}]
    return file


@contextlib.contextmanager
def alarmed(folder: Path, broker: Broker, file: dict[str, Any]) -> Iterator[GatewayProcess]:
    """A gateway with P-017 enrolled, whose pump has just found air in its line."""
    with gateway(folder / "gateway", file) as running:
        running.enrol("P-017", "pump-01")
        told = {"observed_at": time.time_ns() // 1_000_000, "boot": "b1", "seq": 1, "alarm": "air-in-line", "phase": "start"}
        command = [binary("mosquitto_pub"), "-p", str(broker.port), "-q", "1", "-t", f"dw/v1/{SITE}/pump-01/alarm", "-s"]
        subprocess.run(command, input=json.dumps(told | {"priority": "high"}).encode(), check=True, timeout=30)
        yield running


def outcome(running: GatewayProcess) -> str | None:
    """What became last of the newest page."""
    pages = running.ask("/pages")
    return pages[0]["outcome"] if pages else None


def taken_by(running: GatewayProcess) -> tuple[str, str]:
    """(state, holder) of the incident."""
    incident = running.ask("/incidents/P-017")
    return incident["state"], incident["holder"]


def code_in(text: str) -> str:
    """The reply code of a page."""
    match = re.match(PAGE, text)
    assert match, text
    return match[1]


def test_a_page_leaves_through_kannel_and_its_reply_takes_the_incident(tmp_path: Path):
    """Page to the centre, delivery report to the journal, reply from the nurse, answer back to her."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward_with(broker, {})
        replies_to = f"http://{file['console']['listen']}/inbound/kannel/sms?token={TOKEN}"
        with kannel(tmp_path / "kannel", replies_to) as centre:
            file["transports"]["sms"] = {
                "kind": "kannel",
                "url": centre.url,
                "username": "gw",
                "password": "secret",
                "sender": SENDER,
                "token": TOKEN,
                "receipts": True,
                "receipt_deadline": "60s",
            }
            with alarmed(tmp_path, broker, file) as running:
                page = until(lambda: centre.arrived, "the page is at the centre")[0]
                assert page[0] == NURSE
                code = code_in(page[1])
                until(lambda: outcome(running) == "delivered", "the delivery report marks the page")
                centre.connect_centre((NURSE, f"ack {code}"))
                until(lambda: taken_by(running) == ("acknowledged", "nurse-a"), "the reply takes the incident")
                answer = until(lambda: centre.arrived[1:], "the answer is at the centre")[0]
                assert answer[0] == NURSE
                assert answer[1].startswith("P-017: yours until ")
                assert "secret" not in running.log
                assert TOKEN not in running.log


def test_a_page_leaves_by_smpp_and_its_reply_takes_the_incident(tmp_path: Path):
    """Page, receipt, reply and answer go over one bind; an unknown number's reply changes nothing."""
    with mosquitto(tmp_path / "broker") as broker, smsc(tmp_path / "smsc") as centre:
        file = ward_with(broker, smpp(centre.port))
        with alarmed(tmp_path, broker, file) as running:
            page = until(lambda: centre.arrived, "the page is at the centre")[0]
            assert page[0] == NURSE
            code = code_in(page[1])
            until(lambda: outcome(running) == "delivered", "the receipt marks the page")
            centre.tell("deliver", source="85299999999", text=f"ack {code}")
            until(lambda: taken_text(centre, f"ack {code}"), "the stranger's message is taken")
            assert taken_by(running)[0] == "triggered"
            centre.tell("deliver", source=f"+{NURSE}", text=code)
            until(lambda: taken_by(running) == ("acknowledged", "nurse-a"), "the reply takes the incident")
            answer = until(lambda: centre.arrived[1:], "the answer is at the centre")[0]
            assert answer[0] == NURSE
            assert answer[1].startswith("P-017: yours until ")
            assert running.stop() == 0


@pytest.mark.hazard("H-52")
def test_a_page_that_the_centre_could_not_deliver_is_no_page(tmp_path: Path):
    """The receipt says "undeliverable": the nurse's only contact has failed, and the fallback is told at once."""
    with mosquitto(tmp_path / "broker") as broker, smsc(tmp_path / "smsc") as centre:
        file = ward_with(broker, smpp(centre.port), nurse=FAILS)
        with alarmed(tmp_path, broker, file) as running:
            until(lambda: "rejected" in {page["outcome"] for page in running.ask("/pages")}, "the receipt marks the page")
            assert centre.arrived[0][0] == FAILS


def test_a_page_lands_in_the_paging_terminal(tmp_path: Path):
    """As one line of ASCII; a pager reports nothing, so the page stays accepted."""
    with mosquitto(tmp_path / "broker") as broker, snpp_terminal(tmp_path / "snpp") as terminal:
        transport = {"kind": "snpp", "host": "127.0.0.1", "port": terminal.port}
        with alarmed(tmp_path, broker, ward_with(broker, transport, nurse="7001", engineer="7002")) as running:
            pager, text = until(lambda: terminal.pages, "the page is at the terminal")[0]
            assert pager == "7001"
            assert re.match(PAGE, text)
            until(lambda: outcome(running) == "accepted", "the page is accepted")


def smpp(port: int) -> dict[str, Any]:
    """The ward file's transport for this centre."""
    account = {"kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "gw", "password": "secret", "sender": SENDER}
    return account | {"receipts": True, "receipt_deadline": "60s"}


def taken_text(centre: Any, text: str) -> bool:
    """Whether the gateway has taken a message with this text from the centre."""
    return any(line["text"] == text and line["status"] == 0 for line in centre.happened("delivered"))
