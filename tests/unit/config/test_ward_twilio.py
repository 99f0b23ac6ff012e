"""Twilio in the ward file: a secret that signs, an address that is signed."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app_transports import inbound_routes, make_wording
from gateway.config.load import load_ward, load_ward_file
from gateway.config.problems import ConfigError
from gateway.config.settings import LoadedWard
from gateway.config.transports import is_whatsapp
from gateway.console import twilio_inbound

WARD = """\
site: ward
timezone: Europe/Berlin
console: {base_url: "https://ward.example/dw"}
transports:
  voice: {kind: apprise, url: "twilio://sid:secret@13013/{address}?method=call", twilio: {auth_token_file: secrets/twilio}}
  text: {kind: apprise, url: "twilio://sid:secret@13013/{address}", twilio: {auth_token_file: secrets/twilio}}
  email: {kind: apprise, url: "mailto://mail.example/?to={address}"}
  pager: {kind: snpp, host: pager.example}
people:
  nurse-a: {contacts: [{text: "4915100000001"}, {voice: "4915100000001", after: 1m}]}
policies:
  high: {steps: [{page: ["person:nurse-a"], wait: 1m}], repeat: {from_step: 1, every: 1m}}
  medium: {steps: [{page: ["person:nurse-a"], wait: 1m}], repeat: {from_step: 1, every: 1m}}
  fallback: ["person:nurse-a"]
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedWard:
    """The ward with its secret."""
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "twilio"
    secret.write_text("hunter2-auth-token\n")
    secret.chmod(0o600)
    (tmp_path / "ward.yaml").write_text(WARD)
    return load_ward_file(tmp_path / "ward.yaml")


def problems(text: str) -> str:
    """What is wrong with a ward file."""
    with pytest.raises(ConfigError) as found:
        load_ward(text, "ward.yaml", None)
    return str(found.value)


def test_the_token_comes_from_its_file_and_goes_nowhere(loaded):
    """Neither into the journal nor into a repr; the file is watched like every other secret."""
    assert loaded.transports["voice"].auth_token == "hunter2-auth-token"
    assert "hunter2" not in repr(loaded) + loaded.text_for_journal
    assert "auth_token_file: secrets/twilio" in loaded.text_for_journal
    assert {file.key for file in loaded.secret_files} == {
        ("transports", name, "twilio", "auth_token_file") for name in ("voice", "text")
    }
    assert load_ward(loaded.text_for_journal, "journal", None).ward == loaded.ward


def test_texts_by_twilio_bring_replies_and_calls_do_not(loaded):
    """A key belongs to a page; a text to whoever has that number."""
    assert {name: fact.two_way for name, fact in loaded.ward.transports.items()} == {
        "voice": False,
        "text": True,
        "email": False,
        "pager": False,
    }
    plain = load_ward(WARD.replace(", twilio: {auth_token_file: secrets/twilio}", ""), "ward.yaml", None)
    assert not plain.ward.transports["text"].two_way


def test_two_people_cannot_share_a_number_on_it():
    """Nobody could tell whose reply it was; a shared line may be called."""
    shared = WARD.replace("people:\n", 'people:\n  nurse-b: {contacts: [{WAY: "+49 151 00000001"}]}\n')
    assert "nobody could tell whose reply it was" in problems(shared.replace("WAY", "text"))
    assert load_ward(shared.replace("WAY", "voice"), "ward.yaml", None).ward.people["nurse-b"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'console: {base_url: "https://ward.example/dw"}\n',
            "",
            "Twilio calls us back and signs our address: add console.base_url",
        ),
        ("{auth_token_file: secrets/twilio}}\n  text", "{}}\n  text", "auth_token_file: required, but missing"),
        ("{auth_token_file: secrets/twilio}}\n  text", "{auth_token: x}}\n  text", "unknown key 'auth_token'"),
        ("twilio: {auth_token_file: secrets/twilio}}\n  text", "twilio: yes}\n  text", "must be a mapping"),
        ("{kind: snpp, host: pager.example}", "{kind: snpp, host: h, twilio: {auth_token_file: x}}", "unknown key 'twilio'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(old, new, said):
    """One line each."""
    assert old in WARD
    assert said in problems(WARD.replace(old, new))


def test_a_missing_secret_is_named(tmp_path: Path):
    """At the start, not when the first nurse presses a key."""
    (tmp_path / "ward.yaml").write_text(WARD)
    with pytest.raises(ConfigError, match=r"transports\.voice\.twilio\.auth_token_file: .*no such file"):
        load_ward_file(tmp_path / "ward.yaml")


def test_links_and_keys_go_by_the_right_transports(loaded):
    """Calls listen to keys, texts and mail carry links, pagers neither."""
    wording = make_wording(loaded, "a secret")
    assert (wording.base_url, set(wording.linked), set(wording.calls)) == (
        "https://ward.example/dw",
        {"text", "email"},
        {"voice"},
    )


def test_without_an_address_nothing_is_added():
    """The gateway's own address would lead a nurse's telephone to itself."""
    plain = WARD.replace(", twilio: {auth_token_file: secrets/twilio}", "")
    assert make_wording(load_ward(plain, "w", None), "a secret").base_url
    assert (
        make_wording(load_ward(plain.replace('console: {base_url: "https://ward.example/dw"}\n', ""), "w", None), "a").base_url
        == ""
    )


@pytest.mark.parametrize(
    ("url", "whatsapp"),
    [
        ("twilio://AC1:t0@+85213013001/{address}", False),
        ("twilio://AC1:t0@w:+85213013001/{address}", True),
        ("twilio://AC1:t0@+85213013001/w:{address}", True),
        ("twilio://AC1:t0@+85213013001/WhatsApp%3A{address}", True),
        ("twilio://AC1:t0@_/{address}?from=w:85213013001", True),
        ("twilio://AC1:w@+85213013001/{address}?method=call", False),
    ],
)
def test_the_url_says_whether_it_writes_by_whatsapp(url, whatsapp):
    """As Apprise reads it; what comes in by WhatsApp then counts for that transport."""
    assert is_whatsapp(url) is whatsapp


def test_what_comes_in_is_told_which_transport_writes_by_whatsapp(loaded, monkeypatch):
    """The URL's word reaches the door that Twilio comes in by."""
    doors = {}
    monkeypatch.setattr(twilio_inbound, "twilio_inbound", lambda made, _: doors.update(made))
    chat = replace(loaded.transports["text"], name="chat", url="twilio://sid:secret@w:+85213013001/{address}")
    ward = replace(loaded.ward, transports=loaded.ward.transports | {"chat": loaded.ward.transports["text"]})
    inbound_routes(replace(loaded, ward=ward, transports=loaded.transports | {"chat": chat}), {}, "")
    assert {name: (door.voice, door.whatsapp) for name, door in doors.items()} == {
        "voice": (True, False),
        "text": (False, False),
        "chat": (False, True),
    }
