"""What people's commands do: refused in words, or done and said back."""

import re
from dataclasses import dataclass
from typing import assert_never

from gateway.core import escalation, incidents, replies
from gateway.core.context import Context
from gateway.core.state import Bag, Course, Incident, Subject
from gateway.core.store import State
from gateway.core.texts import clock_time
from gateway.domain.commands import (
    Acknowledge,
    ClearCondition,
    Close,
    Command,
    EndCourse,
    Enrol,
    Escalate,
    HangBag,
    Note,
)
from gateway.domain.instants import DAY_MS, MINUTE_MS, Instant
from gateway.domain.words import Priority, WhyPaged
from rules.model import BagKind, Protocol

COURSE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
DEVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
HUNG_AGO_MAX_MS = 14 * DAY_MS
LEASE_MAX_MS = DAY_MS  # nobody holds an incident for longer without saying so again


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command; `subject` is what must be judged anew."""

    ok: bool
    message: str
    subject: str = ""
    incident: str = ""


def obey(state: State, who: str, command: Command, now: Context) -> Done:
    """Carry out one command."""
    match command:
        case Enrol():
            return _enrol(state, command, now)
        case HangBag():
            return _hang(state, command, now)
        case EndCourse():
            return _end(state, command, now)
        case ClearCondition():
            return _clear(state, command, now)
        case Acknowledge() | Escalate() | Close() | Note():
            return _on_incident(state, who, command, now)
        case _:
            assert_never(command)


def _no(message: str) -> Done:
    return Done(ok=False, message=message)


def _yes(message: str, subject: str, incident: str = "") -> Done:
    return Done(ok=True, message=message, subject=subject, incident=incident)


def _enrol(state: State, command: Enrol, now: Context) -> Done:
    protocol = state.protocols.get(command.protocol)
    refusal = _enrol_refusal(state, command, protocol, now)
    if refusal or protocol is None:
        return _no(refusal)
    bag = _bag(command, protocol.bags[command.bag], now.at)
    pump = state.pump(now.ward.site, command.pump)
    course = Course(
        id=command.course,
        site=now.ward.site,
        protocol=command.protocol,
        pump=command.pump,
        cycle=command.cycle,
        enrolled_at=now.at,
        bag=bag,
    )
    before = state.courses.get(command.course)
    if before is not None:
        course.open, course.closed = before.open, before.closed
    state.add_course(course)
    pump.course = command.course
    message = (
        f"{command.course} is watched: pump {command.pump}, {command.bag} bag at {bag.rate_ml_h:g} mL/h, "
        f"planned change {clock_time(bag.planned_change_at, now)}"
    )
    return _yes(message, command.course)


def _enrol_refusal(state: State, command: Enrol, protocol: Protocol | None, now: Context) -> str:
    before = state.courses.get(command.course)
    pump = state.pumps.get(f"{now.ward.site}/{command.pump}")
    if not COURSE_NAME.fullmatch(command.course) or command.course in state.sites:
        return (
            f"{command.course!r} cannot be a course: a pseudonym of letters, digits and hyphens, at most 32, not the ward's name"
        )
    if not DEVICE_NAME.fullmatch(command.pump):
        return f"{command.pump!r} cannot be a pump: small letters, digits and hyphens, as in its MQTT topic"
    if protocol is None:
        return f"no protocol {command.protocol!r}; loaded: {', '.join(sorted(state.protocols))}"
    if before is not None and before.ended_at is None:
        return f"{command.course} is enrolled already, on pump {before.pump}; end that course first"
    if pump is not None and pump.course and pump.course != command.course:
        return f"pump {command.pump} serves {pump.course}; end that course first"
    if not command.checklist_complete and not command.override_reason.strip():
        return "the checklist is not complete; complete it, or give a reason to override"
    if command.cycle < 1:
        return "cycle counts from 1"
    return _bag_refusal(command, protocol, now.at)


def _bag_refusal(command: Enrol | HangBag, protocol: Protocol, at: Instant) -> str:
    kind = protocol.bags.get(command.bag)
    hung_at = command.hung_at if command.hung_at is not None else at
    if kind is None:
        return f"protocol {protocol.name} has no bag {command.bag!r}; it has: {', '.join(protocol.bags)}"
    if not 0 <= command.primed_ml < kind.fill_ml:
        return f"primed volume must lie between 0 and the bag's {kind.fill_ml:g} mL"
    if hung_at > at + 2 * MINUTE_MS:
        return "a bag cannot have been hung in the future"
    if hung_at < at - HUNG_AGO_MAX_MS:
        return "that is more than 14 days ago; no bag keeps that long"
    if command.planned_change_ms is not None and command.planned_change_ms <= 0:
        return "the planned change must come after the hanging"
    if command.planned_change_ms is not None and command.planned_change_ms > HUNG_AGO_MAX_MS:
        return "the planned change is more than 14 days away; no bag keeps that long"
    return ""


def _bag(command: Enrol | HangBag, kind: BagKind, at: Instant) -> Bag:
    hung_at = command.hung_at if command.hung_at is not None else at
    change_ms = command.planned_change_ms if command.planned_change_ms is not None else kind.duration_ms
    return Bag(kind.name, hung_at, kind.rate_ml_h, kind.fill_ml, command.primed_ml, hung_at + change_ms)


def _hang(state: State, command: HangBag, now: Context) -> Done:
    course = _running(state, command.course)
    if course is None:
        return _no(f"no course {command.course} is running")
    protocol = state.protocols.get(course.protocol)
    if protocol is None:
        return _no(f"protocol {course.protocol!r} of {course.id} is not loaded any more; put it back into the ward file")
    refusal = _bag_refusal(command, protocol, now.at)
    if refusal:
        return _no(refusal)
    course.bag = _bag(command, protocol.bags[command.bag], now.at)
    change = clock_time(course.bag.planned_change_at, now)
    return _yes(f"{course.id}: {command.bag} bag hangs, planned change {change}", course.id)


def _end(state: State, command: EndCourse, now: Context) -> Done:
    course = _running(state, command.course)
    if course is None:
        return _no(f"no course {command.course} is running")
    course.ended_at = now.at
    state.pump_of(course).course = ""
    return _yes(f"{course.id} has ended; pump {course.pump} is free", course.id)


def _clear(state: State, command: ClearCondition, now: Context) -> Done:
    pump = state.pumps.get(f"{now.ward.site}/{command.pump}")
    known = next((c for c in pump.conditions.values() if c.condition == command.condition and c.active), None) if pump else None
    if pump is None or known is None:
        return _no(f"pump {command.pump} shows no active {command.condition!r}")
    pump = state.pump(now.ward.site, command.pump)
    known.active, known.changed_at = False, now.at
    return _yes(f"{command.condition} on {command.pump} noted as cleared at the pump", pump.course or now.ward.site)


def _on_incident(state: State, who: str, command: Acknowledge | Escalate | Close | Note, now: Context) -> Done:
    found = find_open(state, command.incident)
    if found is None:
        return _no(f"no open incident {command.incident!r}: it is over, or never was; nothing was changed")
    subject, incident = found
    if isinstance(command, Acknowledge):
        if command.for_ms is not None and command.for_ms <= 0:
            return _no("an acknowledgement lasts some time: give a duration above 0")
        if command.for_ms is not None and command.for_ms > LEASE_MAX_MS:
            return _no("an acknowledgement lasts 24 hours at most; renew it then")
        said = replies.take(subject, incident, who, command.for_ms, now)
        return _yes(said, subject.id, incident.key)
    if isinstance(command, Escalate):
        return _escalate(subject, incident, who, now)
    if isinstance(command, Note):
        incidents.tell(incident, now.at, "note", who=who, text=command.text)
        return _yes("noted", subject.id, incident.key)
    return _close(subject, incident, who, command, now)


def _escalate(subject: Subject, incident: Incident, who: str, now: Context) -> Done:
    if not escalation.policy_of(incident).steps:
        return _no("its policy pages nobody; there is no next step")
    before = incident.round
    incidents.move(incident, "escalate")
    incidents.tell(incident, now.at, "escalated", who=who)
    incident.ack, incident.restart_at = None, None
    escalation.next_step(subject, incident, WhyPaged.ESCALATED, now)
    said = "the next step is paged"
    if incident.round == before and incident.next_step_at is not None:
        said = f"everybody was paged lately; the policy starts again at {clock_time(incident.next_step_at, now)}"
    return _yes(f"{subject.id}: {said}", subject.id, incident.key)


def _close(subject: Subject, incident: Incident, who: str, command: Close, now: Context) -> Done:
    if not command.reason.strip():
        return _no("closing needs a reason")
    if any(note.priority is Priority.HIGH for note in incident.alerts.values()):
        return _no("an alert of high priority still fires: it can be acknowledged, not closed")
    incidents.finish(subject, incident, now, "close", who=who, text=command.reason)
    escalation.tell_resolved(subject, incident, now)
    return _yes(f"{subject.id}: closed", subject.id, incident.key)


def find_open(state: State, name: str) -> tuple[Subject, Incident] | None:
    """The open incident with that key, or on that course's or site's default route, or its only one."""
    subject = state.subject_of(name)
    if subject is None or not subject.open:
        return None
    if "@" in name:
        incident = next((incident for incident in subject.open.values() if incident.key == name), None)
    else:
        incident = subject.open.get("") or (next(iter(subject.open.values())) if len(subject.open) == 1 else None)
    return (subject, incident) if incident is not None else None


def _running(state: State, name: str) -> Course | None:
    course = state.courses.get(name)
    if course is None or course.ended_at is not None:
        return None
    state.touch(name)
    return course
