"""The watchdog's judgement, on another host: is the gateway alive, as far as can be told from here? Pure: time is an argument.

It has two views of the gateway, the heartbeat by the broker and the answer of `/health/ready`, and says what the two together
mean. Its own network may fail too: reaching neither broker nor gateway is told apart from a gateway that is down.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.runtime import heartbeat
from rules.durations import say_ms

FRESH_MS = 3 * heartbeat.EVERY_MS + 5 * SECOND_MS
STEADY_MS = MINUTE_MS  # what has changed since people were told is told when it has been so for so long, `after` at the most
RETRY_MS = 30 * SECOND_MS  # when nobody could be told


class Answer(StrEnum):
    """What `/health/ready` said."""

    READY = "ready"
    NOT_READY = "not-ready"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen now. `linked_at`: since when we have a broker session; None without one. `beat_at`: the newest heartbeat.

    `well`: what that heartbeat said of the gateway. `why` is the findings of a gateway that is not ready, or why nothing answers.
    """

    linked_at: Instant | None
    beat_at: Instant | None
    well: bool
    answer: Answer
    why: str = ""


class Trouble(StrEnum):
    """What may be wrong, as far as both views tell."""

    CUT_OFF = "cut-off"
    GATEWAY_DOWN = "gateway-down"
    BROKER_DOWN = "broker-down"
    NO_HEARTBEAT = "no-heartbeat"
    NO_ANSWER = "no-answer"
    NOT_READY = "not-ready"


_SAID = {
    Trouble.CUT_OFF: "I reach NEITHER the broker NOR the gateway; this may be my own network. Look whether pumps are watched.",
    Trouble.GATEWAY_DOWN: "the GATEWAY IS DOWN while the broker is up. Pumps are NOT watched. Call the on-call engineer.",
    Trouble.BROKER_DOWN: "the BROKER IS DOWN; the gateway answers, but hears no pump. Call the on-call engineer.",
    Trouble.NO_HEARTBEAT: "the gateway answers, but its heartbeat does not come by the broker. Call the on-call engineer.",
    Trouble.NO_ANSWER: "the gateway's heartbeat comes, but its pages do not open for me. Call the on-call engineer.",
    Trouble.NOT_READY: "the gateway says that it is NOT READY. Pumps may not be watched. Call the on-call engineer.",
}


def trouble_of(sight: Sight, at: Instant) -> Trouble | None:
    """What the two views mean together; None when both are well."""
    beats = sight.beat_at is not None and at - sight.beat_at < FRESH_MS
    answers = sight.answer is not Answer.NONE
    if sight.linked_at is None:
        return Trouble.BROKER_DOWN if answers else Trouble.CUT_OFF
    if not beats and not answers:
        return Trouble.GATEWAY_DOWN
    if sight.answer is Answer.NOT_READY or (beats and not sight.well):
        return Trouble.NOT_READY
    if not beats:
        return Trouble.NO_HEARTBEAT
    return None if answers else Trouble.NO_ANSWER


class Watch:
    """One gateway under watch. `site` stands in what is said; people are told after `after_ms`, and again every `repeat_ms`."""

    def __init__(self, site: str, *, after_ms: int, repeat_ms: int | None, at: Instant) -> None:
        self._site, self._after_ms, self._repeat_ms = site, after_ms, repeat_ms
        self._trouble: Trouble | None = None
        self._changed_at = self._well_at = self._next_at = at
        self._told: Trouble | None = None  # what people think; None: that all is well
        self._repeat_at: Instant | None = None

    def look(self, sight: Sight, at: Instant) -> str | None:
        """What is to be said now; None: nothing. Whoever says it calls `said`."""
        young = _is_young(sight, at)
        trouble = trouble_of(sight, at) if not young else None if sight.answer is Answer.READY else self._trouble
        if trouble is not self._trouble:
            self._trouble, self._changed_at = trouble, at
        if trouble is None and self._told is None and not young:
            self._well_at = at
        if at < self._next_at or not self._is_due(trouble, at):
            return None
        lasted = say_ms(at - self._well_at)
        if trouble is None:
            return f"Dripwatch {self._site}: it is over, the gateway is well and watched again. It took {lasted}."
        why = f" ({sight.why})" if sight.why else ""
        return f"Dripwatch {self._site}: for {lasted} {_SAID[trouble]}{why}"

    def said(self, at: Instant, *, told: bool) -> None:
        """What `look` gave was said; `told`: somebody has it."""
        if not told:
            self._next_at = at + RETRY_MS
            return
        self._told = self._trouble
        repeats = self._told is not None and self._repeat_ms is not None
        self._repeat_at = at + (self._repeat_ms or 0) if repeats else None

    def _is_due(self, trouble: Trouble | None, at: Instant) -> bool:
        if trouble is self._told:
            return self._repeat_at is not None and at >= self._repeat_at
        if self._told is None:
            return at - self._well_at >= self._after_ms
        return at - self._changed_at >= min(STEADY_MS, self._after_ms)


def _is_young(sight: Sight, at: Instant) -> bool:
    """The session has only begun, and a heartbeat may be on its way: nothing is concluded from there being none."""
    heard = sight.beat_at is not None and sight.linked_at is not None and sight.beat_at >= sight.linked_at
    return sight.linked_at is not None and not heard and at - sight.linked_at < FRESH_MS
