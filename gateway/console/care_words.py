"""What the status page says of a course's supplies and of what people recorded. What is forecast says that it is estimated."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.console.times import age, clock, day_and_clock
from gateway.core.board import CourseLine
from gateway.domain.care import Seen
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import HOUR_MS, SECOND_MS, Instant
from gateway.domain.words import DiaryKind
from rules.durations import say_ms

_SEEN = {Seen.NOTHING: "", Seen.RUNNING: ", pump seen running", Seen.STANDING: ", pump seen standing"}


@dataclass(frozen=True, slots=True)
class CareWords:
    """One course in words; each is empty where there is nothing to say.

    `treatment`: cycle, day, dose. `empty`: when the bag will be. `expiry`, `order`: of this bag, of the next. `battery`: time
    left. `volume`: what flowed lately. `diary`: today's. `quiet`: the window and the silences, each with the id that ends it (a
    window has none). `call`: the newest. `home`: how far away, and how it is reached.
    """

    treatment: str
    empty: str
    expiry: str
    order: str
    battery: str
    volume: str
    diary: str
    quiet: tuple[tuple[str, str], ...]
    call: str
    home: str


def care_words(line: CourseLine, at: Instant, zone: ZoneInfo) -> CareWords:
    """The words for a course as of `at`, wall times in `zone`."""
    return CareWords(
        treatment=_treatment(line, at, zone),
        empty=_empty(line, at, zone),
        expiry=_expiry(line, at, zone),
        order=_order(line, at, zone),
        battery=_battery(line),
        volume=_volume(line),
        diary="; ".join(_diary(line.diary, at, zone)) if line.bag else "",
        quiet=tuple(_quiet(line, at, zone)),
        call=_call(line, at, zone),
        home=_home(line),
    )


def _treatment(line: CourseLine, at: Instant, zone: ZoneInfo) -> str:
    """`Cycle 1, infusion day 9 of 28, 28 mcg a day`; the day counts what was delivered."""
    if line.break_at is not None:
        until = f", by protocol until {day_and_clock(line.break_until, at, zone)}" if line.break_until is not None else ""
        return f"Cycle {line.cycle} over, break since {day_and_clock(line.break_at, at, zone)}{until}"
    planned = f" of {line.planned_days}" if line.planned_days is not None else ""
    dose = f", {line.dose_mcg_per_day:g} mcg a day" if line.dose_mcg_per_day is not None else ""
    return f"Cycle {line.cycle}, infusion day {int(line.infusion_days) + 1}{planned}{dose}"


def _empty(line: CourseLine, at: Instant, zone: ZoneInfo) -> str:
    """`estimated between Sat 22:10 and Sun 18:20, most likely Sun 08:15`."""
    told = line.supplies
    if told.bag_early_at is None or told.bag_central_at is None or told.bag_late_at is None:
        return ""
    late, likely = (day_and_clock(instant, at, zone) for instant in (told.bag_late_at, told.bag_central_at))
    if told.bag_late_at <= at:
        return "estimated to be empty by now"
    if told.bag_early_at <= at:
        return f"estimated at any time until {late}, may be empty now"
    return f"estimated between {day_and_clock(told.bag_early_at, at, zone)} and {late}, most likely {likely}"


def _expiry(line: CourseLine, at: Instant, zone: ZoneInfo) -> str:
    expires_at = line.supplies.bag_expires_at
    if expires_at is None:
        return ""
    if expires_at <= at:
        return f"EXPIRED {day_and_clock(expires_at, at, zone)}"
    early = line.planned_change_at is not None and expires_at < line.planned_change_at
    return f"expires {day_and_clock(expires_at, at, zone)}" + (", BEFORE the planned change" if early else "")


def _order(line: CourseLine, at: Instant, zone: ZoneInfo) -> str:
    """`7-day ordered by nurse-a, ready Sun 10:00`."""
    if not line.bag:
        return ""
    order = line.order
    if order is None:
        return "not ordered"
    ready = "ready since" if order.ready_at <= at else "ready"
    return f"{order.bag} ordered by {order.by}, {ready} {day_and_clock(order.ready_at, at, zone)}"


def _battery(line: CourseLine) -> str:
    """`about 16 h left, estimated by this pump's own fall`."""
    left_ms = line.supplies.battery_left_ms
    if left_ms is None:
        return ""
    by = "by this pump's own fall" if line.supplies.battery_learnt else "by the maker's figure"
    left = "less than 1 h" if left_ms < HOUR_MS else f"about {left_ms // HOUR_MS} h"
    return f"{left} left, estimated {by}"


def _volume(line: CourseLine) -> str:
    """`98 % of the prescribed volume over the last 2 h, by the pump's count`, and what a scale under the bag sees."""
    percent = line.supplies.delivered_percent
    parts = [] if percent is None else [f"{percent} % of the prescribed volume over the last 2 h, by the pump's count"]
    if line.scale_falls is not None:
        parts.append("the scale sees the bag get lighter" if line.scale_falls else "the scale does NOT see the bag get lighter")
    return "; ".join(parts)


def _diary(diary: tuple[DiaryLine, ...], at: Instant, zone: ZoneInfo) -> Iterator[str]:
    """Today's newest temperature and handwriting with their times; what is missing today is said."""
    today = datetime.fromtimestamp(at / SECOND_MS, zone).date()
    newest = {
        entry.kind: entry
        for entry in sorted(diary, key=lambda entry: entry.at)
        if datetime.fromtimestamp(entry.at / SECOND_MS, zone).date() == today
    }
    if not newest:
        yield "nothing today"
        return
    temperature, handwriting = newest.get(DiaryKind.TEMPERATURE), newest.get(DiaryKind.HANDWRITING)
    if temperature is not None and temperature.temperature_c is not None:
        yield f"{temperature.temperature_c:g} °C at {clock(temperature.at, at, zone)}"
    else:
        yield "no temperature today"
    if handwriting is not None:
        yield f"handwriting {'CHANGED' if handwriting.changed else 'the same'} at {clock(handwriting.at, at, zone)}"
    else:
        yield "no handwriting today"
    symptom = newest.get(DiaryKind.SYMPTOM)
    if symptom is not None:
        yield f"symptom at {clock(symptom.at, at, zone)}: {symptom.text}"


def _quiet(line: CourseLine, at: Instant, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """`Window: bag change until 14:30 (in 27 min), opened by nurse-a`, then each silence with its id."""
    if line.window and line.window_until is not None:
        until = f"{day_and_clock(line.window_until, at, zone)} ({age(line.window_until, at)})"
        yield f"Window: {line.window.replace('-', ' ')} until {until}, opened by {line.window_who}", ""
    for silence in line.silences:
        what = ", ".join(rule.replace("-", " ") for rule in silence.rules) or "every rule"
        until = f"{day_and_clock(silence.until_at, at, zone)} ({age(silence.until_at, at)})"
        yield f"Silenced: {what} until {until}, by {silence.who}: {silence.reason}", silence.id


def _call(line: CourseLine, at: Instant, zone: ZoneInfo) -> str:
    """`14:01 nurse-a called caregiver, pump seen running: …`."""
    if not line.calls:
        return ""
    call = line.calls[0]
    advice = f": {call.advice}" if call.advice else ""
    trusted = f" (trusted until {clock(call.until_at, at, zone)})" if call.seen is Seen.RUNNING and call.until_at > at else ""
    return f"{clock(call.at, at, zone)} {call.who} called {call.called}{_SEEN[call.seen]}{trusted}{advice}"


def _home(line: CourseLine) -> str:
    """`40 min from the hospital; caregiver by sms, voice; the home calls 2345 6789`."""
    parts = []
    if line.travel_minutes is not None:
        parts.append(f"{say_ms(line.travel_minutes * 60 * SECOND_MS)} from the hospital")
    if line.caregiver:
        parts.append(f"caregiver by {', '.join(line.caregiver)}")
    if line.ward_contact:
        parts.append(f"the home calls {line.ward_contact}")
    if line.override_reason:
        parts.append(f"checklist overridden: {line.override_reason}")
    return "; ".join(parts)
