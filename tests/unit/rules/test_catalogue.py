"""Every rule that ships: its examples hold, its sentence can be read, its words are fit for a page."""

import re

import pytest

from gateway.domain.words import Priority
from rules.examples import run_example
from rules.explain import explain
from rules.loader import load_protocol, shipped_text
from rules.model import Example
from tests.unit.rules.gsm7 import septets

PROTOCOL = load_protocol(shipped_text("blinatumomab_home"), "blinatumomab_home")
RULES = {rule.name: rule for rule in PROTOCOL.rules}
EXAMPLES = [(rule, example) for rule in PROTOCOL.rules for example in rule.examples]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule.name}: {example.title}" for rule, example in EXAMPLES])
def test_the_example_holds(rule, example):
    """The rule fires exactly when its example says so."""
    assert run_example(rule, example, PROTOCOL) is None


def test_a_wrong_example_is_told_what_happens_instead():
    """An example that does not hold names both what it expected and what the rule does."""
    rule = RULES["delivery-interrupted"]
    late = Example("x", 60_000, {"delivery": "delivering*5 interrupted*30"}, ((Priority.MEDIUM, 16 * 60_000),))
    assert run_example(rule, late, PROTOCOL) == "expected medium at 16 min, but it fires medium at 15 min, high at 25 min"
    fires = ((Priority.MEDIUM, 15 * 60_000), (Priority.HIGH, 25 * 60_000))
    milestones = Example("x", 60_000, {"delivery": "delivering*5 interrupted*30"}, fires, milestones_at_ms=(60_000,))
    assert run_example(rule, milestones, PROTOCOL) == "expected milestones at (60000,), but they came at () ms"


SENTENCES = {
    "delivery-interrupted": (
        "delivery-interrupted: when delivery is interrupted and this has been known for 2 min, the alert is medium once"
        " that has lasted 10 min and high once that has lasted 20 min. It calls again when that has lasted 2 h, 3 h, 3 "
        "h 30 min and 4 h."
    ),
    "delivery-unknown": (
        "delivery-unknown: when the pump is not heard, or does not say whether it delivers, while delivery is expected,"
        " the alert is low once that has lasted 15 min, medium once that has lasted 30 min and high once that has "
        "lasted 1 h. It calls again when that has lasted 3 h. While Dripwatch itself cannot hear the pumps, nobody is "
        "called for it; the clock runs on. While the whole site is silent, it waits until it is high, and then joins "
        "the site's incident."
    ),
    "alarm-persistent": (
        "alarm-persistent: when a pump alarm condition stays active for 2 min if it is high, 10 min if it is medium, 1 "
        "h if it is low and 10 min for air in line, the alert is as urgent as this protocol ranks the condition."
    ),
    "pump-never-heard": (
        "pump-never-heard: when a pump was enrolled and has never been heard and this has been known for 10 min, the "
        "alert is medium. While Dripwatch itself cannot hear the pumps, nobody is called for it; the clock runs on."
    ),
    "undecodable-data": (
        "undecodable-data: when at least 50 % (and no fewer than 3) of a device's messages of 5 minutes could not be "
        "read, the alert is medium."
    ),
    "gateway-deaf": (
        "gateway-deaf: when Dripwatch itself hears no pump, for it has no connection to the message broker, and this "
        "has been known for 1 min, the alert is high."
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_the_rule_explains_itself(name):
    """In English that a nurse could sign."""
    assert explain(RULES[name]) == SENTENCES[name]


@pytest.mark.parametrize("rule", PROTOCOL.rules, ids=lambda rule: rule.name)
def test_the_words_of_a_rule_are_fit_for_a_page(rule):
    """No drug, nothing about flushing, a playbook, and words that a text message can carry as they stand."""
    words = f"{rule.say} {rule.first} {rule.playbook}"
    assert not re.search("flush|blina|blincyto|leuk", words, re.IGNORECASE)
    assert rule.playbook.endswith(".")
    assert septets(re.sub(r"\{\w+\}", "", rule.say) + rule.first) is not None
