"""The export over HTTP: a course's or a period's history as JSON Lines or CSV, written while it is read from the journal."""

from collections.abc import AsyncGenerator, Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from gateway.console.asked import Moment
from gateway.console.problems import INVALID, Trouble, documented
from gateway.runtime.export_line import ExportBusy, ExportFailed

WRITING_ONE = "urn:dripwatch:export-busy"

Pieces = Callable[[Sequence[str]], AsyncGenerator[bytes, None]]
"""Writes an export with these options of `dripwatch export`. Raises `ExportBusy`, `ExportFailed`."""


class Form(StrEnum):
    """How to write it."""

    JSONL = "jsonl"
    CSV = "csv"


MEDIA = {Form.JSONL: "application/x-ndjson", Form.CSV: "text/csv"}

From = Annotated[Moment | None, Query(description="an instant with its offset")]
Until = Annotated[Moment | None, Query(description="an instant with its offset; it is not included")]
Course = Annotated[str, Query(max_length=64, description="only what concerns this course")]

_WRITTEN: dict[int | str, dict[str, Any]] = {
    200: {"description": "a line for each thing", "content": {media: {"schema": {"type": "string"}} for media in MEDIA.values()}}
}


def export_router(pieces: Pieces) -> APIRouter:
    """`GET /api/v1/export`."""
    router = APIRouter(prefix="/api/v1/export", tags=["export"])

    @router.get("", response_class=StreamingResponse, responses=_WRITTEN | documented(401, 403, 422, 503))
    async def export(
        course: Course = "",
        from_: Annotated[From, Query(alias="from")] = None,
        until: Until = None,
        form: Annotated[Form, Query(alias="format")] = Form.JSONL,
    ) -> StreamingResponse:
        """What pumps said, what the gateway judged, whom it paged: without names, addresses, and free text.

        One export is written at a time, others get a 503. What each column means stands in docs/commands.md.
        """
        if from_ and until and until <= from_:
            raise Trouble(422, "query.until: does not come after from; swap them, or leave one out", kind=INVALID)
        texts = {"course": course, "from": from_.isoformat() if from_ else "", "until": until.isoformat() if until else ""}
        options = [f"--{name}={text}" for name, text in texts.items() if text]
        coming = pieces([*options, f"--format={form.value}"])
        first = await _first(coming)
        name = f'attachment; filename="dripwatch-export.{form.value}"'
        return StreamingResponse(_all(first, coming), media_type=MEDIA[form], headers={"Content-Disposition": name})

    return router


async def _first(coming: AsyncGenerator[bytes, None]) -> bytes:
    """The first piece: what is wrong with the whole shows before it."""
    try:
        return await anext(coming, b"")
    except ExportBusy as busy:
        raise Trouble(503, str(busy), kind=WRITING_ONE) from None
    except ExportFailed as failed:
        raise Trouble(503, str(failed)) from None


async def _all(first: bytes, coming: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """All of it; whoever hangs up ends the writing."""
    try:
        yield first
        async for piece in coming:
            yield piece
    finally:
        await coming.aclose()
