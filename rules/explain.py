"""Each rule as one English sentence that a nurse would sign."""

from rules.durations import say_ms
from rules.model import Rule
from rules.predicates import PREDICATES


def explain(rule: Rule) -> str:
    """One sentence: when, after how long, who is told how urgently, what is repeated, what holds it back."""
    predicate = PREDICATES[rule.predicate]
    parts = [f"{rule.name}: when {predicate.sentence.format(**rule.params)}{_hold(rule)}, {_priority(rule)}"]
    if rule.milestones_ms:
        parts.append(f"; it speaks again when that has lasted {_list([say_ms(ms) for ms in rule.milestones_ms])}")
    if rule.unless:
        parts.append(f"; nobody is called for it while {_list([_INHIBITED[name] for name in rule.unless])}")
    return "".join(parts) + "."


_INHIBITED = {
    "gateway-deaf": "the gateway itself cannot hear (the clock runs on)",
    "planned-window": "a planned window is open",
    "site-silent": "the whole site is silent",
}


def _hold(rule: Rule) -> str:
    if rule.holds_ms:
        return ", held for " + ", ".join(f"{say_ms(ms)} if {key}" for key, ms in rule.holds_ms.items())
    return f" and this has held for {say_ms(rule.hold_ms)}" if rule.hold_ms else ""


def _priority(rule: Rule) -> str:
    if not rule.rungs:
        return "the alert has the condition's own priority in this protocol"
    if len(rule.rungs) == 1 and rule.rungs[0].after_ms == 0:
        return f"the alert is {rule.rungs[0].priority}"
    return "the alert is " + ", ".join(f"{rung.priority} once that has lasted {say_ms(rung.after_ms)}" for rung in rule.rungs)


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
