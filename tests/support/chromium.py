"""Debian's Chromium, held by Playwright: tabs that remember what went wrong in them, and what every page has to stand."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Response, expect, sync_playwright

from tests.support.process import binary

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PHONE, DESK, WALL = {"width": 390, "height": 844}, {"width": 1280, "height": 900}, {"width": 1920, "height": 1080}
PATIENCE_MS = 30_000
PICTURE_TRIES = 5
WIDER = """[document.documentElement, ...document.querySelectorAll('.wide')]
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.slice(0, 100))"""
SCHEMES = ("light", "dark")
STATUS = "Failed to load resource: the server responded with a status of"  # of the page itself: the test asked for it
GONE = ("net::ERR_CONNECTION_", "net::ERR_INCOMPLETE_CHUNKED", "net::ERR_EMPTY_RESPONSE")  # tests that kill a gateway ask more


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run it for the length of a with-block."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def tab(
    browser: Browser, url: str, *, size: dict[str, int] = PHONE, javascript: bool = True, token: str = "", **more: Any
) -> Page:
    """An empty tab in a browser that has been nowhere yet; paths are those of `url`.

    `page.complaints` grows with each thing that should not be: an error or a warning in the console (a breach of the content
    policy is one), a script that failed, a part of a page that is missing, a request to anybody else.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    context = browser.new_context(base_url=url, viewport=size, java_script_enabled=javascript, extra_http_headers=headers, **more)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.complaints = complaints

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in (STATUS, *GONE)):
            complaints.append(message.text)

    def asked(request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(url).netloc:
            complaints.append(f"asked {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 400 and response.request.resource_type not in ("document", "eventsource"):
            complaints.append(f"{response.status} for {response.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", asked)
    context.on("response", answered)
    return page


def _picture(page: Page, path: Path) -> None:
    """All of the page, for people to look at. Under load Chromium sometimes has no frame to give: the next one then."""
    for left in reversed(range(PICTURE_TRIES)):
        try:
            page.screenshot(path=path, type="jpeg", quality=85, full_page=True)
        except Error as failed:
            if not left or "Unable to capture" not in str(failed):
                raise
            page.evaluate("new Promise(requestAnimationFrame)")
        else:
            return


def stands(page: Page, name: str, *, scheme: str = "light") -> None:
    """The page as it is: pictures of it by day and by night, nothing beside the screen, nothing that axe finds in this `scheme`.

    The pictures are `{name}-light.jpg` and `{name}-dark.jpg` in build/screenshots. For axe everything folded is open.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    for each in SCHEMES:
        page.emulate_media(color_scheme=each)
        _picture(page, SHOTS / f"{name}-{each}.jpg")
    page.emulate_media(color_scheme=scheme)
    page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
    assert page.evaluate(WIDER) == [], f"{name} is wider than the screen"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}, {scheme}: {found.generate_report()}"
    assert page.complaints == [], name
