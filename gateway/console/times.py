"""Instants for people and for machines."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from rules.durations import say_ms

_WEEKDAY_ENOUGH_MS = 6 * DAY_MS  # further away the weekday alone would be ambiguous


def rfc3339(at: Instant) -> str:
    """`2026-03-02T00:00:00.000Z`: UTC, always with milliseconds, so that the texts sort like the instants."""
    return f"{datetime.fromtimestamp(at / SECOND_MS, UTC):%Y-%m-%dT%H:%M:%S}.{at % SECOND_MS:03d}Z"


def clock(at: Instant, now: Instant, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """`13:05` today, `Mon 13:05` within a week, `2 Mar 13:05` further away, `2 Mar 2026 13:05` in another year; in `zone`."""
    then, today = (datetime.fromtimestamp(instant / SECOND_MS, zone) for instant in (at, now))
    time = f"{then:%H:%M:%S}" if seconds else f"{then:%H:%M}"
    if then.date() == today.date():
        return time
    if abs(at - now) < _WEEKDAY_ENOUGH_MS:
        return f"{then:%a} {time}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {then:%b}{year} {time}"


def day_and_clock(at: Instant, now: Instant, zone: ZoneInfo) -> str:
    """`13:05` today, else `Sun 8 Mar 13:05`, with the year where it is another: two of them side by side are read alike."""
    then, today = (datetime.fromtimestamp(instant / SECOND_MS, zone) for instant in (at, now))
    if then.date() == today.date():
        return f"{then:%H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"


def age(at: Instant, now: Instant) -> str:
    """`12 min ago`, `in 3 h`, `now` for less than a second either way."""
    length_ms = abs(now - at)
    if length_ms < SECOND_MS:
        return "now"
    return f"in {say_ms(length_ms)}" if at > now else f"{say_ms(length_ms)} ago"
