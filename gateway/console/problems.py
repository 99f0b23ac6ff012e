"""Errors as RFC 9457 has them: `application/problem+json` with a type, a title, a status and a detail that holds the mend."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from gateway.console.words import message
from gateway.domain.sentences import Sentence
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

# What a page says where the words for programs would not help whoever sits in front of it.
NO_PAGE = message("There is no page at this address. The board leads to everything.")
NO_WAY = message("This address cannot be used like that, so nothing was changed. The board leads to everything.")
UNREADABLE = message(
    "Something in this address or form cannot be read, so nothing was changed. Go back, and use what the page offers."
)
TOO_LONG = message("This is longer than anything that our pages send, so nothing was changed. Go back, and write less.")
NOT_STORED = message(
    "Nothing was changed: the gateway cannot store anything now. The board says why; try again when that is mended."
)


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
    reference: str = Field(default="", description="of a mistake of the gateway's own (500): by what its log calls it")


class Trouble(Exception):
    """Raised by handlers: the answer is this problem. `more` are extension members."""

    def __init__(self, status: int, detail: Sentence | str, *, kind: str = PLAIN, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(str(detail))
        self.status, self.detail, self.kind, self.more = status, detail, kind, dict(more or {})


class ProblemResponse(JSONResponse):
    """A problem as a response. `said` is what a page says instead of `detail`."""

    def __init__(self, body: Mapping[str, Any], status: int, headers: Mapping[str, str], said: Sentence | str) -> None:
        super().__init__(body, status, dict(headers), media_type=MEDIA_TYPE)
        self.said = said


def problem(
    status: int,
    detail: Sentence | str,
    *,
    kind: str = PLAIN,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
    on_page: str = "",
) -> ProblemResponse:
    """A problem as a response; `on_page` says it to people who would not know what to do with `detail`."""
    title = HTTPStatus(status).phrase
    body = {"type": kind, "title": title, "status": status, "detail": str(detail), **(more or {})}
    return ProblemResponse(body, status, headers or {}, on_page or detail)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as OpenAPI responses that carry a problem."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


_ON_PAGE = {404: NO_PAGE, 405: NO_WAY, 413: TOO_LONG}


def answer_with_problems(api: FastAPI) -> None:
    """Every error of the API becomes a problem; what nobody foresaw is the guard's business."""

    @api.exception_handler(Trouble)
    async def trouble(_: Request, error: Trouble) -> ProblemResponse:
        return problem(error.status, error.detail, kind=error.kind, more=error.more)

    @api.exception_handler(JournalFull)
    async def journal_full(_: Request, error: JournalFull) -> ProblemResponse:
        detail = f"nothing was changed: the journal cannot store it now ({error}); try again when that is mended"
        return problem(503, detail, kind=JOURNAL_FULL, headers={"Retry-After": "10"}, on_page=NOT_STORED)

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
        parts = [_wrong_part(item) for item in error.errors()]
        detail = "; ".join(f"{part.where}: {part.what}" for part in parts)
        return problem(422, detail, kind=INVALID, more={"errors": [part.model_dump() for part in parts]}, on_page=UNREADABLE)

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> ProblemResponse:
        known = {404: f"there is nothing at {request.url.path}; see /api/docs", 405: f"not a way to use {request.url.path}"}
        detail = str(error.detail)
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for bytes that are no text
            return problem(422, "body: is not JSON in UTF-8", kind=INVALID, on_page=UNREADABLE)
        if detail == HTTPStatus(error.status_code).phrase:
            detail = known.get(error.status_code, detail)
        return problem(error.status_code, detail, headers=error.headers, on_page=_ON_PAGE.get(error.status_code, ""))


def _wrong_part(item: Mapping[str, Any]) -> WrongPart:
    """Where and what, without the value: it may be long, and it is the asker's own."""
    words = {"extra_forbidden": "is not a key here", "missing": "is missing", "json_invalid": "is not JSON"}
    what = words.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    return WrongPart(where=".".join(str(part) for part in item["loc"]), what=what)
