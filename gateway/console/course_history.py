"""What is remembered of courses, and what they may be enrolled under, over HTTP."""

from fastapi import APIRouter

from gateway.console.access import Running
from gateway.console.listing import LISTED, Listed
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import CallShape
from gateway.console.shapes_past import (
    BagKindShape,
    CourseHistoryShape,
    CourseSilenceShape,
    EndedShape,
    ProtocolShape,
    StretchShape,
)
from gateway.core.course_sheet import CourseSheet
from gateway.runtime.service import Service
from rules.model import Protocol

router = APIRouter(prefix="/api/v1")


@router.get("/ended-courses", tags=["courses"], responses=LISTED)
async def ended_courses(service: Running, listed: Listed) -> list[EndedShape]:
    """The courses that ended within 90 days, the newest end first."""
    ended = [EndedShape.model_validate(line) for line in service.sheets().courses() if line.ended_at is not None]
    return listed.page(ended, lambda line: (-line.ended_at, line.course))


@router.get("/courses/{course}/history", tags=["courses"], responses=documented(404))
async def history(service: Running, course: str) -> CourseHistoryShape:
    """What happened to a course so far, and what is to come, as far as the gateway remembers it."""
    sheet = _sheet(service, course)
    unknowns = [StretchShape(since=since, until=until) for since, until in sheet.unknowns]
    parts = {name: getattr(sheet, name) for name in CourseHistoryShape.model_fields if name not in ("course", "unknowns")}
    return CourseHistoryShape.model_validate({**parts, "course": course, "unknowns": unknowns}, from_attributes=True)


@router.get("/courses/{course}/calls", tags=["care"], responses=documented(404) | LISTED)
async def calls(service: Running, course: str, listed: Listed) -> list[CallShape]:
    """Calls to the home, newest first, at most the last 50."""
    lines = enumerate(reversed(_sheet(service, course).calls))
    return [CallShape.model_validate(line) for _, line in listed.page(lines, lambda one: (-one[1].at, -one[0]))]


@router.get("/silences", tags=["windows and silences"], responses=LISTED)
async def silences(service: Running, listed: Listed, course: str = "") -> list[CourseSilenceShape]:
    """The silences that run, of one course or of all; a silence's id ends it."""
    lines = [(line.course, one) for line in service.board().courses if course in ("", line.course) for one in line.silences]
    shown = listed.page(lines, lambda line: (line[0], line[1].id))
    return [
        CourseSilenceShape(course=name, id=one.id, rules=list(one.rules), until_at=one.until_at, who=one.who, reason=one.reason)
        for name, one in shown
    ]


@router.get("/protocols", tags=["courses"])
async def protocols(service: Running) -> list[ProtocolShape]:
    """The protocols of the ward, with their kinds of bags, their rules and their checklists."""
    return [_protocol(protocol) for protocol in service.sheets().protocols]


def _sheet(service: Service, course: str) -> CourseSheet:
    sheet = service.sheets().course(course)
    if sheet is None:
        raise Trouble(404, f"no course {course!r} is remembered")
    return sheet


def _protocol(protocol: Protocol) -> ProtocolShape:
    return ProtocolShape(
        name=protocol.name,
        infusion_days=protocol.infusion_days,
        break_days=protocol.break_days,
        interruption_limit_ms=protocol.interruption_limit_ms,
        bags=[BagKindShape.model_validate(kind) for kind in protocol.bags.values()],
        rules=[rule.name for rule in protocol.rules],
        checklist=list(protocol.checklist),
    )
