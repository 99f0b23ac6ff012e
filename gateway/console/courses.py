"""Courses over HTTP: look, enrol, change contacts, end."""

from fastapi import APIRouter

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import EndAsked, EnrolAsked
from gateway.console.asked_care import ContactsAsked
from gateway.console.listing import LISTED, Listed
from gateway.console.problems import INVALID, Trouble, documented
from gateway.console.shapes import CourseShape, DoneShape
from gateway.domain.commands import EndCourse
from gateway.runtime.service import Service

router = APIRouter(prefix="/api/v1/courses", tags=["courses"])


@router.get("", responses=LISTED)
async def courses(service: Running, listed: Listed) -> list[CourseShape]:
    """The courses that run: all of them, the one with the least time left first; by name where `limit` or `cursor` is given.

    Time left changes from one page to the next; a name does not.
    """
    lines = service.board().courses
    shown = listed.page(lines, lambda line: (line.course,)) if listed.is_asked_for else lines
    return [CourseShape.model_validate(line) for line in shown]


@router.get("/{course}", responses=documented(404))
async def one_course(service: Running, course: str) -> CourseShape:
    """One course: its delivery, its supplies as forecasts, its dose and cycle, its windows, silences, orders, calls.

    Of one that has ended, as of its end.
    """
    line = next((line for line in service.board().courses if line.course == course), None)
    if line is not None:
        return CourseShape.model_validate(line)
    sheet = service.sheets().course(course)
    if sheet is None:
        raise Trouble(404, f"no course {course!r} is remembered")
    return CourseShape.model_validate(sheet.line).model_copy(update={"ended_at": sheet.ended_at})


@router.post("", status_code=201, responses=documented(409, 503))
async def enrol(service: Running, who: Who, asked: EnrolAsked) -> DoneShape:
    """Start watching a course on a pump."""
    return await carry_out(service, who, asked.enrolment(asked.protocol or _only_protocol(service)))


@router.patch("/{course}/contacts", responses=documented(409, 503))
async def change_contacts(service: Running, who: Who, course: str, asked: ContactsAsked) -> DoneShape:
    """Change whom to reach about a course; what is absent stays as it is."""
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
