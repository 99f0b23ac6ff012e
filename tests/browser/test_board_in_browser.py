"""The live board in Chromium: changes are woven in, and what the reader is doing stays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import expect

from gateway.console.app import create_api
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState
from tests.support.chromium import PHONE, WALL, stands, tab
from tests.support.fake_service import AT, TOKEN, FakeService, board, course, incident, interrupted
from tests.support.served import Served, served

CUT_OFF = """[...document.querySelectorAll(".sheet .card, .calm")]
    .filter(one => one.scrollHeight > one.clientHeight + 1).map(one => one.id)"""


@dataclass
class Watched:
    """A gateway and where its console answers."""

    service: FakeService
    at: Served

    def show(self, *courses, **changes) -> None:
        """Another board, as if something had happened."""
        self.at.loop.call_soon_threadsafe(self.service.show, board(*courses, **changes))


@pytest.fixture
def watched() -> Iterator[Watched]:
    """One course is interrupted, another is not."""
    service = FakeService(shown=board(interrupted(), course("P-052")))
    with served(create_api(service, token=TOKEN)) as made:
        yield Watched(service, made)


@pytest.mark.parametrize("place", ["/", "/wall"])
def test_a_change_is_woven_in_without_loading_the_page_again(watched, chromium, place):
    """A new interruption appears, first; the title tells of it in another tab's bar too."""
    page = tab(chromium, watched.at.url, size=WALL, token=TOKEN)
    page.goto(place)
    page.evaluate("window.same = true")
    watched.show(interrupted("P-099", 200), interrupted(), course("P-052"))
    expect(page.locator("#c-P-099")).to_contain_text("3 h 20 min of 4 h")
    assert page.evaluate("[...document.querySelectorAll('[id^=c-]')].map(one => one.id)") == ["c-P-099", "c-P-017", "c-P-052"]
    expect(page).to_have_title("2 high \N{EN DASH} haem-ward \N{EN DASH} Dripwatch")
    assert page.evaluate("window.same") is True
    assert page.complaints == []


def test_what_the_reader_is_doing_stays(watched, chromium):
    """The focused button keeps its focus and its place, an open fold stays open, while everything around it changes."""
    page = tab(chromium, watched.at.url, token=TOKEN)
    page.goto("/")
    page.locator("#c-P-017 summary").click()
    button = page.locator("#c-P-017 form button")
    button.focus()
    page.evaluate("window.button = document.activeElement")
    mine = page.locator("#c-P-017 input[name=csrf]").input_value()
    others = [interrupted(f"P-{number}", 230, incidents=(incident(f"P-{number}", number),)) for number in (100, 101)]
    watched.show(others[0], interrupted(minutes=80), others[1], course("P-053"))
    expect(page.locator("#c-P-017")).to_contain_text("1 h 20 min of 4 h")
    assert page.evaluate("document.activeElement === window.button && window.button.isConnected") is True
    assert page.evaluate("document.querySelector('#c-P-017 details').open") is True
    order = page.evaluate("[...document.querySelectorAll('[id^=c-]')].map(one => one.id)")
    assert order == ["c-P-100", "c-P-017", "c-P-101", "c-P-053"]
    assert len(mine) > 20
    assert page.evaluate("[...document.querySelectorAll('input[name=csrf]')].map(one => one.value)") == [mine] * 3


def test_nothing_moves_under_a_finger(watched, chromium):
    """Between a touch and a second later the board keeps still; then it catches up."""
    page = tab(chromium, watched.at.url, token=TOKEN)
    page.goto("/")
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
    watched.show(interrupted("P-099", 200), interrupted())
    expect(page.locator("#c-P-099")).to_be_visible()
    moves = page.evaluate("window.moves")
    assert moves, "the board changed, and nobody saw it"
    assert True not in moves


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "zh-HK")])
def test_a_board_in_trouble_stands(watched, chromium, scheme, locale):
    """The broker away, a limit passed, a silent pump, a course that somebody has: axe finds nothing, and no card is cut off."""
    held = {"state": IncidentState.ACKNOWLEDGED, "holder": "nurse-b", "held_until": AT + 24 * MINUTE_MS, "next_step_at": None}
    silent = course("P-053", silent=True, heard_at=AT - 34 * MINUTE_MS)
    shown = board(interrupted(), interrupted("P-022", 251, incidents=(incident("P-022", 7, **held),)), silent, course("P-052"))
    watched.service.shown = replace(shown, connected=False)
    for place, size, name in (("/", PHONE, "trouble-board-phone"), ("/wall", WALL, "trouble-wall-desk")):
        page = tab(chromium, watched.at.url, size=size, locale=locale, token=TOKEN)
        page.goto(place)
        assert page.evaluate(CUT_OFF) == []
        stands(page, name, scheme=scheme)
        page.context.close()
