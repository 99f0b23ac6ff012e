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
  sms: {kind: kannel, url: "https://u:hunter2-pw@h/send?apikey=hunter2-key", username: u, password: hunter2-kannel, sender: "1"}
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
    assert "hunter2" not in repr(secretive)
    assert "4711" not in repr(secretive)


def in_files(tmp_path: Path, **contents: str | bytes) -> dict:
    """A ward whose broker's password, Influx token and SMS passwords are in files."""
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / name).chmod(0o600)
    policy = {"steps": [{"page": ["person:a"], "wait": "1m"}], "repeat": {"from_step": 1, "every": "1m"}}
    return {
        "site": "w",
        "timezone": "UTC",
        "mqtt": {"username": "u", "password_file": "broker"},
        "influx": {"api": "v2", "url": "http://h", "token_file": "influx"},
        "transports": {
            "sms": {"kind": "kannel", "url": "http://h", "username": "u", "password_file": "kannel", "sender": "1"},
            "smsc": {"kind": "smpp", "host": "h", "system_id": "u", "password_file": str(tmp_path / "smpp"), "sender": "1"},
        },
        "people": {"a": {"contacts": [{"sms": "1"}]}},
        "policies": {"high": policy, "medium": policy, "fallback": ["person:a"]},
    }


GOOD = {"broker": "b-secret\n", "influx": "i-secret", "kannel": "k-secret\r\n", "smpp": " s secret \n"}


def test_secrets_are_read_from_their_files(tmp_path):
    """Without the line's end, otherwise as they are; relative names start at the ward file."""
    ward = load_ward_mapping(in_files(tmp_path, **GOOD), "w", tmp_path)
    assert ward.mqtt.password == "b-secret"
    assert ward.influx.token == "i-secret"
    assert ward.transports["sms"].password == "k-secret"
    assert ward.transports["smsc"].password == " s secret "
    assert ward.secret_files[0] == SecretFile(("mqtt", "password_file"), tmp_path / "broker", 0o600)
    assert [file.path.name for file in ward.secret_files] == ["broker", "influx", "kannel", "smpp"]


def test_influx_v1_s_password_may_be_in_a_file(tmp_path):
    """The older API has a user and a password."""
    content = in_files(tmp_path, **GOOD)
    content["influx"] = {"api": "v1", "url": "http://h", "username": "u", "password_file": "influx"}
    assert load_ward_mapping(content, "w", tmp_path).influx.password == "i-secret"


def test_without_a_directory_no_file_is_looked_for():
    """A text from the journal loads on another machine; its secrets stay unknown."""
    content = in_files(Path("/nonexistent"))
    ward = load_ward_mapping(content, "journal", None)
    assert (ward.mqtt.password, ward.influx.token, ward.secret_files) == (None, None, ())


def test_secret_files_that_cannot_serve_are_all_reported(tmp_path):
    """Missing, a directory, empty, not text, too long; each under its key."""
    content = in_files(tmp_path, influx="\n", kannel=b"\xff", smpp="x" * 65_537)
    content["mqtt"]["tls"] = {"ca": "none.crt", "cert": ".", "key": "none.key"}
    with pytest.raises(ConfigError) as refused:
        load_ward_mapping(content, "w", tmp_path)
    assert [str(problem).replace(str(tmp_path), "DIR") for problem in refused.value.problems] == [
        "w: mqtt.password_file: DIR/broker: no such file or directory",
        "w: influx.token_file: DIR/influx: must hold the secret as text, and nothing else",
        "w: transports.sms.password_file: DIR/kannel: must hold the secret as text, and nothing else",
        "w: transports.smsc.password_file: DIR/smpp: must hold the secret as text, and nothing else",
        "w: mqtt.tls.ca: DIR/none.crt: no such file or directory",
        "w: mqtt.tls.cert: DIR: is a directory",
        "w: mqtt.tls.key: DIR/none.key: no such file or directory",
    ]


def test_a_private_key_counts_as_a_secret_file(tmp_path):
    """Certificates do not."""
    content = in_files(tmp_path, **GOOD, crt="PEM", key="PEM")
    content["mqtt"]["tls"] = {"ca": "crt", "cert": "crt", "key": "key"}
    keys = [file.key for file in load_ward_mapping(content, "w", tmp_path).secret_files]
    assert ("mqtt", "tls", "key") in keys
    assert ("mqtt", "tls", "ca") not in keys


def test_a_file_restored_from_the_journal_asks_for_its_secrets(tmp_path):
    """Before the first page fails, with the lines of what to write anew."""
    restored = tmp_path / "ward.yaml"
    restored.write_text(load_ward_file(EXAMPLE).text_for_journal)
    with pytest.raises(ConfigError) as refused:
        load_ward_file(restored)
    assert [".".join(map(str, problem.path)) for problem in refused.value.problems] == [
        "transports.sms.password",
        "transports.email.url",
        "transports.voice.url",
    ]
    assert "the secret was blanked out ('***'); write it anew" in str(refused.value)


KANNEL = {"kind": "kannel", "url": "http://h/", "username": "u", "sender": "1"}


def with_kannel(**changed: str) -> dict:
    """A small ward with this Kannel."""
    policy = {"steps": [{"page": ["person:a"], "wait": "1m"}], "repeat": {"from_step": 1, "every": "1m"}}
    return {
        "site": "w",
        "timezone": "UTC",
        "transports": {"sms": KANNEL | changed},
        "people": {"a": {"contacts": [{"sms": "1"}]}},
        "policies": {"high": policy, "medium": policy, "fallback": ["person:a"]},
    }


def test_kannel_s_token_is_a_secret():
    """It is there for the shell, and in no repr and no journal."""
    token = "hunter2-hunter2-hunter2"
    ward = load_ward_mapping(with_kannel(token=token, callback_url="http://gw:8080/"), "w")
    settings = ward.transports["sms"]
    assert (settings.token, settings.callback_url) == (token, "http://gw:8080")
    assert "hunter2" not in repr(ward) + ward.text_for_journal
    assert load_ward(ward.text_for_journal, "journal", None).ward == ward.ward


@pytest.mark.parametrize("token", ["short", "x" * 21, "x" * 21 + "&", "x" * 513, "x" * 30 + " "])
def test_a_token_that_can_be_guessed_or_breaks_an_address_is_refused(token):
    """Without showing it."""
    with pytest.raises(ConfigError, match=r"transports\.sms\.token: 22 to 512 letters, digits") as refused:
        load_ward_mapping(with_kannel(token=token), "w")
    assert token not in str(refused.value)


def test_a_token_in_a_file_is_judged_too(tmp_path):
    """By the key that names the file's secret."""
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(ConfigError, match=r"transports\.sms\.token: 22 to 512"):
        load_ward_mapping(with_kannel(token_file="token"), "w", tmp_path)
