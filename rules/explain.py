"""Each rule as plain English that a nurse would sign: when, how urgent, what ends it, what holds it back."""

from rules.durations import say_ms
from rules.model import Rule
from rules.predicates import PREDICATES


def explain(rule: Rule) -> str:
    """A sentence or a few: when, after how long, who is told how urgently, what is repeated, what ends it, what holds it back."""
    predicate = PREDICATES[rule.predicate]
    said = [f"{rule.name}: when {predicate.sentence.format(**rule.params)}{_hold(rule)}, {_priority(rule)}."]
    if rule.milestones_ms:
        said.append(f"It calls again when that has lasted {_list([say_ms(ms) for ms in rule.milestones_ms])}.")
    if rule.ends_when_acked:
        said.append("Nothing at the pump ends it: it is over when somebody takes it.")
    said += [_HELD_BACK[name] for name in rule.unless]
    return " ".join(said)


_HELD_BACK = {
    "gateway-deaf": "While the gateway itself cannot hear, nobody is called for it; the clock runs on.",
    "site-silent": "While the whole site is silent, it waits until it is high, and then joins the site's incident.",
}


def _hold(rule: Rule) -> str:
    if rule.holds_ms:
        return " for " + _list([f"{say_ms(ms)} ({key.replace('-', ' ')})" for key, ms in rule.holds_ms.items()])
    return f" and this has held for {say_ms(rule.hold_ms)}" if rule.hold_ms else ""


def _priority(rule: Rule) -> str:
    if not rule.rungs:
        return f"the alert is {PREDICATES[rule.predicate].priorities.format(**rule.params).removeprefix('the alert is ')}"
    if len(rule.rungs) == 1 and rule.rungs[0].after_ms == 0:
        return f"the alert is {rule.rungs[0].priority}"
    return "the alert is " + _list([f"{rung.priority} once that has lasted {say_ms(rung.after_ms)}" for rung in rule.rungs])


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
