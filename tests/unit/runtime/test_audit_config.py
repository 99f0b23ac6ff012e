"""What changed between two configurations, in words, without secrets and whole addresses."""

import json
from pathlib import Path

import pytest

from gateway.config.load import load_ward
from gateway.config.merge import merge_patch
from gateway.runtime import audit_config
from gateway.runtime.audit_config import changes, contents
from gateway.runtime.records import config_entry
from rules.yaml_lines import load
from tests.support.audited import WARD, lived, told

BEFORE = WARD.read_text(encoding="utf-8")


def changed(old: str, new: str) -> list[str]:
    """The changes of the example ward when `old` becomes `new` in its text."""
    assert old in BEFORE
    return list(changes({"ward file": BEFORE}, {"ward file": BEFORE.replace(old, new)}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ack_lease: 30m", "ack_lease: 45m", ["ward file: policies.high.ack_lease: 30m, now 45m"]),
        ('{sms: "85290000001"}', '{sms: "85290009999"}', ["ward file: people.nurse-a.contacts[0].sms: …0001, now …9999"]),
        (
            '{sms: "85290000001"}',
            '{sms: "85280000001"}',
            ["ward file: people.nurse-a.contacts[0].sms: …0001, changed in what is not shown"],
        ),
        (
            "seniors: [charge-nurse, haematologist]",
            "seniors: [haematologist]",
            ["ward file: teams.seniors: [charge-nurse, haematologist], now [haematologist]"],
        ),
        (
            '  pharmacist:   {contacts: [{email: "pharmacy@ward.example"}]}\n',
            "",
            ["ward file: people.pharmacist is gone; it was {contacts: [{email: …@ward.example}]}"],
        ),
        (
            "diary-missing: {enabled: false}",
            "diary-missing: {enabled: true}",
            ["ward file: rules.diary-missing.enabled: false, now true"],
        ),
        (
            "- {rule: bag-order-due, policy: pharmacy}",
            "- {rule: bag-order-due, policy: pharmacy}\n  - {rule: fever, policy: medium}",
            ["ward file: routes.fever is new: {rule: fever, policy: medium}"],
        ),
        ("# A complete ward file.", "# A ward file.", ["ward file: written otherwise, with the same meaning"]),
    ],
)
def test_a_change_of_the_ward_file(old, new, said):
    """The key, what it was, what it is; addresses by their ends only."""
    assert changed(old, new) == said


def test_protocols_come_go_and_change():
    """A rule is known by its name, wherever it stands; its examples decide nothing."""
    rule = "rules:\n  - {rule: fever, hold: 0s, priority: medium, examples: [1]}\n  - {rule: other, hold: 1s}\n"
    same = "rules:\n  - {rule: other, hold: 1s}\n  - {rule: fever, hold: 0s, priority: medium, examples: [2]}\n"
    new = rule.replace("priority: medium", "priority: high")
    assert changes({"protocol a": rule, "protocol b": rule}, {"protocol a": new, "protocol c": rule}) == (
        "protocol a: rules.fever.priority: medium, now high",
        "protocol b is gone",
        "protocol c is new",
    )
    assert changes({"protocol a": rule}, {"protocol a": same}) == ("protocol a: written otherwise, with the same meaning",)


def test_many_changes_are_counted_and_long_values_cut(monkeypatch):
    """A rewritten file fills no page, and a calendar is told by its length."""
    monkeypatch.setattr(audit_config, "CHANGES_MAX", 2)
    before, after = ("".join(f"k{i}: {v}{i}\n" for i in range(5)) for v in "ab")
    assert changes({"x": before}, {"x": after}) == ("x: k0: a0, now b0", "x: k1: a1, now b1", "and 3 changes more")
    long = changes({"x": "a: 1"}, {"x": f"a: 1\nb: {'x' * 500}"})[0]
    assert len(long) < 150
    assert changes({"x": "a: 1"}, {"x": "a: 1\nb: |\n  one\n  two\n"}) == ("x: b is new: a text of 2 lines",)


def test_what_a_ward_holds():
    """In numbers that somebody can check."""
    assert contents(BEFORE) == "6 people, 1 schedule, 5 policies, 4 transports"
    assert contents("no: [yaml") == ""


SECRETS = {
    "mqtt": {"username": "gateway", "password": "sesame-mqtt"},
    "influx": {"api": "v2", "url": "http://127.0.0.1:8086", "org": "ward", "token": "sesame-influx"},
    "transports": {
        "sms": {"password": "sesame-sms"},
        "voice": {"url": "twilio://AC1:sesame-voice@15550000000/{address}"},
    },
}


def secret_free(text: str) -> None:
    """No secret, old or new, stands in the text."""
    assert "sesame" not in text
    assert "s3same" not in text


def test_no_secret_reaches_the_journal_or_the_audit(tmp_path):
    """Every secret of a ward file is changed to another one: neither stands in any record's text or in any line."""
    first = merge_patch(load(BEFORE, "ward").value, SECRETS)
    first["influx"].pop("database", None)
    second = json.loads(json.dumps(first).replace("sesame", "s3same"))
    records = lived(tmp_path, "at: 0m, enrol: {course: P-017, pump: p1}").journal
    at, protocols = records[-1].received_at, json.loads(records[0].body)["protocols"]
    for ward in (first, second):
        entry = config_entry(load_ward(json.dumps(ward), "ward", Path()).text_for_journal, protocols, at, started=False)
        secret_free(entry.body.decode())
        records.append(type(records[0])(len(records) + 1, at, entry.kind, "", "", "", entry.body))
    lines = told(records)
    secret_free(repr(lines))
    assert [line.text for line in lines if line.what == "config"][1:] == [
        "the ward file was taken in again: 7 changes",
        "the ward file was taken in again: nothing changed",
    ]


def test_a_secret_in_an_old_journal_is_blanked_all_the_same():
    """Should a record hold one, by hand or by an older version, its lines do not."""
    said = changes({"ward file": "mqtt: {password: old-sesame}"}, {"ward file": "mqtt: {password: new-sesame, host: h}"})
    assert said == ("ward file: mqtt.host is new: h",)
