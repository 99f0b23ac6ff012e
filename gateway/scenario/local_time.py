"""What time of day it is at a home: night, office hours."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.domain.instants import HOUR_MS, SECOND_MS, Instant
from gateway.scenario.assumptions import Assumptions

SATURDAY = 5


class LocalTime:
    """The clock on the wall of a home."""

    def __init__(self, timezone: str, assumed: Assumptions) -> None:
        self._zone = ZoneInfo(timezone)
        self._assumed = assumed

    def is_night(self, at: Instant) -> bool:
        """Whether people sleep."""
        return not self._assumed.night_until_h <= self._local(at).hour < self._assumed.night_from_h

    def is_off_hours(self, at: Instant) -> bool:
        """Whether the ward's day staff is at home: nights, early mornings, weekends."""
        local = self._local(at)
        return local.weekday() >= SATURDAY or not self._assumed.office_from_h <= local.hour < self._assumed.office_until_h

    def morning_after(self, at: Instant) -> Instant:
        """When the night at `at` ends; `at` itself by day. To the hour: a home's habits know no summer time."""
        if not self.is_night(at):
            return at
        hours = (self._assumed.night_until_h - self._local(at).hour) % 24
        return at - at % HOUR_MS + hours * HOUR_MS

    def evening_before(self, at: Instant) -> Instant:
        """When the last day before the night at `at` ends; `at` itself by day. To the hour, as above."""
        if not self.is_night(at):
            return at
        hours = (self._local(at).hour - self._assumed.night_from_h) % 24
        return at - at % HOUR_MS - hours * HOUR_MS - 1

    def _local(self, at: Instant) -> datetime:
        return datetime.fromtimestamp(at / SECOND_MS, self._zone)
