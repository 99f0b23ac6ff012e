"""What a ward file becomes when it is right."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config.load import load_ward, load_ward_file, load_ward_mapping
from gateway.config.merge import merge_patch
from gateway.config.problems import ConfigError
from gateway.config.settings import InfluxV1Settings, InfluxV2Settings, KannelSettings, SmppSettings, SnppSettings, TlsSettings
from gateway.domain.ward import Contact, Policy, Rotation, Route, Shift, Step, TransportFacts
from rules.yaml_lines import load

EXAMPLE = Path(__file__).parents[3] / "deploy" / "ward.example.yaml"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def small(**patch) -> dict:
    """The smallest ward, with a patch over it."""
    policy = {"steps": [{"page": ["person:nurse"], "wait": "5m"}], "repeat": {"from_step": 1, "every": "10m"}}
    base = {
        "site": "ward",
        "timezone": "Europe/Berlin",
        "transports": {"pager": {"kind": "snpp", "host": "127.0.0.1"}},
        "people": {"nurse": {"contacts": [{"pager": 7001}]}, "doctor": {"contacts": [{"pager": "7002"}]}},
        "policies": {"high": policy, "medium": policy, "fallback": ["person:nurse"]},
    }
    return merge_patch(base, patch)


def loaded(**patch):
    """The smallest ward, patched and loaded."""
    return load_ward_mapping(small(**patch), "small")


def utc(text: str) -> int:
    """Milliseconds of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def test_the_example_loads_unchanged():
    """People, teams, schedules, policies and routes arrive as they are written."""
    ward = load_ward_file(EXAMPLE).ward
    assert (ward.site, ward.timezone, ward.base_url) == ("haem-ward", "Asia/Hong_Kong", "http://127.0.0.1:8080")
    assert ward.people["charge-nurse"].contacts == (Contact("pager", "7001"), Contact("sms", "85290000003", MINUTE_MS))
    assert ward.teams == {"seniors": ("charge-nurse", "haematologist")}
    schedule = ward.schedules["ward-nurse"]
    assert schedule.rotation == Rotation(7, "2026-03-02T08:00", ("nurse-a", "nurse-b"))
    assert schedule.overrides == (Shift(utc("2026-03-04T12:00"), utc("2026-03-05T00:00"), "nurse-b"),)
    assert ward.policies["high"] == Policy(
        name="high",
        steps=(
            Step(("schedule:ward-nurse",), 5 * MINUTE_MS),
            Step(("schedule:ward-nurse", "person:charge-nurse"), 5 * MINUTE_MS),
            Step(("all:seniors",), 10 * MINUTE_MS),
        ),
        repeat_from=1,
        repeat_every_ms=10 * MINUTE_MS,
        ack_lease_ms=30 * MINUTE_MS,
        milestone_targets=("schedule:ward-nurse", "person:charge-nurse", "person:haematologist"),
    )
    assert ward.fallback == ("person:ward-manager",)
    assert ward.routes == (Route("bag-order-due", "pharmacy"),)


def test_the_example_s_transports_and_settings():
    """What the shell needs: addresses, limits, secrets, the raw overrides of rules."""
    example = load_ward_file(EXAMPLE)
    sms = example.transports["sms"]
    assert isinstance(sms, KannelSettings)
    assert (sms.url, sms.username, sms.password, sms.sender) == (
        "http://127.0.0.1:13013/cgi-bin/sendsms",
        "gw",
        "secret",
        "13013",
    )
    assert example.transports["pager"] == SnppSettings(name="pager", host="127.0.0.1", port=444)
    assert [transport.kind for transport in example.transports.values()] == ["kannel", "snpp", "apprise", "apprise"]
    assert example.ward.transports["sms"] == TransportFacts(
        "sms", "kannel", two_way=True, receipts=True, receipt_deadline_ms=MINUTE_MS
    )
    assert example.ward.transports["voice"] == TransportFacts("voice", "apprise", voice=True)
    assert example.influx == InfluxV1Settings(url="http://127.0.0.1:8086", database="dripwatch")
    assert (example.journal.keep_ms, example.journal.max_bytes) == (60 * 24 * HOUR_MS, 20 * 1024**3)
    assert example.journal.path == EXAMPLE.parent / "data/dripwatch.db"
    assert example.protocols == ("blinatumomab_home",)
    assert example.rule_overrides == {"diary-missing": {"enabled": False}}


def test_a_small_ward_needs_little():
    """Broker, journal, console and protocol have defaults; there is no InfluxDB; low and information are board-only."""
    ward = loaded()
    assert (ward.mqtt.host, ward.mqtt.port, ward.mqtt.client_id, ward.mqtt.protocol) == (
        "127.0.0.1",
        1883,
        "dripwatch-ward",
        "3.1.1",
    )
    assert (ward.mqtt.keepalive_ms, ward.mqtt.username, ward.mqtt.tls) == (MINUTE_MS, None, None)
    assert (str(ward.journal.path), ward.journal.keep_ms) == ("data/dripwatch.db", 60 * 24 * HOUR_MS)
    assert (ward.console.host, ward.console.port, ward.console.base_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert (ward.influx, ward.protocols, ward.rule_overrides) == (None, ("blinatumomab_home",), {})
    assert ward.ward.policies["low"].steps == ward.ward.policies["information"].steps == ()


def test_an_empty_section_is_like_an_absent_one():
    """`teams:` with nothing behind it is no error."""
    base = small()
    empty = {"teams": None, "influx": None, "mqtt": None, "routes": None, "rules": None}
    assert load_ward_mapping(base | empty, "small").ward == load_ward_mapping(base, "small").ward


def test_leases_last_as_long_as_their_priority_allows():
    """High 30 min, medium 2 h, others 4 h, unless written."""
    policies = loaded(policies={"pharmacy": {}, "low": {"ack_lease": "1h"}}).ward.policies
    assert {name: policy.ack_lease_ms // MINUTE_MS for name, policy in policies.items()} == {
        "high": 30,
        "medium": 120,
        "low": 60,
        "information": 240,
        "pharmacy": 240,
    }


def test_steps_count_from_one_in_the_file_and_from_zero_inside():
    """`from_step: 1` is the first."""
    assert loaded().ward.policies["high"].repeat_from == 0
    assert loaded(policies={"low": {}}).ward.policies["low"].repeat_from is None


def test_a_pager_s_number_may_stand_without_quotes():
    """7001 reads back as it was written."""
    assert loaded().ward.people["nurse"].contacts == (Contact("pager", "7001"),)


@pytest.mark.parametrize(
    ("name", "transport", "voice", "two_way"),
    [
        ("voice", {"kind": "apprise", "url": "json://h/{address}"}, True, False),
        ("voice", {"kind": "apprise", "url": "json://h/{address}", "voice": False}, False, False),
        ("call", {"kind": "apprise", "url": "twilio://a:b@1/{address}?method=call"}, True, False),
        ("call", {"kind": "apprise", "url": "twilio://a:b@1/{address}?method=sms"}, False, False),
        ("call", {"kind": "apprise", "url": "json://[::1/{address}", "voice": True}, True, False),
        ("odd", {"kind": "apprise", "url": "json://[::1/{address}"}, False, False),
        ("sms", {"kind": "apprise", "url": "json://h/{address}"}, False, True),
        ("text", {"kind": "kannel", "url": "http://h/", "username": "u", "sender": "1"}, False, True),
        ("smsc", {"kind": "smpp", "host": "h", "system_id": "u", "sender": "1"}, False, True),
        ("smsc", {"kind": "smpp", "host": "h", "system_id": "u", "sender": "1", "voice": True}, True, True),
        ("beep", {"kind": "snpp", "host": "h"}, False, False),
    ],
)
def test_what_the_core_knows_of_a_transport(name, transport, voice, two_way):
    """A call by name, by word or by URL; replies where SMS is spoken."""
    facts = loaded(transports={name: transport}).ward.transports[name]
    assert (facts.kind, facts.voice, facts.two_way) == (transport["kind"], voice, two_way)


def test_a_receipt_is_waited_for_only_where_one_is_promised():
    """Sixty seconds unless written."""
    kannel = {"kind": "kannel", "url": "http://h/", "username": "u", "sender": 1}
    sms = {
        "none": kannel,
        "some": kannel | {"receipts": True},
        "slow": kannel | {"receipts": True, "receipt_deadline": "3m"},
    }
    facts = loaded(transports=sms).ward.transports
    assert [facts[name].receipts for name in sms] == [False, True, True]
    assert [facts[name].receipt_deadline_ms for name in sms] == [0, MINUTE_MS, 3 * MINUTE_MS]


def test_an_smsc_s_settings():
    """Port 2775, a number as sender, the password where it is written."""
    smpp = {"kind": "smpp", "host": "h", "system_id": "u", "sender": 13013, "password": "p"}
    assert loaded(transports={"smsc": smpp}).transports["smsc"] == SmppSettings(
        name="smsc",
        host="h",
        port=2775,
        system_id="u",
        password="p",
        system_type="",
        sender="13013",
        receipts=False,
        receipt_deadline_ms=MINUTE_MS,
    )


def test_influx_v2_has_an_organisation_a_bucket_and_a_token():
    """VictoriaMetrics needs none of them."""
    bare = loaded(influx={"api": "v2", "url": "http://h:8428/"}).influx
    assert bare == InfluxV2Settings(url="http://h:8428", org="", bucket="dripwatch")
    full = loaded(influx={"api": "v2", "url": "http://h", "org": "o", "bucket": "b", "token": "t"}).influx
    assert full == InfluxV2Settings(url="http://h", org="o", bucket="b", token="t")


def test_tls_moves_the_broker_s_port():
    """8883 unless a port is written; an empty mapping trusts the system's authorities."""
    assert (loaded(mqtt={"tls": {}}).mqtt.port, loaded(mqtt={"tls": {}, "port": 1}).mqtt.port) == (8883, 1)
    assert loaded(mqtt={"tls": {"ca": "ca.crt"}}).mqtt.tls == TlsSettings(ca=Path("ca.crt"))
    assert loaded(mqtt={"protocol": 5}).mqtt.protocol == "5"


@pytest.mark.parametrize(
    ("handover", "starts", "every", "first"),
    [
        ("mon 08:00", "2026-03-02", "1w", "2026-03-02T08:00"),
        ("Monday 08:00", "2026-03-03", "2w", "2026-03-09T08:00"),
        ("sun 23:59", "2026-03-02", "1w", "2026-03-08T23:59"),
        ("08:00", "2026-03-03", "1d", "2026-03-03T08:00"),
        ("08:00", "2026-03-03", "48h", "2026-03-03T08:00"),
    ],
)
def test_a_rotation_begins_with_the_first_handover_on_or_after_its_start(handover, starts, every, first):
    """A weekday is looked for from the start on; without one it is the start's own day."""
    rotation = {"every": every, "handover": handover, "people": ["nurse"], "starts": starts}
    found = loaded(schedules={"s": {"rotation": rotation}}).ward.schedules["s"]
    assert (found.timezone, found.rotation.first_handover) == ("Europe/Berlin", first)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2026-07-01T20:00", "2026-07-01T18:00"),
        ("2026-01-01T20:00", "2026-01-01T19:00"),
        ("2026-03-29T02:30", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2026-07-01T20:00Z", "2026-07-01T20:00"),
        ("2026-07-01 20:00:30", "2026-07-01T18:00:30"),
    ],
)
def test_an_override_s_time_is_the_ward_s_unless_it_says_otherwise(written, means):
    """Skipped and doubled times as for handovers; an offset settles which of two."""
    override = {"from": written, "until": "2026-12-01T00:00", "person": "nurse"}
    schedule = loaded(schedules={"s": {"overrides": [override]}}).ward.schedules["s"]
    assert schedule.rotation is None
    assert schedule.overrides[0].from_at == utc(means)


def test_paths_start_at_the_ward_file(tmp_path):
    """Journal and certificates; protocols stay as they are written, for `read_protocols` to find."""
    for name in ("ca.crt", "own.crt", "own.key"):
        (tmp_path / name).write_text("PEM")
    ward = load_ward_mapping(
        small(
            journal={"path": "j.db"},
            mqtt={"tls": {"ca": "ca.crt", "cert": "own.crt", "key": "own.key"}},
            protocols=["blinatumomab_home", "own/home.yaml"],
        ),
        "small",
        tmp_path,
    )
    assert ward.journal.path == tmp_path / "j.db"
    assert ward.mqtt.tls == TlsSettings(tmp_path / "ca.crt", tmp_path / "own.crt", tmp_path / "own.key")
    assert ward.protocols == ("blinatumomab_home", "own/home.yaml")


def test_a_patched_example_loads():
    """A scenario lays its changes over a ward and needs no file for it."""
    example = load(EXAMPLE.read_text(), "ward.yaml").value
    patch = {"policies": {"high": {"ack_lease": "10m"}}, "schedules": {"ward-nurse": {"overrides": None}}, "influx": None}
    ward = load_ward_mapping(merge_patch(example, patch), "scenario.yaml").ward
    assert ward.policies["high"].ack_lease_ms == 10 * MINUTE_MS
    assert ward.schedules["ward-nurse"].overrides == ()


def test_transports_may_be_absent_when_nobody_needs_one():
    """That is never: a person has a contact, and a contact a transport."""
    with pytest.raises(ConfigError, match="unknown transport 'pager'; known: none"):
        loaded(transports=None)


def test_an_ipv6_console():
    """The brackets are the URL's, not the address's."""
    console = loaded(console={"listen": "[::1]:8080"}).console
    assert (console.host, console.port, console.base_url) == ("::1", 8080, "http://[::1]:8080")


def test_a_file_that_cannot_be_read_is_one_plain_problem(tmp_path):
    """Missing, a directory, not UTF-8, not YAML."""
    (tmp_path / "latin.yaml").write_bytes(b"site: \xe9")
    (tmp_path / "bad.yaml").write_text("site: w\nsite: v")
    for name, words in [
        ("none.yaml", "none.yaml: no such file or directory"),
        ("", "is a directory"),
        ("latin.yaml", "latin.yaml: not UTF-8 text; save it as UTF-8"),
        ("bad.yaml", "bad.yaml:2: key 'site' is given twice"),
    ]:
        with pytest.raises(ConfigError, match=words) as refused:
            load_ward_file(tmp_path / name)
        assert len(refused.value.problems) == 1


def test_the_same_text_gives_the_same_ward():
    """Loading has no memory and no chance in it."""
    text = EXAMPLE.read_text()
    assert load_ward(text, "a", None) == load_ward(text, "a", None)
