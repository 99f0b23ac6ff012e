"""The pages of courses and pumps in Chromium: without JavaScript, on paper, living by themselves, for screen readers."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gateway.console.app import Entrance, create_api
from gateway.console.door import Callers
from gateway.domain.care import Seen
from gateway.runtime.access import Role
from tests.support.core_world import PUMP
from tests.support.fake_service import TOKEN
from tests.support.process import binary
from tests.support.sheet_ward import LivedWard, lived_ward

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SIZES = {"phone": (390, 844), "wide": (1280, 900)}
PAGES = {
    "courses": "/courses",
    "course": "/courses/P-017",
    "course-print": "/courses/P-017/print",
    "enrol": "/enrol",
    "pumps": "/pumps",
    "pump": "/pumps/p1",
    "pump-messages": "/pumps/p1/messages",
}
A4_POINTS = b"/MediaBox [0 0 594.95996 841.91998]"
PATIENCE_S = 60.0


@dataclass
class Served:
    """A ward and where its console answers."""

    ward: LivedWard
    server: uvicorn.Server
    thread: threading.Thread
    url: str

    def stop(self) -> None:
        """The gateway is gone."""
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(PATIENCE_S)


@pytest.fixture
def served() -> Iterator[Served]:
    """The console of two days of P-017, on a free port of loopback, open to whoever sits here as an administrator."""
    ward = lived_ward()
    api = create_api(ward, token=TOKEN, entrance=Entrance(callers=Callers(here=Role.ADMIN)))
    api.state.history = ward.past
    server = uvicorn.Server(uvicorn.Config(api, host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends_at = time.monotonic() + PATIENCE_S
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < ends_at
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Served(ward, server, thread, f"http://127.0.0.1:{port}")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def tab(chromium: Browser, served: Served, size: str = "phone", **more: object) -> Page:
    """A tab."""
    width, height = SIZES[size]
    context = chromium.new_context(base_url=served.url, viewport={"width": width, "height": height}, **more)
    context.set_default_timeout(PATIENCE_S * 1000)
    return context.new_page()


def test_a_call_is_noted_in_three_taps_without_javascript(served: Served, chromium: Browser) -> None:
    """A thumb on a phone: who, what was seen, what was advised. The page comes back and says so."""
    page = tab(chromium, served, java_script_enabled=False)
    page.goto("/courses/P-017")
    page.get_by_label("patient", exact=True).first.check()
    page.get_by_label("running", exact=True).check()
    page.get_by_role("button", name="Nothing to do: all is well").click()
    expect(page.get_by_role("status")).to_contain_text("call noted; the pump was seen running")
    ((_, command),) = served.ward.told
    assert (command.called, command.seen, command.advice) == ("patient", Seen.RUNNING, "Nothing to do: all is well")
    page.context.close()


def test_a_refused_form_comes_back_open_and_filled_in(served: Served, chromium: Browser) -> None:
    """What was typed is not lost, and the refusal is told at once."""
    page = tab(chromium, served, java_script_enabled=False)
    page.goto("/courses/P-017")
    page.get_by_text("Hang a bag", exact=True).click()
    page.locator("#bag-rate_ml_h").fill("1.8")
    page.get_by_role("button", name="Record that this bag hangs on P-017").click()
    expect(page.get_by_role("alert")).to_contain_text("not at 1.8")
    expect(page.locator("#bag-rate_ml_h")).to_be_visible()
    expect(page.locator("#bag-rate_ml_h")).to_have_value("1.8")
    page.context.close()


def test_the_printed_sheet_is_one_page_of_paper(served: Served, chromium: Browser) -> None:
    """A4, one page in both languages, without navigation."""
    for locale in ("en-GB", "zh-TW"):
        page = tab(chromium, served, locale=locale)
        page.goto("/courses/P-017/print")
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        assert A4_POINTS in printed
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation")).to_be_hidden()
        expect(page.locator(".paper").first).to_contain_text("2345 6789")
        page.context.close()


def test_a_pump_s_page_lives_and_says_when_the_gateway_is_gone(served: Served, chromium: Browser) -> None:
    """A new message is shown without a reload; a gateway that is gone is told, never a stale calm."""
    page = tab(chromium, served)
    page.goto(f"/pumps/{PUMP}")
    page.get_by_text("The same as a table").click()
    page.evaluate("window.stays = true; document.activeElement.blur()")
    served.ward.pump_says(served.ward.minute + 1, pressure_mmhg=77, boot="b1", seq=900)
    expect(page.get_by_text("77 mmHg")).to_be_visible(timeout=PATIENCE_S * 1000)
    assert page.evaluate("window.stays") is True
    expect(page.locator("figure table")).to_be_visible()
    served.stop()
    expect(page.get_by_role("alert")).to_contain_text("Gateway not reachable since", timeout=PATIENCE_S * 1000)
    page.context.close()


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("wide", "light")])
def test_everybody_can_use_the_pages_of_courses(served: Served, chromium: Browser, size: str, scheme: str) -> None:
    """Axe finds no fault, the content policy is kept, nothing is cut off at the side; pictures are kept for people."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = tab(chromium, served, size, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for name, path in PAGES.items():
        page.goto(path)
        page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
        page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    assert complaints == []
    page.context.close()
