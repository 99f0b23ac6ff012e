"""Protocol files: every mistake is named with its line, and what is right is read as it stands."""

import pytest

from gateway.domain.words import Condition, Priority
from rules.loader import RulesError, load_protocol, shipped_text
from rules.model import Rung

SHIPPED = shipped_text("blinatumomab_home")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def shipped(*changes: tuple[str, str]) -> str:
    """The shipped protocol with some places written differently."""
    text = SHIPPED
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def line_of(words: str) -> int:
    """The line of the shipped file on which these words begin, counted from 1."""
    return SHIPPED[: SHIPPED.index(words)].count("\n") + 1


@pytest.mark.hazard("H-15", "H-65")
def test_the_shipped_protocol_says_what_the_design_says():
    """Numbers that a ward relies on, each read from the file."""
    protocol = load_protocol(SHIPPED, "blinatumomab_home.yaml")
    rules = {rule.name: rule for rule in protocol.rules}
    interrupted, unknown, persistent = rules["delivery-interrupted"], rules["delivery-unknown"], rules["alarm-persistent"]
    assert (protocol.interruption_limit_ms, protocol.occlusion_volume_ml) == (4 * HOUR_MS, 0.6)
    assert (protocol.silent_intervals, protocol.silent_at_least_ms) == (3, 5 * MINUTE_MS)
    assert interrupted.hold_ms == 2 * MINUTE_MS
    assert interrupted.rungs == (Rung(Priority.MEDIUM, 10 * MINUTE_MS), Rung(Priority.HIGH, 20 * MINUTE_MS))
    assert interrupted.milestones_ms == (2 * HOUR_MS, 3 * HOUR_MS, 210 * MINUTE_MS, 4 * HOUR_MS)
    assert [rung.after_ms // MINUTE_MS for rung in unknown.rungs] == [15, 30, 60]
    assert unknown.milestones_ms == (3 * HOUR_MS,)
    assert {key: ms // MINUTE_MS for key, ms in persistent.holds_ms.items()} == {
        "high": 2,
        "medium": 10,
        "low": 60,
        "air-in-line": 10,
    }
    assert protocol.bags["7-day"].rate_ml_h == 0.6
    assert set(protocol.conditions) == set(Condition)


MISTAKES = [
    ("interruption_limit: 4h", "interruption_limit: soon", "interruption_limit: 'soon' is not a duration"),
    ("infusion_days: 28", "infusion_days: 0", "infusion_days"),
    ("occlusion_volume_ml: 0.6", "occlusion_volume_ml: 60", "occlusion_volume_ml"),
    ("intervals: 3", "intervals: many", "silent.intervals"),
    ("24-hour: {duration: 24h,", "24-hour: {duration: 24h, colour: red,", "bags.24-hour.colour: is not a key here"),
    ("  other: high", "  other: urgent", "conditions.other"),
    ("{predicate: delivery_interrupted}", "{predicate: dances}", "unknown predicate 'dances'; known: alarm_active"),
    ("{predicate: delivery_interrupted}", "{predicate: delivery_interrupted, x: 3}", "has no parameter x"),
    ("{predicate: mostly_refused, percent: 50", "{predicate: mostly_refused, percent: half", "percent is a number"),
    ("hold: {high: 2m", "hold: {hihg: 2m", "'hihg' is neither a priority nor a pump condition"),
    ("priority: own", "priority: urgent", "'urgent' is not a priority; write high, medium, low"),
    ("priority: {medium: 10m, high: 20m}", "priority: {urgent: 10m}", "priority"),
    ("milestones: [2h, 3h, 3h30m, 4h]\n    say", "milestones: [2x]\n    say", "milestones[0]: '2x' is not a duration"),
    ("unless: [gateway-deaf]", "unless: [sunday]", "unknown: sunday; known: gateway-deaf"),
    ("firing: never", "firing: nevr", "firing"),
    ("delivery stopped ({cause})", "delivery stopped ({why})", "write only {by}, {cause}, {detail}, {kind}"),
    ("{since}起泵速{detail}", "{since}起泵速{why}", "say.zh-Hant: write only"),
    ("rule: delivery-unknown", "rule: delivery-interrupted", "there is a rule of this name above"),
]


@pytest.mark.parametrize(("before", "after", "words"), MISTAKES, ids=[after[:40] for _, after, _ in MISTAKES])
def test_a_mistake_is_named_with_its_line(before, after, words):
    """File, line and mend, whatever is wrong."""
    text = shipped((before, after))
    with pytest.raises(RulesError) as caught:
        load_protocol(text, "ward/own.yaml")
    places = {problem.line for problem in caught.value.problems}
    assert words in str(caught.value)
    assert places == {line_of(before)}, str(caught.value)
    assert all(str(problem).startswith("ward/own.yaml:") for problem in caught.value.problems)


def test_all_mistakes_are_named_at_once():
    """Nobody has to mend a file one error a run."""
    text = shipped(
        ("interruption_limit: 4h", "interruption_limit: soon"),
        ("infusion_days: 28", "infusion_days: 0"),
        ('    first:\n      en: "Call the home: is the pump', '    fist:\n      en: "Call the home: is the pump'),
    )
    with pytest.raises(RulesError) as caught:
        load_protocol(text, "own.yaml")
    said = str(caught.value)
    assert len(caught.value.problems) == 4
    assert all(words in said for words in ("interruption_limit", "infusion_days", "first: is missing", "fist: is not a key here"))


@pytest.mark.hazard("H-31")
def test_a_condition_without_a_priority_is_named():
    """No pump condition may be forgotten: one without a priority would never call anybody."""
    with pytest.raises(RulesError, match=r"own\.yaml:\d+: conditions: no priority for free-flow, other"):
        load_protocol(shipped(("  other: high\n", ""), ("  free-flow: high\n", "")), "own.yaml")


def test_what_is_no_yaml_is_named_with_its_line():
    """A file that cannot be read at all."""
    with pytest.raises(RulesError, match=r"^own\.yaml:2: "):
        load_protocol("protocol: x\n\ttitle: y\n", "own.yaml")
    with pytest.raises(RulesError, match=r"own\.yaml"):
        load_protocol("- a\n- b\n", "own.yaml")


def test_a_ward_may_change_a_rule_and_switch_one_off():
    """Overrides are taken key by key; what they leave out stays."""
    protocol = load_protocol(
        SHIPPED, "x", {"delivery-interrupted": {"hold": "0s", "priority": "high"}, "undecodable-data": {"enabled": False}}
    )
    rules = {rule.name: rule for rule in protocol.rules}
    assert "undecodable-data" not in rules
    assert rules["delivery-interrupted"].hold_ms == 0
    assert rules["delivery-interrupted"].rungs == (Rung(Priority.HIGH, 0),)
    assert len(rules["delivery-interrupted"].milestones_ms) == 4


def test_a_wrong_override_is_refused():
    """What comes from the ward file is checked like the rest."""
    with pytest.raises(RulesError, match="volume: is not a key here"):
        load_protocol(SHIPPED, "x", {"delivery-interrupted": {"volume": "loud"}})


def test_a_protocol_that_does_not_come_with_us_is_no_text():
    """Only names of the catalogue are found."""
    assert shipped_text("nobodys_protocol") is None
