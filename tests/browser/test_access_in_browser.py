"""Who gets in, and how far, in Chromium on a real gateway: sign-in, locks, roles, forged forms, sessions that are taken away."""

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.brokers import mosquitto
from tests.support.chromium import DESK, stands, tab
from tests.support.gateway_process import SITE, GatewayProcess, gateway, mail_to, until, ward
from tests.support.people import PASSWORD
from tests.support.pouring import occlusion, pour

pytestmark = pytest.mark.servers

ROLES = ("kiosk", "read", "triage", "technician", "admin")
ELSEWHERE = "http://ward.example"
FORGED = (
    '<form method="post" action="{url}/incidents/P-017/ack"><input name="csrf" value="{mark}"><button>A nice cat</button></form>'
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with an incident that nobody has, and one user of each role; nobody is let in for sitting at the machine."""
    folder = tmp_path_factory.mktemp("access")
    with mosquitto(folder / "broker") as broker:
        file = ward(broker.port, {"mail": mail_to(9)}, {"mail": "a@ward.example"})
        file["console"]["here"] = "none"
        with gateway(folder / "gateway", file) as process:
            for role in ROLES:
                process.tell("/users", {"name": f"the-{role}", "role": role, "password": PASSWORD})
            process.enrol("P-017", "pump-x")
            pour(broker.port, [occlusion(SITE, "pump-x")])
            until(lambda: process.ask("/incidents"), "the incident opens")
            yield process


def entered(chromium: Browser, running: GatewayProcess, role: str, place: str = "/", *, javascript: bool = True) -> Page:
    """A tab on this page, reached through the sign-in that stood in its way."""
    page = tab(chromium, running.url, javascript=javascript)
    page.goto(place)
    expect(page).to_have_url(f"{running.url}/login?next={place}")
    signs_in(page, f"the-{role}")
    return page


def signs_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and press its button."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _answer(html: str, route: Route) -> None:
    route.fulfill(body=html, content_type="text/html")


def holder(running: GatewayProcess) -> str:
    """Who has the incident."""
    return str(running.ask("/incidents/P-017")["holder"])


@pytest.mark.parametrize("javascript", [False, True], ids=["without-javascript", "with-javascript"])
def test_signing_in_leads_to_where_one_wanted_to_go(running: GatewayProcess, chromium: Browser, javascript: bool) -> None:
    """Also in a query; and out again. The cookie is for no script and no other site."""
    page = entered(chromium, running, "read", "/people/nurse-a", javascript=javascript)
    expect(page).to_have_url(f"{running.url}/people/nurse-a")
    expect(page.locator(".foot")).to_contain_text("Signed in as the-read")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], "-session" in cookie["name"]) == (True, "Strict", True)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{running.url}/login")
    page.goto("/people")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.complaints == []
    page.context.close()


def test_five_wrong_passwords_lock_the_name(running: GatewayProcess, chromium: Browser) -> None:
    """The fifth locks it, for the right password too; an administrator opens it again. The name stays filled in."""
    running.tell("/users", {"name": "forgetful", "role": "read", "password": PASSWORD})
    page = tab(chromium, running.url, javascript=False)
    page.goto("/login")
    for _ in range(5):
        signs_in(page, "forgetful", "not this one at all")
        expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
        expect(page.get_by_label("Name")).to_have_value("forgetful")
    signs_in(page, "forgetful")
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong tries. Wait until ")
    running.tell("/users/forgetful/unlock")
    signs_in(page, "forgetful")
    expect(page.locator(".foot")).to_contain_text("Signed in as forgetful")
    page.context.close()


def test_each_role_sees_its_own_buttons(running: GatewayProcess, chromium: Browser) -> None:
    """Who reads cannot take; the technician sees raw frames; the kiosk sees the board and nothing else."""
    seen = {}
    for role in ROLES:
        page = entered(chromium, running, role)
        expect(page.locator("#c-P-017 .mark.high").first).to_be_visible()
        takes = page.get_by_role("button", name="Take P-017").count()
        allowed = []
        for place in ("/wall", "/incidents/P-017", "/pumps/pump-x/messages", "/access"):
            page.goto(place)
            allowed.append(page.get_by_role("heading", name="Not allowed").count() == 0)
        seen[role] = (takes, *allowed)
        assert page.complaints == []
        page.context.close()
    assert seen == {
        "kiosk": (0, True, False, False, False),
        "read": (0, True, True, False, False),
        "triage": (1, True, True, True, False),
        "technician": (0, True, True, True, False),
        "admin": (1, True, True, True, True),
    }


def test_a_button_that_a_role_does_not_have_cannot_be_made_up(running: GatewayProcess, chromium: Browser) -> None:
    """A reader who writes the form into the page, with the page's own mark, is told who may."""
    page = entered(chromium, running, "read", "/account")
    mark = page.locator("input[name=csrf]").first.input_value()
    page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", FORGED.format(url="", mark=mark)
    )
    page.get_by_role("button", name="A nice cat").click()
    expect(page.get_by_role("main")).to_contain_text("(read) may not do this; these roles may: triage, admin")
    assert holder(running) == ""
    page.context.close()


def test_a_form_of_another_site_changes_nothing(running: GatewayProcess, chromium: Browser) -> None:
    """Neither from another host, where the cookie is not sent, nor from another port of this one, nor without the page's mark."""
    page = entered(chromium, running, "triage")
    mark = page.locator("#c-P-017 input[name=csrf]").input_value()
    for other in (ELSEWHERE, running.url.rpartition(":")[0] + ":9"):
        page.context.route(f"{other}/**", partial(_answer, FORGED.format(url=running.url, mark=mark)))
        page.goto(f"{other}/cats")
        with page.expect_response(lambda answer: answer.request.method == "POST") as told:
            page.get_by_role("button", name="A nice cat").click()
        assert told.value.status in (401, 403)
        assert holder(running) == ""
    page.goto("/")
    page.evaluate(
        "const form = document.querySelector('#c-P-017 form'); form.querySelector('[name=csrf]').remove(); form.requestSubmit()"
    )
    expect(page.get_by_role("main")).to_contain_text("nothing was changed")
    assert holder(running) == ""
    page.goto("/")
    page.get_by_role("button", name="Take P-017").click()
    expect(page).to_have_url(f"{running.url}/incidents/P-017@{page.url.rpartition('@')[2]}")
    assert holder(running) == "the-triage"
    page.context.close()


def test_a_session_that_is_taken_away_ends_at_once(running: GatewayProcess, chromium: Browser) -> None:
    """What lives by itself does not live on: the stream ends, and both screens ask for a sign-in."""
    page, other = entered(chromium, running, "kiosk", "/wall"), entered(chromium, running, "read", "/courses/P-017")
    expect(page.locator("#c-P-017")).to_be_visible()
    for one in running.ask("/sessions"):
        running.client.delete(f"/api/v1/sessions/{one['id']}", headers=running.bearer).raise_for_status()
    expect(page).to_have_url(f"{running.url}/login?next=/wall")
    expect(other).to_have_url(f"{running.url}/login?next=/courses/P-017")
    expect(page.get_by_text("P-017")).to_have_count(0)
    page.set_viewport_size(DESK)
    stands(page, "signed-out-desk")
    page.context.close()
