"""What became of a person's command, and the refusals that many commands share."""

from dataclasses import dataclass

from gateway.core.context import Context
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.texts import clock_time
from gateway.domain.instants import Instant
from gateway.domain.sentences import Length, Moment, Sentence, sentence
from rules.durations import say_ms


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command; `subject` is what must be judged anew."""

    ok: bool
    said: Sentence
    subject: str = ""
    incident: str = ""


def no(said: Sentence) -> Done:
    """Refused: why, and the mend."""
    return Done(ok=False, said=said)


def yes(said: Sentence, subject: str, incident: str = "") -> Done:
    """Done: what is so now."""
    return Done(ok=True, said=said, subject=subject, incident=incident)


def moment(at: Instant, now: Context) -> Moment:
    """An instant in a sentence."""
    return Moment(at, clock_time(at, now))


def length(length_ms: int) -> Length:
    """A length of time in a sentence."""
    return Length(length_ms, say_ms(length_ms))


def running(state: State, name: str) -> Course | None:
    """The course of that name that has not ended, to be changed."""
    course = state.courses.get(name)
    if course is None or course.ended_at is not None:
        return None
    state.touch(name)
    return course


def not_running(state: State, name: str, now: Context) -> Sentence:
    """Why there is no running course of that name."""
    course = state.courses.get(name)
    if course is None or course.ended_at is None:
        known = tuple(sorted(each.id for each in state.courses.values() if each.ended_at is None)[:10])
        return sentence("there is no course {name!r}; running: {known}", name=name, known=known or sentence("none"))
    return sentence("{name} ended at {at}; enrol it again to go on", name=name, at=moment(course.ended_at, now))
