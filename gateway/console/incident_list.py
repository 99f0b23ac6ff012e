"""The list of incidents: what is open, what was, and who was paged last."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from gateway.console.access import Reader, Running
from gateway.console.pages import page
from gateway.console.terms import FAILED
from gateway.core.board import IncidentLine
from gateway.domain.words import IncidentState
from gateway.runtime.service import PageLine, Service

PAST_SHOWN = 50  # to a page of the list
PAGES_SHOWN = 30

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Past:
    """One page of what is over; `newer` and `older` are the numbers of the pages beside it, 0 where there is none."""

    lines: tuple[IncidentLine, ...]
    newer: int
    older: int


@router.get("/incidents")
async def incident_list(
    request: Request,
    service: Running,
    reader: Reader,  # noqa: ARG001  admission
    part: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """Open incidents in the order of urgency, then the past ones, newest first, in parts."""
    open_ = [*service.incidents(IncidentState.TRIGGERED), *service.incidents(IncidentState.ACKNOWLEDGED)]
    open_.sort(key=lambda line: (-line.priority.rank, bool(line.holder), line.opened_at))
    pages: list[PageLine] = list(service.pages())[:PAGES_SHOWN]
    return await page(request, "incidents.html", open=open_, past=_past(service, part), pages=pages, failed=FAILED)


def _past(service: Service, part: int) -> Past:
    over = service.incidents(IncidentState.RESOLVED, first=(part - 1) * PAST_SHOWN, most=PAST_SHOWN + 1)
    return Past(tuple(over[:PAST_SHOWN]), newer=part - 1, older=part + 1 if len(over) > PAST_SHOWN else 0)
