"""The diary over the API: read it, add to it, and the private link to the home's page."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer
from pydantic import AliasChoices, Field

from gateway.console.access import Who, carry_out
from gateway.console.asked import Asked, Moment, Words, instant
from gateway.console.diary_links import DiaryLinks
from gateway.console.listing import LISTED, Listed
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import DoneShape, Shape, When
from gateway.core.board import CourseLine
from gateway.domain.commands import AddDiary
from gateway.domain.words import DiaryKind
from gateway.runtime.service import Service


class DiaryAsked(Asked):
    """One entry or several of one moment: at least one of temperature, handwriting, symptom, note.

    `observed_at` is when, now where it is absent; `at` is read as the same.
    """

    temperature_c: Annotated[float | None, Field(strict=True, allow_inf_nan=False)] = None
    handwriting_changed: Annotated[bool | None, Field(strict=True)] = None
    symptom: Words = ""
    note: Words = ""
    from_whom: Literal["patient", "caregiver", "nurse"] = "nurse"
    observed_at: Annotated[Moment | None, Field(validation_alias=AliasChoices("observed_at", "at"))] = None


class DiaryShape(Shape):
    """A line of the diary. `late`: it came after a newer one of its kind, and overrules nothing."""

    at: When
    noted_at: When
    kind: DiaryKind
    temperature_c: float | None
    changed: bool | None
    text: str
    who: str
    late: bool


class LinkShape(Shape):
    """The home's private page: its path, and its whole address as the ward file's `console.base_url` has it.

    Both stay the same until the pseudonym is enrolled again.
    """

    path: str
    url: str


def diary_router(service: Service, links: DiaryLinks) -> APIRouter:
    """The routes under `/api/v1/courses/{course}/diary`."""
    bearer = [Depends(HTTPBearer(auto_error=False, description="the text in the file api-token beside the journal"))]
    router = APIRouter(prefix="/api/v1/courses", tags=["diary"], dependencies=bearer, responses=documented(401, 404, 422))

    @router.get("/{course}/diary", responses=LISTED)
    async def read_diary(course: str, listed: Listed) -> list[DiaryShape]:
        """What stands in the diary, newest first (at most 60 lines)."""
        lines = listed.page(enumerate(_line(service, course).diary), lambda one: (-one[1].at, -one[1].noted_at, -one[0]))
        return [DiaryShape.model_validate(line) for _, line in lines]

    @router.post("/{course}/diary", status_code=201, responses=documented(409, 503))
    async def add_to_diary(course: str, who: Who, asked: DiaryAsked) -> DoneShape:
        """Note what the home said."""
        command = AddDiary(
            course=course,
            temperature_c=asked.temperature_c,
            handwriting_changed=asked.handwriting_changed,
            symptom=asked.symptom,
            note=asked.note,
            from_whom=asked.from_whom,
            observed_at=instant(asked.observed_at),
        )
        return await carry_out(service, who, command)

    @router.get("/{course}/diary/link")
    async def diary_link(course: str) -> LinkShape:
        """The private link to give to the home, and to nobody else."""
        path = links.path(_line(service, course))
        return LinkShape(path=path, url=links.base_url + path)

    return router


def _line(service: Service, course: str) -> CourseLine:
    for line in service.board().courses:
        if line.course == course:
            return line
    raise Trouble(404, f"no course {course} is running")
