"""People, policies and test pages in the browser and over the API, on the real core."""

import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.core.sheets import Sheets
from gateway.domain.commands import Command, SendTestPage
from gateway.domain.effects import CommandResult
from gateway.domain.words import Outcome
from gateway.runtime.access import Role
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import FakeService
from tests.support.people import PASSWORD, accounts_of, browser, mark_in, one_of_each_role, sign_in
from tests.unit.core.world import World, minutes

OURS = re.compile(
    "nurse|charge|manager|haematologist|pharmacist|pharmacy|ward|sms|voice|pager|email|seniors|example|STOP|Asia|Hong|Kong|English"
)
WHOLE = "85290000001"  # nurse-a's number: for administrators only


class PeopledWard(FakeService):
    """A service on a real core with the example ward, five minutes after its start."""

    def __init__(self, patch: dict | None = None) -> None:
        super().__init__()
        self.world, self.minute = World(patch), 5.0

    def now(self) -> int:
        return minutes(self.minute)

    def sheets(self) -> Sheets:
        return Sheets(self.world.monitor.state, self.now())

    async def command(self, who: str, command: Command, *, by: str = "", once=None) -> CommandResult:
        if self.broken is not None:
            raise self.broken
        if not isinstance(command, SendTestPage):  # users are added
            return CommandResult(1, ok=True, message="noted")
        self.told.append((who, command))
        return self.world.do(self.minute, command, who)


@contextlib.asynccontextmanager
async def client_of(ward: PeopledWard, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody has signed in: `the-<role>`, or nurse-a, who may read."""
    accounts = accounts_of(ward)
    await one_of_each_role(accounts)
    await accounts.add_user("tester", "nurse-a", Role.READ, PASSWORD)
    async with browser(ward, accounts) as client:
        await sign_in(client, name)
        yield client


async def press(client: httpx.AsyncClient, person: str, *, page: str = "") -> httpx.Response:
    """Press the button for a test page, with the mark of a page that has one."""
    html = (await client.get(page or f"/people/{person}")).text
    return await client.post(f"/people/{person}/test-page", data={"csrf": mark_in(html)})


async def test_who_is_on_call_now_and_next():
    """With the zone, the override on Wednesday night, and that there is no gap."""
    async with client_of(PeopledWard(), "the-read") as client:
        html = (await client.get("/people")).text
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "ward-nurse Time zone Asia/Hong_Kong Now nurse-a until Wed 4 Mar 20:00 Next nurse-b from Wed 4 Mar 20:00" in text
    assert "No gap in the coming 14 days" in text
    assert "Overrides Wed 4 Mar 20:00 \N{EN DASH} Thu 5 Mar 08:00: nurse-b" in text
    assert "seniors : charge-nurse, haematologist" in text


@pytest.mark.hazard("H-54")
async def test_a_gap_is_shown_loudly():
    """Where nobody is on call it says so, from when until when."""
    patch = {"schedules": {"ward-nurse": {"rotation": None}}}
    async with client_of(PeopledWard(patch), "the-read") as client:
        html = (await client.get("/people")).text
        rota = (await client.get("/api/v1/oncall?days=3")).json()
    assert html.count("NOBODY") >= 3
    assert "Nobody is on call:" in html
    assert [(gap["from_at"], gap["until_at"]) for gap in rota[0]["gaps"]] == [
        ("2026-03-02T00:05:00.000Z", "2026-03-04T12:00:00.000Z"),
        ("2026-03-05T00:00:00.000Z", "2026-03-05T00:05:00.000Z"),
    ]


@pytest.mark.parametrize(
    ("who", "whole"), [("the-admin", True), ("the-triage", False), ("nurse-a", False), ("the-technician", False)]
)
async def test_addresses_are_for_administrators(who: str, *, whole: bool):
    """Everybody else sees the last three digits, on pages and over the API."""
    ward = PeopledWard()
    ward.world.do(1, SendTestPage(person="nurse-a"))
    async with client_of(ward, who) as client:
        for path in ("/people", "/people/nurse-a", "/api/v1/people", "/api/v1/people/nurse-a"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert (WHOLE in answer.text) is whole, path
            assert ("…001" in answer.text) is not whole, path
            assert ("manager@ward.example" in answer.text) is (whole and path.endswith("people")), path


async def test_page_me_now():
    """Everybody may; the receipt stands on the page, first on its way, then what each contact said."""
    ward = PeopledWard()
    async with client_of(ward, "nurse-a") as client:
        assert "Page me now" in (await client.get("/people")).text
        answer = await press(client, "nurse-a")
        assert (answer.status_code, answer.headers["location"]) == (303, "/people/nurse-a#receipt")
        assert ward.told == [("nurse-a", SendTestPage(person="nurse-a"))]
        html = (await client.get("/people/nurse-a")).text
        assert "Under way." in html
        assert "data-waits" in html
        for page, outcome in zip(ward.world.pages, (Outcome.DELIVERED, Outcome.REJECTED), strict=True):
            ward.world.sent(5.1, page, outcome)
        ward.minute = 5.2
        html = (await client.get("/people/nurse-a")).text
        assert "1 of 2 ways work." in html
        assert "data-waits" not in html


async def test_at_most_once_a_minute():
    """Refused in the gateway's own words, with status 409, on the same page."""
    ward = PeopledWard()
    async with client_of(ward, "nurse-a") as client:
        await press(client, "nurse-a")
        again = await press(client, "nurse-a")
    assert again.status_code == 409
    assert "one a minute; try again in 60 s" in again.text
    assert 'role="alert"' in again.text


@pytest.mark.parametrize("who", ["the-triage", "the-technician", "the-read"])
async def test_nobody_pages_a_colleague_but_an_administrator(who: str):
    """Neither by a button that is not there, nor by a form of one's own, nor over the API."""
    ward = PeopledWard()
    async with client_of(ward, who) as client:
        html = (await client.get("/people/nurse-a")).text
        assert "/test-page" not in html
        answer = await client.post("/people/nurse-a/test-page", data={"csrf": mark_in(html)})
        assert answer.status_code == 403
        assert "yourself only" in answer.text
        answer = await client.post("/api/v1/people/nurse-a/test-page")
        assert (answer.status_code, answer.json()["detail"]) == (403, "you may send a test page to yourself only")
    assert ward.told == []


async def test_an_administrator_pages_anybody():
    """By name; the button says whom."""
    ward = PeopledWard()
    async with client_of(ward, "the-admin") as client:
        assert "Page nurse-b now" in (await client.get("/people/nurse-b")).text
        assert (await press(client, "nurse-b")).status_code == 303
    assert ward.told == [("the-admin", SendTestPage(person="nurse-b"))]


async def test_a_form_without_its_mark_or_from_elsewhere_is_refused():
    """No other site has anybody paged."""
    ward = PeopledWard()
    async with client_of(ward, "the-admin") as client:
        assert (await client.post("/people/nurse-a/test-page", data={"csrf": "0" * 43})).status_code == 403
        html = (await client.get("/people/nurse-a")).text
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        answer = await client.post("/people/nurse-a/test-page", data={"csrf": mark_in(html)}, headers=elsewhere)
        assert answer.status_code == 403
    assert ward.told == []


async def test_the_kiosk_and_strangers_see_nobody():
    """The wall shows the board; who is on call and how to reach them is not for passers-by."""
    async with client_of(PeopledWard(), "the-kiosk") as client:
        for path in ("/people", "/people/nurse-a", "/policies", "/api/v1/people", "/api/v1/oncall", "/api/v1/policies"):
            assert (await client.get(path)).status_code == 403, path


async def test_nobody_of_that_name():
    """Said in words, with who there is."""
    async with client_of(PeopledWard(), "the-admin") as client:
        html = await client.get("/people/nurse-z")
        assert html.status_code == 404
        assert "charge-nurse" in html.text
        assert (await client.get("/api/v1/people/nurse-z")).status_code == 404
        refused = await client.post("/api/v1/people/nurse-z/test-page")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:dripwatch:refused")


async def test_a_journal_that_takes_nothing_sends_nothing():
    """And the page says so."""
    ward = PeopledWard()
    async with client_of(ward, "nurse-a") as client:
        html = (await client.get("/people/nurse-a")).text
        ward.broken = JournalFull("disk full")
        answer = await client.post("/people/nurse-a/test-page", data={"csrf": mark_in(html)})
    assert answer.status_code == 503
    assert "Nothing was sent" in answer.text


async def test_policies_as_picture_list_and_sentence():
    """Drawn from the policy itself; every text of it stands in the list as well."""
    async with client_of(PeopledWard(), "the-read") as client:
        html = (await client.get("/policies")).text
        told = (await client.get("/api/v1/policies")).json()
    assert (
        "Paged at once: whoever is on call in ward-nurse; after 5 min: whoever is on call in ward-nurse, charge-nurse; "
        "after 5 min: everybody of seniors; after 10 min again from step 2, at most once in 10 min; "
        "until somebody takes it (for 30 min), or it is over."
    ) in html
    assert html.count("<svg") == 4
    assert [policy["name"] for policy in told["policies"]] == ["high", "medium", "low", "pharmacy"]
    assert told["policies"][0]["repeat_from"] == 2
    assert told["fallback"] == ["person:ward-manager"]
    rules = {rule["rule"]: rule for rule in told["rules"]}
    assert rules["bag-order-due"]["policies"] == ["pharmacy"]
    assert rules["delivery-interrupted"]["priorities"] == ["medium", "high"]
    assert rules["delivery-interrupted"]["policies"] == ["high", "medium"]


@pytest.mark.parametrize("path", ["/people", "/people/nurse-a", "/policies", "/people/nurse-z"])
async def test_pages_in_chinese(path: str):
    """No English is left but names of people, transports and schedules."""
    ward = PeopledWard()
    ward.world.do(1, SendTestPage(person="nurse-a"))
    async with client_of(ward, "the-admin") as client:
        html = (await client.get(path, headers={"Accept-Language": "zh-HK"})).text
    main = html[html.index("<main") : html.index("</main>")]
    left = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]+>", " ", OURS.sub("", main))))
    assert not left
