"""The pages of courses and pumps in Chromium: without JavaScript, on paper, living by themselves."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from gateway.console.app import Entrance, create_api
from gateway.console.door import Callers
from gateway.domain.care import Seen
from gateway.runtime.access import Role
from tests.support.chromium import tab
from tests.support.core_world import PUMP
from tests.support.fake_service import TOKEN
from tests.support.served import served
from tests.support.sheet_ward import LivedWard, lived_ward

A4_POINTS = b"/MediaBox [0 0 594.95996 841.91998]"


@pytest.fixture
def ward() -> LivedWard:
    """Two days of P-017."""
    return lived_ward()


@pytest.fixture
def url(ward: LivedWard) -> Iterator[str]:
    """Where its console answers, open to whoever sits here as an administrator."""
    api = create_api(ward, token=TOKEN, entrance=Entrance(callers=Callers(here=Role.ADMIN)))
    api.state.history = ward.past
    with served(api) as made:
        yield made.url


def test_a_call_is_noted_in_three_taps_without_javascript(ward: LivedWard, url: str, chromium: Browser) -> None:
    """A thumb on a phone: who, what was seen, what was advised. The page comes back and says so."""
    page = tab(chromium, url, javascript=False)
    page.goto("/courses/P-017")
    page.get_by_label("patient", exact=True).first.check()
    page.get_by_label("running", exact=True).check()
    page.get_by_role("button", name="Nothing to do: all is well").click()
    expect(page.get_by_role("status")).to_contain_text("call noted; the pump was seen running")
    ((_, command),) = ward.told
    assert (command.called, command.seen, command.advice) == ("patient", Seen.RUNNING, "Nothing to do: all is well")
    page.context.close()


def test_a_refused_form_comes_back_open_and_filled_in(ward: LivedWard, url: str, chromium: Browser) -> None:
    """What was typed is not lost, and the refusal is told at once."""
    page = tab(chromium, url, javascript=False)
    page.goto("/courses/P-017")
    page.get_by_text("Hang a bag", exact=True).click()
    page.locator("#bag-rate_ml_h").fill("1.8")
    page.get_by_role("button", name="Record that this bag hangs on P-017").click()
    expect(page.get_by_role("alert")).to_contain_text("not at 1.8")
    expect(page.locator("#bag-rate_ml_h")).to_be_visible()
    expect(page.locator("#bag-rate_ml_h")).to_have_value("1.8")
    page.context.close()


def test_the_printed_sheet_is_one_page_of_paper(ward: LivedWard, url: str, chromium: Browser) -> None:
    """A4, one page in both languages, without navigation."""
    for locale in ("en-GB", "zh-TW"):
        page = tab(chromium, url, locale=locale)
        page.goto("/courses/P-017/print")
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        assert A4_POINTS in printed
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation")).to_be_hidden()
        expect(page.locator(".paper").first).to_contain_text("2345 6789")
        page.context.close()


def test_a_pump_s_page_lives(ward: LivedWard, url: str, chromium: Browser) -> None:
    """A new message is shown without a reload, and what was opened stays open."""
    page = tab(chromium, url)
    page.goto(f"/pumps/{PUMP}")
    page.get_by_text("The same as a table").click()
    page.evaluate("window.stays = true; document.activeElement.blur()")
    ward.pump_says(ward.minute + 1, pressure_mmhg=77, boot="b1", seq=900)
    expect(page.get_by_text("77 mmHg")).to_be_visible()
    assert page.evaluate("window.stays") is True
    expect(page.locator("figure table")).to_be_visible()
    assert page.complaints == []
    page.context.close()
