"""A patient's course as a nurse records it: the real commands, a real gateway behind mosquitto, and real mail."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import PATIENCE_S, ROOT, SITE, GatewayProcess, gateway, mail_to, until, ward
from tests.support.process import binary
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.servers

NURSE = "nurse-a@ward.example"
ITEMS = ("eligibility", "caregiver-trained", "pump-and-line-checked", "emergency-plan-given")
SIGNED = [word for item in ITEMS for word in ("--checklist", f"{item}=nurse-a")]
RULES = "delivery-interrupted,alarm-persistent"


def reports(broker: Broker, pump: str, seq: int, status: str) -> None:
    """One telemetry message; returns when the broker has it."""
    reading = {"observed_at": time.time_ns() // 1_000_000, "boot": "b1", "seq": seq, "delivery_status": status}
    reading |= {"rate_ml_h": 0.6, "set_rate_ml_h": 0.6, "infused_ml": 1.0, "battery_percent": 81, "power": "battery"}
    command = [binary("mosquitto_pub"), "-p", str(broker.port), "-q", "1", "-t", f"dw/v1/{SITE}/{pump}/telemetry", "-s"]
    subprocess.run(command, input=json.dumps(reading).encode(), check=True, timeout=PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Ward:
    """The gateway, its broker and the nurse's mail."""

    running: GatewayProcess
    broker: Broker
    mail: MailServer

    def say(self, *words: str) -> str:
        """A command that is carried out; what it printed."""
        return self.running.command(*words)

    def refuses(self, *words: str) -> str:
        """A command whose answer is no; what it said."""
        line = [sys.executable, "-m", "gateway", *words, "--ward", str(self.running.ward_file), "--as", "tester"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), f"{words}: {done}"
        return done.stderr

    def pump_says(self, seq: int, status: str, judged: str) -> None:
        """The first pump reports; returns when the gateway has judged it."""
        reports(self.broker, "pump-17", seq, status)
        until(lambda: self.running.ask("/courses")[0]["state"] == judged, f"the delivery is judged {judged}")

    def is_mailed(self, words: str) -> None:
        """Returns when the nurse has a mail with these words."""
        until(lambda: any(words in one.text for one in self.mail.mails), f"a mail says {words!r}")


@pytest.fixture
def nurses(tmp_path: Path) -> Iterator[Ward]:
    """A ward where everything runs."""
    with mosquitto(tmp_path / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": NURSE})
        with gateway(tmp_path / "gateway", file) as running:
            yield Ward(running, broker, mail)


def enrols(nurses: Ward) -> None:
    """The checklist is asked for, the dose and the bag are the protocol's."""
    enrol = ("enrol", "--course", "P-017", "--pump", "pump-17", "--bag", "7-day")
    assert "not complete: eligibility, pump-and-line" in nurses.refuses(*enrol, "--checklist", "caregiver-trained=nurse-a")
    home = ("--caregiver", "email:home@ward.example@2m", "--ward-contact", "2255 0000", "--travel-minutes", "45")
    assert "P-017 is watched: pump pump-17, 7-day bag" in nurses.say(*enrol, "--dose", "9", *home, *SIGNED)
    nurses.pump_says(1, "delivering", "delivering")
    ready_at = datetime.now(UTC) + timedelta(days=5)
    assert "7-day bag ordered, ready" in nurses.say("bag", "order", "P-017", "7-day", "--ready-at", ready_at.isoformat())
    assert "28 mcg a day is for day 8" in nurses.refuses("course", "dose", "P-017", "28")


def works_in_a_window(nurses: Ward) -> None:
    """What begins in it waits, and is paged at its end."""
    assert "lasts at most 1 h" in nurses.refuses("window", "open", "P-017", "--kind", "bag-change", "--for", "2h")
    nurses.say("window", "open", "P-017", "--kind", "bag-change", "--for", "30m")
    nurses.pump_says(2, "not-delivering", "interrupted")
    assert "WINDOW bag-change until" in nurses.say("course", "list")
    nurses.say("window", "close", "P-017")
    nurses.is_mailed("P-017 HIGH, WINDOW OVER, STILL TRUE: delivery stopped")


def silences(nurses: Ward) -> None:
    """The silence is ended by the name that it was answered with, and loudly."""
    silenced = nurses.say("silence", "P-017", "--rules", RULES, "--for", "1h", "--reason", "line being changed")
    assert "by tester: line being changed" in " ".join(nurses.say("course", "list").split())
    (name,) = [word for word in silenced.split() if word.startswith("P-017.s")]
    assert nurses.say("unsilence", name) == "P-017: silence ended; whatever still fires is paged now\n"
    nurses.is_mailed("P-017 HIGH, SILENCE OVER, STILL TRUE: delivery stopped")
    assert "no silence" in nurses.refuses("unsilence", name)


def calls_and_notes(nurses: Ward) -> None:
    """What the home says is written down, and shown."""
    nurses.pump_says(3, "delivering", "delivering")
    nurses.say("call", "P-017", "--called", "caregiver", "--seen", "running", "--advice", "well done")
    assert nurses.say("diary", "link", "P-017").startswith(f"{nurses.running.url}/d/")
    assert "noted 38.6 °C" in nurses.say("diary", "add", "P-017", "--temperature", "38.6", "--from", "caregiver")
    until(lambda: "fever" in nurses.say("incidents", "list"), "the fever is listed")
    assert "pump-18 has taken over from pump-17" in nurses.say("pump", "swap", "P-017", "pump-18", "--reason", "no charge")
    assert nurses.say("course", "contacts", "P-017", "--no-caregiver") == "P-017: contacts changed\n"
    shown = nurses.say("course", "show", "P-017")
    for words in ("called caregiver, pump seen running: well done", "temperature 38.6 °C (caregiver)", "no caregiver's"):
        assert words in shown


def ends(nurses: Ward) -> None:
    """A break and a next cycle before their days need a reason."""
    assert "has infused 0.0 of 28 days" in nurses.refuses("course", "break", "P-017")
    assert "break until" in nurses.say("course", "break", "P-017", "--reason", "line removed")
    assert "start the next cycle instead" in nurses.refuses("bag", "hang", "P-017", "--bag", "7-day")
    again = ("course", "next-cycle", "P-017", "--bag", "24-hour", "--override-reason", "asked for")
    assert "cycle 2 on pump pump-18, 24-hour bag at 10 mL/h" in nurses.say(*again)
    assert "P-017 has ended" in nurses.say("course", "end", "P-017")
    assert "no course is running" in nurses.say("course", "list")


def test_a_nurse_records_a_whole_course_and_is_paged_when_the_quiet_ends(nurses: Ward):
    """Every command is carried out and says so; what cannot be is refused in one line; the month can be counted meanwhile."""
    enrols(nurses)
    works_in_a_window(nurses)
    silences(nurses)
    calls_and_notes(nurses)
    ends(nurses)
    line = [sys.executable, "-m", "gateway", "report", "--journal", str(nurses.running.journal)]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (told.returncode, told.stderr) == (0, "")
    assert "courses 1" in " ".join(told.stdout.split())
