"""Errors as RFC 9457 has them: `application/problem+json` with a type, a title, a status and a detail that holds the mend."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from gateway.runtime.ports import JournalFull

MEDIA_TYPE = "application/problem+json"

REFUSED = "urn:dripwatch:refused"
INVALID = "urn:dripwatch:invalid"
NO_TOKEN = "urn:dripwatch:no-token"  # noqa: S105 - a problem's name
FORBIDDEN = "urn:dripwatch:forbidden"
NOT_READY = "urn:dripwatch:not-ready"
JOURNAL_FULL = "urn:dripwatch:journal-full"
INTERNAL = "urn:dripwatch:internal"
PLAIN = "about:blank"


class WrongPart(BaseModel):
    """One thing that is wrong with a request: where (`body.planned_change`), and what."""

    where: str
    what: str


class Problem(BaseModel):
    """The body of every error. `type` is the name to program against, `detail` the words for people."""

    type: str = PLAIN
    title: str
    status: int
    detail: str
    errors: list[WrongPart] = Field(default_factory=list, description="what is wrong with the request, part by part")


class Trouble(Exception):
    """Raised by handlers: the answer is this problem. `more` are extension members."""

    def __init__(self, status: int, detail: str, *, kind: str = PLAIN, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind, self.more = status, detail, kind, dict(more or {})


def problem(
    status: int,
    detail: str,
    *,
    kind: str = PLAIN,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """A problem as a response."""
    title = HTTPStatus(status).phrase
    body = {"type": kind, "title": title, "status": status, "detail": detail, **(more or {})}
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as OpenAPI responses that carry a problem."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answer_with_problems(api: FastAPI) -> None:
    """Every error of the API becomes a problem; what nobody foresaw is the guard's business."""

    @api.exception_handler(Trouble)
    async def trouble(_: Request, error: Trouble) -> JSONResponse:
        return problem(error.status, error.detail, kind=error.kind, more=error.more)

    @api.exception_handler(JournalFull)
    async def journal_full(_: Request, error: JournalFull) -> JSONResponse:
        detail = f"nothing was changed: the journal cannot store it now ({error}); try again when that is mended"
        return problem(503, detail, kind=JOURNAL_FULL, headers={"Retry-After": "10"})

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        parts = [_wrong_part(item) for item in error.errors()]
        detail = "; ".join(f"{part.where}: {part.what}" for part in parts)
        return problem(422, detail, kind=INVALID, more={"errors": [part.model_dump() for part in parts]})

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        known = {404: f"there is nothing at {request.url.path}; see /api/docs", 405: f"not a way to use {request.url.path}"}
        detail = str(error.detail)
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for bytes that are no text
            return problem(422, "body: is not JSON in UTF-8", kind=INVALID)
        if detail == HTTPStatus(error.status_code).phrase:
            detail = known.get(error.status_code, detail)
        return problem(error.status_code, detail, headers=error.headers)


def _wrong_part(item: Mapping[str, Any]) -> WrongPart:
    """Where and what, without the value: it may be long, and it is the asker's own."""
    words = {"extra_forbidden": "is not a key here", "missing": "is missing", "json_invalid": "is not JSON"}
    what = words.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    return WrongPart(where=".".join(str(part) for part in item["loc"]), what=what)
