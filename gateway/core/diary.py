"""The home's diary: what comes over MQTT and what people enter is folded in the same way (DESIGN 2, 5).

An entry tells of its own time and never overrules a newer one of its kind, in whatever order they arrive. In the evening the
caregiver is reminded of what is missing, before the ward hears of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from gateway.core import twin
from gateway.core.context import Context
from gateway.core.languages import WORDINGS
from gateway.core.oncall import CAREGIVER, wall_instant
from gateway.core.state import Course, Pump
from gateway.core.texts import clock_time
from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.effects import Answer
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.readings import DiaryEntry
from gateway.domain.sentences import Moment, Sentence, sentence
from gateway.domain.view import Facet
from gateway.domain.words import ClockQuality, DiaryKind
from rules.model import Rule

ENTRIES_MAX = 60  # full: the kind with most entries loses its oldest, so that no flood of one kind pushes out another
AGO_MAX_MS = 48 * HOUR_MS
SAME_MS = 60 * SECOND_MS  # the same words within a minute are one entry, sent or tapped twice
TEMPERATURE_LEAST_C, TEMPERATURE_MOST_C = 30.0, 45.0  # of a living patient; beyond it: mistyped, or Fahrenheit
FAHRENHEIT_LEAST_C = 86.0
TEXT_MAX = 500
TELLERS = ("patient", "caregiver", "nurse")
PUMP = "pump"  # who wrote what came over the pump's own connection
ASKED = frozenset({DiaryKind.TEMPERATURE, DiaryKind.HANDWRITING})  # what a home is to enter every day
WAIT_WHILE_DEAF_MS = 5 * MINUTE_MS


def take(pump: Pump, course: Course | None, reading: DiaryEntry, now: Context) -> int:
    """Fold an entry that came over MQTT; returns the facets that it changes. A refusal is counted with the pump's, by name."""
    if twin.is_repeat(pump, reading):
        pump.repeats += 1
        return 0
    believed = reading.clock is ClockQuality.SYNCED
    line = DiaryLine(
        at=min(reading.observed_at, now.at) if believed else now.at,
        noted_at=now.at,
        kind=reading.entry,
        temperature_c=reading.temperature_c if reading.entry is DiaryKind.TEMPERATURE else None,
        changed=reading.changed if reading.entry is DiaryKind.HANDWRITING else None,
        text=(reading.text or "")[:TEXT_MAX],
        who=PUMP,
    )
    name = _name_of_refusal(course, line)
    if name or course is None:
        pump.refusals[name] = pump.refusals.get(name, 0) + 1
        return 0
    return Facet.DIARY if _keep(course, line) else 0


def add(course: Course, command: AddDiary, now: Context) -> tuple[bool, Sentence]:
    """Fold what a person entered: all of it, or nothing; returns whether it was taken, and the words for the person."""
    lines = _lines_of(command, now.at)
    refusal = _refusal_of(command, lines, now.at)
    if refusal is not None:
        return False, refusal
    for line in lines:
        _keep(course, line)
    when = Moment(lines[0].at, clock_time(lines[0].at, now))
    return True, sentence("{course}: noted {lines} at {when}", course=course.id, lines=tuple(map(_said, lines)), when=when)


def _said(line: DiaryLine) -> Sentence:
    """An entry in a few words."""
    if line.temperature_c is not None:
        return sentence("{celsius:g} °C", celsius=line.temperature_c)
    if line.changed is not None:
        return sentence("handwriting changed") if line.changed else sentence("handwriting the same")
    if line.kind is DiaryKind.SYMPTOM:
        return sentence("symptom: {text}", text=line.text)
    return sentence("note: {text}", text=line.text)


def look(course: Course, rules: Mapping[str, Rule], now: Context, *, expected: bool, deaf: bool) -> None:
    """At the hours that the rule names: remind the caregiver of what is missing; plan the next look.

    `expected`: the course is under way. `deaf`: the gateway may not have heard what the home has sent; the reminder waits.
    """
    rule = next((rule for rule in rules.values() if rule.predicate == "diary_missing"), None)
    if rule is None or course.ended_at is not None:
        course.diary_due_at = now.at + DAY_MS
        return
    zone = now.ward.timezone
    today = datetime.fromtimestamp(now.at / SECOND_MS, ZoneInfo(zone)).date()
    hours = (rule.params["remind_hour"], rule.params["by_hour"])
    looks = [wall_at(today + timedelta(days=days), round(hour * 60), zone) for days in (0, 1) for hour in hours]
    course.diary_due_at = min((at for at in looks if at > now.at), default=now.at + DAY_MS)
    remind_at = wall_at(today, round(rule.params["remind_hour"] * 60), zone)
    if not course.enrolled_at <= remind_at <= now.at or course.diary_reminded_at >= remind_at:
        return
    if not expected or newest_asked_at(course.diary) >= wall_at(today, 0, zone):
        return
    if deaf:
        course.diary_due_at = min(course.diary_due_at, now.at + WAIT_WHILE_DEAF_MS)
        return
    course.diary_reminded_at = remind_at
    _remind(course, today, now)


def newest_asked_at(lines: Iterable[DiaryLine]) -> Instant:
    """When the newest temperature or handwriting was observed; 0 for never."""
    return max((line.at for line in lines if line.kind in ASKED), default=0)


def wall_from(at: Instant, days: int, minute_of_day: int, timezone: str) -> Instant:
    """The instant of a local wall time, so many days after the local date of `at`."""
    today = datetime.fromtimestamp(at / SECOND_MS, ZoneInfo(timezone)).date()
    return wall_at(today + timedelta(days=days), minute_of_day, timezone)


def wall_at(day: date, minute_of_day: int, timezone: str) -> Instant:
    """The instant of a local wall time; DST-safe, as handovers are."""
    return wall_instant(f"{day.isoformat()}T{minute_of_day // 60:02d}:{minute_of_day % 60:02d}", timezone)


def _lines_of(command: AddDiary, at: Instant) -> list[DiaryLine]:
    observed = command.observed_at if command.observed_at is not None else at
    stamped = partial(DiaryLine, min(observed, at), at, who=command.from_whom)
    symptom, note = _plain(command.symptom), _plain(command.note)
    lines = []
    if command.temperature_c is not None:
        lines.append(stamped(DiaryKind.TEMPERATURE, temperature_c=command.temperature_c))
    if command.handwriting_changed is not None:
        lines.append(stamped(DiaryKind.HANDWRITING, changed=command.handwriting_changed))
    if symptom:
        lines.append(stamped(DiaryKind.SYMPTOM, text=symptom))
    if note:
        lines.append(stamped(DiaryKind.NOTE, text=note))
    return lines


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _refusal_of(command: AddDiary, lines: list[DiaryLine], at: Instant) -> Sentence | None:
    """Why nothing of it is taken; None when all of it can be."""
    if not lines:
        return sentence("nothing was entered: give a temperature, the handwriting, a symptom or a note")
    if command.from_whom not in TELLERS:
        return sentence(
            "{who!r} cannot enter a diary; it is from the patient, the caregiver or the nurse",  # `TELLERS`
            who=command.from_whom,
        )
    if command.observed_at is not None and command.observed_at > at + twin.AHEAD_MAX_MS:
        return sentence("that lies in the future; enter what was observed, with its time")
    if lines[0].at < at - AGO_MAX_MS:
        return sentence("that is more than 48 hours ago; tell the ward by phone instead")
    if any(len(line.text) > TEXT_MAX for line in lines):
        return sentence("a text has at most {n} characters; make two entries of it", n=TEXT_MAX)
    return _temperature_refusal(command.temperature_c)


def _temperature_refusal(temperature_c: float | None) -> Sentence | None:
    if temperature_c is None or TEMPERATURE_LEAST_C <= temperature_c <= TEMPERATURE_MOST_C:
        return None
    return sentence(
        "{celsius:g} °C is not a body temperature ({least:g} to {most:g}){hint}; measure again and enter degrees Celsius",
        celsius=temperature_c,
        least=TEMPERATURE_LEAST_C,
        most=TEMPERATURE_MOST_C,
        hint=sentence("; it looks like Fahrenheit") if temperature_c >= FAHRENHEIT_LEAST_C else "",
    )


def _name_of_refusal(course: Course | None, line: DiaryLine) -> str:
    """The named reason why an entry from MQTT belongs to nobody, or cannot be; empty when it is taken."""
    if course is None:
        return "diary-without-course"
    if line.at < line.noted_at - AGO_MAX_MS:
        return "diary-too-old"
    if line.at < course.enrolled_at:
        return "diary-before-course"  # the pump may have served somebody else then
    return "diary-implausible" if _temperature_refusal(line.temperature_c) else ""


def _keep(course: Course, line: DiaryLine) -> bool:
    """Put the line in its place in time; False when it is there already."""
    own = [known for known in course.diary if known.kind is line.kind]
    if any(_is_same(known, line) for known in own):
        return False
    if own and own[-1].at > line.at:
        line = replace(line, late=True)
    lines = sorted((*course.diary, line), key=lambda known: known.at)  # stable: of the same instant the later word counts
    if len(lines) > ENTRIES_MAX:
        fullest = Counter(known.kind for known in lines).most_common(1)[0][0]
        lines.remove(next(known for known in lines if known.kind is fullest))
    course.diary = tuple(lines)
    return True


def _is_same(known: DiaryLine, line: DiaryLine) -> bool:
    same = (known.temperature_c, known.changed, known.text) == (line.temperature_c, line.changed, line.text)
    return same and abs(known.at - line.at) < SAME_MS


def _remind(course: Course, today: date, now: Context) -> None:
    """One message to the caregiver, where one is recorded: by the first contact that is not voice."""
    contacts = course.care.caregiver
    if not contacts:
        return
    facts = now.ward.transports
    quiet = (contact for contact in contacts if contact.transport in facts and not facts[contact.transport].voice)
    contact = next(quiet, contacts[0])
    now.effects.append(
        Answer(
            key=f"diary@{course.id}/{course.enrolment}/{today.isoformat()}",
            person=f"{CAREGIVER}:{course.id}",
            transport=contact.transport,
            address=contact.address,
            text=WORDINGS[now.ward.home_locale].reminder.format(subject=course.id),
            decided_at=now.at,
        )
    )
