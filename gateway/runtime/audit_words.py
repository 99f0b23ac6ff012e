"""What people told the gateway to note, as words: the same whether it was done, refused, or nobody can tell."""

from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.domain.bench import Commissioned, EndBench, StartBench
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
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
from gateway.domain.instants import SECOND_MS, Instant
from gateway.runtime.audit_line import What
from rules.durations import say_ms

QUOTED_MAX = 200  # characters of what a person wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A command in words: somebody `past` (or asked to `plain`) `rest`, because of `why`."""

    what: What
    past: str
    plain: str
    rest: str
    why: str = ""
    course: str = ""
    incident: str = ""


def deed_of(command: Command, zone: ZoneInfo, at: Instant) -> Deed:
    """The words for a command. One that has none here is told by its name and its parts: nothing stays untold."""
    deed = _on_incident(command) or _on_course(command, zone, at) or _quiet(command, zone, at) or _on_access(command)
    if deed is None:
        parts = ", ".join(f"{part.name} {getattr(command, part.name)}" for part in fields(command))
        course = str(getattr(command, "course", ""))
        name = type(command).__name__
        deed = Deed(what=What.COURSE, past="recorded", plain="record", rest=f"{name} ({quoted(parts)})", course=course)
    return deed


def _on_incident(command: Command) -> Deed | None:
    match command:
        case Acknowledge(incident=incident, for_ms=for_ms):
            rest = f"{incident} for {say_ms(for_ms)}" if for_ms else incident
            return Deed(what=What.ACK, past="acknowledged", plain="acknowledge", rest=rest, incident=incident)
        case HandOver(incident=incident, to=to):
            rest = f"{incident} to {to}, who has it once they take it"
            return Deed(what=What.HAND_OVER, past="handed over", plain="hand over", rest=rest, incident=incident)
        case Escalate(incident=incident):
            return Deed(what=What.HAND_OVER, past="passed on", plain="pass on", rest=incident, incident=incident)
        case Close(incident=incident, reason=why):
            return Deed(what=What.CLOSE, past="closed", plain="close", rest=incident, why=why, incident=incident)
        case Note(incident=incident, text=text):
            rest = f"at {incident}: “{quoted(text)}”"
            return Deed(what=What.NOTE, past="noted", plain="note", rest=rest, incident=incident)
        case SendTestPage(person=person):
            return Deed(what=What.PAGE, past="sent", plain="send", rest=f"a test page to {quoted(person)}")
        case _:
            return None


def _on_course(command: Command, zone: ZoneInfo, at: Instant) -> Deed | None:
    match command:
        case Enrol():
            rest = f"{command.course} on pump {command.pump} ({command.protocol}, cycle {command.cycle}, {command.bag} bag)"
            if command.checklist:
                rest += f", checklist signed by {', '.join(dict.fromkeys(signed.by for signed in command.checklist))}"
            return _course(command.course, What.ENROLMENT, "enrolled", "enrol", rest, command.override_reason)
        case EndCourse(course=course, reason=why):
            return _course(course, What.ENROLMENT, "ended", "end", f"the course {course}", why)
        case HangBag(course=course, bag=bag):
            return _course(course, What.BAG, "hung", "hang", f"a {bag} bag on {course}")
        case OrderBag(course=course, bag=bag, ready_at=ready_at):
            rest = f"a {bag} bag for {course}, ready {wall(ready_at, at, zone)}"
            return _course(course, What.BAG, "ordered", "order", rest)
        case SwapPump(course=course, pump=pump, reason=why):
            return _course(course, What.PUMP, "gave", "give", f"{course} the pump {pump}", why)
        case ClearCondition(pump=pump, condition=condition):
            return _course("", What.PUMP, "saw", "record", f"{condition} cleared at the pump {pump}")
        case _:
            return _on_treatment(command) or _on_bench(command)


def _on_treatment(command: Command) -> Deed | None:
    match command:
        case ChangeDose(course=course, mcg_per_day=dose, override_reason=why):
            return _course(course, What.COURSE, "changed", "change", f"the dose of {course} to {dose:g} mcg a day", why)
        case StartBreak(course=course, reason=why):
            return _course(course, What.COURSE, "began", "begin", f"the break of {course}", why)
        case NextCycle(course=course, bag=bag, override_reason=why):
            return _course(course, What.COURSE, "began", "begin", f"the next cycle of {course} with a {bag} bag", why)
        case ChangeContacts(course=course):
            given = [part.name for part in fields(command) if part.name != "course" and getattr(command, part.name) is not None]
            rest = f"whom to reach about {course} ({', '.join(name.replace('_', ' ') for name in given)})"
            return _course(course, What.COURSE, "changed", "change", rest)
        case _:
            return None


def _on_bench(command: Command) -> Deed | None:
    match command:
        case StartBench(pump=pump, for_ms=for_ms):
            return _course("", What.PUMP, "put", "put", f"the pump {pump} on the bench for {say_ms(for_ms)}")
        case EndBench(pump=pump):
            return _course("", What.PUMP, "took", "take", f"the pump {pump} off the bench")
        case Commissioned(pump=pump, verdict=verdict, digest=digest):
            return _course("", What.PUMP, "commissioned", "commission", f"the pump {pump}: {verdict}, document {digest[:12]}")
        case _:
            return None


def _course(course: str, what: What, past: str, plain: str, rest: str, why: str = "") -> Deed:
    return Deed(what=what, past=past, plain=plain, rest=rest, why=why, course=course)


def _quiet(command: Command, zone: ZoneInfo, at: Instant) -> Deed | None:
    match command:
        case SilenceRules(course=course, rules=rules, reason=why):
            rest = f"{', '.join(rules) or 'every rule'} of {course}{_end(command, zone, at)}"
            return _course(course, What.SILENCE, "silenced", "silence", rest, why)
        case EndSilence(silence=silence):
            return _course(silence.partition(".")[0], What.SILENCE, "ended", "end", f"the silence {silence}")
        case OpenWindow(course=course, kind=kind):
            return _course(course, What.WINDOW, "opened", "open", f"a {kind.value} window for {course}{_end(command, zone, at)}")
        case CloseWindow(course=course):
            return _course(course, What.WINDOW, "closed", "close", f"the window of {course}")
        case LogCall(course=course, called=called, advice=advice, seen=seen):
            rest = f"{quoted(called) or 'somebody'} about {course}" + (
                f", pump seen {seen.value}" if seen is not Seen.NOTHING else ""
            )
            rest += f", said “{quoted(advice)}”" if advice else ""
            return _course(course, What.CALL, "called", "record a call to", rest)
        case AddDiary(course=course):
            return _course(course, What.DIARY, "wrote", "write", f"in the diary of {course}: {_entered(command)}")
        case _:
            return None


_ACCESS = {  # what was done: (past, plain, to what)
    "add-user": ("added", "add", "the user {}"),
    "change-role": ("changed", "change", "the role of {}"),
    "set-password": ("set", "set", "the password of {}"),
    "disable-user": ("disabled", "disable", "the user {}"),
    "enable-user": ("enabled", "enable", "the user {}"),
    "unlock": ("unlocked", "unlock", "the sign-in of {}"),
    "lock": ("locked", "lock", "{}"),
    "make-token": ("made", "make", "the token {}"),
    "revoke-token": ("revoked", "revoke", "the token {}"),
    "end-session": ("ended", "end", "a session of {}"),
    "raw-messages": ("looked", "look", "at raw messages of {}"),
}


def _on_access(command: Command) -> Deed | None:
    """Who may use the console. What this version has no words for is told by its name."""
    if not isinstance(command, AccessChanged):
        return None
    past, plain, rest = _ACCESS.get(command.what, ("changed", "change", f"access ({quoted(command.what)}) of {{}}"))
    detail = f" ({quoted(command.detail)})" if command.detail else ""
    return Deed(what=What.ACCESS, past=past, plain=plain, rest=rest.format(quoted(command.about)) + detail)


def _end(command: SilenceRules | OpenWindow, zone: ZoneInfo, at: Instant) -> str:
    if command.until_at is not None:
        return f" until {wall(command.until_at, at, zone)}"
    return f" for {say_ms(command.for_ms)}" if command.for_ms else ""


def _entered(command: AddDiary) -> str:
    """Which entries, from whom. What a patient says of themselves stays in the diary: of free text only that there is some."""
    parts = [f"temperature {command.temperature_c:.1f} °C"] if command.temperature_c is not None else []
    if command.handwriting_changed is not None:
        parts.append("handwriting changed" if command.handwriting_changed else "handwriting as ever")
    parts += ["a symptom"] if command.symptom else []
    parts += ["a note"] if command.note else []
    return f"{', '.join(parts) or 'nothing'}, observed by the {command.from_whom}"


def quoted(text: str) -> str:
    """What a person wrote, in one line, cut to `QUOTED_MAX`."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED_MAX else f"{line[: QUOTED_MAX - 1]}…"


def wall(then_at: Instant, at: Instant, zone: ZoneInfo) -> str:
    """`02:44` on the day of `at`, else `2026-03-03 02:44`; in the ward's zone."""
    then, now = (datetime.fromtimestamp(instant / SECOND_MS, zone) for instant in (then_at, at))
    time = f"{then:%H:%M}{offset_where_needed(then_at, zone)}"
    return time if then.date() == now.date() else f"{then:%Y-%m-%d} {time}"


def offset_where_needed(at: Instant, zone: ZoneInfo) -> str:
    """`+01:00` in the hour that the clocks of the zone show twice, or nobody could tell which one; else nothing."""
    then = datetime.fromtimestamp(at / SECOND_MS, zone)
    first, second = (then.replace(fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None or first <= second:  # once; or never, in the hour that the clocks leave out
        return ""
    offset = f"{then:%z}"
    return f"{offset[:3]}:{offset[3:5]}"
