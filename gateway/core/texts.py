"""What a page says: the essential in the first 160 characters, nothing that identifies a patient beyond the pseudonym."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.core.context import Context
from gateway.core.state import Course, Incident, Note, Subject
from gateway.domain.instants import Instant
from gateway.domain.words import DeliveryState, WhyPaged
from rules.durations import say_ms

ESSENTIAL_MAX = 160

_CAUSES = {
    "user": "stopped by hand",
    "clinician": "stopped by a clinician",
    "alarm": "pump alarm",
    "kvo": "keep-vein-open only",
    "powered-off": "powered off",
    "between-doses": "between doses",
    "unspecified": "no reason given",
    "stopped": "no reason given",
}

_LEADS = {
    WhyPaged.STAFFING_GAP: "NOBODY ON CALL for ",
    WhyPaged.LEASE_ENDED: "STILL OPEN, you have it: ",
    WhyPaged.MILESTONE: "STILL: ",
    WhyPaged.RAISED: "WORSE: ",
    WhyPaged.NEW_ALERT: "NEW TROUBLE: ",
    WhyPaged.ESCALATED: "PASSED ON TO YOU: ",
}


def compose(subject: Subject, incident: Incident, why: WhyPaged, code: str, context: Context) -> str:
    """The text of one page: who and how urgent, what and since when, the limit, the reply code; then what to do first."""
    notes = sorted(incident.alerts.values(), key=lambda note: -note.priority.rank)
    if why is WhyPaged.RESOLVED:
        return _over(subject, incident, context)
    lead = "" if why is WhyPaged.RAISED and incident.round == 1 else _LEADS.get(why, "")
    head = f"{lead}{subject.id} {incident.peak.value.upper()}: "
    tail = f"{_limit(subject, context)} Reply {code} to take it."
    essential = head + _fitting(notes, subject, context, ESSENTIAL_MAX - len(head) - len(tail)) + tail
    return f"{essential}\n{notes[0].first}" if notes and notes[0].first else essential


def _over(subject: Subject, incident: Incident, context: Context) -> str:
    """The end of it; and what the protocol wants when delivery had stopped for longer than its limit."""
    what = "; ".join(_say(note, subject, context) for note in incident.last_alerts[:1])
    said = f"{subject.id} RESOLVED after {say_ms(context.at - incident.opened_at)}: was {what}."
    protocol = context.protocols.get(subject.protocol) if isinstance(subject, Course) else None
    if protocol is None or not isinstance(subject, Course) or not subject.delivery.interruptions:
        return said
    last = subject.delivery.interruptions[-1]
    stopped_ms = last.until - last.since
    if last.until < incident.opened_at or stopped_ms < protocol.interruption_limit_ms:
        return said
    limit = say_ms(protocol.interruption_limit_ms)
    return f"{said} Stopped for {say_ms(stopped_ms)}, OVER {limit}: premedication and supervised restart per protocol."


def _fitting(notes: list[Note], subject: Subject, context: Context, room: int) -> str:
    """As many of the alerts as fit; the others are counted."""
    said = [_say(note, subject, context) for note in notes]
    for count in range(len(said), 0, -1):
        more = f" +{len(said) - count} more" if count < len(said) else ""
        text = f"{'; '.join(said[:count])}{more}."
        if len(text) <= room or count == 1:
            return text
    return ""


def _say(note: Note, subject: Subject, context: Context) -> str:
    since = clock_time(note.since, context)
    if note.rule == "delivery-interrupted" and isinstance(subject, Course) and subject.delivery.estimated:
        since = f"about {since}"
    cause = _CAUSES.get(note.detail, note.detail.replace("-", " "))
    return note.say.format(
        since=since, kind=note.kind.replace("-", " "), cause=cause, detail=note.detail, lasted=say_ms(context.at - note.since)
    )


def _limit(subject: Subject, context: Context) -> str:
    """The protocol's limit without delivery, as the clock time at which it is reached; past it, what that means."""
    if not isinstance(subject, Course) or subject.delivery.state not in (DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN):
        return ""
    protocol = context.protocols.get(subject.protocol)
    if protocol is None:
        return ""
    limit_at = subject.delivery.since + protocol.interruption_limit_ms
    limit = say_ms(protocol.interruption_limit_ms)
    if context.at < limit_at:
        return f" {limit} limit at {clock_time(limit_at, context)}."
    if subject.delivery.state is DeliveryState.UNKNOWN:
        return f" {limit} limit may be passed."
    return f" OVER {limit}: premedication and supervised restart per protocol."


def clock_time(instant: Instant, context: Context) -> str:
    """`13:05` in the ward's zone today, `Mon 13:05` on another day."""
    zone = ZoneInfo(context.ward.timezone)
    then = datetime.fromtimestamp(instant / 1000, zone)
    today = datetime.fromtimestamp(context.at / 1000, zone).date()
    return then.strftime("%H:%M" if then.date() == today else "%a %H:%M")
