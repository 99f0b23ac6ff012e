"""Commands that make it quieter for a while: planned windows, silences, and calls that found the pump running."""

from gateway.core import incidents, silences, twin
from gateway.core.care import CALLS_MAX, SILENCES_MAX, Call, Silence, Window
from gateway.core.context import Context
from gateway.core.courses import rules_of
from gateway.core.delivery import SILENCE
from gateway.core.done import Done, length, moment, no, not_running, running, yes
from gateway.core.state import Course, Pump
from gateway.core.store import State
from gateway.domain.care import CloseWindow, EndSilence, LogCall, OpenWindow, Seen, SilenceRules, WindowKind
from gateway.domain.instants import DAY_MS, HOUR_MS, Instant
from gateway.domain.sentences import Name, Sentence, sentence
from gateway.domain.words import DeliveryState, Priority

WINDOW_MAX_MS = {
    WindowKind.BAG_CHANGE: 1 * HOUR_MS,
    WindowKind.HOSPITAL_VISIT: 14 * DAY_MS,
    WindowKind.HOSPITAL_STAY: 14 * DAY_MS,
}
SILENCE_MAX_MS = 7 * DAY_MS
CALL_MAX_MS = 4 * HOUR_MS


def open_window(state: State, who: str, command: OpenWindow, now: Context) -> Done:
    """A planned window starts now."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    care, longest_ms = course.care, WINDOW_MAX_MS[command.kind]
    if care.break_at is not None:
        return no(sentence("{course} is in its break: nothing is expected, a window is not needed", course=course.id))
    if care.window is not None and now.at < care.window.until_at:
        end, open_kind = moment(care.window.until_at, now), Name(care.window.kind.value)
        return no(sentence("a {kind} window is open until {end}; close it first", kind=open_kind, end=end))
    kind = Name(command.kind.value)
    until_at, wrong = _end_of(command.for_ms, command.until_at, longest_ms, sentence("a {kind} window", kind=kind), now)
    if wrong is not None:
        return no(wrong)
    pump = state.pump_of(course)
    care.window = Window(command.kind, now.at, until_at, who, _heard_at(pump, now.at))
    if command.kind is WindowKind.HOSPITAL_STAY:
        meant = sentence("the hospital gives the drug; its pump at home is not judged")
    else:
        meant = sentence("what begins in it waits; free flow, wrong rate, fever and milestones do not")
    until = moment(until_at, now)
    said = sentence("{course}: {kind} window until {until}: {meant}", course=course.id, kind=kind, until=until, meant=meant)
    return yes(said, course.id)


def close_window(state: State, command: CloseWindow, now: Context) -> Done:
    """The window ends now."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    window = course.care.window
    if window is None or now.at >= window.until_at:
        return no(sentence("no window is open on {course}; nothing was changed", course=course.id))
    window.until_at = now.at
    kind = Name(window.kind.value)
    said = sentence("{course}: {kind} window closed; whatever still fires is paged now", course=course.id, kind=kind)
    return yes(said, course.id)


def silence(state: State, who: str, command: SilenceRules, now: Context) -> Done:
    """Mute rules of a course for a while."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    if not command.reason.strip():
        return no(sentence("a silence needs a reason"))
    known = rules_of(state, course)
    unknown = tuple(rule for rule in command.rules if rule not in known)
    if unknown:
        return no(sentence("no rule {unknown}; rules: {known}", unknown=unknown, known=tuple(sorted(known))))
    silences.forget_ended(course, now.at)
    if len(course.care.silences) >= SILENCES_MAX:
        return no(sentence("{course} has {n} silences already; end one first", course=course.id, n=SILENCES_MAX))
    made = Silence(silences.id_of(course.id, now.seq), command.rules, now.at, 0, who, command.reason)
    longest_ms = silences.HIGH_MAX_MS if _covers_high(course, made) else SILENCE_MAX_MS
    is_high = longest_ms == silences.HIGH_MAX_MS
    what = sentence("a silence of an alert of high priority") if is_high else sentence("a silence")
    made.until_at, wrong = _end_of(command.for_ms, command.until_at, longest_ms, what, now)
    if wrong is not None:
        return no(wrong)
    course.care.silences = (*course.care.silences, made)
    rules = ", ".join(command.rules) or "everything"
    for incident in course.open.values():
        if any(silences.covers(made, note.rule) for note in incident.alerts.values()):
            incidents.tell(incident, now.at, "silenced", who=who, text=f"{rules}: {command.reason}")
    said = sentence(
        "{course}: {rules} silenced until {until}; {silence} ends it before",
        course=course.id,
        rules=tuple(map(Name, command.rules)) or sentence("everything"),
        until=moment(made.until_at, now),
        silence=made.id,
    )
    return yes(said, course.id)


def end_silence(state: State, command: EndSilence) -> Done:
    """Unmute before the time: the silence of that id, or the only one of that course."""
    name = command.silence
    course = running(state, name.partition(".")[0])
    left = [each for each in course.care.silences if each.id != name] if course is not None else []
    if course is not None and name == course.id:
        left = [] if len(course.care.silences) == 1 else left
    if course is None or len(left) == len(course.care.silences):
        return no(
            sentence("no silence {name!r} runs: it is over, or never was, or there are several; nothing was changed", name=name)
        )
    course.care.silences = tuple(left)
    return yes(sentence("{course}: silence ended; whatever still fires is paged now", course=course.id), course.id)


def log_call(state: State, who: str, command: LogCall, now: Context) -> Done:
    """A call to the home: what was seen at the pump is a witness, and a running pump's silence is in the caller's hands."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    if not command.called.strip():
        return no(sentence("say who was called: patient, caregiver, or a name that the ward uses"))
    lease_ms = command.for_ms if command.for_ms is not None else CALL_MAX_MS
    if not 0 < lease_ms <= CALL_MAX_MS:
        return no(sentence("a pump seen running is trusted for at most {most}; call again after that", most=length(CALL_MAX_MS)))
    call = Call(now.at, who, command.called, command.advice, command.seen, now.at + lease_ms)
    course.care.calls = (*course.care.calls, call)[-CALLS_MAX:]
    for incident in course.open.values():
        seen = f", pump seen {command.seen.value}" if command.seen else ""
        incidents.tell(incident, now.at, "call", who=who, text=f"{command.called}{seen}. {command.advice}".strip())
    if command.seen is Seen.RUNNING:
        return _seen_running(course, call, now)
    if command.seen is Seen.STANDING:
        twin.note_standing(state.pump_of(course), now.at)
        said = sentence("{course}: call noted; the pump was seen standing: that is an interruption", course=course.id)
        return yes(said, course.id)
    return yes(sentence("{course}: call noted", course=course.id), course.id)


def _seen_running(course: Course, call: Call, now: Context) -> Done:
    course.care.seen_running_at = now.at
    silent = course.delivery.state is DeliveryState.UNKNOWN and course.delivery.cause == SILENCE
    if not silent:
        return yes(sentence("{course}: call noted; the pump was seen running", course=course.id), course.id)
    until = moment(call.until_at, now)
    incident = next((i for i in course.open.values() if any(n.rule == incidents.UNKNOWN_RULE for n in i.alerts.values())), None)
    if incident is None:
        said = sentence("{course}: call noted; the silence is yours until {until}, should it last", course=course.id, until=until)
        return yes(said, course.id)
    others = tuple(Name(note.rule) for note in incident.alerts.values() if note.rule != incidents.UNKNOWN_RULE)
    if others:
        said = sentence("{course}: call noted; {others} still wants somebody: take the incident", course=course.id, others=others)
        return yes(said, course.id)
    incidents.lease(incident, call.who, now.at, call.until_at, seen_running=True)
    said = sentence("{course}: call noted; the silence is yours until {until}", course=course.id, until=until)
    return yes(said, course.id, incident.key)


def _heard_at(pump: Pump, at: Instant) -> Instant:
    """A pump whose next report was not yet due has not fallen silent before this instant."""
    last_word_at = min(pump.heard_at, pump.observed_at)
    return last_word_at if last_word_at + max(pump.interval_ms, twin.FIRST_INTERVAL_MS) >= at else at


def _covers_high(course: Course, made: Silence) -> bool:
    notes = [note for incident in course.open.values() for note in incident.alerts.values()]
    return any(note.priority is Priority.HIGH and silences.covers(made, note.rule) for note in notes)


def _end_of(
    for_ms: int | None, until_at: Instant | None, longest_ms: int, what: Sentence, now: Context
) -> tuple[Instant, Sentence | None]:
    """When it ends, or (0, why it cannot)."""
    if (for_ms is None) == (until_at is None):
        return 0, sentence("{what} has an end: say for how long, or until when, one of the two", what=what)
    end_at = until_at if until_at is not None else now.at + (for_ms or 0)
    if end_at <= now.at:
        return 0, sentence("{what} must end after it begins", what=what)
    if end_at - now.at > longest_ms:
        return 0, sentence("{what} lasts at most {most}", what=what, most=length(longest_ms))
    return end_at, None
