"""What is refused, shown to a browser as a page in words; programs get the same as a problem (RFC 9457)."""

import json
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.console.access import visitor_of
from gateway.console.accounts import AccessRefused
from gateway.console.door import HERE
from gateway.console.forms import FormRefused
from gateway.console.pages import page
from gateway.console.passwords import PasswordsBusy
from gateway.console.problems import REFUSED, Trouble, problem
from gateway.console.words import message
from gateway.runtime.access import AccessStoreFailed
from gateway.runtime.ports import JournalFull

TITLES = {
    401: message("Not signed in"),
    403: message("Not allowed"),
    404: message("Nothing is here"),
    405: message("Nothing is here"),
}
ELSE = message("Nothing was changed")

_NO_PAGES = ("/api/", "/a/", "/d/", "/inbound/", "/health/", "/static/")  # programs; and pages that see to it themselves

_KINDS = (
    FormRefused,
    AccessRefused,
    AccessStoreFailed,
    PasswordsBusy,
    Trouble,
    JournalFull,
    RequestValidationError,
    HTTPException,
)

Handler = Callable[[Request, Exception], Awaitable[Response]]


def show_browsers_pages(api: FastAPI) -> None:
    """For an application that answers with problems (`answer_with_problems`): browsers get pages from now on."""

    @api.exception_handler(FormRefused)
    async def form(_: Request, error: FormRefused) -> Response:
        return problem(error.status, error.words)

    @api.exception_handler(AccessRefused)
    async def refused(_: Request, error: AccessRefused) -> Response:
        return problem(409, str(error), kind=REFUSED)

    @api.exception_handler(AccessStoreFailed)
    async def not_stored(_: Request, error: AccessStoreFailed) -> Response:
        return problem(503, f"nothing was changed, or only until the gateway's next start: {error}")

    @api.exception_handler(PasswordsBusy)
    async def busy(_: Request, error: PasswordsBusy) -> Response:
        return problem(503, str(error), headers={"Retry-After": "5"})

    for kind in _KINDS:
        api.add_exception_handler(kind, _shown(api.exception_handlers[kind]))  # type: ignore[arg-type]  # ours, all async


def _shown(answer: Handler) -> Handler:
    async def shown(request: Request, error: Exception) -> Response:
        refusal = await answer(request, error)
        if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith(_NO_PAGES):
            return refusal
        words = json.loads(bytes(refusal.body))["detail"]
        title = TITLES.get(refusal.status_code, ELSE)
        visitor = visitor_of(request)
        more = {
            "can_sign_in": visitor is None or visitor.via == HERE,
            "next": request.url.path if request.method == "GET" else "/",
        }
        return await page(request, "refused.html", status=refusal.status_code, title=title, words=words, **more)

    return shown
