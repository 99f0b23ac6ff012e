"""The live board in Chromium: changes are woven in, what the reader is doing stays, a gateway that is gone is said to be gone."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gateway.console.app import create_api
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState
from tests.support.fake_service import AT, TOKEN, FakeService, board, course, incident, interrupted
from tests.support.process import binary, free_port

PHONE, WALL = {"width": 390, "height": 844}, {"width": 1920, "height": 1080}
NOTICED_MS = 15_000
CUT_OFF = """[...document.querySelectorAll(".sheet .card, .calm")]
    .filter(one => one.scrollHeight > one.clientHeight + 1).map(one => one.id)"""


class Served:
    """The console around a scripted gateway, in a thread of its own. Called from the test, `show` acts in that thread."""

    def __init__(self) -> None:
        self.service = FakeService(shown=board(interrupted(), course("P-052")))
        self.port = free_port()
        api = create_api(self.service, token=TOKEN)
        config = uvicorn.Config(api, host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        config.timeout_graceful_shutdown = 0
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self.port}"

    def show(self, *courses, **changes) -> None:
        """Another board, as if something had happened."""
        loop = self.server.servers[0].get_loop()
        loop.call_soon_threadsafe(self.service.show, board(*courses, **changes))

    def stop(self) -> None:
        """End it as if its plug were pulled: no stream is finished."""
        self.server.should_exit = self.server.force_exit = True
        self.thread.join()


@pytest.fixture
def served() -> Iterator[Served]:
    """One for each test: some end it."""
    made = Served()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def tab(chromium: Browser, served: Served, place: str, *, size=PHONE, locale: str = "en", scheme: str = "light") -> Page:
    """A tab on this page, with the administrator's key, whose console has nothing to complain of."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    context = chromium.new_context(viewport=size, locale=locale, color_scheme=scheme, extra_http_headers=headers)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(served.url + place)
    return page


@pytest.mark.parametrize("place", ["/", "/wall"])
def test_a_change_is_woven_in_without_loading_the_page_again(served, chromium, place):
    """A new interruption appears, first; the title tells of it in another tab's bar too."""
    page = tab(chromium, served, place, size=WALL)
    page.evaluate("window.same = true")
    served.show(interrupted("P-099", 200), interrupted(), course("P-052"))
    expect(page.locator("#c-P-099")).to_contain_text("3 h 20 min of 4 h")
    assert page.evaluate("[...document.querySelectorAll('[id^=c-]')].map(one => one.id)") == ["c-P-099", "c-P-017", "c-P-052"]
    expect(page).to_have_title("2 high \N{EN DASH} haem-ward \N{EN DASH} Dripwatch")
    assert page.evaluate("window.same") is True
    assert page.complaints == []


def test_what_the_reader_is_doing_stays(served, chromium):
    """The focused button keeps its focus and its place, an open fold stays open, while everything around it changes."""
    page = tab(chromium, served, "/")
    page.locator("#c-P-017 summary").click()
    button = page.locator("#c-P-017 form button")
    button.focus()
    page.evaluate("window.button = document.activeElement")
    mine = page.locator("#c-P-017 input[name=csrf]").input_value()
    others = [interrupted(f"P-{number}", 230, incidents=(incident(f"P-{number}", number),)) for number in (100, 101)]
    served.show(others[0], interrupted(minutes=80), others[1], course("P-053"))
    expect(page.locator("#c-P-017")).to_contain_text("1 h 20 min of 4 h")
    assert page.evaluate("document.activeElement === window.button && window.button.isConnected") is True
    assert page.evaluate("document.querySelector('#c-P-017 details').open") is True
    order = page.evaluate("[...document.querySelectorAll('[id^=c-]')].map(one => one.id)")
    assert order == ["c-P-100", "c-P-017", "c-P-101", "c-P-053"]
    assert len(mine) > 20
    assert page.evaluate("[...document.querySelectorAll('input[name=csrf]')].map(one => one.value)") == [mine] * 3


def test_nothing_moves_under_a_finger(served, chromium):
    """Between a touch and a second later the board keeps still; then it catches up."""
    page = tab(chromium, served, "/")
    expect(page.locator("#c-P-017")).to_be_visible()
    page.evaluate(
        """() => {
            window.moves = [];
            let pressed = true;
            const board = document.getElementById("board");
            new MutationObserver(() => window.moves.push(pressed)).observe(board, {childList: true, subtree: true});
            const press = setInterval(() => dispatchEvent(new PointerEvent("pointerdown")), 50);
            setTimeout(() => { clearInterval(press); pressed = false; }, 1500);
        }"""
    )
    served.show(interrupted("P-099", 200), interrupted())
    expect(page.locator("#c-P-099")).to_be_visible()
    assert True not in page.evaluate("window.moves")


@pytest.mark.hazard("H-39", "H-66")
def test_a_gateway_that_is_gone_is_said_to_be_gone(served, chromium):
    """No stale calm: a banner with the time, a grey board, and the title."""
    page = tab(chromium, served, "/wall", size=WALL, locale="zh-HK")
    expect(page.locator("#unreachable")).to_be_hidden()
    served.stop()
    expect(page.locator("#unreachable")).to_contain_text("無法連接閘道", timeout=NOTICED_MS)
    assert page.evaluate("document.body.classList.contains('old')") is True
    expect(page).to_have_title("無法連接 \N{EN DASH} haem-ward \N{EN DASH} Dripwatch")


@pytest.mark.hazard("H-66")
def test_without_javascript_a_gateway_that_is_gone_leaves_no_board(served, chromium):
    """The page asks for itself again; what the browser shows then is its own failure, not our calm."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, extra_http_headers=headers)
    page = context.new_page()
    page.goto(served.url)
    expect(page.locator("#c-P-017")).to_be_visible()
    served.stop()
    expect(page.locator("#c-P-017")).to_have_count(0, timeout=NOTICED_MS)


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "zh-HK")])
def test_axe_finds_nothing(served, chromium, scheme, locale):
    """Headings, names, contrast, landmarks and targets, on the board, the wall and the list of incidents."""
    held = {"state": IncidentState.ACKNOWLEDGED, "holder": "nurse-b", "held_until": AT + 24 * MINUTE_MS, "next_step_at": None}
    silent = course("P-053", silent=True, heard_at=AT - 34 * MINUTE_MS)
    shown = board(interrupted(), interrupted("P-022", 251, incidents=(incident("P-022", 7, **held),)), silent, course("P-052"))
    served.service.shown = replace(shown, connected=False)
    served.service.remembered = [incident(), incident("P-001", 3, state=IncidentState.RESOLVED, closed_at=AT)]
    for place, size in (("/", PHONE), ("/", WALL), ("/wall", WALL), ("/incidents", PHONE)):
        page = tab(chromium, served, place, size=size, locale=locale, scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(CUT_OFF) == []
        page.context.close()
