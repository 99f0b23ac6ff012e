"""Incidents over HTTP: look, take, pass on, close, write down."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import AckAsked, CloseAsked, HandOverAsked, Moment, NoteAsked, to_ms
from gateway.console.boards import page_shapes
from gateway.console.listing import LISTED, Listed
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import DoneShape, IncidentShape, PageShape
from gateway.core.board import IncidentLine
from gateway.domain.commands import Acknowledge, Close, Escalate, HandOver, Note
from gateway.domain.words import IncidentState, Priority
from gateway.runtime.service import Service

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

Wanted = Annotated[IncidentState | None, Query(alias="state", description="only those in this state")]
Urgent = Annotated[Priority | None, Query(description="only those of this priority")]
Since = Annotated[Moment | None, Query(description="only those that opened then or later")]
Until = Annotated[Moment | None, Query(description="only those that opened before")]


@router.get("", responses=LISTED)
async def incidents(
    service: Running,
    listed: Listed,
    wanted: Wanted = None,
    subject: Annotated[str, Query(max_length=64, description="only of this course or site")] = "",
    priority: Urgent = None,
    since: Since = None,
    until: Until = None,
) -> list[IncidentShape]:
    """Incidents that are remembered, newest first."""
    lines = [
        line
        for line in service.incidents(wanted, about=subject)
        if subject in ("", line.subject)  # `about` knows keys too
        and priority in (None, line.priority)
        and (since is None or line.opened_at >= to_ms(since))
        and (until is None or line.opened_at < to_ms(until))
    ]
    return [IncidentShape.model_validate(line) for line in listed.page(lines, lambda line: (-line.opened_at, line.key))]


@router.get("/{key}", responses=documented(404))
async def incident(service: Running, key: str) -> IncidentShape:
    """One incident with its history. `key`: its key, or its course's or site's name (the open one, else the newest)."""
    return IncidentShape.model_validate(_found(service, key))


@router.get("/{key}/pages", tags=["pages"], responses=documented(404) | LISTED)
async def pages_of_incident(service: Running, key: str, listed: Listed) -> list[PageShape]:
    """The pages about one incident, newest first, of the latest 200 of the gateway; the audit has all of them."""
    line = _found(service, key)
    return page_shapes((page for page in service.pages() if page.page.incident == line.key), listed)


@router.post("/{key}/ack", responses=documented(409, 503))
async def acknowledge(service: Running, who: Who, key: str, asked: AckAsked | None = None) -> DoneShape:
    """Take it: nobody else is paged until the time is over. The pump's own alarm is cleared at the pump."""
    return await carry_out(service, who, Acknowledge(incident=key, for_ms=asked.for_ if asked else None))


@router.post("/{key}/escalate", responses=documented(409, 503))
async def escalate(service: Running, who: Who, key: str) -> DoneShape:
    """Page the next step now."""
    return await carry_out(service, who, Escalate(incident=key))


@router.post("/{key}/hand-over", responses=documented(409, 503))
async def hand_over(service: Running, who: Who, key: str, asked: HandOverAsked) -> DoneShape:
    """Page a colleague by name, who has it once it is taken; else the policy goes on."""
    return await carry_out(service, who, HandOver(incident=key, to=asked.to))


@router.post("/{key}/close", responses=documented(409, 503))
async def close(service: Running, who: Who, key: str, asked: CloseAsked) -> DoneShape:
    """End it with a reason. What still fires with high priority cannot be closed."""
    return await carry_out(service, who, Close(incident=key, reason=asked.reason))


@router.post("/{key}/note", responses=documented(409, 503))
async def note(service: Running, who: Who, key: str, asked: NoteAsked) -> DoneShape:
    """Add a line to its history."""
    return await carry_out(service, who, Note(incident=key, text=asked.text))


def _found(service: Service, key: str) -> IncidentLine:
    line = named(service.incidents(about=key), key)
    if line is None:
        raise Trouble(404, f"no incident {key!r} is remembered")
    return line


def named(lines: Sequence[IncidentLine], name: str) -> IncidentLine | None:
    """By key; else of that course or site the open one (that of the main route first), else the newest. `lines`: newest first."""
    of_subject = [line for line in lines if line.subject == name]
    open_ = sorted((line for line in of_subject if line.state is not IncidentState.RESOLVED), key=lambda line: line.route)
    return next((line for line in (*(line for line in lines if line.key == name), *open_, *of_subject)), None)
