"""A treatment's care on real servers: recorded by the API, written into the diary by the home, mailed to the nurse."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.runtime.ports import Kind
from gateway.runtime.records import command_from
from tests.integration.test_end_to_end import House, alarm, now_ms, telemetry
from tests.support.brokers import mosquitto
from tests.support.gateway_process import GatewayProcess, gateway, mail_to, records_of, until, ward
from tests.support.smtp import Mail, mail_server

pytestmark = pytest.mark.servers

NURSE = "nurse-a@ward.example"
CAREGIVER = "caregiver@home.example"


def in_hours(hours: int) -> str:
    """An instant from now, as people write it."""
    return (datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def ask(running: GatewayProcess, verb: str, path: str, body: Any = None) -> httpx.Response:
    """Any verb at `/api/v1/{path}`, with the token; the bare answer."""
    headers = {"Authorization": f"Bearer {running.token_file.read_text().strip()}", "X-Dripwatch-User": "nurse-a"}
    return running.client.request(verb, f"/api/v1/{path}", json=body, headers=headers)


def enrol(home: House, course: str, pump: str) -> None:
    """A course with caregiver and dose, whose pump delivers."""
    body = {"course": course, "pump": pump, "bag": "7-day", "dose_mcg_per_day": 9, "travel_minutes": 40}
    answer = ask(home.gateway, "POST", "courses", {**body, "caregiver": [{"email": CAREGIVER, "after": "2m"}]})
    assert answer.status_code == 201, answer.text
    home.publish(pump, "telemetry", telemetry(1, now_ms()))
    until(lambda: line_of(home, course)["state"] == "delivering", f"{course} delivers")


def line_of(home: House, course: str) -> dict[str, Any]:
    """What the board says of a course."""
    line: dict[str, Any] = ask(home.gateway, "GET", f"courses/{course}").json()
    return line


def muted_by(home: House, course: str) -> set[str]:
    """What mutes the firing alerts of a course."""
    return {alert["muted_by"] for incident in line_of(home, course)["incidents"] for alert in incident["alerts"]}


def first_mail(home: House, course: str) -> Mail:
    """The first mail about a course, when it has come."""
    mail: Mail = until(lambda: home.mails_about(course), f"a mail about {course}")[0]
    return mail


def test_care_is_recorded_and_the_end_of_quiet_is_loud(tmp_path: Path):
    """Order, bag, window, silence, call: each stands on the board; what a window or silence kept is paged when it ends."""
    with mosquitto(tmp_path / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": NURSE})
        with gateway(tmp_path / "gateway", file) as running:
            home = House(broker, mail, running)
            for number in (17, 18, 19):
                enrol(home, f"P-0{number}", f"pump-{number}")
            _order_and_hang(home)
            _window_ends_loudly(home)
            _silence_ends_loudly(home)
            _call(home)
            _status_page(home)
            assert len(mail.mails) == 2


def _order_and_hang(home: House) -> None:
    """The order stands beside the bag until that bag hangs; an expired bag is refused in words."""
    ordered = ask(home.gateway, "POST", "courses/P-017/orders", {"bag": "7-day", "ready_at": in_hours(20)})
    assert (ordered.status_code, line_of(home, "P-017")["order"]["by"]) == (201, "nurse-a")
    assert line_of(home, "P-017")["supplies"]["bag_ordered"] is True
    old = ask(home.gateway, "POST", "courses/P-017/bags", {"bag": "7-day", "prepared_at": in_hours(-24 * 60)})
    assert (old.status_code, old.json()["type"]) == (409, "urn:dripwatch:refused")
    assert "expired" in old.json()["detail"]
    hung = ask(home.gateway, "POST", "courses/P-017/bags", {"bag": "7-day", "prepared_at": in_hours(-2), "rate_ml_h": 0.6})
    assert hung.status_code == 201, hung.text
    line = line_of(home, "P-017")
    assert (line["order"], line["dose_mcg_per_day"], line["caregiver"]) == (None, 9.0, ["email"])
    told = line["supplies"]
    assert told["bag_early_at"] < told["bag_central_at"] < told["bag_late_at"]


def _window_ends_loudly(home: House) -> None:
    """An alarm inside the window waits; at its end the nurse is mailed, and told why only now."""
    opened = ask(home.gateway, "POST", "courses/P-018/windows", {"kind": "bag-change", "for": "30m"})
    assert (opened.status_code, line_of(home, "P-018")["window"]) == (201, "bag-change")
    assert ask(home.gateway, "POST", "courses/P-018/windows", {"kind": "bag-change", "for": "30m"}).status_code == 409
    home.publish("pump-18", "alarm", alarm(2, now_ms(), "start"))
    until(lambda: "window" in muted_by(home, "P-018"), "the alarm waits in the window")
    assert ask(home.gateway, "DELETE", "courses/P-018/windows").status_code == 200
    assert first_mail(home, "P-018").text.startswith("P-018 HIGH, WINDOW OVER, STILL TRUE: ")
    assert ask(home.gateway, "DELETE", "courses/P-018/windows").status_code == 409


def _silence_ends_loudly(home: House) -> None:
    """A silence is ended by the id that its answer named; what still fires is mailed then."""
    made = ask(home.gateway, "POST", "silences", {"course": "P-019", "for": "1h", "reason": "the nurse is there"})
    assert (made.status_code, made.json()["silence"]) == (201, line_of(home, "P-019")["silences"][0]["id"])
    home.publish("pump-19", "alarm", alarm(2, now_ms(), "start"))
    until(lambda: "silence" in muted_by(home, "P-019"), "the alarm is silenced")
    assert ask(home.gateway, "DELETE", f"silences/{made.json()['silence']}").status_code == 200
    assert first_mail(home, "P-019").text.startswith("P-019 HIGH, SILENCE OVER, STILL TRUE: ")
    assert line_of(home, "P-019")["silences"] == []


def _call(home: House) -> None:
    """A call stands on the board with what was seen."""
    called = ask(home.gateway, "POST", "courses/P-017/calls", {"called": "caregiver", "seen": "running", "advice": "all is well"})
    assert called.status_code == 201
    (call,) = line_of(home, "P-017")["calls"]
    assert (call["who"], call["called"], call["seen"], call["advice"]) == ("nurse-a", "caregiver", "running", "all is well")


def _status_page(home: House) -> None:
    """What was recorded stands on the page; forecasts say that they are."""
    page = " ".join(re.sub(r"<[^>]+>", " ", home.gateway.client.get("/").text).split())
    assert "Cycle 1, infusion day 1 of 28, 9 mcg a day" in page
    assert "estimated between" in page
    course = " ".join(re.sub(r"<[^>]+>", " ", home.gateway.client.get("/courses/P-017").text).split())
    assert "Expires" in course


@pytest.mark.hazard("H-24")
async def test_a_fever_written_on_the_private_page_is_mailed(tmp_path: Path):
    """The link works without token and script; GET changes nothing, POST notes, the nurse is mailed, the journal has it."""
    with mosquitto(tmp_path / "broker") as broker, mail_server() as mail:
        file = ward(broker.port, {"email": mail_to(mail.port)}, {"email": NURSE})
        file["console"]["base_url"] = f"http://{file['console']['listen']}"
        with gateway(tmp_path / "gateway", file) as running:
            home = House(broker, mail, running)
            enrol(home, "P-017", "pump-17")
            link = ask(running, "GET", "courses/P-017/diary/link").json()
            assert link["url"] == f"{running.url}{link['path']}"
            with httpx.Client(trust_env=False) as phone:
                shown = phone.get(link["url"])
                assert (shown.status_code, "<script" in shown.text) == (200, False)
                form = re.search(r'<form method="post" action="([^"]+)"', shown.text)
                assert form is not None
                assert ask(running, "GET", "courses/P-017/diary").json() == []
                noted = phone.post(f"{running.url}{form[1]}", data={"temperature": "38,6", "writer": "caregiver"})
                assert (noted.status_code, "<li>38.6 °C</li>" in noted.text) == (200, True)
                assert phone.get(f"{running.url}/d/{'x' * 22}").status_code == 404
            mailed = first_mail(home, "P-017")
            assert re.match(r"P-017 MEDIUM: fever since \d\d:\d\d, now 38\.6 C", mailed.text)
            assert mailed.recipient == NURSE
            permissions = (running.journal.parent / "diary-secret").stat().st_mode & 0o777
            running.stop()
            running.start()
            assert ask(running, "GET", "courses/P-017/diary/link").json() == link
            running.stop()
            commands = [json.loads(record.body) for record in await records_of(running.journal, (Kind.COMMAND,))]
            entry = next(body for body in commands if body["verb"] == "add-diary")
            assert (entry["who"], permissions) == ("diary-page", 0o600)
            assert getattr(command_from(entry["verb"], entry["args"]), "temperature_c", None) == 38.6


def test_a_secret_that_is_none_is_refused_in_one_line(tmp_path: Path):
    """A diary-secret that somebody mangled stops the start with its name and the mend, not with a traceback."""
    with mosquitto(tmp_path / "broker") as broker:
        running = GatewayProcess(tmp_path / "gateway", ward(broker.port, {"email": mail_to(9)}, {"email": NURSE}))
        running.journal.parent.mkdir()
        (running.journal.parent / "diary-secret").write_text("too short")
        try:
            assert running.spawn().wait(30) == 2
        finally:
            running.kill()
            running.client.close()
        (line,) = [line for line in running.log.splitlines() if "diary-secret" in line]
        assert line.endswith("holds no token (22 or more characters, no spaces); remove it and start the gateway again")
        assert "Traceback" not in running.log
