"""The board, the pumps and the pages over HTTP."""

from fastapi import APIRouter

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import ClearAsked
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import BoardShape, DoneShape, PageShape, PumpShape
from gateway.domain.commands import ClearCondition
from gateway.runtime.service import PageLine

router = APIRouter(prefix="/api/v1")


@router.get("/board", tags=["board"])
async def board(service: Running) -> BoardShape:
    """Everything at one instant: the course with the least time left first."""
    return BoardShape.model_validate(service.board())


@router.get("/pumps", tags=["pumps"])
async def pumps(service: Running) -> list[PumpShape]:
    """All devices that were ever heard or enrolled."""
    return [PumpShape.model_validate(line) for line in service.board().pumps]


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


@router.get("/pages", tags=["pages"])
async def pages(service: Running) -> list[PageShape]:
    """The latest pages, at most 200, newest first."""
    return [_page_shape(line) for line in service.pages()]


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
