"""Protocols that extend others: what merges, what is refused, and where the mistakes stand."""

import pytest

from rules.extending import Extended, merged
from rules.loader import RulesError, load_protocol, shipped_text

CHILD = """extends: blinatumomab_home
protocol: mine
title: Ours
silent: {at_least: 7m}
rules:
  - rule: delivery-interrupted
    hold: 3m
  - {rule: fever, enabled: false}
"""


def find(name: str) -> str | None:
    """The shipped protocols, and two that extend each other."""
    return {"a": "extends: b\n", "b": "extends: a\n"}.get(name) or shipped_text(name)


def test_mappings_merge_and_rules_merge_by_name():
    """Only what is written changes."""
    base = load_protocol(shipped_text("blinatumomab_home") or "", "base")
    own = load_protocol(CHILD, "mine")
    rules = {rule.name: rule for rule in own.rules}
    assert (own.silent_intervals, own.silent_at_least_ms) == (3, 420_000)
    assert rules["delivery-interrupted"].hold_ms == 180_000
    assert rules["delivery-interrupted"].say == base.rules[0].say
    assert len(own.rules) == len(base.rules) - 1


def test_a_null_takes_a_key_out_and_lists_replace():
    """As everywhere where one file is laid over another."""
    assert merged({"a": {"b": 1, "c": 2}, "l": [1]}, {"a": {"b": None}, "l": []}) == {"a": {"c": 2}, "l": []}


def test_a_rule_of_its_own_is_added():
    """After those of the base."""
    document = Extended("extends: blinatumomab_home\nrules:\n  - {rule: own-rule}\n", "mine", find)
    assert document.value["rules"][-1] == {"rule": "own-rule"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: nowhere\n", "no such base"),
        ("extends: a\n", "extends itself"),
        ("extends: [a]\n", "no such base"),
    ],
)
def test_a_base_that_cannot_be_is_refused_with_its_line(text: str, words: str):
    """Missing, circular, or no name at all."""
    with pytest.raises(RulesError) as refused:
        load_protocol(text, "mine", find=find)
    assert words in str(refused.value)
    assert refused.value.problems[0].line == 1


def test_a_mistake_is_told_with_its_line_in_the_own_file():
    """A rule that is patched is found where it stands here, not where it stands in the base."""
    with pytest.raises(RulesError) as refused:
        load_protocol(CHILD.replace("hold: 3m", "hold: soon"), "mine")
    assert refused.value.problems[0].line == 7
    assert "not a duration" in str(refused.value)


def test_a_mistake_that_only_the_merge_makes_points_to_the_extends_line():
    """A condition without a priority is nowhere in this file."""
    with pytest.raises(RulesError) as refused:
        load_protocol("extends: blinatumomab_home\nprotocol: mine\ntitle: x\nconditions: {other: null}\n", "mine")
    assert "no priority for other" in str(refused.value)


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("priority: own", "chooses no priority of its own"),
        ("priority: urgent", "is not a priority"),
        ("unless: [rain]", "unknown: rain"),
        ("first: {air-in-line: x}", "needs default"),
        ("first: {default: x, rain: y}", "is not a pump condition"),
        ("ends: never", "ends"),
        ("say: '{patient}'", "write only"),
    ],
)
def test_what_a_rule_cannot_say_is_refused_in_words(patch: str, words: str):
    """Each with the place where it stands."""
    text = f"extends: blinatumomab_home\nprotocol: mine\ntitle: x\nrules:\n  - rule: delivery-unknown\n    {patch}\n"
    with pytest.raises(RulesError) as refused:
        load_protocol(text, "mine")
    assert words in str(refused.value)
    assert refused.value.problems[0].line in (5, 6)
