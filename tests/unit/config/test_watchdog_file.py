"""The watchdog's own file, and what the ward file says of watchdog and test: loaded whole, or refused with every mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config.lint import findings
from gateway.config.load import load_ward, load_ward_mapping
from gateway.config.problems import ConfigError
from gateway.config.watchdog_file import load_watchdog_file
from gateway.core.synthetic import PROTOCOL, ROUTE
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from tests.support.histories import START_AT, WARD

FILE: dict[str, Any] = {
    "site": "haem-ward",
    "mqtt": {"host": "broker.example", "username": "watchdog", "password_file": "mqtt"},
    "gateway": {"url": "https://gateway.example/", "token_file": "token"},
    "repeat": "30m",
    "transports": {"email": {"kind": "apprise", "url": "mailto://mail.example/?to={address}"}},
    "people": {"operator": {"contacts": [{"email": "o@x.example"}]}},
    "page": ["operator"],
}
PEOPLE = {**WARD["people"], "tester": {"contacts": [{"sms": "8529"}]}}
TEST = {"pump": "test-pump", "page": "tester", "every": "6h", "ping": "https://switch.example/secret-uuid"}


def written(folder: Path, **changed: Any) -> Path:
    """The file and its secrets in a folder."""
    for name in ("mqtt", "token"):
        (folder / name).write_text(f"{name}-secret\n")
        (folder / name).chmod(0o600)
    path = folder / "watchdog.yaml"
    path.write_text(json.dumps({**FILE, **changed}))
    return path


def problems(path: Path) -> list[str]:
    """What is wrong with it, as (place: words)."""
    with pytest.raises(ConfigError) as refused:
        load_watchdog_file(path)
    return [f"{'.'.join(map(str, one.path))}: {one.message}" for one in refused.value.problems]


def test_a_whole_file_loads_with_its_secrets(tmp_path: Path):
    """Defaults where little is written; secrets stand in no repr."""
    loaded = load_watchdog_file(written(tmp_path))
    assert (loaded.name, loaded.after_ms, loaded.repeat_ms) == ("watchdog", 3 * MINUTE_MS, 30 * MINUTE_MS)
    assert (loaded.url, loaded.token, loaded.mqtt.password) == ("https://gateway.example", "token-secret", "mqtt-secret")
    assert loaded.mqtt.client_id == "dripwatch-haem-ward-watchdog"
    assert [contact.address for contact in loaded.people[0].contacts] == ["o@x.example"]
    assert "secret" not in repr(loaded)


def test_the_gateway_s_authority_is_a_file_that_is_there(tmp_path: Path):
    """Relative to the file; a missing one is told before anybody believes that the gateway is down."""
    place = {"url": "https://gateway.example/", "ca": "web.crt"}
    assert problems(written(tmp_path, gateway=place)) == [f"gateway.ca: {tmp_path}/web.crt: there is no such file"]
    (tmp_path / "web.crt").write_text("")
    assert load_watchdog_file(written(tmp_path, gateway=place)).ca == tmp_path / "web.crt"


def test_every_mistake_is_told_at_once(tmp_path: Path):
    """With its place and its mend."""
    wrong = written(
        tmp_path,
        gateway={"url": "gateway", "tokn": "x"},
        people={"operator": {"contacts": [{"sms": "1"}]}},
        page=["operator"],
        after="soon",
    )
    found = problems(wrong)
    assert any(line.startswith("gateway.url: not a web address") for line in found)
    assert any(line.startswith("gateway.tokn: unknown key 'tokn'; did you mean 'token'?") for line in found)
    assert any(line.startswith("after: ") for line in found)
    assert any(line.startswith("people.operator.contacts.0: unknown transport 'sms'") for line in found)


def test_who_is_paged_must_be_somebody(tmp_path: Path):
    """And a file that is not there, or no text, is said so."""
    assert problems(written(tmp_path, page=["nobody"])) == ["page.0: unknown person 'nobody'; known: operator"]
    assert "no such file" in problems(tmp_path / "none.yaml")[0]
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in problems(tmp_path / "bytes.yaml")[0]


def test_the_test_brings_its_protocol_policy_and_route():
    """In front of the ward's own routes; the lint has nothing to say of them."""
    loaded = load_ward_mapping({**WARD, "people": PEOPLE, "synthetic": TEST}, "ward")
    ward = loaded.ward
    assert ward.synthetic is not None
    assert (ward.synthetic.every_ms, ward.synthetic.within_ms) == (6 * HOUR_MS, 2 * MINUTE_MS)
    assert ward.policies[ROUTE].steps[0].targets == ("person:tester",)
    assert ward.routes[0].policy == ROUTE
    assert loaded.protocols[-1] == PROTOCOL
    assert not [one for one in findings(loaded, START_AT) if ROUTE in str(one.problem)]


def test_the_switch_outside_never_stands_in_the_journal():
    """Who knows its address can say that all is well."""
    loaded = load_ward_mapping({**WARD, "people": PEOPLE, "synthetic": TEST}, "ward")
    assert loaded.ping == TEST["ping"]
    assert "secret-uuid" not in loaded.text_for_journal
    assert "secret-uuid" not in repr(loaded)
    assert load_ward(loaded.text_for_journal, "journal", None).ward == loaded.ward


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"synthetic": {**TEST, "page": "nobody"}}, ("synthetic", "page")),
        ({"synthetic": {**TEST, "pump": "gateway"}}, ("synthetic", "pump")),
        ({"synthetic": {**TEST, "every": "1m"}}, ("synthetic", "every")),
        ({"synthetic": TEST, "watchdog": {"device": "test-pump"}}, ("watchdog", "device")),
        ({"watchdog": {"device": "gateway"}}, ("watchdog", "device")),
        ({"watchdog": {"silent_after": "10s"}}, ("watchdog", "silent_after")),
        ({"synthetic": TEST, "policies": {**WARD["policies"], ROUTE: {"steps": []}}}, ("policies", ROUTE)),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(changed: dict[str, Any], place: tuple[str, ...]):
    """Names that mean somebody else, people who are nobody, times that are too short."""
    with pytest.raises(ConfigError) as refused:
        load_ward_mapping({**WARD, "people": PEOPLE, **changed}, "ward")
    assert [problem.path for problem in refused.value.problems] == [place]
