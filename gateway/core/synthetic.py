"""The gateway's own test as the core sees it: a course that is no patient's, on a pump that serves nobody.

The ward file asks for it; nobody enrols it. It is judged, paged and acknowledged like any other, by a protocol and a policy of
its own, and whatever counts patients or nurses' pages leaves it out by its name.
"""

from gateway.core.context import Context
from gateway.core.state import Course
from gateway.core.store import State
from gateway.domain.commands import Command, Enrol
from gateway.domain.effects import Effect, Point
from gateway.domain.sentences import Sentence, sentence
from gateway.domain.ward import Policy, Route, Step, Synthetic

SYNTHETIC = "SYNTHETIC"
PROTOCOL = "synthetic_pump"
RULE = "synthetic-alarm"
ROUTE = "synthetic"


def route() -> Route:
    """The test's alert goes to the test's policy."""
    return Route(RULE, ROUTE)


def policy(synthetic: Synthetic) -> Policy:
    """Who is paged: the test recipient, once. Whoever runs the test ends it when nobody takes it in time."""
    return Policy(ROUTE, (Step((f"person:{synthetic.person}",), synthetic.within_ms),), ack_lease_ms=synthetic.within_ms)


def settle(state: State, now: Context) -> None:
    """Have the course that the ward asks for now, or none; a patient's pump is never taken."""
    wanted, course = now.ward.synthetic, state.courses.get(SYNTHETIC)
    if course is not None and (wanted is None or (course.site, course.pump) != (now.ward.site, wanted.pump)):
        state.pump_of(course).course = ""
        state.drop_course(SYNTHETIC)
        course = None
    if wanted is None or course is not None:
        return
    pump = state.pump(now.ward.site, wanted.pump)
    if not pump.course:
        pump.course = SYNTHETIC
        made = Course(id=SYNTHETIC, site=now.ward.site, protocol=PROTOCOL, pump=wanted.pump, enrolled_at=now.at)
        state.add_course(made)


def refusal(command: Command) -> Sentence | None:
    """Why a person cannot ask for this: the test's course is nobody's to change. None for everything else."""
    if getattr(command, "course", "") == SYNTHETIC:
        return sentence("{course} is the gateway's own test, not a patient's course; the ward file sets it up", course=SYNTHETIC)
    if isinstance(command, Enrol) and command.protocol == PROTOCOL:
        return sentence("{protocol} is the gateway's own test, not a patient's protocol", protocol=PROTOCOL)
    return None


def leave_unmeasured(course: str, effects: list[Effect]) -> None:
    """Take the test's points out of the effects: no statistics of patients, incidents or pages shall count it."""
    if course == SYNTHETIC:
        effects[:] = [one for one in effects if not (isinstance(one, Point) and ("course", SYNTHETIC) in one.tags)]
