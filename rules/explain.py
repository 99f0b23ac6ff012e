"""Protocols and rules as plain English that a nurse would sign: what, since when, how urgent, who, what first, what ends it."""

from collections.abc import Sequence

from gateway.domain.instants import HOUR_MS
from gateway.domain.words import Priority
from rules.durations import say_ms
from rules.model import BagKind, DoseStep, Protocol, Rule
from rules.predicates import PREDICATES

_HELD_BACK = {
    "gateway-deaf": "While Dripwatch itself cannot hear the pumps, nobody is called for it; the clock runs on.",
    "site-silent": "While the whole site is silent, it waits until it is high, and then joins the site's incident.",
}
_FILLED_IN = {
    "since": "TIME",
    "by": "TIME",
    "lasted": "SO LONG",
    "cause": "CAUSE",
    "kind": "NAME",
    "detail": "FIGURES",
}


def explain(rule: Rule) -> str:
    """A sentence or a few: when, after how long, how urgent, what is repeated, what ends it, what holds it back."""
    predicate = PREDICATES[rule.predicate]
    said = [f"{rule.name}: when {predicate.sentence.format(**rule.params)}{_hold(rule)}, {_priority(rule)}."]
    if rule.milestones_ms:
        said.append(f"It calls again when that has lasted {_list([say_ms(ms) for ms in rule.milestones_ms])}.")
    if rule.ends_when_acked:
        said.append("Nothing at the pump ends it: it is over when somebody takes it.")
    said += [_HELD_BACK[name] for name in rule.unless]
    return " ".join(said)


def what_to_do(rule: Rule) -> list[str]:
    """What a page of this rule says, what to do first (also for single pump conditions), and the rest of the playbook."""
    told = [f'The page says: "{rule.say.format(**_FILLED_IN)}".', f"First: {rule.first}"]
    together: dict[str, list[str]] = {}
    for condition, words in rule.firsts.items():
        together.setdefault(words, []).append(condition.replace("-", " "))
    told += [f"First, for {_list(conditions)}: {words}" for words, conditions in together.items()]
    return [*told, f"Then: {rule.playbook}"] if rule.playbook else told


def explain_protocol(protocol: Protocol) -> list[str]:
    """The protocol's own facts, one sentence or two each: days, doses, bags, limit, what counts as silent, who is called."""
    days = "1 day" if protocol.infusion_days == 1 else f"{protocol.infusion_days} days"
    rest = f", then {protocol.break_days} days without" if protocol.break_days else ""
    silent, start_up = say_ms(protocol.silent_at_least_ms), say_ms(protocol.start_up_delay_ms)
    said = [f"One cycle is {days} of infusion{rest}. A day counts by the time delivered."]
    said += [f"Dose: {_list([_dose(step) for step in protocol.dose_steps])}."] if protocol.dose_steps else []
    said += [f"Bags: {'; '.join(_bag(bag) for bag in protocol.bags.values())}."]
    said.append(
        f"Once delivery has stopped for {say_ms(protocol.interruption_limit_ms)}, every page adds: {protocol.past_limit}."
    )
    said.append(f"What to do first is then, instead of what a rule says: {protocol.past_limit_first}")
    said.append(f"A pump is silent when {protocol.silent_intervals} of its reports are missing, but not before {silent}.")
    said.append(f"After a bag change it may take {start_up} to deliver before that counts as an interruption.")
    said += _lag(protocol)
    said += [f"Pump alarms that are {priority}: {names}." for priority, names in _conditions(protocol)]
    said.append(
        "What begins in a planned window waits for its end; free flow, a wrong rate, the diary and milestones never wait."
    )
    said.append("How long something has lasted counts from when it began as we judge it, which may lie before we knew of it.")
    said.append("Who is called, by which way, and who next after how long: the ward file's policy for that priority.")
    return said


def _lag(protocol: Protocol) -> list[str]:
    lag_ml, rate_ml_h = protocol.occlusion_volume_ml, min(bag.rate_ml_h for bag in protocol.bags.values())
    if lag_ml == 0:
        return []
    lag = say_ms(round(lag_ml / rate_ml_h * HOUR_MS))
    late = f"An occlusion alarm comes late: the interruption is counted from {lag_ml:g} mL before it, {lag} at {rate_ml_h:g} mL/h"
    return [f"{late}; but never from before the bag change, or from before somebody or a bag scale saw it run."]


def _hold(rule: Rule) -> str:
    if rule.holds_ms:
        by_priority = [f"{say_ms(ms)} if it is {key}" for key, ms in rule.holds_ms.items() if key in set(Priority)]
        by_kind = [f"{say_ms(ms)} for {key.replace('-', ' ')}" for key, ms in rule.holds_ms.items() if key not in set(Priority)]
        return " for " + _list(by_priority + by_kind)
    return f" and this has been known for {say_ms(rule.hold_ms)}" if rule.hold_ms else ""


def _priority(rule: Rule) -> str:
    if not rule.rungs:
        return f"the alert is {PREDICATES[rule.predicate].priorities.format(**rule.params).removeprefix('the alert is ')}"
    if len(rule.rungs) == 1 and rule.rungs[0].after_ms == 0:
        return f"the alert is {rule.rungs[0].priority}"
    return "the alert is " + _list([f"{rung.priority} once that has lasted {say_ms(rung.after_ms)}" for rung in rule.rungs])


def _dose(step: DoseStep) -> str:
    surface = f"{step.mcg_per_m2_day:g} mcg/m2 a day, at most " if step.mcg_per_m2_day is not None else ""
    return f"{surface}{step.mcg_per_day:g} mcg a day from day {step.from_day}"


def _bag(bag: BagKind) -> str:
    return f"{bag.name} at {bag.rate_ml_h:g} mL/h, filled with {bag.fill_ml:g} mL, to be used within {say_ms(bag.shelf_life_ms)}"


def _conditions(protocol: Protocol) -> list[tuple[Priority, str]]:
    """(priority, its conditions in words), the most urgent first."""
    found = []
    for priority in reversed(Priority):
        names = [condition.replace("-", " ") for condition, ours in protocol.conditions.items() if ours is priority]
        if names:
            found.append((priority, _list(names)))
    return found


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
