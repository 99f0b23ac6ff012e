"""Times as people type them: `18:00`, `2026-03-08T18:00`, or with an offset; made whole by the ward's own clock and zone."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from gateway.field.remote import Remote
from gateway.field.speaking import Wrong, printable

NEAR = timedelta(hours=18)  # a time without a date is at most so far away: beyond it, the other day may have been meant
WATCHES = timedelta(minutes=2)  # a nurse's watch and the gateway's clock may differ by so much

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WITH_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


class When:
    """Reads the times of one command. Asks the gateway what time it is there, once, and only where the text needs it."""

    def __init__(self, gateway: Remote) -> None:
        self._gateway = gateway

    @cached_property
    def now(self) -> datetime:
        """The gateway's instant, in the ward's zone."""
        board = self._gateway.get("/api/v1/board")
        return datetime.fromisoformat(board["at"]).astimezone(ZoneInfo(board["timezone"]))

    def past(self, option: str, text: str | None) -> str | None:
        """The instant with its offset; a time of day is the latest one of that name. Raises `Wrong`."""
        return self._read(option, text, self._latest)

    def ahead(self, option: str, text: str | None) -> str | None:
        """The instant with its offset; a time of day is the next one of that name. Raises `Wrong`."""
        return self._read(option, text, self._next)

    def _read(self, option: str, text: str | None, of_day: Callable[[datetime], datetime | None]) -> str | None:
        if text is None:
            return None
        typed = text.strip()
        moment = _moment(typed)
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=self.now.tzinfo)).isoformat()
        found = _TIME_OF_DAY.fullmatch(typed)
        if found is None:
            shown = printable(text)
            raise Wrong(f"{option}: {shown!r} is no time; write it like 18:00, 2026-03-08T18:00 or 2026-03-08T18:00+08:00")
        today = self.now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        meant = of_day(today)
        if meant is None:
            raise Wrong(f"{option}: which day's {typed}? Write the date too, like {today:%Y-%m-%d}T{typed:0>5}")
        return meant.isoformat()

    def _latest(self, today: datetime) -> datetime | None:
        if today - self.now > WATCHES:
            today -= timedelta(days=1)
        return today if self.now - today <= NEAR else None

    def _next(self, today: datetime) -> datetime | None:
        if today <= self.now:
            today += timedelta(days=1)
        return today if today - self.now <= NEAR else None


def _moment(text: str) -> datetime | None:
    if not _WITH_DATE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
