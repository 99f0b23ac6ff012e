"""What became of a person's command, and the refusals that many commands share."""

from dataclasses import dataclass

from gateway.core.context import Context
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.texts import clock_time


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command; `subject` is what must be judged anew."""

    ok: bool
    message: str
    subject: str = ""
    incident: str = ""


def no(message: str) -> Done:
    """Refused: why, and the mend."""
    return Done(ok=False, message=message)


def yes(message: str, subject: str, incident: str = "") -> Done:
    """Done: what is so now."""
    return Done(ok=True, message=message, subject=subject, incident=incident)


def running(state: State, name: str) -> Course | None:
    """The course of that name that has not ended, to be changed."""
    course = state.courses.get(name)
    if course is None or course.ended_at is not None:
        return None
    state.touch(name)
    return course


def not_running(state: State, name: str, now: Context) -> str:
    """Why there is no running course of that name."""
    course = state.courses.get(name)
    if course is None or course.ended_at is None:
        known = ", ".join(sorted(each.id for each in state.courses.values() if each.ended_at is None)[:10])
        return f"there is no course {name!r}; running: {known or 'none'}"
    return f"{name} ended at {clock_time(course.ended_at, now)}; enrol it again to go on"
