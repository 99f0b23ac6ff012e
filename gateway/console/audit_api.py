"""The audit over HTTP: who did what, when and why, newest first, page by page. Told from the journal, never from memory."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, BeforeValidator

from gateway.console.asked import Moment
from gateway.console.problems import Trouble, documented
from gateway.console.shapes import Shape, When
from gateway.domain.instants import SECOND_MS, Instant
from gateway.runtime.audit_line import AuditBusy, AuditFailed, Result, What, line_id

LIMIT, LIMIT_MAX = 100, 1_000
TELLING_ONE = "urn:dripwatch:audit-busy"

Lines = Callable[[Sequence[str]], Awaitable[list[dict[str, Any]]]]
"""Tells an audit with these options of `dripwatch audit`, oldest line first. Raises `AuditBusy`, `AuditFailed`."""


def _instant(text: str) -> Instant:
    return round(datetime.fromisoformat(text).timestamp() * SECOND_MS)


class AuditLineShape(Shape):
    """One thing that happened. `id` names it for ever. `who` acted or was paged; empty where the gateway itself acted.

    `result` is `refused` where the gateway said no, `not-known` where the journal cannot tell any more. `why` is the reason in
    the person's or the gateway's own words, `page` a page's key, `details` what changed in the configuration.
    """

    id: str
    at: Annotated[When, BeforeValidator(_instant)]
    what: What
    who: str
    course: str
    incident: str
    result: Result
    why: str
    page: str
    text: str
    details: list[str]


class AuditShape(Shape):
    """Lines, newest first. `next_before` is what to give as `before` for the older ones; null where these were the last."""

    lines: list[AuditLineShape]
    next_before: str | None


def _named(text: str) -> str:
    line_id(text)
    return text


Short = Annotated[str, Query(max_length=100)]
Before = Annotated[Annotated[str, AfterValidator(_named)] | None, Query(description="only lines before this one, like 48213.2")]
From = Annotated[Moment | None, Query(description="an instant with its offset")]
Until = Annotated[Moment | None, Query(description="an instant with its offset; it is not included")]
Kinds = Annotated[list[What] | None, Query(description="only these; else all but the gateway's own test")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]


def audit_router(tell: Lines) -> APIRouter:
    """`GET /api/v1/audit`."""
    bearer = [Depends(HTTPBearer(auto_error=False, description="the text in the file api-token beside the journal"))]
    router = APIRouter(prefix="/api/v1/audit", tags=["audit"], dependencies=bearer, responses=documented(401, 422, 503))

    @router.get("")
    async def audit(  # noqa: PLR0913, PLR0917  the query's parts, by name
        course: Short = "",
        incident: Short = "",
        who: Short = "",
        what: Kinds = None,
        from_: Annotated[From, Query(alias="from")] = None,
        until: Until = None,
        before: Before = None,
        limit: Limit = LIMIT,
    ) -> AuditShape:
        """Who did what, when and why. A long journal takes a minute or two; one audit is told at a time, others get a 503."""
        texts = {"course": course, "incident": incident, "who": who, "before": before or ""}
        texts |= {"from": from_.isoformat() if from_ else "", "until": until.isoformat() if until else ""}
        options = [f"--{name}={text}" for name, text in texts.items() if text]
        options += [f"--what={kind.value}" for kind in what or ()]
        lines = await _told(tell, [*options, f"--last={limit + 1}"])
        shown = lines[-limit:]
        more = len(lines) > len(shown)
        return AuditShape(
            lines=[AuditLineShape.model_validate(line) for line in reversed(shown)],
            next_before=str(shown[0]["id"]) if more else None,
        )

    return router


async def _told(tell: Lines, options: Sequence[str]) -> list[dict[str, Any]]:
    try:
        return await tell(options)
    except AuditBusy as busy:
        raise Trouble(503, str(busy), kind=TELLING_ONE) from None
    except AuditFailed as failed:
        raise Trouble(503, str(failed)) from None
