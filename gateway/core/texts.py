"""What a page says: the essential in the first 160 characters, nothing that identifies a patient beyond the pseudonym."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.core.context import Context
from gateway.core.incident_state import Incident, Note
from gateway.core.state import Course, Subject
from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.words import DeliveryState, Priority, WhyPaged
from rules.durations import say_ms

ESSENTIAL_MAX = 160
WEEKDAY_ENOUGH_MS = 6 * DAY_MS
FOUND_RULE = "interruption-found"

_CAUSES = {
    "user": "stopped by hand",
    "clinician": "stopped by a clinician",
    "alarm": "pump alarm",
    "kvo": "keep-vein-open only",
    "powered-off": "powered off",
    "between-doses": "between doses",
    "unspecified": "no reason given",
    "stopped": "no reason given",
    "silence": "pump not heard",
    "unsaid": "pump does not say if it delivers",
    "scale stands": "pump not heard, bag no lighter",
}

_LEADS = {
    WhyPaged.STAFFING_GAP: "NOBODY ON CALL for ",
    WhyPaged.LEASE_ENDED: "STILL OPEN, you have it: ",
    WhyPaged.MILESTONE: "STILL: ",
    WhyPaged.SILENCE_ENDED: "SILENCE OVER, STILL TRUE: ",
    WhyPaged.RAISED: "WORSE: ",
    WhyPaged.NEW_ALERT: "NEW TROUBLE: ",
    WhyPaged.ESCALATED: "PASSED ON TO YOU: ",
}


def compose(subject: Subject, incident: Incident, why: WhyPaged, code: str, context: Context) -> str:
    """The text of one page: who and how urgent, what and since when, the limit, the reply code; then what to do first."""
    notes = sorted(_notes(incident), key=lambda note: (-note.priority.rank, not note.course))
    if why is WhyPaged.RESOLVED:
        return _over(subject, incident, context)
    lead = _lead(incident, why)
    head = f"{subject.id} {incident.peak.value.upper()}: "
    reply = f" Reply {code} to take it."
    said = [_say(note, subject, context) for note in notes]
    essential = _fitting(lead, head, said, _limits(subject, incident, context), reply)
    return f"{essential}\n{notes[0].first}" if notes and notes[0].first else essential


def _lead(incident: Incident, why: WhyPaged) -> str:
    if why is WhyPaged.RAISED and incident.round == 1:
        return ""
    if why is WhyPaged.SILENCE_ENDED and incident.muted_by == "window":
        return "WINDOW OVER, STILL TRUE: "
    return _LEADS.get(why, "")


def _notes(incident: Incident) -> list[Note]:
    """What fires; where nothing does (any more), what fired last."""
    return list(incident.alerts.values()) or incident.last_alerts


def _over(subject: Subject, incident: Incident, context: Context) -> str:
    """The end of it; and what the protocol wants when delivery had stopped for longer than its limit."""
    notes = _notes(incident)
    what = f": was {_say(notes[0], subject, context)}" if notes else ""
    closed = next((line for line in reversed(incident.history) if line.what == "closed" and line.who), None)
    ending = f"CLOSED by {closed.who}" if closed is not None else "RESOLVED"  # outcomes of pages may follow it in the history
    ended_at = context.at if incident.closed_at is None else incident.closed_at
    said = f"{subject.id} {ending} after {say_ms(ended_at - incident.opened_at)}"
    over = _was_over(subject, incident, context)
    whole = f"{said}{what}{over}"
    return whole if len(whole) <= ESSENTIAL_MAX else f"{said}{over}"


def _was_over(subject: Subject, incident: Incident, context: Context) -> str:
    protocol = context.protocols.get(subject.protocol) if isinstance(subject, Course) else None
    if protocol is None or not isinstance(subject, Course) or not subject.delivery.interruptions:
        return "."
    last = subject.delivery.interruptions[-1]
    stopped_ms = last.until - last.since
    if last.until < incident.opened_at or stopped_ms < protocol.interruption_limit_ms:
        return "."
    limit = say_ms(protocol.interruption_limit_ms)
    return f". Stopped for {say_ms(stopped_ms)}, OVER {limit}: {protocol.past_limit}."


def _fitting(lead: str, head: str, said: list[str], limits: tuple[str, ...], reply: str) -> str:
    """As much as fits: of the alerts the most urgent first, the others counted; then without lead, then with a shorter limit."""
    for limit in limits:
        for start in (lead + head, head):
            for count in range(len(said), 0, -1):
                more = f" +{len(said) - count} more" if count < len(said) else ""
                text = f"{start}{'; '.join(said[:count])}{more}.{limit}{reply}"
                if len(text) <= ESSENTIAL_MAX:
                    return text
    return f"{head}{''.join(said[:1])[: ESSENTIAL_MAX - len(head) - len(reply)]}{reply}"


def _say(note: Note, subject: Subject, context: Context) -> str:
    since = clock_time(note.since, context)
    if note.rule == "delivery-interrupted" and isinstance(subject, Course) and _is_estimate(note.since, subject):
        since = f"about {since}"
    cause = _CAUSES.get(note.detail, note.detail.replace("-", " "))
    said = note.say.format(
        since=since,
        kind=note.kind.replace("-", " "),
        cause=cause,
        detail=note.detail,
        lasted=say_ms(max(0, context.at - note.since)),
        by=clock_time(note.by_at, context) if note.by_at is not None else "?",
    )
    return f"{note.course}: {said}" if note.course else said


def _is_estimate(since: Instant, course: Course) -> bool:
    if course.delivery.state is DeliveryState.INTERRUPTED:
        return course.delivery.estimated
    return any(over.estimated and over.since == since for over in course.delivery.interruptions[-1:])


def _limits(subject: Subject, incident: Incident, context: Context) -> tuple[str, ...]:
    """The protocol's limit without delivery, as the clock time at which it is reached; past it, what that means: long, short.

    Of several courses in a site's incident that of the one that was heard least lately. The pharmacy is told of no limit.
    """
    course = subject if isinstance(subject, Course) else _longest_joined(incident, context)
    protocol = context.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None or incident.route:
        return ("",)
    limit_ms, delivery = protocol.interruption_limit_ms, course.delivery
    limit, limit_at = say_ms(limit_ms), delivery.since + limit_ms
    past = (f" OVER {limit}: {protocol.past_limit}.", f" OVER {limit}: {protocol.past_limit_short}.")
    if any(note.rule == FOUND_RULE and note.priority is Priority.HIGH for note in incident.alerts.values()):
        return past
    if delivery.state not in (DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN):
        return ("",)
    if context.at < limit_at:
        return (f" {limit} limit at {clock_time(limit_at, context)}.",)
    return (f" {limit} limit may be passed.",) if delivery.state is DeliveryState.UNKNOWN else past


def _longest_joined(incident: Incident, context: Context) -> Course | None:
    notes = [note for note in incident.alerts.values() if note.course in context.courses]
    longest = min(notes, key=lambda note: note.since, default=None)
    return context.courses[longest.course] if longest is not None else None


def clock_time(instant: Instant, context: Context) -> str:
    """`13:05` in the ward's zone today, `Mon 13:05` within six days, else `Mon 9 Mar 13:05`; with the year where it is another.

    A bag that is changed in a week is changed on the weekday that is today: the weekday alone would say the wrong day.
    """
    zone = ZoneInfo(context.ward.timezone)
    then, today = (datetime.fromtimestamp(at / 1000, zone) for at in (instant, context.at))
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if abs(instant - context.at) < WEEKDAY_ENOUGH_MS:
        return f"{then:%a %H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"
