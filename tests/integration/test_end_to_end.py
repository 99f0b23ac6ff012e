"""The straight line on real servers: mosquitto_pub publishes, the nurse gets an e-mail, the store has the points."""

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
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
SAMPLES = os.environ.get("DRIPWATCH_SAMPLES", "")


@dataclass(frozen=True, slots=True)
class House:
    """All servers, with two homes enrolled: P-017 on pump-01, P-018 on pump-02."""

    broker: Broker
    mail: MailServer
    gateway: GatewayProcess

    def publish(self, device: str, channel: str, payload: bytes) -> None:
        """What a pump does; returns when the broker has it."""
        publish(self.broker, f"dw/v1/{SITE}/{device}/{channel}", payload)

    def mails_about(self, course: str) -> list[Mail]:
        """The mails that name this course."""
        return [mail for mail in self.mail.mails if course in mail.text]


def publish(broker: Broker, topic: str, payload: bytes) -> None:
    """Publish by mosquitto's own client; returns when the broker has it."""
    command = [binary("mosquitto_pub"), "-p", str(broker.port), "-q", "1", "-t", topic, "-s"]
    subprocess.run(command, input=payload, check=True, timeout=30)


@contextlib.contextmanager
def house(folder: Path, store: dict[str, str]) -> Iterator[House]:
    """Everything runs for the length of the block."""
    with mosquitto(folder / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": NURSE}, influx=store)
        with gateway(folder / "gateway", file) as running:
            running.command("enrol", "--course", "P-017", "--pump", "pump-01", "--bag", "7-day")
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


@contextlib.contextmanager
def told_by(broker: Broker, output: Path) -> Iterator[Callable[[str], str]]:
    """mosquitto_sub listens to what the gateway tells the senders of alarms; gives a look-up of what a topic was told."""
    command = [binary("mosquitto_sub"), "-p", str(broker.port), "-q", "1", "-t", "dwack/#", "-v"]
    with output.open("wb") as out:
        ear = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def hears_a_probe() -> bool:
        publish(broker, "dwack/probe", b"?")
        return output.stat().st_size > 0

    try:
        until(hears_a_probe, "mosquitto_sub has subscribed")
        yield lambda topic: next((line for line in output.read_text().splitlines() if line.startswith(f"{topic} ")), "")
    finally:
        stop(ear)


def last_values(store: Influxd, measurement: str, course: str) -> dict[str, Any]:
    """The newest point of a course; empty while there is none."""
    query = f"SELECT * FROM {measurement} WHERE course = '{course}' ORDER BY time DESC LIMIT 1"  # noqa: S608  a test's own words
    series = store.query(query, DATABASE) if ["dripwatch"] in databases(store) else []
    return dict(zip(series[0]["columns"], series[0]["values"][0], strict=True)) if series else {}


def databases(store: Influxd) -> list[Any]:
    """Their names; the gateway makes its own."""
    return list(store.query("SHOW DATABASES")[0].get("values", []))


@pytest.mark.hazard("H-01")
def test_an_alarm_and_two_ihe_messages_reach_the_nurse_and_the_store(tmp_path: Path):
    """What mosquitto_pub publishes is mailed, stored, listed and told back to its sender; what IHE says about people is not."""
    with (
        influxd(tmp_path / "influx") as store,
        house(tmp_path, v1(store)) as home,
        told_by(home.broker, tmp_path / "dwack") as told,
    ):
        at = now_ms()
        home.publish("pump-01", "telemetry", telemetry(1, at))
        home.publish("pump-01", "alarm", alarm(2, at, "start"))
        home.publish("pump-02", "raw/ihe-pcd", delivery_start(at - 2_000))
        home.publish("pump-02", "raw/ihe-pcd", hl7.alarm_message(time=hl7_time(at)))

        air = until(lambda: home.mails_about("P-017"), "a mail about the air in the line")[0]
        occlusion = until(lambda: home.mails_about("P-018"), "a mail about the occlusion")[0]
        heeded = until(lambda: told(f"dwack/{SITE}/pump-01"), "the pump is told that its alarm is heeded")
        assert json.loads(heeded.partition(" ")[2]) == {"boot": "b1", "seq": 2}
        assert matches(air, r"P-017 HIGH: pump alarm air in line since \d\d:\d\d\. Reply \d{4} to take it\.")
        assert matches(occlusion, r"P-018 HIGH: pump alarm occlusion since \d\d:\d\d\. Reply \d{4} to take it\.")
        said = "".join(mail.subject + mail.text for mail in home.mail.mails)
        assert not re.search("Testperson|Nobody|Secretumab", said)
        listed = re.findall(r"^(\w+) +(P-\d+) +NOBODY HAS IT", home.gateway.command("incidents", "list"), re.MULTILINE)
        assert sorted(listed) == [("HIGH", "P-017"), ("HIGH", "P-018")]
        judged = {line["course"]: line["state"] for line in home.gateway.ask("/board")["courses"]}
        assert judged == {"P-017": "delivering", "P-018": "delivering"}
        check_points(store, at)


def check_points(store: Influxd, at: int) -> None:
    """Everything of the two homes is in InfluxDB, at the pumps' own times."""

    def has(measurement: str, course: str, **expected: Any) -> None:
        def found() -> bool:
            return expected.items() <= last_values(store, measurement, course).items()

        until(found, f"{measurement} of {course} with {expected}; is {last_values(store, measurement, course)}")

    has("pump", "P-017", time=at, site=SITE, device="pump-01", rate_ml_h=0.6, infused_ml=12.4, battery_percent=81, on_battery=1)
    has("pump", "P-018", time=(at - 2_000) // 1000 * 1000, device="pump-02", set_rate_ml_h=0.6, delivering=1)
    has("pump_alarm", "P-017", time=at, alarm="air-in-line", priority="high", active=1, text="AIR IN LINE")
    has("pump_alarm", "P-018", time=at // 1000 * 1000, alarm="occlusion", active=1)
    for course in ("P-017", "P-018"):
        has("delivery", course, state="delivering", code=0)
        has("alert", course, rule="alarm-persistent", state="firing", priority="high")
        has("incident", course, state="triggered", priority="high")
        has("page", course, to="nurse-a", by="email", why="opened", ok=1)


def test_an_acknowledged_alarm_that_ends_is_told_as_resolved(tmp_path: Path):
    """Somebody takes the incident; two quiet minutes after the pump's alarm has ended, who was paged is told, once."""
    with influxd(tmp_path / "influx") as store, house(tmp_path, v1(store)) as home:
        home.publish("pump-01", "alarm", alarm(1, now_ms(), "start"))
        until(lambda: home.mails_about("P-017"), "the page")
        home.gateway.command("incidents", "ack", "P-017")
        taken = home.gateway.ask("/incidents/P-017")
        assert (taken["state"], taken["holder"]) == ("acknowledged", "tester")
        home.publish("pump-01", "alarm", alarm(2, now_ms(), "end"))

        until(lambda: len(home.mails_about("P-017")) > 1, "the mail that it is over", seconds=150)
        assert matches(home.mails_about("P-017")[1], r"P-017 RESOLVED after [^:]+: was pump alarm air in line since \d\d:\d\d\.")
        assert home.gateway.ask("/incidents/P-017")["state"] == "resolved"
        until(lambda: last_values(store, "page", "P-017").get("why") == "resolved", "the page's point")
        assert last_values(store, "incident", "P-017")["state"] == "resolved"
        assert len(home.mail.mails) == 2


def test_the_same_points_arrive_by_the_second_api(tmp_path: Path):
    """With `influx.api: v2` the points are in VictoriaMetrics, at the pumps' own times."""
    folder = tmp_path / "victoria"
    folder.mkdir()
    store = VictoriaMetrics(folder)
    store.start()
    try:
        with house(tmp_path, {"api": "v2", "url": store.url, "org": "ward", "bucket": DATABASE, "token": "any"}) as home:
            at = now_ms()
            home.publish("pump-01", "telemetry", telemetry(1, at))
            home.publish("pump-01", "alarm", alarm(2, at, "start"))
            until(lambda: home.mails_about("P-017"), "the page")
            for series, value in (
                ("pump_rate_ml_h", 0.6),
                ("pump_infused_ml", 12.4),
                ("pump_alarm_active", 1),
                ("delivery_code", 0),
                ("alert_code", 2),
                ("incident_code", 2),
                ("page_ok", 1),
            ):
                until(lambda name=series: store.export(f'{name}{{course="P-017"}}'), f"{series} of P-017")
                (found,) = store.export(f'{series}{{course="P-017"}}')
                assert found["values"][-1] == value
                assert found["timestamps"][-1] == at or not series.startswith("pump")
    finally:
        store.stop()


@pytest.mark.skipif(not SAMPLES, reason="DRIPWATCH_SAMPLES names no folder: the real messages are not tried")
def test_real_messages_of_the_field(tmp_path: Path):
    """A published occlusion of 2012 pages, a delivery start of 2015 is taken, and a blood-pressure monitor is refused by name."""
    samples = Path(SAMPLES)
    with influxd(tmp_path / "influx") as store, house(tmp_path, v1(store)) as home:
        home.publish("pump-01", "raw/ihe-pcd", (samples / "ihe_pcd10_delivery_start_2015.hl7").read_bytes())
        home.publish("pump-01", "raw/ihe-pcd", (samples / "ihe_pcd01_monitor_not_a_pump.hl7").read_bytes())
        home.publish("pump-02", "raw/ihe-pcd", (samples / "ihe_pcd04_occlusion_start.hl7").read_bytes())

        mail = until(lambda: home.mails_about("P-018"), "a mail about the occlusion")[0]
        assert matches(mail, r"P-018 HIGH: pump alarm occlusion since .*\. Reply \d{4} to take it\.")
        pumps = {line["device"]: line for line in home.gateway.ask("/pumps")}
        assert pumps["pump-01"]["refusals"] == {"not-a-pump": 1}
        assert pumps["pump-02"]["refusals"] == {}
        until(lambda: last_values(store, "pump_alarm", "P-018"), "the alarm's point")
        assert last_values(store, "pump_alarm", "P-018")["time"] == 1_326_153_257_000  # 2012-01-09T17:54:17-06:00
        until(
            lambda: last_values(store, "pump", "P-017").get("set_rate_ml_h") == 15.4, "the prescribed rate of the delivery start"
        )


def matches(mail: Mail, essential: str) -> bool:
    """The mail's subject and its first line are the essential, for the nurse."""
    first = mail.text.partition("\n")[0]
    return mail.recipient == NURSE and bool(re.fullmatch(essential, first)) and bool(re.fullmatch(essential, mail.subject))


def v1(store: Influxd) -> dict[str, str]:
    """The ward file's `influx` for this server."""
    return {"api": "v1", "url": store.url, "database": DATABASE}
