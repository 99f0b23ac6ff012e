"""People, policies and the test page in Chromium: with JavaScript and without, for screen readers too, on phone and wall."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.brokers import mosquitto
from tests.support.gateway_process import GatewayProcess, gateway, ward
from tests.support.kannel import SENDER
from tests.support.process import binary
from tests.support.smsc import NO_RECEIPT, Centre, smsc

pytestmark = pytest.mark.servers

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SIZES = {"phone": (390, 844), "wall": (1920, 1080)}
PAGES = {"people": "/people", "person": "/people/nurse-a", "policies": "/policies", "no-person": "/people/nurse-z"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GatewayProcess, Centre]]:
    """A gateway with two nurses, one of whom is on call until Monday; the other's number never gives a receipt."""
    folder = tmp_path_factory.mktemp("people")
    with mosquitto(folder / "broker") as broker, smsc(folder / "smsc") as centre:
        file = ward(broker.port, {}, {"sms": "85290000001"})
        account = {"kind": "smpp", "host": "127.0.0.1", "port": centre.port, "system_id": "gw", "password": "secret"}
        file["transports"] = {"sms": account | {"sender": SENDER, "receipts": True, "receipt_deadline": "60s"}}
        file["people"]["nurse-b"] = {"contacts": [{"sms": NO_RECEIPT}]}
        file["people"]["engineer"]["contacts"] = [{"sms": "85290000009"}]
        rotation = {"every": "1w", "handover": "mon 08:00", "people": ["nurse-a", "nurse-b"], "starts": "2026-03-02"}
        file["schedules"] = {"ward-nurse": {"rotation": rotation}, "nights": {"overrides": []}}
        file["policies"]["high"]["steps"].insert(0, {"page": ["schedule:ward-nurse", "caregiver"], "wait": "5m"})
        with gateway(folder / "gateway", file) as process:
            yield process, centre


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def tab(
    chromium: Browser, process: GatewayProcess, size: str = "phone", *, scheme: str = "light", javascript: bool = True
) -> Page:
    """A tab of the administrator's, who comes with the key file's token."""
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=process.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=javascript,
        extra_http_headers={"Authorization": f"Bearer {process.token_file.read_text().strip()}"},
    )
    return context.new_page()


def test_the_receipt_comes_by_itself(running: tuple[GatewayProcess, Centre], chromium: Browser):
    """The button says whom it pages; the page that follows tells what became of it, and is not loaded again."""
    process, centre = running
    page = tab(chromium, process)
    page.goto("/people/nurse-a")
    page.get_by_role("button", name="Page nurse-a now").click()
    expect(page).to_have_url(f"{process.url}/people/nurse-a#receipt")
    expect(page.locator("#test")).to_contain_text("delivered", timeout=15_000)
    expect(page.locator("#test")).to_contain_text("Every way works.")
    assert [to for to, text in centre.arrived if text.startswith("TEST ")][:1] == ["85290000001"]
    page.get_by_role("button", name="Page nurse-a now").click()
    expect(page.get_by_role("alert")).to_contain_text("one a minute; try again in ")
    page.context.close()


def test_it_works_without_javascript(running: tuple[GatewayProcess, Centre], chromium: Browser):
    """The receipt waits, and may be asked for by hand."""
    process, _ = running
    page = tab(chromium, process, javascript=False)
    page.goto("/people/nurse-b")
    page.get_by_role("button", name="Page nurse-b now").click()
    again = page.get_by_role("link", name="Look again")
    expect(again).to_be_visible()
    again.click()
    expect(page.locator("#test")).to_contain_text("Under way.")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_the_pages(running: tuple[GatewayProcess, Centre], chromium: Browser, size: str, scheme: str):
    """Axe finds no fault, the content policy is kept, nothing is wider than the screen; pictures are kept to be looked at."""
    process, _ = running
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = tab(chromium, process, size, scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for name, path in PAGES.items():
        page.goto(path)
        page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
        page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    assert [words for words in complaints if "404" not in words] == []
    page.context.close()
