"""The sender's time as an Instant. A time without an offset is no time: nobody can say when it was."""

from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.instants import Instant
from gateway.domain.readings import Refusal, Refused

EARLIEST_AT: Final[Instant] = 946_684_800_000  # 2000-01-01T00:00:00Z; a pump that lost its clock starts again in 1970 or 1980
LATEST_AT: Final[Instant] = 4_133_980_799_999  # the last millisecond of the year 2100

_TEXT_CHARS_MAX = 40  # the longest form that we read has 35: nanoseconds and an offset
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_instant(moment: datetime) -> Instant:
    """Whole milliseconds of an aware datetime, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def sender_time(value: object) -> Instant | Refused:
    """Read `observed_at`: RFC 3339 with offset, or epoch milliseconds as an integer.

    Other spellings of ISO 8601 are read too where they state an offset: they mean one instant and no other.
    Refuses: WRONG_TYPE (neither text nor integer), BAD_TIME (naive, not a date, or outside the years 2000-2100).
    """
    if isinstance(value, str):
        return _text_time(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return Refused(Refusal.WRONG_TYPE, "observed_at", "text (RFC 3339) or an integer (epoch milliseconds)")
    return bounded(value)


def bounded(at: Instant) -> Instant | Refused:
    """`at`, if a pump of this century can have meant it."""
    if EARLIEST_AT <= at <= LATEST_AT:
        return at
    return Refused(Refusal.BAD_TIME, "observed_at", "outside the years 2000-2100; epoch times are in milliseconds")


def _text_time(text: str) -> Instant | Refused:
    if len(text) > _TEXT_CHARS_MAX:
        return Refused(Refusal.BAD_TIME, "observed_at", "too long for a time")
    try:
        moment = datetime.fromisoformat(text if text[-1:] != "z" else text.upper())
        if moment.tzinfo is None:
            return Refused(Refusal.BAD_TIME, "observed_at", "no offset; write 2026-03-02T08:00:00+08:00")
        return bounded(to_instant(moment))
    except (ValueError, OverflowError):
        return Refused(Refusal.BAD_TIME, "observed_at", "not a date and time; write 2026-03-02T08:00:00+08:00")
