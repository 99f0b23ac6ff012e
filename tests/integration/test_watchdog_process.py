"""The watchdog on real servers: gateway killed, gateway hanging, broker away, and the watchdog itself gone."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import ROOT, SITE, GatewayProcess, gateway, mail_to, until, ward
from tests.support.process import stop
from tests.support.smtp import MailServer, mail_server

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

NURSE = "nurse-a@ward.example"
OPERATOR = "operator@watch.example"
PATIENCE_S = 100.0


@dataclass
class House:
    """A gateway, and a watchdog with its own mail server."""

    broker: Broker
    gateway: GatewayProcess
    ward_mail: MailServer
    watch_mail: MailServer
    watchdog: subprocess.Popen[bytes]

    def operator_hears(self, words: str) -> None:
        """Wait until the watchdog's own people are told this."""
        until(lambda: any(words in mail.text for mail in self.watch_mail.mails), f"the operator hears {words!r}", PATIENCE_S)

    def heard(self) -> list[str]:
        """All that the operator was told."""
        return [mail.text for mail in self.watch_mail.mails if mail.recipient == OPERATOR]


def watchdog_file(folder: Path, running: GatewayProcess, broker: int, smtp: int, after: str) -> Path:
    """The watchdog's own file, with the token that was copied to its host."""
    folder.mkdir()
    content = {
        "site": SITE,
        "name": "watchdog-b",
        "mqtt": {"host": "127.0.0.1", "port": broker},
        "gateway": {"url": running.url, "token_file": str(running.token_file)},
        "after": after,
        "transports": {"email": mail_to(smtp)},
        "people": {"operator": {"contacts": [{"email": OPERATOR}]}},
        "page": ["operator"],
    }
    path = folder / "watchdog.yaml"
    path.write_text(json.dumps(content, indent=1))
    return path


@contextlib.contextmanager
def house(folder: Path, *, after: str) -> Iterator[House]:
    """Everything runs, and the watchdog has been heard."""
    with mosquitto(folder / "broker") as broker, mail_server() as ward_mail, mail_server() as watch_mail:
        file = ward(broker.port, {"email": mail_to(ward_mail.port)}, {"email": NURSE})
        file["watchdog"] = {"device": "watchdog-b", "silent_after": "1m"}
        with gateway(folder / "gateway", file) as running, (folder / "watchdog.log").open("ab") as log:
            path = watchdog_file(folder / "watch", running, broker.port, watch_mail.port, after)
            line = [sys.executable, "-m", "gateway", "watchdog", "--config", str(path)]
            process = subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                log_file = folder / "watchdog.log"
                until(lambda: "broker session up" in log_file.read_text(), "the watchdog listens")
                yield House(broker, running, ward_mail, watch_mail, process)
            finally:
                stop(process)


@pytest.mark.hazard("H-39")
def test_a_killed_gateway_is_told_apart_from_a_broker_that_is_away(tmp_path: Path):
    """Kill -9: the gateway is down while the broker is up; afterwards it is over. Then the broker goes: the gateway answers."""
    with house(tmp_path, after="15s") as home:
        home.gateway.kill()
        home.operator_hears("GATEWAY IS DOWN while the broker is up")
        assert len(home.heard()) == 1, "\n".join(home.heard())
        home.gateway.start()
        home.operator_hears("it is over")
        home.broker.stop()
        home.operator_hears("the BROKER IS DOWN; the gateway answers")
        home.gateway.kill()
        home.operator_hears("NEITHER the broker NOR the gateway")
        assert len(home.heard()) == 4, "\n".join(home.heard())


@pytest.mark.hazard("H-39")
def test_a_hanging_gateway_is_missed_and_a_dead_watchdog_too(tmp_path: Path):
    """SIGSTOP: no heartbeat and no answer. When the watchdog dies instead, the nurses hear of it from the gateway."""
    with house(tmp_path, after="45s") as home:
        home.gateway.signal(signal.SIGSTOP)
        try:
            home.operator_hears("GATEWAY IS DOWN while the broker is up")
        finally:
            home.gateway.signal(signal.SIGCONT)
        home.operator_hears("it is over")
        assert len(home.heard()) == 2, "\n".join(home.heard())
        home.watchdog.kill()
        until(
            lambda: any("nobody watches Dripwatch itself" in mail.text for mail in home.ward_mail.mails),
            "the nurse hears that the watchdog is gone",
            PATIENCE_S,
        )
        assert "watchdog-b" not in [pump["device"] for pump in home.gateway.ask("/pumps")]
