"""The night of a nurse in Chromium, on a real gateway, broker and store: from the page on her phone to the end of the incident.

The store is stopped before the story is told a second time: it changes nothing.
"""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.brokers import mosquitto
from tests.support.chromium import WALL, stands, tab
from tests.support.gateway_process import SITE, GatewayProcess, gateway, post_to, until, ward
from tests.support.people import PASSWORD
from tests.support.pouring import pour
from tests.support.stores import Influxd
from tests.support.web_hook import WebHook, web_hook

pytestmark = pytest.mark.servers

NURSE = "nurse-a"


@dataclass
class Night:
    """Everything that runs, and what the pumps have said so far."""

    gateway: GatewayProcess
    broker_port: int
    hook: WebHook
    store: Influxd
    said: dict[str, int] = field(default_factory=dict)

    def pump_says(self, pump: str, channel: str, **body: Any) -> None:
        """A message; return when the broker has it."""
        seq = self.said[pump] = self.said.get(pump, 0) + 1
        told = {"observed_at": time.time_ns() // 1_000_000, "boot": "b1", "seq": seq, **body}
        pour(self.broker_port, [(f"dw/v1/{SITE}/{pump}/{channel}", json.dumps(told).encode())])

    def air_in_line(self, pump: str, phase: str) -> None:
        """The alarm starts or ends."""
        self.pump_says(pump, "alarm", alarm="air-in-line", phase=phase, priority="high")

    def link_to(self, course: str) -> str:
        """The link in the page about this course, when it has come."""
        texts = until(lambda: [text for text in self._texts() if text.startswith(f"{course} HIGH")], "the page")
        return texts[0].splitlines()[-1]

    def _texts(self) -> list[str]:
        return [str(said["message"]) for _, said in self.hook.calls]

    def incident(self, course: str) -> tuple[str, str]:
        """(state, holder)."""
        one = self.gateway.ask(f"/incidents/{course}")
        return one["state"], one["holder"]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A ward of three homes and a nurse who can sign in. The gateway's clock can be set forward."""
    folder = tmp_path_factory.mktemp("night")
    store = Influxd(folder)
    store.start()
    with mosquitto(folder / "broker") as broker, web_hook() as hook:
        influx = {"api": "v1", "url": store.url, "database": "dripwatch"}
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": NURSE}, influx=influx)
        file["console"]["base_url"] = f"http://{file['console']['listen']}"
        try:
            with gateway(folder / "gateway", file, program="tests.support.later") as process:
                process.tell("/users", {"name": NURSE, "role": "triage", "password": PASSWORD})
                for number in (1, 2, 3):
                    process.enrol(f"P-00{number}", f"pump-{number}")
                yield Night(process, broker.port, hook, store)
        finally:
            store.stop()


@pytest.mark.parametrize(("javascript", "number"), [(False, 1), (True, 2)], ids=["without-javascript", "with-javascript"])
def test_from_the_page_to_the_end(night: Night, chromium: Browser, javascript: bool, number: int) -> None:
    """The page arrives; the link, one button; signed in, a note; the pump is mended; two quiet minutes, and it is over."""
    course, pump = f"P-00{number}", f"pump-{number}"
    if javascript:
        night.store.stop()
    night.air_in_line(pump, "start")
    link = night.link_to(course)
    phone = tab(chromium, night.gateway.url, javascript=javascript)
    takes_it_by_link(phone, night, course, link)
    writes_a_note(phone, course)
    night.air_in_line(pump, "end")
    night.pump_says(pump, "telemetry", delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6)
    until(lambda: not night.gateway.ask(f"/incidents/{course}")["alerts"], "the alert is over")
    look_again(phone, javascript)
    expect(phone.get_by_text("Nothing fires any more; it ends when that has lasted.")).to_be_visible()
    night.gateway.signal(signal.SIGUSR1)
    until(lambda: night.incident(course)[0] == "resolved", "the incident is over")
    look_again(phone, javascript)
    expect(phone.get_by_text("It is over since")).to_be_visible()
    expect(phone.locator(".take")).to_have_count(0)
    expect(phone.locator(".timeline").first).to_contain_text("the home sees no air any more")
    phone.goto(link)
    expect(phone.get_by_role("button")).to_have_count(0)
    assert phone.complaints == []
    phone.context.close()


def look_again(phone: Page, javascript: bool) -> None:
    """With JavaScript the page lives by itself."""
    if not javascript:
        phone.reload()


def takes_it_by_link(phone: Page, night: Night, course: str, link: str) -> None:
    """What she sees at 3 a.m. Loading it again, or the wrong button first, does no harm; a link that nobody was given is none."""
    phone.goto(link)
    for said in (course, "HIGH", "Alarm persistent: air in line", "Nobody has it."):
        expect(phone.get_by_role("main")).to_contain_text(said)
    expect(phone.locator("button[value=take]")).to_be_in_viewport()
    assert night.incident(course) == ("triggered", "")
    phone.locator("button[value=take]").click()
    expect(phone.get_by_role("status")).to_contain_text("You have it until")
    assert night.incident(course) == ("acknowledged", NURSE)
    phone.locator("button[value=cannot]").click()
    expect(phone.get_by_role("status")).to_contain_text("You passed it on at")
    assert night.incident(course) == ("triggered", "")
    phone.locator("button[value=take]").click()
    expect(phone.get_by_role("status")).to_contain_text("You have it until")
    assert phone.url == link
    assert night.incident(course) == ("acknowledged", NURSE)
    phone.goto("/a/" + "A" * 22)
    expect(phone.get_by_role("alert")).to_contain_text("never given")
    expect(phone.locator("form")).to_have_count(0)


def writes_a_note(phone: Page, course: str) -> None:
    """For that she signs in, and comes back to the incident by herself."""
    phone.goto(f"/incidents/{course}")
    place = phone.url
    expect(phone.get_by_text("To take it, use the link in your page, or sign in.")).to_be_visible()
    phone.get_by_role("link", name="Sign in").last.click()
    phone.get_by_label("Name").fill(NURSE)
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Sign in").click()
    phone.goto(place)
    phone.get_by_text("Write a note", exact=True).click()
    phone.get_by_label("Note", exact=True).fill("the home sees no air any more")
    phone.get_by_role("button", name="Write it down").click()
    expect(phone).to_have_url(f"{place.partition('?')[0]}?{phone.url.partition('?')[2]}")
    expect(phone.get_by_role("status").first).to_be_visible()
    expect(phone.locator(".timeline").first).to_contain_text("the home sees no air any more")


def test_the_wall_shows_an_alarm_as_it_comes(night: Night, chromium: Browser) -> None:
    """From the pump to the wall without the page being loaded again; the store is away, which nobody here notices."""
    wall = tab(chromium, night.gateway.url, size=WALL)
    wall.goto("/wall")
    expect(wall.locator("#c-P-003")).to_be_visible()
    expect(wall.locator(".mark.high")).to_have_count(0)
    wall.evaluate("window.same = true")
    night.air_in_line("pump-3", "start")
    expect(wall.locator("#c-P-003 .mark.high")).to_be_visible()
    expect(wall.locator("#c-P-003")).to_contain_text("Nobody has it")
    assert wall.evaluate("window.same") is True
    assert night.store.process is None
    assert wall.complaints == []
    wall.context.close()


@pytest.mark.hazard("H-39", "H-66")
def test_a_gateway_that_is_gone_is_said_to_be_gone(night: Night, chromium: Browser) -> None:
    """Killed, every page that lives by itself says since when; without JavaScript there is no board any more. Then it is back."""
    url = night.gateway.url
    board, wall = tab(chromium, url), tab(chromium, url, size=WALL, locale="zh-HK")
    pump, incident = (tab(chromium, url, timezone_id="America/New_York") for _ in range(2))
    bare = tab(chromium, url, javascript=False)
    for page, place in ((board, "/"), (wall, "/wall"), (pump, "/pumps/pump-3"), (incident, "/incidents/P-003"), (bare, "/")):
        page.goto(place)
    for page in (board, wall, bare):
        expect(page.locator("#c-P-003")).to_be_visible()
    for page in (board, wall):
        expect(page.locator("#unreachable")).to_be_hidden()
    night.gateway.kill()
    expect(board.locator("#unreachable")).to_contain_text("Gateway not reachable since ")
    expect(wall.locator("#unreachable")).to_contain_text("無法連接閘道")
    for page in (pump, incident):
        expect(page.get_by_role("alert")).to_contain_text("Gateway not reachable since ")
        assert_lately_on_the_ward(page.get_by_role("alert").inner_text())
    assert board.evaluate("document.body.classList.contains('old')") is True
    assert "NOT REACHABLE" in board.title()
    assert "無法連接" in wall.title()
    expect(bare.locator("#c-P-003")).to_have_count(0)
    for page, name in ((board, "gone-board-phone"), (wall, "gone-wall-desk"), (incident, "gone-incident-phone")):
        stands(page, name)
    night.gateway.start()
    for page in (board, wall):
        expect(page.locator("#unreachable")).to_be_hidden()
        expect(page.locator("#c-P-003 .mark.high").first).to_be_visible()
    for page in (pump, incident):
        expect(page.get_by_role("alert")).to_have_count(0)
    for page in (board, wall, pump, incident, bare):
        page.context.close()


def assert_lately_on_the_ward(words: str) -> None:
    """The time in these words is the ward's, wherever the phone is: some minutes ago at most."""
    told = datetime.strptime(words.rsplit(maxsplit=1)[-1], "%H:%M:%S").replace(tzinfo=UTC)  # of any day
    now = datetime.now(ZoneInfo("Asia/Hong_Kong"))
    assert (now.hour * 60 + now.minute - told.hour * 60 - told.minute) % (24 * 60) < 10, words
