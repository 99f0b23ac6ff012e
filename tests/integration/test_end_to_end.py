"""The straight line on real servers: mosquitto_pub publishes, the gateway decides, the nurse gets an e-mail, the store has points."""

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, mail_to, until, ward
from tests.support.process import binary, stop
from tests.support.smtp import Mail, MailServer, mail_server
from tests.support.stores import Influxd, VictoriaMetrics
from tests.unit.device_adapters import hl7_encoder as hl7

pytestmark = pytest.mark.servers

NURSE = "nurse-a@ward.example"
DATABASE = "dripwatch"


@dataclass(frozen=True, slots=True)
class House:
    """All servers, with two homes enrolled: P-017 on pump-01, P-018 on pump-02."""

    broker: Broker
    mail: MailServer
    gateway: GatewayProcess

    def publish(self, device: str, channel: str, payload: bytes) -> None:
        """What a pump does, by mosquitto's own client; returns when the broker has it."""
        topic = f"dw/v1/{SITE}/{device}/{channel}"
        command = [binary("mosquitto_pub"), "-p", str(self.broker.port), "-q", "1", "-t", topic, "-s"]
        subprocess.run(command, input=payload, check=True, timeout=30)

    def mails_about(self, course: str) -> list[Mail]:
        """The mails that name this course."""
        return [mail for mail in self.mail.mails if course in mail.text]


@contextlib.contextmanager
def house(folder: Path, store: dict[str, str]) -> Iterator[House]:
    """Everything runs for the length of the block."""
    with mosquitto(folder / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": NURSE}, influx=store)
        with gateway(folder / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            running.enrol("P-018", "pump-02")
            yield House(broker, mail, running)


@contextlib.contextmanager
def influxd(folder: Path) -> Iterator[Influxd]:
    """Debian's InfluxDB 1.6.7."""
    folder.mkdir()
    server = Influxd(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def now_ms() -> int:
    """The pumps' own clock."""
    return time.time_ns() // 1_000_000


def telemetry(seq: int, observed_at: int) -> bytes:
    """A pump that delivers."""
    reading = {"observed_at": observed_at, "boot": "b1", "seq": seq, "delivery_status": "delivering", "rate_ml_h": 0.6}
    return json.dumps(reading | {"set_rate_ml_h": 0.6, "infused_ml": 12.4, "battery_percent": 81, "power": "battery"}).encode()


def alarm(seq: int, observed_at: int, phase: str) -> bytes:
    """Air in line, from its start to its end."""
    change = {"observed_at": observed_at, "boot": "b1", "seq": seq, "alarm": "air-in-line", "phase": phase}
    return json.dumps(change | {"priority": "high", "code": "E12", "text": "AIR IN LINE"}).encode()


def hl7_time(at: int) -> str:
    """An instant as HL7 writes it."""
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(at // 1000))


def delivery_start(at: int) -> bytes:
    """A PCD-10: delivery starts."""
    when = hl7_time(at)
    return hl7.wire(
        hl7.msh("ORU^R42^ORU_R42", time=when),
        hl7.pid(),
        hl7.obr(time=when),
        hl7.device(),
        hl7.obx(hl7.EVENT, hl7.STARTED, place="1.0.0.2"),
        hl7.device(hl7.PUMP_VMD, place="1.1.0.0"),
        hl7.obx(hl7.STATUS, "^pump-delivery-status-delivering", place="1.1.2.1"),
        hl7.obx(hl7.SET_FLOW, "0.60", unit=hl7.ML_H, place="1.1.2.4"),
        hl7.obx(hl7.DRUG, "Secretumab", place="1.1.2.10"),
    )


def test_all(tmp_path: Path):
    with influxd(tmp_path / "influx") as store:
        with house(tmp_path, {"api": "v1", "url": store.url, "database": DATABASE}) as home:
            at = now_ms()
            home.publish("pump-01", "telemetry", telemetry(1, at))
            home.publish("pump-02", "raw/ihe-pcd", delivery_start(at - 2000))
            home.publish("pump-01", "alarm", alarm(2, at, "start"))
            home.publish("pump-02", "raw/ihe-pcd", hl7.alarm_message(time=hl7_time(at)))
            time.sleep(5)
            for m in home.mail.mails: print(m)
            for what in ("pump", "pump_alarm", "delivery", "alert", "incident", "page"):
                print(what, store.query(f"SELECT * FROM {what}", DATABASE))
            print(json.dumps(home.gateway.ask("/incidents"),indent=1))
            print(json.dumps(home.gateway.ask("/board"),indent=1))
            print(json.dumps(home.gateway.ask("/pages"),indent=1))
            print(home.gateway.health())
            print(home.gateway.log)
