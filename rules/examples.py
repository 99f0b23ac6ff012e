"""A rule's own examples, run as tests: what is true at each tick, and when the rule must fire.

`rules.example_view` says what a tick may tell. `firing` is `never`, or the instant at which each priority is reached;
`milestones` and `over` (when the alert is over), where they are given, must come exactly then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.view import Facet
from gateway.domain.words import Priority
from rules.durations import say_ms
from rules.engine import Alert, ChangeKind, judge, next_due
from rules.example_view import ExampleView
from rules.model import Example, Protocol, Rule
from rules.predicates import PREDICATES

DEADLINES_MAX = 1_000  # between two ticks; a rule that asks again more often than that never comes to rest
STRANGER = "pump-9"


@dataclass(slots=True)
class _Told:
    """What the rule did so far."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    settled: dict[str, Instant] = field(default_factory=dict)
    fired: list[tuple[Priority, int]] = field(default_factory=list)
    milestones: list[int] = field(default_factory=list)
    over: list[int] = field(default_factory=list)


def run_example(rule: Rule, example: Example, protocol: Protocol) -> str | None:
    """None when the rule fires exactly as the example says; otherwise what it did instead, in words."""
    series = {name: _expand(text) for name, text in example.series.items() if name != "back_dated_ms"}
    back_dated_ms = int(example.series.get("back_dated_ms", "0"))
    scope = min(PREDICATES[rule.predicate].scopes)
    view, told = ExampleView(protocol, unassigned=STRANGER if scope == "pump" else ""), _Told()
    for tick in range(max(len(values) for values in series.values())):
        at = tick * example.every_ms
        _live_until(rule, view, told, scope, at)
        view.at = at
        view.tell({name: values[min(tick, len(values) - 1)] for name, values in series.items()}, back_dated_ms)
        _judge(rule, view, told, scope)
        if _is_taken(series, tick):
            told.settled.update(dict.fromkeys(told.alerts, at))
            _judge(rule, view, told, scope)
    return _verdict(example, told)


def _verdict(example: Example, told: _Told) -> str | None:
    if tuple(told.fired) != example.expected:
        return f"expected {_words(example.expected)}, but it fires {_words(tuple(told.fired))}"
    if example.milestones_at_ms is not None and tuple(told.milestones) != example.milestones_at_ms:
        return f"expected milestones at {example.milestones_at_ms}, but they came at {tuple(told.milestones)} ms"
    if example.over_at_ms is not None and told.over != [example.over_at_ms]:
        ends = ", ".join(say_ms(at) for at in told.over) or "never"
        return f"expected it to be over at {say_ms(example.over_at_ms)}, but it was over: {ends}"
    return None


def _live_until(rule: Rule, view: ExampleView, told: _Told, scope: str, until: Instant) -> None:
    """The alert's own deadlines on the way."""
    for _ in range(DEADLINES_MAX):
        due_at = next_due(told.alerts)
        if due_at is None or not view.at < due_at < until:
            return
        view.at = due_at
        _judge(rule, view, told, scope)


def _judge(rule: Rule, view: ExampleView, told: _Told, scope: str) -> None:
    for change in judge([rule], told.alerts, view, woken=Facet.ALL, scope=scope, settled=told.settled):
        if change.kind in (ChangeKind.FIRED, ChangeKind.RAISED) and change.alert.priority is not None:
            told.fired.append((change.alert.priority, view.at))
        elif change.kind is ChangeKind.MILESTONE:
            told.milestones.append(view.at)
        elif change.kind is ChangeKind.RESOLVED:
            told.over.append(view.at)


def _is_taken(series: Mapping[str, list[str]], tick: int) -> bool:
    taken = series.get("taken", ["no"])
    return taken[min(tick, len(taken) - 1)] == "yes"


def _expand(text: str) -> list[str]:
    values: list[str] = []
    for part in text.split():
        value, _, count = part.partition("*")
        values += [value] * (int(count) if count else 1)
    return values


def _words(firing: tuple[tuple[Priority, int], ...]) -> str:
    return ", ".join(f"{priority} at {say_ms(at)}" for priority, at in firing) or "never"
