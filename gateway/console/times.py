"""Instants for people, in their language, and for machines."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core.wording_zh_hant import clock as chinese_clock
from gateway.core.wording_zh_hant import lasted as chinese_length
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.locale import Locale
from rules.durations import say_ms

_WEEKDAY_ENOUGH_MS = 6 * DAY_MS  # further away the weekday alone would be ambiguous


def rfc3339(at: Instant) -> str:
    """`2026-03-02T00:00:00.000Z`: UTC, always with milliseconds, so that the texts sort like the instants."""
    then = datetime.fromtimestamp(at / SECOND_MS, UTC)
    return f"{then.year:04d}-{then:%m-%dT%H:%M:%S}.{at % SECOND_MS:03d}Z"


def clock(at: Instant, now: Instant, zone: ZoneInfo, locale: Locale = Locale.EN, *, seconds: bool = False) -> str:
    """`13:05` today, `Mon 13:05` within a week, `2 Mar 13:05` further away, `2 Mar 2026 13:05` in another year; in `zone`.

    Seconds only in English.
    """
    then, today = (datetime.fromtimestamp(instant / SECOND_MS, zone) for instant in (at, now))
    if locale is Locale.ZH_HANT:
        return chinese_clock(then, today)
    time = f"{then:%H:%M:%S}" if seconds else f"{then:%H:%M}"
    if then.date() == today.date():
        return time
    if abs(at - now) < _WEEKDAY_ENOUGH_MS:
        return f"{then:%a} {time}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {then:%b}{year} {time}"


def to_the_second(at: Instant, zone: ZoneInfo) -> str:
    """`13:05:21`, of the present day."""
    return f"{datetime.fromtimestamp(at / SECOND_MS, zone):%H:%M:%S}"


def day_and_clock(at: Instant, now: Instant, zone: ZoneInfo, locale: Locale = Locale.EN) -> str:
    """`13:05` today, else `Sun 8 Mar 13:05`, with the year where it is another: two of them side by side are read alike."""
    then, today = (datetime.fromtimestamp(instant / SECOND_MS, zone) for instant in (at, now))
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if locale is Locale.ZH_HANT:
        year = "" if then.year == today.year else f"{then.year}年"
        return f"{year}{then.month}月{then.day}日（{'一二三四五六日'[then.weekday()]}）{then:%H:%M}"  # noqa: RUF001  Chinese brackets
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"


def age(at: Instant, now: Instant, locale: Locale = Locale.EN) -> str:
    """`12 min ago`, `in 3 h`, `now` for less than a second either way."""
    lasted_ms = abs(now - at)
    if locale is Locale.ZH_HANT:
        if lasted_ms < SECOND_MS:
            return "現在"
        return f"{chinese_length(lasted_ms)}{'後' if at > now else '前'}"
    if lasted_ms < SECOND_MS:
        return "now"
    return f"in {say_ms(lasted_ms)}" if at > now else f"{say_ms(lasted_ms)} ago"


def length(length_ms: int, locale: Locale = Locale.EN) -> str:
    """`1 h 12 min`; never less than nothing."""
    return chinese_length(max(0, length_ms)) if locale is Locale.ZH_HANT else say_ms(max(0, length_ms))
