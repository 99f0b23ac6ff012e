"""What people's commands do: refused in words, or done and said back."""

from typing import assert_never

from gateway.core import (
    bench,
    channels,
    contacts,
    diary,
    escalation,
    handing_over,
    incidents,
    obey_courses,
    obey_cycles,
    obey_silences,
    paging,
    replies,
    synthetic,
)
from gateway.core.context import Context
from gateway.core.done import Done, moment, no, not_running, running, yes
from gateway.core.incident_state import Incident
from gateway.core.state import Subject
from gateway.core.store import State
from gateway.domain.bench import Commissioned, EndBench, StartBench
from gateway.domain.care import (
    CareCommand,
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    SilenceRules,
    StartBreak,
    SwapPump,
)
from gateway.domain.commands import (
    AccessChanged,
    Acknowledge,
    AddDiary,
    ClearCondition,
    Close,
    Command,
    EndCourse,
    Enrol,
    Escalate,
    HandOver,
    HangBag,
    Note,
    SendTestPage,
)
from gateway.domain.instants import DAY_MS
from gateway.domain.sentences import Name, Sentence, sentence
from gateway.domain.words import Priority, WhyPaged

OnIncident = Acknowledge | Escalate | HandOver | Close | Note

LEASE_MAX_MS = DAY_MS  # nobody holds an incident for longer without saying so again


def obey(state: State, who: str, command: Command, now: Context) -> Done:
    """Carry out one command."""
    if refused := synthetic.refusal(command):
        return no(refused)
    match command:
        case Enrol():
            return obey_courses.enrol(state, command, now)
        case HangBag():
            return obey_courses.hang(state, command, now)
        case EndCourse():
            return obey_courses.end(state, command, now)
        case ClearCondition():
            return _clear(state, command, now)
        case AddDiary():
            return _add_diary(state, command, now)
        case Acknowledge() | Escalate() | HandOver() | Close() | Note():
            return _on_incident(state, who, command, now)
        case SendTestPage() | AccessChanged() | StartBench() | EndBench() | Commissioned():
            return _beside_care(state, who, command, now)
        case _:
            return _care(state, who, command, now)


def _beside_care(
    state: State, who: str, command: SendTestPage | AccessChanged | StartBench | EndBench | Commissioned, now: Context
) -> Done:
    """What concerns no patient."""
    match command:
        case SendTestPage():
            return channels.send_test(command.person, who, now)
        case AccessChanged():
            return yes(sentence("noted"), "")
        case StartBench() | EndBench() | Commissioned():
            return bench.obey_on_bench(state, who, command, now)
        case _:
            assert_never(command)


def _care(state: State, who: str, command: CareCommand, now: Context) -> Done:
    match command:
        case ChangeContacts():
            return contacts.change(state, command, now)
        case OrderBag():
            return obey_courses.order(state, who, command, now)
        case ChangeDose():
            return obey_courses.change_dose(state, command, now)
        case SwapPump():
            return obey_courses.swap_pump(state, command, now)
        case StartBreak():
            return obey_cycles.start_break(state, command, now)
        case NextCycle():
            return obey_cycles.next_cycle(state, command, now)
        case _:
            return _quiet(state, who, command, now)


def _quiet(state: State, who: str, command: OpenWindow | CloseWindow | LogCall | SilenceRules | EndSilence, now: Context) -> Done:
    match command:
        case OpenWindow():
            return obey_silences.open_window(state, who, command, now)
        case CloseWindow():
            return obey_silences.close_window(state, command, now)
        case LogCall():
            return obey_silences.log_call(state, who, command, now)
        case SilenceRules():
            return obey_silences.silence(state, who, command, now)
        case EndSilence():
            return obey_silences.end_silence(state, command)
        case _:
            assert_never(command)


def _clear(state: State, command: ClearCondition, now: Context) -> Done:
    pump = state.pumps.get(f"{now.ward.site}/{command.pump}")
    known = next((c for c in pump.conditions.values() if c.condition == command.condition and c.active), None) if pump else None
    if pump is None or known is None:
        return no(sentence("pump {pump} shows no active {condition!r}", pump=command.pump, condition=command.condition))
    pump = state.pump(now.ward.site, command.pump)
    known.active, known.changed_at = False, now.at
    said = sentence("{condition} on {pump} noted as cleared at the pump", condition=Name(command.condition), pump=command.pump)
    return yes(said, pump.course or now.ward.site)


def _add_diary(state: State, command: AddDiary, now: Context) -> Done:
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    ok, said = diary.add(course, command, now)
    return yes(said, course.id) if ok else no(said)


def _on_incident(state: State, who: str, command: OnIncident, now: Context) -> Done:
    found = find_open(state, command.incident)
    if found is None:
        return no(sentence("no open incident {key!r}: it is over, or never was; nothing was changed", key=command.incident))
    subject, incident = found
    if isinstance(command, Acknowledge):
        if command.for_ms is not None and command.for_ms <= 0:
            return no(sentence("an acknowledgement lasts some time: give a duration above 0"))
        if command.for_ms is not None and command.for_ms > LEASE_MAX_MS:
            return no(sentence("an acknowledgement lasts 24 hours at most; renew it then"))
        return _acknowledge(subject, incident, who, command, now)
    if isinstance(command, Escalate):
        return _escalate(subject, incident, who, now)
    if isinstance(command, HandOver):
        return handing_over.hand_over(subject, incident, who, command.to, now)
    if isinstance(command, Note):
        incidents.tell(incident, now.at, "note", who=who, text=command.text)
        return yes(sentence("noted"), subject.id, incident.key)
    return _close(subject, incident, who, command, now)


def _acknowledge(subject: Subject, incident: Incident, who: str, command: Acknowledge, now: Context) -> Done:
    """What is said here is `answers["taken"]` of the wordings, which whoever writes back is told."""
    until_at, held = replies.take(subject, incident, who, command.for_ms, now)
    before: Sentence | str = ""
    if held is not None:
        before = sentence(" ({who} had it until {until})", who=held.who, until=moment(held.until_at, now))
    said = sentence(
        "{subject}: yours until {until}{before}. The pump's alarm is cleared at the pump only.",
        subject=subject.id,
        until=moment(until_at, now),
        before=before,
    )
    return yes(said, subject.id, incident.key)


def _escalate(subject: Subject, incident: Incident, who: str, now: Context) -> Done:
    if not escalation.policy_of(incident).steps:
        return no(sentence("its policy pages nobody; there is no next step"))
    before = incident.round
    incidents.move(incident, "escalate")
    incidents.tell(incident, now.at, "escalated", who=who)
    incident.ack, incident.restart_at = None, None
    escalation.next_step(subject, incident, WhyPaged.ESCALATED, now)
    said = sentence("{subject}: the next step is paged", subject=subject.id)
    if incident.round == before and incident.next_step_at is not None:
        at = moment(incident.next_step_at, now)
        said = sentence("{subject}: everybody was paged lately; the policy starts again at {at}", subject=subject.id, at=at)
    return yes(said, subject.id, incident.key)


def _close(subject: Subject, incident: Incident, who: str, command: Close, now: Context) -> Done:
    if not command.reason.strip():
        return no(sentence("closing needs a reason"))
    if any(note.priority is Priority.HIGH for note in incident.alerts.values()):
        return no(sentence("an alert of high priority still fires: it can be acknowledged, not closed"))
    incidents.finish(subject, incident, now, "close", who=who, text=command.reason)
    paging.tell_resolved(subject, incident, now)
    return yes(sentence("{subject}: closed", subject=subject.id), subject.id, incident.key)


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
