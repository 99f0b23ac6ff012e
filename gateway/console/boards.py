"""The board, the pumps and the pages over HTTP."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import ClearAsked
from gateway.console.board_answer import BoardAnswer, matches
from gateway.console.listing import LISTED, Listed, Listing
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import BoardShape, DoneShape, PageShape, PumpShape
from gateway.domain.commands import ClearCondition
from gateway.runtime.service import PageLine

router = APIRouter(prefix="/api/v1")

_TAG = {"ETag": {"description": "changes with everything that happens", "schema": {"type": "string"}}}
_TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": _TAG},
    304: {"description": "nothing has happened since", "headers": _TAG},
}

Key = Annotated[str, Query(max_length=100)]


@router.get("/board", tags=["board"], response_model=BoardShape, responses=_TAGGED)
async def board(request: Request, if_none_match: Annotated[str, Header(max_length=1_000)] = "") -> Response:
    """Everything at one instant: the course with the least time left first.

    With the `ETag` of an answer as `If-None-Match` the next one is a 304 without a body until something has happened.
    """
    written: BoardAnswer = request.app.state.board_answer
    body, tag = await written.now()
    if if_none_match and matches(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


@router.get("/pumps", tags=["pumps"], responses=LISTED)
async def pumps(service: Running, listed: Listed) -> list[PumpShape]:
    """All devices that were ever heard or enrolled, by name."""
    return [PumpShape.model_validate(line) for line in listed.page(service.board().pumps, lambda line: (line.device,))]


@router.get("/pumps/{device}", tags=["pumps"], responses=documented(404))
async def pump(service: Running, device: str) -> PumpShape:
    """One device."""
    line = next((line for line in service.board().pumps if line.device == device), None)
    if line is None:
        raise Trouble(404, f"no pump {device!r} was ever heard or enrolled here")
    return PumpShape.model_validate(line)


@router.post("/pumps/{device}/clear", tags=["pumps"], responses=documented(409, 503))
async def clear(service: Running, who: Who, device: str, asked: ClearAsked) -> DoneShape:
    """Note that a person saw the pump without this condition. It changes nothing at the pump: alarms are cleared there."""
    return await carry_out(service, who, ClearCondition(pump=device, condition=asked.condition))


@router.get("/pages", tags=["pages"], responses=LISTED)
async def pages(service: Running, listed: Listed, incident: Key = "", course: Key = "") -> list[PageShape]:
    """The latest pages, at most 200, newest first; about one incident or one course where it is named."""
    wanted = (line for line in service.pages() if incident in ("", line.page.incident) and course in ("", line.page.course))
    return page_shapes(wanted, listed)


def page_shapes(lines: Iterable[PageLine], listed: Listing) -> list[PageShape]:
    """A page of the list of pages."""
    return [_page_shape(line) for line in listed.page_in_order(tuple(lines), lambda line: line.page.key)]


def _page_shape(line: PageLine) -> PageShape:
    """Without the address and the reply code: whom it reached is enough, and neither is this list's business."""
    page = line.page
    return PageShape(
        key=page.key,
        incident=page.incident,
        course=page.course,
        to=page.person,
        by=page.transport,
        priority=page.priority,
        why=page.why,
        about=list(page.about),
        text=page.text,
        decided_at=page.decided_at,
        outcome=line.outcome,
        reason=line.reason,
        at=line.at,
    )
