"""From findings to alerts: hold, priority by duration, milestones. Pure; the alerts passed in are changed in place.

An alert is pending until it has held and reached its first rung; while it fires its priority never falls; it resolves when its
finding is gone. What holds a rule back (`unless`) keeps an alert from starting to fire and one that fires from speaking again;
it ends nothing, and the clocks run on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import Instant
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import AlertPhase, Priority
from rules.model import Finding, Rule
from rules.predicates import PREDICATES


class ChangeKind(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    RAISED = "raised"
    MILESTONE = "milestone"
    RESOLVED = "resolved"


@dataclass(slots=True)
class Alert:
    """What one rule says about one course: identified by rule and kind."""

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
    rules: Iterable[Rule], alerts: dict[str, Alert], view: CourseView, *, woken: int, scope: str = "course"
) -> list[Change]:
    """Judge the rules of this scope that one of the facets in `woken` wakes, or whose alerts are due, at `view.at`."""
    changes: list[Change] = []
    for rule in rules:
        predicate = PREDICATES[rule.predicate]
        if scope not in predicate.scopes:
            continue
        own = [alert for alert in alerts.values() if alert.rule == rule.name]
        if not _is_woken(rule, predicate.wakes, own, view.at, woken):
            continue
        findings = predicate.ask(view, rule.params)
        held_back = not view.inhibitions.isdisjoint(rule.unless)
        standing = set()
        for finding in findings:
            alert = _alert_of(rule, finding, alerts)
            standing.add(alert.key)
            changes += _advance(rule, finding, alert, view.at, held_back=held_back)
        changes += _resolve(own, alerts, standing)
    return changes


def next_due(alerts: dict[str, Alert]) -> Instant | None:
    """The earliest instant at which an alert changes by time alone."""
    return min((a.due_at for a in alerts.values() if a.due_at is not None), default=None)


def _is_woken(rule: Rule, wakes: int, own: list[Alert], at: Instant, woken: int) -> bool:
    if rule.unless:
        wakes |= Facet.INHIBITION
    return bool(wakes & woken) or any(alert.due_at is not None and alert.due_at <= at for alert in own)


def _alert_of(rule: Rule, finding: Finding, alerts: dict[str, Alert]) -> Alert:
    key = f"{rule.name}:{finding.kind}" if finding.kind else rule.name
    alert = alerts.get(key)
    if alert is None:
        family = finding.family or rule.name
        alert = Alert(rule.name, finding.kind, family, finding.since, finding.evidence_at)
        alerts[key] = alert
    elif finding.recheck_at is None:
        alert.since, alert.evidence_at = finding.since, finding.evidence_at
        alert.family = finding.family or rule.name
    alert.detail = finding.detail
    return alert


def _resolve(own: list[Alert], alerts: dict[str, Alert], standing: set[str]) -> list[Change]:
    changes = []
    for alert in own:
        if alert.key in standing:
            continue
        del alerts[alert.key]
        if alert.phase is AlertPhase.FIRING:
            alert.phase, alert.due_at = AlertPhase.RESOLVED, None
            changes.append(Change(ChangeKind.RESOLVED, alert))
    return changes


def _advance(rule: Rule, finding: Finding, alert: Alert, at: Instant, *, held_back: bool) -> list[Change]:
    changes: list[Change] = []
    held_at = alert.evidence_at + _hold_ms(rule, finding)
    priority = _priority(rule, finding, alert.since, at) if at >= held_at else None
    if held_back:
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
