"""Our own judgements as points of the time series: durable effects, because no message carries them."""

from gateway.core.context import Context
from gateway.core.incident_state import Incident, Outstanding
from gateway.core.state import Course, Subject
from gateway.domain.effects import Point
from gateway.domain.instants import SECOND_MS
from gateway.domain.words import AlertPhase, DeliveryState, IncidentState, Outcome
from rules.engine import Alert

_ALERT_CODES = {AlertPhase.RESOLVED: 0, AlertPhase.PENDING: 1, AlertPhase.FIRING: 2}
_INCIDENT_CODES = {IncidentState.RESOLVED: 0, IncidentState.ACKNOWLEDGED: 1, IncidentState.TRIGGERED: 2}


def delivery_point(course: Course, context: Context) -> Point:
    """A course's delivery as judged now; `interruption_s` is the length of the current interruption so far."""
    delivery = course.delivery
    interrupted = delivery.state is DeliveryState.INTERRUPTED
    length_s = (context.at - delivery.since) / SECOND_MS if interrupted else 0.0
    return Point(
        "delivery",
        (("site", course.site), ("device", course.pump), ("course", course.id)),
        (("state", delivery.state.value), ("code", delivery.state.code), ("interruption_s", length_s)),
        context.at,
    )


def alert_point(subject: Subject, alert: Alert, context: Context) -> Point:
    """An alert as it is now."""
    device = subject.pump if isinstance(subject, Course) else ""
    priority = alert.priority.value if alert.priority else ""
    rank = alert.priority.rank if alert.priority else 0
    return Point(
        "alert",
        (
            ("site", context.ward.site),
            ("device", device),
            ("course", context.place(subject)),
            ("rule", alert.rule),
            ("alarm", alert.kind),
        ),
        (("state", alert.phase.value), ("code", _ALERT_CODES[alert.phase]), ("priority", priority), ("rank", rank)),
        context.at,
    )


def incident_point(subject: Subject, incident: Incident, context: Context) -> Point:
    """An incident as it is now; `latency_ms` is its age."""
    return Point(
        "incident",
        (("site", context.ward.site), ("course", context.place(subject)), ("policy", incident.route)),
        (
            ("state", incident.state.value),
            ("code", _INCIDENT_CODES[incident.state]),
            ("priority", incident.peak.value),
            ("rank", incident.peak.rank),
            ("incident", incident.key),
            ("latency_ms", context.at - incident.opened_at),
        ),
        context.at,
    )


def page_point(subject: Subject, person: str, page: Outstanding, outcome: Outcome, context: Context) -> Point:
    """What became of a page: `latency_ms` from the decision to this outcome."""
    ok = int(outcome in (Outcome.ACCEPTED, Outcome.DELIVERED))
    return Point(
        "page",
        (
            ("site", context.ward.site),
            ("course", context.place(subject)),
            ("to", person),
            ("by", page.transport),
            ("why", page.why),
        ),
        (("latency_ms", context.at - page.decided_at), ("ok", ok)),
        context.at,
    )
