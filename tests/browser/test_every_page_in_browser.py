"""Every page of the console in Chromium, on a real gateway whose ward has a past, in both languages, by day and by night.

On the phone in English and by night, on the desk and the wall in Chinese and by day. The pictures in build/screenshots,
`{page}-{phone|desk}-{light|dark}.jpg`, are for people to look at.
"""

import time
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, Page, expect

from gateway.console.app import create_api
from tests.support.brokers import mosquitto
from tests.support.chromium import DESK, PHONE, WALL, stands, tab
from tests.support.fake_service import TOKEN, FakeService
from tests.support.gateway_process import GatewayProcess, gateway, post_to, until
from tests.support.past_ward import past_ward, write_past
from tests.support.people import PASSWORD
from tests.support.web_hook import web_hook

pytestmark = pytest.mark.servers

BOSS = "nurse-ada"
# name → path; `{…}` are filled in by the ward that runs
PAGES = {
    "board": "/",
    "wall": "/wall",
    "incidents": "/incidents",
    "incident": "/incidents/{interrupted}",
    "incident-held": "/incidents/{held}",
    "incident-over": "/incidents/{over}",
    "incident-messages": "/incidents/{interrupted}/messages",
    "courses": "/courses",
    "course": "/courses/P-102",
    "course-print": "/courses/P-102/print",
    "enrol": "/enrol",
    "pumps": "/pumps",
    "pump": "/pumps/pump-2",
    "pump-messages": "/pumps/pump-2/messages",
    "people": "/people",
    "person": "/people/nurse-ada",
    "no-person": "/people/nurse-z",
    "policies": "/policies",
    "account": "/account",
    "access": "/access",
    "nothing-here": "/nowhere",
    "api": "/api/docs",
    "link": "{link}",
    "link-unknown": "/a/AAAAAAAAAAAAAAAAAAAAAA",
    "diary": "{diary}",
    "diary-unknown": "/d/AAAAAAAAAAAAAAAAAAAAAA",
}
NO_PAGES = ("/api/", "/health/", "/metrics", "/live", "/language/", "/login")  # for programs, or tested by itself below
SIZES = {"phone": (PHONE, "en", "dark"), "desk": (DESK, "zh-TW", "light")}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GatewayProcess, dict[str, str]]]:
    """The gateway, and what stands in the paths."""
    folder = tmp_path_factory.mktemp("pages")
    with mosquitto(folder / "broker") as broker, web_hook() as hook:
        file = past_ward(broker.port, post_to(hook.port)["url"])
        write_past(folder / "gateway" / "data" / "dripwatch.db", file, time.time_ns() // 1_000_000)
        with gateway(folder / "gateway", file) as process:
            process.tell("/users", {"name": BOSS, "role": "admin", "password": PASSWORD})
            process.tell("/tokens", {"name": "ward-monitor", "role": "read", "for": "90d"})
            texts = until(lambda: [said["message"] for _, said in hook.calls if said["message"].startswith("P-102")], "a page")
            keys = {one["subject"]: one["key"] for one in process.ask("/incidents")}
            yield (
                process,
                {
                    "interrupted": keys["P-102"],
                    "held": keys["P-104"],
                    "over": keys["P-103"],
                    "link": texts[0].splitlines()[-1].removeprefix(process.url),
                    "diary": process.ask("/courses/P-102/diary/link")["path"],
                },
            )


def test_no_page_is_forgotten() -> None:
    """Whoever adds a page adds it here."""
    api = create_api(FakeService(), token=TOKEN)
    pages = {str(route.path) for route in iter_route_contexts(api.routes) if "GET" in (route.methods or ())}
    assert "/incidents/{key}" in pages
    shown = {path.partition("?")[0] for path in PAGES.values()}
    forgotten = [
        path
        for path in pages
        if not path.startswith(NO_PAGES) and not any(_fits(path.split("/"), known.split("/")) for known in shown)
    ]
    assert sorted(forgotten) == []


def _fits(route: list[str], path: list[str]) -> bool:
    return len(route) == len(path) and all(part.startswith("{") or part == name for part, name in zip(route, path, strict=True))


@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_every_page(running: tuple[GatewayProcess, dict[str, str]], chromium: Browser, size: str) -> None:
    """Axe finds nothing, the policy about scripts is kept, nothing comes from elsewhere, nothing stands beside the screen."""
    process, names = running
    viewport, locale, scheme = SIZES[size]
    page = tab(chromium, process.url, size=viewport, locale=locale)
    page.goto("/login")
    stands(page, f"login-{size}", scheme=scheme)
    sign_in(page)
    for name, path in PAGES.items():
        page.set_viewport_size(WALL if name == "wall" and size == "desk" else viewport)
        page.goto(path.format(**names))
        assert page.locator("html").get_attribute("lang") == ("en" if size == "phone" or name == "api" else "zh-Hant"), path
        assert page.locator("h1").count() == 1, path
        stands(page, f"{name}-{size}", scheme=scheme)
    make_token(page, f"t-{size}")
    stands(page, f"token-made-{size}", scheme=scheme)
    page.context.close()


def sign_in(page: Page) -> None:
    """By the form, whose fields have the same names in all languages."""
    page.locator("#name").fill(BOSS)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").click()
    expect(page.locator("#board")).to_be_visible()


def make_token(page: Page, name: str) -> None:
    """The one page that only a form leads to."""
    page.goto("/access")
    page.locator("details:has(#token-name) summary").click()
    page.locator("#token-name").fill(name)
    page.locator("form:has(#token-name) button").click()
    expect(page.locator("code.key")).to_be_visible()


def test_a_page_that_broke_the_policy_would_be_found(running: tuple[GatewayProcess, dict[str, str]], chromium: Browser) -> None:
    """What a page of ours must not do is not done, and is told."""
    process, _ = running
    page = tab(chromium, process.url)
    page.goto("/login")
    assert page.complaints == []
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=bad style=color:red>x</p>')")
    page.evaluate("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
    page.evaluate("fetch('http://192.0.2.1/x').catch(() => 0)")
    told = "".join(page.complaints)
    assert [rule for rule in ("style-src", "script-src", "connect-src") if rule not in told] == [], told
    assert page.evaluate("window.ran") is None
    page.context.close()
