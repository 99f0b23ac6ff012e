"""The whole way back, on real servers: by a link that outlives the gateway, or by a key during a call."""
# ruff: noqa: S314  the XML is our own

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, until, ward
from tests.support.process import binary
from tests.support.twilio import AUTH_TOKEN, form, signed
from tests.support.web_hook import WebHook, web_hook

pytestmark = pytest.mark.servers

NURSE = "85290000001"


@contextlib.contextmanager
def alarmed(folder: Path, *, voice: bool = False) -> Iterator[tuple[GatewayProcess, WebHook, Broker]]:
    """A gateway with P-017 enrolled, whose pump has just found air in its line. Its pages, texts or calls, go to the hook."""
    with mosquitto(folder / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {}, {"way": NURSE})
        url = f"json://127.0.0.1:{hook.port}/{{address}}"
        file["transports"] = {"way": {"kind": "apprise", "url": url}}
        if voice:
            (folder / "gateway").mkdir()
            (folder / "gateway" / "twilio").write_text(AUTH_TOKEN + "\n")
            file["transports"]["way"] |= {"voice": True, "twilio": {"auth_token_file": "twilio"}}
        file["console"]["base_url"] = f"http://{file['console']['listen']}"
        with gateway(folder / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            told = {"observed_at": time.time_ns() // 1_000_000, "boot": "b1", "seq": 1, "alarm": "air-in-line", "phase": "start"}
            command = [binary("mosquitto_pub"), "-p", str(broker.port), "-q", "1", "-t", f"dw/v1/{SITE}/pump-01/alarm", "-s"]
            subprocess.run(command, input=json.dumps(told | {"priority": "high"}).encode(), check=True, timeout=30)
            yield running, hook, broker


def page_at(hook: WebHook) -> str:
    """The text of the first page."""
    who, page = until(lambda: hook.calls, "the page leaves")[0]
    assert who == NURSE
    return str(page["message"])


def holder(running: GatewayProcess) -> tuple[str, str]:
    """(state, holder) of the incident."""
    incident = running.ask("/incidents/P-017")
    return incident["state"], incident["holder"]


def test_a_link_works_after_the_gateway_was_killed(tmp_path: Path):
    """Nothing about links is kept but the secret beside the journal, which only its owner may read."""
    with alarmed(tmp_path) as (running, hook, _):
        link = page_at(hook).splitlines()[-1]
        secret = running.journal.parent / "link-secret"
        assert secret.stat().st_mode & 0o777 == 0o600
        running.kill()
        running.start()
        for agent in ("WhatsApp/2.0", "Slackbot-LinkExpanding 1.0"):
            shown = httpx.get(link, headers={"User-Agent": agent}, trust_env=False)
            assert (shown.status_code, "Nobody has it." in shown.text) == (200, True)
        assert httpx.head(link, trust_env=False).status_code == 200
        assert holder(running) == ("triggered", "")
        taken = httpx.post(link, data={"do": "take"}, follow_redirects=True, trust_env=False)
        assert [answer.status_code for answer in (*taken.history, taken)] == [303, 200]
        assert "You have it until" in taken.text
        assert holder(running) == ("acknowledged", "nurse-a")


def test_a_key_during_the_call_takes_the_incident(tmp_path: Path):
    """What Twilio is given reads the page and asks for a key; the key comes back signed, and only signed ones count."""
    with alarmed(tmp_path, voice=True) as (running, hook, _):
        call = ET.fromstring(page_at(hook))
        gather = call.find("Gather")
        assert next(gather.iter("Say")).text.startswith("P-017 HIGH: pump alarm air in line since")
        action = gather.get("action")
        assert urlsplit(action).path == "/inbound/twilio"
        fields = {"CallSid": "CA1", "From": "+85213013", "To": f"+{NURSE}", "Digits": "4", "CallStatus": "in-progress"}
        wrong = httpx.post(action, content=form(fields), headers=signed(action, fields, "not the token"), trust_env=False)
        assert wrong.status_code == 403
        assert holder(running) == ("triggered", "")
        assert any("Twilio's right signature" in finding for finding in running.health()["findings"])
        silence = {name: value for name, value in fields.items() if name != "Digits"}
        again = httpx.post(action, content=form(silence), headers=signed(action, silence), trust_env=False)
        assert ET.fromstring(again.text).find("Gather") is not None
        assert holder(running) == ("triggered", "")
        taken = httpx.post(action, content=form(fields), headers=signed(action, fields), trust_env=False)
        assert ET.fromstring(taken.text).find("Say").text.startswith("P-017: yours until")
        assert holder(running) == ("acknowledged", "nurse-a")
