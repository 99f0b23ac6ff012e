"""One open incident per subject and route gathers its firing alerts (DESIGN 6). What to tell whom is `escalation`'s business."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.context import Context
from gateway.core.incident_state import Ack, Happening, Incident, Note, Told
from gateway.core.judgements import alert_point
from gateway.core.silences import muting
from gateway.core.state import CLOSED_MAX, HISTORY_MAX, Course, Site, Subject
from gateway.domain.care import Seen
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.locale import Locale
from gateway.domain.words import IncidentState, Priority
from rules.engine import Alert, Change, ChangeKind
from rules.model import Rule

QUIET_MS = 2 * MINUTE_MS
UNKNOWN_RULE = "delivery-unknown"

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


def absorb(
    subject: Subject, changes: Iterable[Change], rules: dict[str, Rule], context: Context, joined: Course | None = None
) -> dict[str, News]:
    """Take alert changes into the subject's incidents; returns the news by route. All rules of the instant are judged by now.

    `joined`: the course whose alerts these are, where they join its site's incident.
    """
    news: dict[str, News] = {}
    for change in changes:
        route = context.route(change.alert.rule)
        incident = subject.open.get(route)
        if change.kind is ChangeKind.RESOLVED:
            if incident is not None:
                _drop(incident, key_of(change.alert, joined), context.at)
        elif incident is None:
            subject.open[route] = incident = _opened(subject, route, change.alert, context)
            fresh = _take(subject, incident, change, rules, context.at, joined)
            covered = _cover_by_call(subject, incident, change.alert, context.at)
            news[route] = News(opened=not covered, milestone=fresh.milestone)
        else:
            fresh = _take(subject, incident, change, rules, context.at, joined)
            news[route] = merged(news.setdefault(route, News()), fresh)
        context.effects.append(alert_point(joined or subject, change.alert, context))
    return news


def key_of(alert: Alert, joined: Course | None = None) -> str:
    """The key by which an incident carries this alert: a joined one says of which course it is."""
    return f"{alert.key}@{joined.id}" if joined is not None else alert.key


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


def merged(known: News, fresh: News) -> News:
    """Both pieces of news about one incident."""
    return News(
        opened=known.opened or fresh.opened,
        raised=known.raised or fresh.raised,
        new_alert=known.new_alert or fresh.new_alert,
        milestone=known.milestone or fresh.milestone,
    )


def _take(
    subject: Subject, incident: Incident, change: Change, rules: dict[str, Rule], at: Instant, joined: Course | None
) -> News:
    """Carry the alert as it is now. What a silence or a window mutes is no news but for its milestones."""
    alert, news, key = change.alert, News(), key_of(change.alert, joined)
    priority = alert.priority or Priority.HIGH
    known, rule = incident.alerts.get(key), rules.get(alert.rule)
    first = rule.first_for(alert.kind, alert.family) if rule else known.first if known else ""
    say = rule.say if rule else known.say if known else alert.rule
    note = Note(alert.rule, alert.kind, alert.family, priority, alert.since, alert.detail, say, first, alert.evidence_at)
    note.by_at, note.course = alert.by_at, joined.id if joined is not None else ""
    note.translated = _translated(rule, alert) if rule else known.translated if known else {}
    until_at, by = muting(subject, note, at)
    mute = until_at is not None
    # what was mute until now stays so until `review` finds its end: that is loud
    note.muted_until, note.muted_by = (until_at, by) if mute or known is None else (known.muted_until, known.muted_by)
    news.new_alert = change.kind in (ChangeKind.FIRED, ChangeKind.RAISED) and not mute and _is_new(incident, alert, priority)
    news.milestone = change.kind is ChangeKind.MILESTONE or (mute and change.kind is ChangeKind.FIRED and alert.milestones > 0)
    incident.alerts[key] = note
    incident.quiet_at = None
    if priority.rank > incident.peak.rank and not (mute and speaks(incident)):
        incident.peak = priority
        news.raised = not mute and not _is_looked_after(incident, alert)
    tell(incident, at, f"alert-{change.kind.value}", text=f"{key} {priority.value}")
    return news


def _translated(rule: Rule, alert: Alert) -> dict[Locale, Told]:
    told = ((locale, rule.translated(locale, alert.kind, alert.family)) for locale in rule.translations)
    return {locale: Told(*words) for locale, words in told if words is not None}


def _cover_by_call(subject: Subject, incident: Incident, alert: Alert, at: Instant) -> bool:
    """A call during this silence found the pump running: whoever called has the incident from the beginning."""
    call = subject.care.calls[-1] if isinstance(subject, Course) and subject.care.calls else None
    if alert.rule != UNKNOWN_RULE or call is None or call.seen is not Seen.RUNNING:
        return False
    if not alert.since <= call.at or at >= call.until_at:
        return False
    lease(incident, call.who, at, call.until_at, seen_running=True)
    return True


def speaks(incident: Incident) -> bool:
    """Whether an alert of it fires that nothing mutes."""
    return any(note.muted_until is None for note in incident.alerts.values())


def _is_looked_after(incident: Incident, alert: Alert) -> bool:
    """A call proved that the silent pump runs: the silence may last without calling anybody until that lease ends."""
    ack = incident.ack
    held = incident.state is IncidentState.ACKNOWLEDGED and ack is not None and ack.seen_running
    return held and alert.rule == UNKNOWN_RULE


def _is_new(incident: Incident, alert: Alert, priority: Priority) -> bool:
    """A new kind of trouble, as urgent as the rest: an acknowledgement of the rest does not cover it."""
    ack = incident.ack
    return ack is not None and alert.family not in ack.families and priority.rank >= priority_of(incident).rank


def _drop(incident: Incident, key: str, at: Instant) -> None:
    note = incident.alerts.pop(key, None)
    if note is None:
        return
    tell(incident, at, "alert-resolved", text=key)
    if incident.alerts:
        return
    incident.last_alerts, incident.quiet_at = [note], at


def refresh(subject: Subject, by_key: Mapping[str, Alert]) -> None:
    """Bring what a page would say up to date: an onset may be known better now than when the alert fired."""
    for incident in subject.open.values():
        for key, note in incident.alerts.items():
            alert = by_key.get(key)
            if alert is not None:
                note.since, note.detail, note.family, note.by_at = alert.since, alert.detail, alert.family, alert.by_at
                note.began_at = alert.evidence_at


def note_stirring(subject: Subject, by_key: Mapping[str, Alert], at: Instant) -> None:
    """A pump condition that starts again within the two minutes has not been quiet for two minutes, even while it is held.

    Without this an alarm that comes and goes would end its incident each time before its hold passes, and open another.
    """
    for incident in subject.open.values():
        if incident.quiet_at is None:
            continue
        again = [by_key.get(f"{note.rule}:{note.kind}") for note in incident.last_alerts if note.kind]
        stirring = any(alert is not None and alert.since <= at for alert in again)
        if stirring or incident.stirring:
            incident.quiet_at = at
        incident.stirring = stirring


def settle(subject: Subject, incident: Incident, rules: Mapping[str, Rule], at: Instant) -> None:
    """Somebody took the incident: alerts that nothing else can end have done their duty, and are judged over at this instant."""
    alerts = subject.alerts if isinstance(subject, Course | Site) else {}
    for note in incident.alerts.values():
        rule = rules.get(note.rule)
        key = f"{note.rule}:{note.kind}" if note.kind else note.rule
        alert = alerts.get(key)
        if rule is not None and rule.ends_when_acked and alert is not None:
            subject.settled = {**(subject.settled or {}), key: at}
            alert.due_at = at


def move(incident: Incident, event: str) -> bool:
    """Change the state as the table says; False when the table has no such step."""
    state = TRANSITIONS.get((incident.state, event))
    if state is None:
        return False
    incident.state = state
    return True


def lease(incident: Incident, who: str, at: Instant, until_at: Instant, *, seen_running: bool = False) -> None:
    """Somebody has it: the steps stop, bound to the incident's priority and to the families of alerts that fire now."""
    move(incident, "acknowledge")
    families = sorted({note.family for note in incident.alerts.values()} | {note.family for note in incident.last_alerts})
    incident.ack = Ack(who, at, until_at, incident.peak, families, seen_running)
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
