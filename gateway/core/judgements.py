"""Our own judgements as points of the time series: durable effects, because no message carries them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from gateway.core.context import Context
from gateway.core.incident_state import Incident, Outstanding
from gateway.core.office_hours import is_off_hours
from gateway.core.state import Course, Subject
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Effect, Page, Point
from gateway.domain.instants import SECOND_MS
from gateway.domain.ward import Ward
from gateway.domain.words import OF_NO_INCIDENT, AlertPhase, DeliveryState, IncidentState, Outcome
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
    """An incident as it is now; `latency_ms` is its age, kept once more when it is first taken and when it ends."""
    age_ms = context.at - incident.opened_at
    held = incident.ack if incident.state is IncidentState.ACKNOWLEDGED else None
    once: tuple[tuple[str, float | int | str], ...] = ()
    if held is not None and [line.at for line in incident.history if line.what == "acknowledged"] == [context.at]:
        once = (("acked_ms", age_ms),)
    elif incident.state is IncidentState.RESOLVED:
        once = (("resolved_ms", age_ms),)
    return Point(
        "incident",
        (("site", context.ward.site), ("course", context.place(subject)), ("policy", incident.route)),
        (
            ("state", incident.state.value),
            ("code", _INCIDENT_CODES[incident.state]),
            ("priority", incident.peak.value),
            ("rank", incident.peak.rank),
            ("incident", incident.key),
            ("latency_ms", age_ms),
            ("holder", held.who if held is not None else ""),
            ("cause", _cause_of(incident)),
            *once,
        ),
        context.at,
    )


def _cause_of(incident: Incident) -> str:
    notes = list(incident.alerts.values()) or incident.last_alerts
    first = max(notes, key=lambda note: (note.priority.rank, -note.since), default=None)
    return f"{first.rule} {first.kind}".strip() if first is not None else ""


def with_decided(effects: Sequence[Effect], ward: Ward) -> tuple[Effect, ...]:
    """The effects of a step, with a point for each page of an incident among them. Pages of the gateway's own test have none."""
    pages = [one for one in effects if isinstance(one, Page) and one.why not in OF_NO_INCIDENT and one.course != SYNTHETIC]
    return (*effects, *(_decided_point(page, ward) for page in pages))


def _decided_point(page: Page, ward: Ward) -> Point:
    """A page when it was decided; `rule` is the first that it announces."""
    tags = (("to", page.person), ("by", page.transport), ("why", page.why.value), ("rule", next(iter(page.about), "")))
    off_hours = int(is_off_hours(page.decided_at, ZoneInfo(ward.timezone or "UTC")))
    fields = (("outcome", "decided"), ("off_hours", off_hours))
    return Point("page", (("site", ward.site), ("course", page.course), *tags), fields, page.decided_at)


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
        (("latency_ms", context.at - page.decided_at), ("ok", ok), ("outcome", outcome.value)),
        context.at,
    )
