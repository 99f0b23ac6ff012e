"""One open incident per subject and route gathers its firing alerts (DESIGN 6). What to tell whom is `escalation`'s business."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core.context import Context
from gateway.core.judgements import alert_point
from gateway.core.state import CLOSED_MAX, HISTORY_MAX, Ack, Happening, Incident, Note, Subject
from gateway.domain.instants import Instant
from gateway.domain.words import IncidentState, Priority
from rules.engine import Alert, Change, ChangeKind
from rules.model import Rule

# (state, what happened) → state. Whatever is not here does not change the state.
TRANSITIONS: dict[tuple[IncidentState, str], IncidentState] = {
    (IncidentState.TRIGGERED, "acknowledge"): IncidentState.ACKNOWLEDGED,
    (IncidentState.ACKNOWLEDGED, "acknowledge"): IncidentState.ACKNOWLEDGED,
    (IncidentState.ACKNOWLEDGED, "raise"): IncidentState.TRIGGERED,
    (IncidentState.ACKNOWLEDGED, "new-alert"): IncidentState.TRIGGERED,
    (IncidentState.ACKNOWLEDGED, "lapse"): IncidentState.TRIGGERED,
    (IncidentState.ACKNOWLEDGED, "escalate"): IncidentState.TRIGGERED,
    (IncidentState.TRIGGERED, "quiet"): IncidentState.RESOLVED,
    (IncidentState.ACKNOWLEDGED, "quiet"): IncidentState.RESOLVED,
    (IncidentState.TRIGGERED, "close"): IncidentState.RESOLVED,
    (IncidentState.ACKNOWLEDGED, "close"): IncidentState.RESOLVED,
}


@dataclass(slots=True)
class News:
    """What one instant brought for one incident."""

    opened: bool = False
    raised: bool = False
    new_alert: bool = False
    milestone: bool = False


def priority_of(incident: Incident) -> Priority:
    """The highest priority among the firing alerts; of those that fired last when none does."""
    notes = list(incident.alerts.values()) or incident.last_alerts
    return max((note.priority for note in notes), key=lambda priority: priority.rank, default=incident.peak)


def absorb(subject: Subject, changes: Iterable[Change], rules: dict[str, Rule], context: Context) -> dict[str, News]:
    """Take alert changes into the subject's incidents; returns the news by route. All rules of the instant are judged by now."""
    news: dict[str, News] = {}
    for change in changes:
        route = context.route(change.alert.rule)
        incident = subject.open.get(route)
        if change.kind is ChangeKind.RESOLVED:
            if incident is not None:
                _drop(incident, change.alert, context.at)
        elif incident is None:
            subject.open[route] = incident = _opened(subject, route, change.alert, context)
            news[route] = News(opened=True)
            _take(incident, change, rules, News(), context.at)
        else:
            _take(incident, change, rules, news.setdefault(route, News()), context.at)
        context.effects.append(alert_point(subject, change.alert, context))
    return news


def _opened(subject: Subject, route: str, alert: Alert, context: Context) -> Incident:
    name = f"{subject.id}.{route}" if route else subject.id
    key = f"{name}@{context.seq}"
    again = sum(old.key == key or old.key.startswith(f"{key}+") for old in subject.closed)
    policies = {"": context.policy(route)} if route else {p.value: context.policy(p.value) for p in Priority}
    incident = Incident(
        key=f"{key}+{again}" if again else key,
        subject=subject.id,
        route=route,
        opened_at=context.at,
        peak=alert.priority or Priority.HIGH,
        policies=policies,
    )
    tell(incident, context.at, "opened", text=alert.key)
    return incident


def _take(incident: Incident, change: Change, rules: dict[str, Rule], news: News, at: Instant) -> None:
    alert = change.alert
    priority = alert.priority or Priority.HIGH
    if change.kind in (ChangeKind.FIRED, ChangeKind.RAISED) and _is_new(incident, alert, priority):
        news.new_alert = True
    known, rule = incident.alerts.get(alert.key), rules.get(alert.rule)
    say, first = (rule.say, rule.first) if rule else (known.say, known.first) if known else (alert.rule, "")
    incident.alerts[alert.key] = Note(alert.rule, alert.kind, alert.family, priority, alert.since, alert.detail, say, first)
    incident.quiet_at = None
    news.milestone |= change.kind is ChangeKind.MILESTONE
    if priority.rank > incident.peak.rank:
        incident.peak, news.raised = priority, True
    tell(incident, at, f"alert-{change.kind.value}", text=f"{alert.key} {priority.value}")


def _is_new(incident: Incident, alert: Alert, priority: Priority) -> bool:
    """A new kind of trouble, as urgent as the rest: an acknowledgement of the rest does not cover it."""
    ack = incident.ack
    return ack is not None and alert.family not in ack.families and priority.rank >= priority_of(incident).rank


def _drop(incident: Incident, alert: Alert, at: Instant) -> None:
    note = incident.alerts.pop(alert.key, None)
    if note is None:
        return
    tell(incident, at, "alert-resolved", text=alert.key)
    if incident.alerts:
        return
    incident.last_alerts, incident.quiet_at = [note], at


def refresh(subject: Subject, alerts: Iterable[Alert]) -> None:
    """Bring what a page would say up to date: an onset may be known better now than when the alert fired."""
    by_key = {alert.key: alert for alert in alerts}
    for incident in subject.open.values():
        for key, note in incident.alerts.items():
            alert = by_key.get(key)
            if alert is not None:
                note.since, note.detail, note.family = alert.since, alert.detail, alert.family


def move(incident: Incident, event: str) -> bool:
    """Change the state as the table says; False when the table has no such step."""
    state = TRANSITIONS.get((incident.state, event))
    if state is None:
        return False
    incident.state = state
    return True


def lease(incident: Incident, who: str, at: Instant, until_at: Instant) -> None:
    """Somebody has it: the steps stop, bound to the incident's priority and to the families of alerts that fire now."""
    move(incident, "acknowledge")
    families = sorted({note.family for note in incident.alerts.values()} | {note.family for note in incident.last_alerts})
    incident.ack = Ack(who, at, until_at, incident.peak, families)
    incident.attempts.clear()
    incident.spared.clear()
    incident.restart_at = None
    tell(incident, at, "acknowledged", who=who)


def finish(subject: Subject, incident: Incident, context: Context, event: str, *, who: str = "", text: str = "") -> None:
    """Resolve or close an incident: it leaves the open ones for good."""
    move(incident, event)
    incident.closed_at = context.at
    incident.attempts.clear()
    incident.spared.clear()
    incident.next_step_at = incident.restart_at = None
    del subject.open[incident.route]
    subject.closed.append(incident)
    del subject.closed[:-CLOSED_MAX]
    tell(incident, context.at, "resolved" if event == "quiet" else "closed", who=who, text=text)


def tell(incident: Incident, at: Instant, what: str, *, who: str = "", text: str = "") -> None:
    """Add a line to the incident's history; the oldest but the opening go when it is full."""
    incident.history.append(Happening(at, what, who, text))
    if len(incident.history) > HISTORY_MAX:
        del incident.history[1]
