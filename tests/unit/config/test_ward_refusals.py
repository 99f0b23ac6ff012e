"""Refusing a ward file as a whole: everything at once, in order, without secrets."""

import re

import pytest

from gateway.config.load import load_ward, load_ward_mapping
from gateway.config.problems import ConfigError
from gateway.config.ward_models import MODELS
from rules.yaml_lines import load
from tests.unit.config.broken_ward import WARD, problems


def test_the_ward_of_these_tests_is_right():
    """Otherwise the refusals below would prove nothing."""
    assert problems(WARD) == []


@pytest.mark.hazard("H-63")
def test_all_problems_are_reported_at_once_in_the_order_of_the_lines():
    """Wrong shapes, unknown names, silence and a broken clock, in one go; one mistake hides no other."""
    text = WARD
    for old, new in [
        ("timezone: Asia/Hong_Kong", "timezone: Mars"),
        ("{host: 127.0.0.1}\njournal", "{prot: 1}\njournal"),
        ('- {sms: "85290000001"}', '- {sms: [], after: 5}\n      - {fax: "1"}'),
        ("[nurse-b]\nsched", "[nobody]\nsched"),
        ('"mon 08:00"', "noon"),
        ("until: 2026-03-05T08:00", "until: 2026-03-03T08:00"),
        ("from_step: 2", "from_step: 9"),
        ("    repeat: {from_step: 1, every: 30m}\n", ""),
        ("policy: medium", "policy: none"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    found = problems(text)
    assert [re.match(r"ward.yaml:(\d+): ([^:]+): ", problem).groups() for problem in found] == [
        ("2", "timezone"),
        ("3", "mqtt.prot"),
        ("15", "people.nurse-a.contacts[0].after"),
        ("15", "people.nurse-a.contacts[0].sms"),
        ("16", "people.nurse-a.contacts[1]"),
        ("21", "teams.seniors[0]"),
        ("26", "schedules.ward-nurse.rotation.handover"),
        ("31", "schedules.ward-nurse.overrides[0].until"),
        ("39", "policies.high.repeat.from_step"),
        ("41", "policies.medium"),
        ("45", "routes[0].policy"),
    ]


def test_the_error_s_text_is_its_problems_one_a_line():
    """What the command prints."""
    with pytest.raises(ConfigError) as refused:
        load_ward("site: A\n", "ward.yaml", None)
    assert str(refused.value).split("\n") == [str(problem) for problem in refused.value.problems]
    assert len(refused.value.problems) == 4


def test_lines_are_left_out_where_they_are_unknown():
    """A ward that is no file has none."""
    with pytest.raises(ConfigError) as refused:
        load_ward_mapping({"site": "w", "timezone": "UTC", "people": {"a": {"contacts": [{"x": "1"}]}}}, "inline ward")
    assert [str(problem) for problem in refused.value.problems] == [
        "inline ward: policies: required, but missing",
        "inline ward: people.a.contacts[0]: unknown transport 'x'; known: none",
    ]


def test_a_mapping_with_a_key_that_is_no_text_is_refused_too():
    """YAML gives text keys only; a mapping from elsewhere may not."""
    with pytest.raises(ConfigError, match="keys should be strings"):
        load_ward_mapping({5: 1}, "inline")


def test_two_people_with_one_number_are_told_apart_by_nothing_even_without_lines():
    """The first owner is named."""
    sms = {"kind": "kannel", "url": "http://h/", "username": "u", "sender": "1"}
    people = {name: {"contacts": [{"sms": 5}]} for name in "ab"}
    with pytest.raises(ConfigError, match=r"people.b.contacts\[0\].sms: the same number as a's \(above\)"):
        load_ward_mapping({"transports": {"sms": sms}, "people": people}, "inline")


@pytest.mark.parametrize("transport", ["pager", "email"])
def test_one_way_transports_may_share_an_address(transport):
    """A group pager, a shared mailbox: nobody answers from there. A person may repeat an own number, too."""
    text = WARD.replace('{sms: "85290000002"}', f'{{sms: "2"}}, {{centre: "2"}}, {{{transport}: "7001"}}')
    text = text.replace('{pager: "7001", after: 2m}', f'{{{transport}: "7001"}}')
    assert problems(text) == []


def test_a_long_list_of_known_names_shows_the_likely_ones_first():
    """Two hundred nurses are not printed."""
    people = {f"nurse-{n}": {"contacts": [{"x": "1"}]} for n in range(200)}
    with pytest.raises(ConfigError) as refused:
        load_ward_mapping({"people": people, "teams": {"t": ["nurse-1x99"]}}, "inline")
    message = next(problem.message for problem in refused.value.problems if problem.path[0] == "teams")
    assert message.startswith("unknown person 'nurse-1x99'; known: nurse-199,")
    assert message.endswith(" and 188 more")


def test_the_table_of_models_knows_every_place_where_keys_can_be_wrong():
    """An unknown key is answered with the known ones at each mapping of the file."""
    places = {
        ("transports", "*", "kannel"): ("transports", "sms"),
        ("transports", "*", "smpp"): ("transports", "centre"),
        ("transports", "*", "snpp"): ("transports", "pager"),
        ("transports", "*", "apprise"): ("transports", "email"),
        ("transports", "*", "apprise", "twilio"): ("transports", "email", "twilio"),
    }
    for place, model in MODELS.items():
        if model.model_config.get("extra") != "forbid" or place == ("influx", "v2"):
            continue
        names = places.get(place, tuple({"*": _first_name(place), "#": 0, "v1": None}.get(step, step) for step in place))
        names = tuple(name for name in names if name is not None)
        content = _example() | {"watchdog": {}, "synthetic": {"pump": "test", "page": "nurse-a"}}
        content["mllp"] = {"devices": {"pump-01": ["P6013"]}, "tls": {"cert": "cert.pem", "key": "key.pem"}}
        content["transports"]["email"]["twilio"] = {"auth_token_file": "secrets/twilio"}
        content["console"]["base_url"] = "https://ward.example"
        if "layers" in place:
            content["schedules"]["ward-nurse"]["layers"] = [content["schedules"]["ward-nurse"].pop("rotation")]
        below = content
        for name in names:
            below = below[name]
        below["zzzz"] = 1
        with pytest.raises(ConfigError) as refused:
            load_ward_mapping(content, "w")
        assert [problem.path for problem in refused.value.problems] == [(*names, "zzzz")]
        assert "unknown key 'zzzz'; known: " in str(refused.value)


def _first_name(place: tuple[str, ...]) -> str:
    return {"people": "nurse-a", "schedules": "ward-nurse", "policies": "high"}.get(place[0], "")


def _example() -> dict:
    return load(WARD.replace("{host: 127.0.0.1}\njournal", "{tls: {}}\njournal"), "w").value


def test_no_secret_is_repeated_in_a_refusal():
    """Errors are printed and logged; they name the key, not its value."""
    text = WARD.replace("{host: 127.0.0.1}\njournal", "{username: u, password: [hunter2], tokn: hunter2}\njournal")
    text = text.replace('url: "mailto://127.0.0.1/?to={address}"', 'url: "hunter2"').replace(
        '"http://127.0.0.1:8086"', '"http//u:hunter2@h"'
    )
    found = problems(text)
    assert len(found) == 4
    assert "hunter2" not in "".join(found)
