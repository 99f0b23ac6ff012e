"""The audit of a gateway that runs: a pump's trouble, a mail, and what a person did about it, asked over HTTP and by command."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, gateway, mail_to, until, ward
from tests.support.process import binary
from tests.support.smtp import mail_server

pytestmark = pytest.mark.servers

ALARM = '{"observed_at": %d, "boot": "b1", "seq": 1, "alarm": "system-fault", "phase": "start", "stops_delivery": false}'


def test_a_running_gateway_is_audited_beside_its_work(tmp_path: Path):
    """Page, outcome and acknowledgement stand there, whoever asks; the journal goes on meanwhile."""
    with mosquitto(tmp_path / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": "nurse-a@ward.example"})
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            command = [binary("mosquitto_pub"), "-p", str(broker.port), "-q", "1", "-t", f"dw/v1/{SITE}/pump-01/alarm", "-s"]
            subprocess.run(command, input=(ALARM % (time.time() * 1_000)).encode(), check=True, timeout=30)
            until(lambda: mail.mails, "the nurse has a mail")
            until(lambda: any(page["outcome"] for page in running.ask("/pages")), "what became of the page is in the journal")
            running.command("incidents", "ack", "P-017")
            asked = running.ask("/audit?limit=1000")
            audit = [sys.executable, "-m", "gateway", "audit", "--journal", str(running.journal)]
            printed = subprocess.run(audit, capture_output=True, text=True, check=True, timeout=60).stdout
    told = [line["text"] for line in reversed(asked["lines"])]
    assert asked["next_before"] is None
    assert told[0].startswith("the gateway started: 2 people, ")
    assert told[1] == "tester enrolled P-017 on pump pump-01 (blinatumomab_home, cycle 1, 7-day bag)"
    page = next(line for line in asked["lines"] if line["what"] == "page")
    assert (page["who"], page["why"], page["course"]) == ("nurse-a", "opened", "P-017")
    assert f"email took the page to nurse-a about {page['incident']}" in told
    ack = next(line for line in asked["lines"] if line["what"] == "ack")
    assert ack["text"].startswith(f"tester acknowledged {page['incident']} (alarm persistent: system-fault), ")
    assert all(text in printed for text in told)
