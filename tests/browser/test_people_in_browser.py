"""The test page in Chromium, on a real gateway and SMS centre: its receipt comes by itself, or for the asking."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.brokers import mosquitto
from tests.support.chromium import tab
from tests.support.gateway_process import GatewayProcess, gateway, ward
from tests.support.kannel import SENDER
from tests.support.smsc import NO_RECEIPT, Centre, smsc

pytestmark = pytest.mark.servers


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


def token(process: GatewayProcess) -> str:
    """The administrator's."""
    return process.token_file.read_text().strip()


def test_the_receipt_comes_by_itself(running: tuple[GatewayProcess, Centre], chromium: Browser):
    """The button says whom it pages; the page that follows tells what became of it, and is not loaded again."""
    process, centre = running
    page = tab(chromium, process.url, token=token(process))
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
    page = tab(chromium, process.url, token=token(process), javascript=False)
    page.goto("/people/nurse-b")
    page.get_by_role("button", name="Page nurse-b now").click()
    again = page.get_by_role("link", name="Look again")
    expect(again).to_be_visible()
    again.click()
    expect(page.locator("#test")).to_contain_text("Under way.")
    page.context.close()
