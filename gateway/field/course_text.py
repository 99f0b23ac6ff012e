"""Courses as text of 80 columns, from what the API says of them. What is forecast says so; nothing forecast reads as measured."""

from collections.abc import Iterator, Sequence

import click

from gateway.console.terms import STATES, cause_words
from gateway.console.words import words_in
from gateway.domain.instants import HOUR_MS
from gateway.domain.locale import Locale
from gateway.domain.words import DeliveryState, DiaryKind
from gateway.field.incident_text import Line, Told, instant
from gateway.field.speaking import printable, wrapped
from rules.durations import say_ms

CALM = (DeliveryState.DELIVERING, DeliveryState.NOT_EXPECTED)
MARGIN = "  "
DIARY_SHOWN = 10  # the newest; the calls are few on the board already


def courses_in_short(lines: Sequence[Line], told: Told) -> Iterator[str]:
    """All courses that run, in the board's order: the most urgent first."""
    count = f"{len(lines)} course{'' if len(lines) == 1 else 's'}" if lines else "no course is running"
    yield from told.headline(count)
    for line in lines:
        yield ""
        yield from _one(line, told)


def course_in_full(line: Line, diary: Sequence[Line], told: Told) -> Iterator[str]:
    """One course with whom to reach, its calls and the newest of its diary."""
    yield from told.headline("1 course")
    yield ""
    yield from _one(line, told)
    yield ""
    heard = told.at(line["heard_at"]) if line["heard_at"] else "never"
    yield from wrapped(f"protocol {line['protocol']}; pump last heard {heard}", MARGIN)
    yield from wrapped(f"caregiver by {', '.join(line['caregiver'])}" if line["caregiver"] else "no caregiver's contact", MARGIN)
    travel = (
        f"{line['travel_minutes']} min to the hospital" if line["travel_minutes"] is not None else "way to the hospital not known"
    )
    yield from wrapped(f"{travel}; the home calls {line['ward_contact'] or 'nobody that was recorded'}", MARGIN)
    if line["override_reason"]:
        yield from wrapped(f"enrolled with an incomplete checklist: {line['override_reason']}", MARGIN)
    yield from _listed("calls", [_call(call, told) for call in line["calls"]])
    yield from _listed("diary", [_entry(entry, told) for entry in diary[:DIARY_SHOWN]])


def _one(line: Line, told: Told) -> Iterator[str]:
    yield from _delivery(line, told)
    yield from wrapped(_treatment(line), MARGIN)
    if line["break_until"]:
        yield from wrapped(f"break until {told.at(line['break_until'])}", MARGIN)
    if line["bag"]:
        yield from _bag(line, told)
    if not line["break_at"]:
        yield from wrapped(_battery(line), MARGIN)
    if line["window"]:
        yield from wrapped(f"WINDOW {line['window']} until {told.at(line['window_until'])}, by {line['window_who']}", MARGIN)
    for silence in line["silences"]:
        what = ", ".join(silence["rules"]) or "every rule"
        said = f"SILENCED {what} until {told.at(silence['until_at'])}, by {silence['who']}: {silence['reason']}"
        yield from wrapped(f"{said} [{silence['id']}]", MARGIN)
    for incident in line["incidents"]:
        holder = f"{incident['holder']} has it" if incident["holder"] else "NOBODY HAS IT"
        about = ", ".join(alert["rule"].replace("-", " ") for alert in incident["alerts"])
        yield from wrapped(f"{incident['priority'].upper()} {holder}: {about or 'quiet now'} [{incident['key']}]", MARGIN)


def _delivery(line: Line, told: Told) -> Iterator[str]:
    """`P-017  Interrupted since about 12:51 (1 h 12 min ago): occlusion downstream`; below it the clock of the limit."""
    about = "about " if line["estimated"] else ""
    cause = f": {cause_words(line['cause'], words_in(Locale.EN))}" if line["cause"] else ""
    words = f"{STATES[DeliveryState(line['state'])]} since {about}{told.at(line['since'])}{cause}"
    first, *more = wrapped(words, " " * (len(printable(line["course"])) + 2))
    colour = None if line["state"] in CALM else "red"
    yield f"{click.style(printable(line['course']), bold=True)}  {click.style(first.strip(), fg=colour)}"
    yield from more
    if line["limit_at"] and instant(line["limit_at"]) > told.now:
        worst = say_ms(max(0, line["worst_ms"]))
        yield from wrapped(f"at worst {worst} without delivery; limit {told.at(line['limit_at'])}", MARGIN)
    elif line["limit_at"]:
        sure = "OVER" if line["current_ms"] == line["worst_ms"] else "MAY BE OVER"
        then = f": {line['past_limit']}" if line["past_limit"] else ""
        yield from wrapped(f"{sure} THE LIMIT since {told.at(line['limit_at'])}{then}", MARGIN)


def _treatment(line: Line) -> str:
    """`pump-17; cycle 1, infusion day 9 of 28 (8.4 delivered); 28 mcg a day`; in a break the cycle that is over."""
    planned = f" of {line['planned_days']}" if line["planned_days"] is not None else ""
    if line["break_at"]:
        return f"cycle {line['cycle']} over, {line['infusion_days']:.1f}{planned} days delivered"
    dose = f"; {line['dose_mcg_per_day']:g} mcg a day" if line["dose_mcg_per_day"] is not None else ""
    day = f"infusion day {int(line['infusion_days']) + 1}{planned} ({line['infusion_days']:.1f} delivered)"
    return f"{line['pump']}; cycle {line['cycle']}, {day}{dose}"


def _bag(line: Line, told: Told) -> Iterator[str]:
    """When it hangs, is due, will be empty and expires, and whether the next one is on its way."""
    supplies, order = line["supplies"], line["order"]
    yield from wrapped(f"{line['bag']} bag since {told.at(line['hung_at'])}", MARGIN)
    if line["planned_change_at"]:
        yield from wrapped(f"change planned {told.at(line['planned_change_at'])}", MARGIN)
    if supplies["bag_early_at"] and supplies["bag_central_at"] and supplies["bag_late_at"]:
        yield from wrapped(f"empty {_empty(supplies, told)} (estimated)", MARGIN)
    if supplies["bag_expires_at"]:
        expires = "EXPIRED" if instant(supplies["bag_expires_at"]) <= told.now else "expires"
        yield from wrapped(f"{expires} {told.at(supplies['bag_expires_at'])}", MARGIN)
    ordered = f"next bag ({order['bag']}) ordered by {order['by']}, ready {told.at(order['ready_at'])}" if order else ""
    yield from wrapped(ordered or "no next bag ordered", MARGIN)


def _empty(supplies: Line, told: Told) -> str:
    """`between Sun 8 Mar 00:03 and …, most likely …`; once the interval has begun, that it may be by now."""
    early, central, late = (told.day(supplies[f"bag_{edge}_at"]) for edge in ("early", "central", "late"))
    if instant(supplies["bag_late_at"]) <= told.now:
        return "by now"
    if instant(supplies["bag_early_at"]) <= told.now:
        return f"perhaps now, {late} at the latest"
    return f"between {early} and {late}, most likely {central}"


def _battery(line: Line) -> str:
    """`battery 81 %, about 12 h left (estimated by this pump's own fall)`."""
    percent = "battery not known" if line["battery_percent"] is None else f"battery {line['battery_percent']:.0f} %"
    left_ms = line["supplies"]["battery_left_ms"]
    if left_ms is None:
        return f"{percent}, on mains" if line["on_battery"] is False else percent
    by = "by this pump's own fall" if line["supplies"]["battery_learnt"] else "by the maker's figure"
    left = f"about {left_ms // HOUR_MS} h" if left_ms >= HOUR_MS else "less than 1 h"
    return f"{percent}, {left} left (estimated {by})"


def _listed(what: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"{MARGIN}{what}:" if lines else f"{MARGIN}{what}: none"
    for text in lines:
        yield from wrapped(text, MARGIN * 2)


def _call(call: Line, told: Told) -> str:
    """`14:03 nurse-a called caregiver, pump seen running: plug it in`."""
    seen = f", pump seen {call['seen']}" if call["seen"] else ""
    advice = f": {call['advice']}" if call["advice"] else ""
    return f"{told.clock(call['at'])} {call['who']} called {call['called']}{seen}{advice}"


def _entry(entry: Line, told: Told) -> str:
    """`08:03 temperature 38.4 °C (caregiver)`."""
    late = ", came late" if entry["late"] else ""
    return f"{told.clock(entry['at'])} {_written(entry)} ({entry['who']}{late})"


def _written(entry: Line) -> str:
    match DiaryKind(entry["kind"]):
        case DiaryKind.TEMPERATURE:
            return f"temperature {entry['temperature_c']:.1f} °C"
        case DiaryKind.HANDWRITING:
            return f"handwriting {'CHANGED' if entry['changed'] else 'the same'}"
        case DiaryKind.SYMPTOM:
            return f"symptom: {entry['text']}"
        case DiaryKind.NOTE:
            return f"note: {entry['text']}"
