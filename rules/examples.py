"""A rule's own examples, run as tests: what is true at each tick, and when the rule must fire.

A series reads `VALUE*COUNT VALUE*COUNT …`, one value a tick of `every`:
`delivery` a delivery state · `conditions` pump conditions joined by `+`, or `-` · `heard` yes/no · `refused` refused/all of
the last five minutes · `session` up/lost, the gateway's own · `inhibited` what holds rules back, or `-`.
`firing` is `never`, or the instant at which each priority is reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.view import ActiveCondition, Facet, Judgement
from gateway.domain.words import Condition, DeliveryState, Priority
from rules.durations import say_ms
from rules.engine import Alert, ChangeKind, judge, next_due
from rules.model import Example, Protocol, Rule
from rules.predicates import PREDICATES


@dataclass(slots=True)
class _View:
    """A course as the example tells it, at one instant."""

    at: Instant = 0
    judgement: Judgement = field(default_factory=lambda: Judgement(DeliveryState.DELIVERING, 0, 0))
    conditions: Sequence[ActiveCondition] = ()
    enrolled_at: Instant = 0
    heard: bool = True
    messages: tuple[int, int] = (0, 0)
    unassigned: str = ""
    deaf_since: Instant | None = None
    inhibitions: frozenset[str] = frozenset()


def run_example(rule: Rule, example: Example, protocol: Protocol) -> str | None:
    """None when the rule fires exactly as the example says; otherwise what it did instead, in words."""
    series = {name: _expand(text) for name, text in example.series.items() if name != "back_dated_ms"}
    back_dated_ms = int(example.series.get("back_dated_ms", "0"))
    ticks = max(len(values) for values in series.values())
    alerts: dict[str, Alert] = {}
    view = _View()
    fired: list[tuple[Priority, int]] = []
    milestones: list[int] = []
    for tick in range(ticks):
        at = tick * example.every_ms
        for due_at in _instants(alerts, view.at, at):
            view.at = due_at
            if due_at == at:
                _tell(view, series, tick, back_dated_ms, protocol)
            _note(rule, alerts, view, fired, milestones)
    if tuple(fired) != example.expected:
        return f"expected {_words(example.expected)}, but it fires {_words(tuple(fired))}"
    if example.milestones_at_ms is not None and tuple(milestones) != example.milestones_at_ms:
        return f"expected milestones at {example.milestones_at_ms}, but they came at {tuple(milestones)} ms"
    return None


def _instants(alerts: dict[str, Alert], after: Instant, until: Instant) -> list[Instant]:
    """The alert's own deadlines on the way to `until`, then `until`. One between two ticks is enough for any rule here."""
    due_at = next_due(alerts)
    return [due_at, until] if due_at is not None and after < due_at < until else [until]


def _note(rule: Rule, alerts: dict[str, Alert], view: _View, fired: list[tuple[Priority, int]], milestones: list[int]) -> None:
    scope = min(PREDICATES[rule.predicate].scopes)
    for change in judge([rule], alerts, view, woken=Facet.ALL, scope=scope):
        if change.kind in (ChangeKind.FIRED, ChangeKind.RAISED) and change.alert.priority is not None:
            fired.append((change.alert.priority, view.at))
        elif change.kind is ChangeKind.MILESTONE:
            milestones.append(view.at)


def _tell(view: _View, series: Mapping[str, list[str]], tick: int, back_dated_ms: int, protocol: Protocol) -> None:
    values = {name: given[min(tick, len(given) - 1)] for name, given in series.items()}
    if "delivery" in values:
        state = DeliveryState(values["delivery"])
        if state is not view.judgement.state or view.at == 0:
            since = view.at - (back_dated_ms if state is DeliveryState.INTERRUPTED else 0)
            view.judgement = Judgement(state, since, view.at)
    if "conditions" in values:
        names = [] if values["conditions"] == "-" else values["conditions"].split("+")
        before = {active.condition: active for active in view.conditions}
        view.conditions = [before.get(Condition(name)) or _active(Condition(name), view.at, protocol) for name in names]
    lost = values.get("session", "up") == "lost"
    view.deaf_since = (view.at if view.deaf_since is None else view.deaf_since) if lost else None
    view.heard = values.get("heard", "yes") == "yes"
    refused, _, total = values.get("refused", "0/0").partition("/")
    view.messages = (int(refused), int(total))
    inhibited = values.get("inhibited", "-")
    view.inhibitions = frozenset() if inhibited == "-" else frozenset({inhibited})


def _active(condition: Condition, at: Instant, protocol: Protocol) -> ActiveCondition:
    return ActiveCondition(condition, at, None, protocol.conditions[condition], None, "")


def _expand(text: str) -> list[str]:
    values: list[str] = []
    for part in text.split():
        value, _, count = part.partition("*")
        values += [value] * (int(count) if count else 1)
    return values


def _words(firing: tuple[tuple[Priority, int], ...]) -> str:
    return ", ".join(f"{priority} at {say_ms(at)}" for priority, at in firing) or "never"
