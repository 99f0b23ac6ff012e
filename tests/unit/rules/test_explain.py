"""What a nurse signs: each protocol and each of its rules in plain English."""

import re

import pytest

from gateway.field.rulebook import shipped_names
from rules.explain import explain, explain_protocol, what_to_do
from rules.loader import load_protocol, shipped_text
from rules.model import Protocol

NAMES = shipped_names()


def loaded(name: str) -> Protocol:
    """A shipped protocol."""
    return load_protocol(shipped_text(name) or "", name)


def whole(protocol: Protocol) -> str:
    """All that is said of a protocol and its rules."""
    told = [line for rule in protocol.rules for line in (explain(rule), *what_to_do(rule))]
    return "\n".join([*explain_protocol(protocol), *told])


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_is_told_in_sentences(name: str):
    """Every line is a sentence with its numbers filled in, and none is of the programmer's world."""
    for line in explain_protocol(loaded(name)):
        assert re.fullmatch(r"[A-Z].*\.", line), line
        assert not re.search(r"[{}_]|\bNone\b|\b1 days\b", line), line


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_says_its_page_its_first_step_and_the_rest(name: str):
    """In this order, with no word of the template left in it."""
    for rule in loaded(name).rules:
        told = what_to_do(rule)
        assert told[0].startswith("The page says: ")
        assert told[1] == f"First: {rule.first}"
        assert told[-1] == f"Then: {rule.playbook}"
        assert not re.search(r"[{}]", told[0]), told[0]


def test_conditions_that_share_their_first_step_are_told_together():
    """Two ways for a bag to end, one thing to do."""
    rule = next(rule for rule in loaded("blinatumomab_home").rules if rule.name == "alarm-persistent")
    assert any("First, for occlusion downstream: " in line for line in what_to_do(rule))
    shared = [line for line in what_to_do(rule) if "bring the bag change forward" in line and line.startswith("First")]
    assert [re.findall(r"for (.*?):", line)[0] for line in shared] == ["reservoir empty", "infusion complete"]


def test_the_generic_protocol_says_nothing_of_the_drug():
    """No premedication, no dose, no diary, and a limit of its own words."""
    generic = loaded("continuous_infusion")
    assert not re.search(r"premed|dexa|blina|mcg|four hours|fever|handwriting", whole(generic), re.IGNORECASE)
    assert "Once delivery has stopped for 4 h, every page adds: ask the doctor before any restart." in explain_protocol(generic)


def test_the_playbooks_of_air_occlusion_and_the_end_of_the_bag():
    """Tap gently; open the clamps; change early; return if it persists; nothing is pushed through the line."""
    rule = next(rule for rule in loaded("blinatumomab_home").rules if rule.name == "alarm-persistent")
    for words in ("tap the tubing gently", "nobody pushes fluid through the line", "open every clamp", "return to hospital"):
        assert words in rule.playbook
    assert "do not try to win the last millilitres" in rule.playbook
    for name in NAMES:
        assert not re.search("flush", whole(loaded(name)), re.IGNORECASE)


def test_what_the_adult_protocol_says_of_its_clocks():
    """Limit, lag and start-up delay are the numbers of the file."""
    told = " ".join(explain_protocol(loaded("blinatumomab_home")))
    assert "28 days of infusion, then 14 days without" in told
    assert "stopped for 4 h, every page adds: premedication and supervised restart per protocol." in told
    assert "counted from 0.6 mL before it, 1 h at 0.6 mL/h" in told
    assert "may take 10 min to deliver" in told
