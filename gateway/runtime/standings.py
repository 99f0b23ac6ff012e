"""Says in the time-series store, every 5 min, how each course stands, and every minute what transports did.

One course after the other, with turns for others between them: thousands of courses never keep a page waiting. Counts that were
not yet said when the gateway dies are lost: at most 5 min of a statistic, never a page.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping

from gateway.core.standing import Onset, course_point, interruption_points, standing_points
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Effect, Page, Point
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.words import OF_NO_INCIDENT, Outcome, WhyPaged

EVERY_MS = 5 * MINUTE_MS
TOLD_AFTER_END_MS = HOUR_MS  # a course that ended is looked at for so long: late words may change its interruptions
SLICE = 20  # subjects looked at before other tasks get a turn: about 5 ms
_UNCOUNTED = OF_NO_INCIDENT | {WhyPaged.RESOLVED}


class Standings:
    """What was said last, and what has been counted since."""

    def __init__(self) -> None:
        self._said_at: Instant | None = None
        self._course_said_at: dict[str, Instant] = {}
        self._pages: Counter[str] = Counter()
        self._written: dict[str, dict[Onset, Point]] = {}
        self._attempts: Counter[tuple[str, str]] = Counter()

    def note_effects(self, effects: Iterable[Effect]) -> None:
        """Pages were decided."""
        self._pages.update(one.course for one in effects if isinstance(one, Page) and one.course and one.why not in _UNCOUNTED)

    async def points(self, state: State, at: Instant) -> AsyncIterator[list[Point]]:
        """What is to be said at `at`, in slices; nothing while the last time is less than 5 min ago."""
        if self._said_at is not None and at - self._said_at < EVERY_MS:
            return
        self._said_at = at
        subjects = [*state.courses, *state.sites]
        for start in range(0, len(subjects), SLICE):
            yield [point for name in subjects[start : start + SLICE] for point in self._of(state, name, at)]
            await asyncio.sleep(0)
        for gone in set(self._course_said_at) - set(state.courses):
            for kept in (self._course_said_at, self._pages, self._written):
                kept.pop(gone, None)

    def transports(self, site: str, attempts: Mapping[tuple[str, str], int], at: Instant) -> list[Point]:
        """What transports did since the last time; `attempts` are counts since the start by (transport, outcome)."""
        news = Counter(attempts)
        news.subtract(self._attempts)
        self._attempts = Counter(attempts)
        used = sorted({by for (by, _), count in news.items() if count})
        return [Point("transport", (("site", site), ("by", by)), _outcomes(news, by), at) for by in used]

    def _of(self, state: State, name: str, at: Instant) -> list[Point]:
        course = state.courses.get(name)
        if course is None:
            site = state.sites.get(name)
            return standing_points(state, site, at) if site is not None else []
        if name == SYNTHETIC or (course.ended_at is not None and at - course.ended_at > TOLD_AFTER_END_MS):
            return []
        points = standing_points(state, course, at) + self._interruptions(course, at)
        if course.ended_at is None:
            watched_ms = at - self._course_said_at.get(name, max(course.enrolled_at, at - EVERY_MS))
            points.append(course_point(state, course, at, pages=self._pages.pop(name, 0), watched_ms=watched_ms))
        self._course_said_at[name] = at
        return points

    def _interruptions(self, course: Course, at: Instant) -> list[Point]:
        before = self._written.get(course.id, {})
        now = interruption_points(course, before, at)
        self._written[course.id] = now
        return [point for key, point in now.items() if before.get(key) != point]


def _outcomes(news: Mapping[tuple[str, str], int], by: str) -> tuple[tuple[str, int], ...]:
    told = [
        outcome for outcome in Outcome if outcome is not Outcome.WITHDRAWN
    ]  # what became pointless says nothing of a transport
    return tuple((outcome.value.replace("-", "_"), news.get((by, outcome.value), 0)) for outcome in told)
