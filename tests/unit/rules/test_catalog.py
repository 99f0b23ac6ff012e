"""Every shipped protocol: its examples hold, its words are fit for a page, and it needs no other file."""

import re
from datetime import UTC, datetime

import pytest

from gateway.config.protocols import KNOWN_RULES, read_protocols
from gateway.domain.words import Condition
from gateway.field.rulebook import shipped_names
from rules.examples import run_example
from rules.explain import explain
from rules.loader import SAY_WORDS, load_protocol, self_contained, shipped_text
from rules.model import Protocol, Rule

NAMES = shipped_names()
SAY_MAX = 60
LONGEST = {
    "by": datetime(2026, 3, 4, 23, 59, tzinfo=UTC).strftime("%a %H:%M"),
    "cause": "stopped by a clinician",
    "detail": "",
    "kind": "occlusion downstream",
    "lasted": "3 h 59 min",
    "since": "Wed 23:59",
}
DETAILS = {  # the longest that a rule's finding tells
    "alarm-recurrent": "12 times",
    "battery-running-out": "19 %, by the maker's figure 3 h 59 min left",
    "bag-change-overdue": "past its expiry",
    "interruption-found": "23 h 59 min",
    "rate-mismatch": "0.606 instead of 0.6 mL/h",
    "under-delivery": "79 %",
    "settings-changed": "settings changed (alarm volume)",
    "pump-unassigned": "delivers",
    "site-silent": "499 of 500",
    "undecodable-data": "300 of 300",
    "fever": "39.5",
}
SHORTER = {"settings-changed", "undecodable-data", "alarm-recurrent"}


def loaded(name: str) -> Protocol:
    """A shipped protocol."""
    return load_protocol(shipped_text(name) or "", name)


def said(rule: Rule) -> str:
    """The rule's words, filled with the longest that may stand in them."""
    kind = "" if rule.predicate != "alarm_active" else LONGEST["kind"]
    return rule.say.format(**{**LONGEST, "kind": kind, "detail": DETAILS.get(rule.name, "")})


@pytest.mark.hazard("H-65")
@pytest.mark.parametrize("name", NAMES)
def test_every_example_holds(name: str):
    """The stories that stand beside the rules are what the rules do."""
    protocol = loaded(name)
    assert [
        (rule.name, problem) for rule in protocol.rules for one in rule.examples if (problem := run_example(rule, one, protocol))
    ] == []


def test_the_adult_protocol_has_every_rule_of_the_design():
    """No row of the table is missing, none is there that the ward file does not know."""
    assert {rule.name for rule in loaded("blinatumomab_home").rules} == KNOWN_RULES


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_says_of_a_rule_is_short(name: str):
    """Filled in, at most 60 characters."""
    assert [
        (rule.name, len(said(rule))) for rule in loaded(name).rules if len(said(rule)) > SAY_MAX and rule.name not in SHORTER
    ] == []


@pytest.mark.hazard("H-17")
@pytest.mark.parametrize("name", NAMES)
def test_no_text_names_a_drug_a_disease_or_tells_anybody_to_flush(name: str):
    """What leaves the house names no illness; what is done at a line never pushes the drug in."""
    for rule in loaded(name).rules:
        texts = " ".join((rule.say, rule.first, *rule.firsts.values(), rule.playbook, explain(rule))).lower()
        assert not re.search(r"flush|blina|leuk|lympho|cancer", texts), rule.name


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_says_what_to_do_first_and_then(name: str):
    """A page without the first step helps nobody."""
    assert all(rule.first and rule.playbook and rule.examples for rule in loaded(name).rules)


def test_air_occlusion_and_an_empty_bag_have_words_of_their_own():
    """The three that homes meet most."""
    rules = {rule.name: rule for rule in loaded("blinatumomab_home").rules}
    for name in ("alarm-persistent", "delivery-interrupted"):
        assert "tap the tubing gently" in rules[name].first_for(Condition.AIR_IN_LINE)
        assert "if it persists, come in" in rules[name].first_for(Condition.OCCLUSION_DOWNSTREAM)
        assert "bring the bag change forward" in rules[name].first_for(Condition.RESERVOIR_EMPTY)
        assert rules[name].first_for("", "user") == rules[name].first


def test_a_protocol_that_extends_is_kept_whole():
    """The text in the journal extends nothing and loads to the same rules."""
    texts = read_protocols(["blinatumomab_home_continued"], {}, None)
    whole = texts["blinatumomab_home_continued"]
    assert '"extends":' not in whole
    kept = load_protocol(whole, "journal", find=lambda _name: None)
    shipped = loaded("blinatumomab_home_continued")
    assert kept.break_days == 56
    assert [rule.name for rule in kept.rules] == [rule.name for rule in shipped.rules]
    assert kept.conditions == shipped.conditions


def test_a_text_that_extends_nothing_is_kept_as_it_is():
    """Comments and all."""
    text = shipped_text("blinatumomab_home") or ""
    assert self_contained(text, "x") == text


def test_the_protocols_differ_where_they_should():
    """Breaks, dose steps and what belongs to the drug alone."""
    assert loaded("blinatumomab_home_mrd").dose_steps[0].mcg_per_day == 28
    assert loaded("blinatumomab_home_under_45kg").dose_steps[1].mcg_per_m2_day == 15
    assert "fever" not in {rule.name for rule in loaded("continuous_infusion").rules}


@pytest.mark.hazard("H-65")
@pytest.mark.parametrize("name", NAMES)
def test_every_rule_reads_as_english(name: str):
    """One line a rule: its name, when, how urgent, with every number filled in and no word of the file's."""
    for rule in loaded(name).rules:
        text = explain(rule)
        assert text.startswith(f"{rule.name}: when ")
        assert text.endswith(".")
        assert "the alert is " in text
        assert not re.search(r"[{}_]|\bNone\b", text), text


def test_the_say_words_are_all_filled_by_a_page():
    """The loader accepts exactly what the text of a page knows."""
    assert set(LONGEST) == set(SAY_WORDS)
