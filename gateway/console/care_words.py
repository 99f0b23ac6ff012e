"""What the board says of a course's supplies and of what people recorded. What is forecast says that it is estimated."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.console.times import age, clock, day_and_clock, length
from gateway.console.words import Words, message
from gateway.core.board import CourseLine
from gateway.domain.care import Seen
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import DiaryKind

Quiet = tuple[str, str, str]
"""A window or a silence: what it is, the reason that somebody wrote, and the id that ends it (a window has neither)."""

_SEEN = {Seen.NOTHING: "", Seen.RUNNING: message(", pump seen running"), Seen.STANDING: message(", pump seen standing")}


@dataclass(frozen=True, slots=True)
class CareWords:
    """One course in words; each is empty where there is nothing to say.

    `treatment`: cycle, day, dose. `empty`: when the bag will be. `expiry`, `order`: of this bag, of the next. `battery`: time
    left. `volume`: what flowed lately. `diary`: today's. `quiet`: the window and the silences. `call`: the newest. `home`: how
    far away, and how it is reached. What people wrote is for readers: templates leave it out for a kiosk.
    """

    treatment: str
    empty: str
    expiry: str
    order: str
    battery: str
    volume: str
    diary: str
    quiet: tuple[Quiet, ...]
    call: str
    home: str


def care_words(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> CareWords:
    """The words for a course as of `at`, wall times in `zone`."""
    told = _Told(at, zone, say)
    return CareWords(
        treatment=_treatment(line, told),
        empty=_empty(line, told),
        expiry=_expiry(line, told),
        order=_order(line, told),
        battery=_battery(line, say),
        volume=_volume(line, say),
        diary="; ".join(_diary(line.diary, told)) if line.bag else "",
        quiet=tuple(_quiet(line, told)),
        call=_call(line, told),
        home=_home(line, say),
    )


def quiet_words(line: CourseLine, at: Instant, zone: ZoneInfo, say: Words) -> tuple[Quiet, ...]:
    """The open window and each silence."""
    return tuple(_quiet(line, _Told(at, zone, say)))


@dataclass(frozen=True, slots=True)
class _Told:
    """When and where it is said, and in which words."""

    at: Instant
    zone: ZoneInfo
    say: Words

    def day(self, instant: Instant) -> str:
        return day_and_clock(instant, self.at, self.zone, self.say.locale)

    def clock(self, instant: Instant) -> str:
        return clock(instant, self.at, self.zone, self.say.locale)

    def age(self, instant: Instant) -> str:
        return age(instant, self.at, self.say.locale)


def _treatment(line: CourseLine, told: _Told) -> str:
    """`Cycle 1, infusion day 9 of 28, 28 mcg a day`; the day counts what was delivered."""
    say = told.say
    if line.break_at is not None:
        over = say("Cycle {cycle} over, break since {since}", cycle=line.cycle, since=told.day(line.break_at))
        until = say(", by protocol until {until}", until=told.day(line.break_until)) if line.break_until is not None else ""
        return over + until
    day = int(line.infusion_days) + 1
    if line.planned_days is None:
        words = say("Cycle {cycle}, infusion day {day}", cycle=line.cycle, day=day)
    else:
        words = say("Cycle {cycle}, infusion day {day} of {planned}", cycle=line.cycle, day=day, planned=line.planned_days)
    return words + (say(", {dose} mcg a day", dose=f"{line.dose_mcg_per_day:g}") if line.dose_mcg_per_day is not None else "")


def _empty(line: CourseLine, told: _Told) -> str:
    """`estimated between Sat 22:10 and Sun 18:20, most likely Sun 08:15`."""
    supplies, say = line.supplies, told.say
    if supplies.bag_early_at is None or supplies.bag_central_at is None or supplies.bag_late_at is None:
        return ""
    if supplies.bag_late_at <= told.at:
        return say("estimated to be empty by now")
    late = told.day(supplies.bag_late_at)
    if supplies.bag_early_at <= told.at:
        return say("estimated at any time until {late}, may be empty now", late=late)
    early, likely = told.day(supplies.bag_early_at), told.day(supplies.bag_central_at)
    return say("estimated between {early} and {late}, most likely {likely}", early=early, late=late, likely=likely)


def _expiry(line: CourseLine, told: _Told) -> str:
    expires_at = line.supplies.bag_expires_at
    if expires_at is None:
        return ""
    if expires_at <= told.at:
        return told.say("EXPIRED {at}", at=told.day(expires_at))
    early = line.planned_change_at is not None and expires_at < line.planned_change_at
    return told.say("expires {at}", at=told.day(expires_at)) + (told.say(", BEFORE the planned change") if early else "")


def _order(line: CourseLine, told: _Told) -> str:
    """`7-day ordered by nurse-a, ready Sun 10:00`."""
    if not line.bag:
        return ""
    order, say = line.order, told.say
    if order is None:
        return say("not ordered")
    at = told.day(order.ready_at)
    if order.ready_at <= told.at:
        return say("{bag} ordered by {who}, ready since {at}", bag=order.bag, who=order.by, at=at)
    return say("{bag} ordered by {who}, ready {at}", bag=order.bag, who=order.by, at=at)


def _battery(line: CourseLine, say: Words) -> str:
    """`about 16 h left, estimated by this pump's own fall`."""
    left_ms = line.supplies.battery_left_ms
    if left_ms is None:
        return ""
    left = say("less than 1 h left") if left_ms < HOUR_MS else say("about {hours} h left", hours=left_ms // HOUR_MS)
    learnt = line.supplies.battery_learnt
    return left + (say(", estimated by this pump's own fall") if learnt else say(", estimated by the maker's figure"))


def _volume(line: CourseLine, say: Words) -> str:
    """`98 % of the prescribed volume over the last 2 h, by the pump's count`, and what a scale under the bag sees."""
    percent, parts = line.supplies.delivered_percent, []
    if percent is not None:
        parts.append(say("{percent} % of the prescribed volume over the last 2 h, by the pump's count", percent=percent))
    if line.scale_falls is not None:
        lighter = say("the scale sees the bag get lighter")
        parts.append(lighter if line.scale_falls else say("the scale does NOT see the bag get lighter"))
    return "; ".join(parts)


def _diary(diary: tuple[DiaryLine, ...], told: _Told) -> Iterator[str]:
    """Today's newest temperature and handwriting with their times; what is missing today is said."""
    say, today = told.say, datetime.fromtimestamp(told.at / SECOND_MS, told.zone).date()
    newest = {
        entry.kind: entry
        for entry in sorted(diary, key=lambda entry: entry.at)
        if datetime.fromtimestamp(entry.at / SECOND_MS, told.zone).date() == today
    }
    if not newest:
        yield say("nothing today")
        return
    temperature, handwriting = newest.get(DiaryKind.TEMPERATURE), newest.get(DiaryKind.HANDWRITING)
    if temperature is not None and temperature.temperature_c is not None:
        yield say("{celsius} °C at {at}", celsius=f"{temperature.temperature_c:g}", at=told.clock(temperature.at))
    else:
        yield say("no temperature today")
    if handwriting is None:
        yield say("no handwriting today")
    elif handwriting.changed:
        yield say("handwriting CHANGED at {at}", at=told.clock(handwriting.at))
    else:
        yield say("handwriting the same at {at}", at=told.clock(handwriting.at))
    symptom = newest.get(DiaryKind.SYMPTOM)
    if symptom is not None:
        yield say("symptom at {at}: {text}", at=told.clock(symptom.at), text=symptom.text)


def _quiet(line: CourseLine, told: _Told) -> Iterator[Quiet]:
    """`Window: bag change until 14:30 (in 27 min), opened by nurse-a`, then each silence."""
    say = told.say
    if line.window and line.window_until is not None:
        until = f"{told.day(line.window_until)} ({told.age(line.window_until)})"
        what = say(line.window.replace("-", " "))
        yield say("Window: {what} until {until}, opened by {who}", what=what, until=until, who=line.window_who), "", ""
    for silence in line.silences:
        what = ", ".join(say(rule.replace("-", " ").capitalize()).lower() for rule in silence.rules) or say("every rule")
        until = f"{told.day(silence.until_at)} ({told.age(silence.until_at)})"
        yield say("Silenced: {what} until {until}, by {who}", what=what, until=until, who=silence.who), silence.reason, silence.id


def _call(line: CourseLine, told: _Told) -> str:
    """`14:01 nurse-a called caregiver, pump seen running: …`."""
    if not line.calls:
        return ""
    call, say = line.calls[0], told.say
    words = say("{at} {who} called {called}", at=told.clock(call.at), who=call.who, called=call.called) + say(_SEEN[call.seen])
    if call.seen is Seen.RUNNING and call.until_at > told.at:
        words += say(" (trusted until {until})", until=told.clock(call.until_at))
    return f"{words}: {call.advice}" if call.advice else words


def _home(line: CourseLine, say: Words) -> str:
    """`40 min from the hospital; caregiver by sms, voice; the home calls 2345 6789`."""
    parts = []
    if line.travel_minutes is not None:
        parts.append(say("{length} from the hospital", length=length(line.travel_minutes * MINUTE_MS, say.locale)))
    if line.caregiver:
        parts.append(say("caregiver by {ways}", ways=", ".join(line.caregiver)))
    if line.ward_contact:
        parts.append(say("the home calls {contact}", contact=line.ward_contact))
    if line.override_reason:
        parts.append(say("checklist overridden: {reason}", reason=line.override_reason))
    return "; ".join(parts)
