"""Courses over HTTP: enrol, hang a bag, end."""

from fastapi import APIRouter

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import BagAsked, EndAsked, EnrolAsked, instant
from gateway.console.problems import INVALID, Trouble, documented
from gateway.console.shapes import CourseShape, DoneShape
from gateway.domain.commands import EndCourse, Enrol
from gateway.runtime.service import Service

router = APIRouter(prefix="/api/v1/courses", tags=["courses"])


@router.get("")
async def courses(service: Running) -> list[CourseShape]:
    """The courses that run, the one with the least time left first."""
    return [CourseShape.model_validate(line) for line in service.board().courses]


@router.post("", status_code=201, responses=documented(409, 503))
async def enrol(service: Running, who: Who, asked: EnrolAsked) -> DoneShape:
    """Start watching a course on a pump."""
    command = Enrol(
        course=asked.course,
        pump=asked.pump,
        protocol=asked.protocol or _only_protocol(service),
        bag=asked.bag,
        primed_ml=asked.primed_ml,
        planned_change_ms=asked.planned_change,
        cycle=asked.cycle,
        hung_at=instant(asked.hung_at),
        checklist_complete=asked.checklist_complete,
        override_reason=asked.override_reason,
    )
    return await carry_out(service, who, command)


@router.post("/{course}/bags", status_code=201, responses=documented(409, 503))
async def hang_bag(service: Running, who: Who, course: str, asked: BagAsked) -> DoneShape:
    """Record that a new bag hangs."""
    return await carry_out(service, who, asked.command(course))


@router.post("/{course}/end", responses=documented(409, 503))
async def end(service: Running, who: Who, course: str, asked: EndAsked | None = None) -> DoneShape:
    """Stop watching a course; its pump is free then."""
    return await carry_out(service, who, EndCourse(course=course, reason=asked.reason if asked else ""))


def _only_protocol(service: Service) -> str:
    """The ward's protocol where it has one; nobody guesses among several."""
    names = sorted(name for name, _ in service.protocols())
    if len(names) != 1:
        raise Trouble(422, f"body.protocol: is missing; this ward has: {', '.join(names) or 'none'}", kind=INVALID)
    return names[0]
