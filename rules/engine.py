"""From findings to alerts: hold, priority by duration, milestones. Pure; the alerts passed in are changed in place.

An alert is pending until it has held and reached its first rung; while it fires its priority never falls; it resolves when its
finding is gone. What holds a rule back (`unless`) keeps an alert from starting to fire and one that fires from speaking again;
it ends nothing, and the clocks run on. A silent site holds back only what is not high yet. Where a rule ends when somebody takes
it, findings that were known by then (`settled`) are found no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import Instant
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import AlertPhase, Priority
from rules.model import Finding, Rule
from rules.predicates import PREDICATES

SITE_SILENT = "site-silent"

_NOTHING: Mapping[str, Instant] = {}


class ChangeKind(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    RAISED = "raised"
    MILESTONE = "milestone"
    RESOLVED = "resolved"


@dataclass(slots=True)
class Alert:
    """What one rule says about one course: identified by rule and kind. `idle`: nothing is wrong yet, it waits to ask again."""

    rule: str
    kind: str
    family: str
    since: Instant
    evidence_at: Instant
    phase: AlertPhase = AlertPhase.PENDING
    priority: Priority | None = None
    fired_at: Instant | None = None
    milestones: int = 0
    due_at: Instant | None = None
    detail: str = ""
    idle: bool = False
    by_at: Instant | None = None

    @property
    def key(self) -> str:
        """`rule` or `rule:kind`."""
        return f"{self.rule}:{self.kind}" if self.kind else self.rule


@dataclass(frozen=True, slots=True)
class Change:
    """An alert changed; `alert` shows it as it is now."""

    kind: ChangeKind
    alert: Alert


def judge(
    rules: Iterable[Rule],
    alerts: dict[str, Alert],
    view: CourseView,
    *,
    woken: int,
    scope: str = "course",
    settled: Mapping[str, Instant] | None = None,
) -> list[Change]:
    """Judge the rules of this scope that one of the facets in `woken` wakes, or whose alerts are due, at `view.at`.

    Of several findings with one key the first counts. `settled`: by alert key, until when evidence was taken note of.
    """
    due = {alert.rule for alert in alerts.values() if alert.due_at is not None and alert.due_at <= view.at}
    changes: list[Change] = []
    if not woken and not due:
        return changes
    for rule in rules:
        predicate = PREDICATES[rule.predicate]
        wakes = predicate.wakes | Facet.INHIBITION if rule.unless else predicate.wakes
        if scope not in predicate.scopes or not (wakes & woken or rule.name in due):
            continue
        own = [alert for alert in alerts.values() if alert.rule == rule.name]
        held_back = view.inhibitions.intersection(rule.unless)
        standing: set[str] = set()
        for finding in predicate.ask(view, rule.params):
            key = f"{rule.name}:{finding.kind}" if finding.kind else rule.name
            if key in standing or (rule.ends_when_acked and finding.evidence_at <= (settled or _NOTHING).get(key, -1)):
                continue
            standing.add(key)
            changes += _meet(rule, finding, key, alerts, view.at, held_back)
        changes += _resolve(own, alerts, standing)
    return changes


def next_due(alerts: dict[str, Alert]) -> Instant | None:
    """The earliest instant at which an alert changes by time alone."""
    return min((a.due_at for a in alerts.values() if a.due_at is not None), default=None)


def _meet(
    rule: Rule, finding: Finding, key: str, alerts: dict[str, Alert], at: Instant, held_back: frozenset[str]
) -> list[Change]:
    known = alerts.get(key)
    changes = []
    if known is not None and known.phase is AlertPhase.FIRING and finding.since > at:  # it is not true any more, but will be
        del alerts[key]
        changes += _resolved(known)
        known = None
    if known is None:
        known = alerts[key] = Alert(rule.name, finding.kind, finding.family or rule.name, finding.since, finding.evidence_at)
    elif not finding.standing or (known.idle and known.phase is AlertPhase.PENDING):
        known.since, known.evidence_at = finding.since, finding.evidence_at
    known.family, known.detail, known.by_at = finding.family or rule.name, finding.detail, finding.by_at
    known.idle = finding.since > at or (finding.standing and not rule.rungs and finding.priority is None)
    return changes + _advance(rule, finding, known, at, held_back)


def _resolve(own: list[Alert], alerts: dict[str, Alert], standing: set[str]) -> list[Change]:
    changes = []
    for alert in own:
        if alert.key in standing:
            continue
        del alerts[alert.key]
        changes += _resolved(alert)
    return changes


def _resolved(alert: Alert) -> list[Change]:
    if alert.phase is not AlertPhase.FIRING:
        return []
    alert.phase, alert.due_at = AlertPhase.RESOLVED, None
    return [Change(ChangeKind.RESOLVED, alert)]


def _advance(rule: Rule, finding: Finding, alert: Alert, at: Instant, held_back: frozenset[str]) -> list[Change]:
    changes: list[Change] = []
    held_at = max(alert.since, alert.evidence_at + _hold_ms(rule, finding))
    priority = _priority(rule, finding, alert.since, at) if at >= held_at else None
    if held_back and (held_back != {SITE_SILENT} or priority is not Priority.HIGH):
        pass
    elif alert.phase is AlertPhase.PENDING and priority is not None:
        alert.phase, alert.priority, alert.fired_at = AlertPhase.FIRING, priority, at
        alert.milestones = _milestones_passed(rule, alert.since, at)
        changes.append(Change(ChangeKind.FIRED, alert))
    elif alert.phase is AlertPhase.FIRING:
        if priority is not None and alert.priority is not None and priority.rank > alert.priority.rank:
            alert.priority = priority
            changes.append(Change(ChangeKind.RAISED, alert))
        passed = _milestones_passed(rule, alert.since, at)
        if passed > alert.milestones:
            alert.milestones = passed
            changes.append(Change(ChangeKind.MILESTONE, alert))
    alert.due_at = _next_change(rule, finding, alert, held_at, at)
    return changes


def _hold_ms(rule: Rule, finding: Finding) -> int:
    by_kind = rule.holds_ms.get(finding.kind)
    if by_kind is not None:
        return by_kind
    return rule.holds_ms.get(finding.priority or "", rule.hold_ms)


def _priority(rule: Rule, finding: Finding, since: Instant, at: Instant) -> Priority | None:
    if not rule.rungs:
        return finding.priority
    reached = [rung.priority for rung in rule.rungs if at - since >= rung.after_ms]
    return reached[-1] if reached else None


def _milestones_passed(rule: Rule, since: Instant, at: Instant) -> int:
    return sum(at - since >= milestone_ms for milestone_ms in rule.milestones_ms)


def _next_change(rule: Rule, finding: Finding, alert: Alert, held_at: Instant, at: Instant) -> Instant | None:
    """The next instant after `at` at which time alone changes this alert."""
    instants = [alert.since + rung.after_ms for rung in rule.rungs]
    instants += [alert.since + milestone_ms for milestone_ms in rule.milestones_ms]
    instants.append(held_at)
    if finding.recheck_at is not None:
        instants.append(finding.recheck_at)
    return min((instant for instant in instants if instant > at), default=None)
