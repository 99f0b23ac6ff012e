"""What is refused, and a mistake of ours, shown to a browser as a page in words; programs get a problem (RFC 9457)."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.console.access import visitor_of
from gateway.console.accounts import AccessRefused
from gateway.console.door import HERE
from gateway.console.forms import FormRefused
from gateway.console.pages import environment, frame_of, page
from gateway.console.passwords import PasswordsBusy
from gateway.console.problems import INTERNAL, REFUSED, ProblemResponse, Trouble, problem
from gateway.console.sentences import shown
from gateway.console.words import COOKIE, locale_of, message
from gateway.runtime.access import AccessStoreFailed
from gateway.runtime.ports import JournalFull

TITLES = {
    401: message("Not signed in"),
    403: message("Not allowed"),
    404: message("Nothing is here"),
    405: message("Nothing is here"),
    413: message("Too long"),
    422: message("Not understood"),
    429: message("Too fast"),
    500: message("The gateway made a mistake"),
    503: message("Not possible now"),
}
ELSE = message("Nothing was changed")
USERS_NOT_STORED = message(
    "Nothing was changed, or only until the gateway's next start: the list of users cannot be stored. "
    "Tell whoever looks after the gateway."
)

_PROGRAMS = ("/api/", "/inbound/", "/health/")  # whatever a browser that is led there says it would like to see
_PAGES_AMONG_THEM = ("/api/docs",)
_LINKS = ("/a/", "/d/")  # who has such a link has nothing else of the console
_OF_THE_BODY = ("content-type", "content-length")

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
        return problem(409, error.said, kind=REFUSED)

    @api.exception_handler(AccessStoreFailed)
    async def not_stored(_: Request, error: AccessStoreFailed) -> Response:
        detail = f"nothing was changed, or only until the gateway's next start: {error}"
        return problem(503, detail, on_page=USERS_NOT_STORED)

    @api.exception_handler(PasswordsBusy)
    async def busy(_: Request, error: PasswordsBusy) -> Response:
        return problem(503, str(error), headers={"Retry-After": "5"})

    for kind in _KINDS:
        api.add_exception_handler(kind, _shown(api.exception_handlers[kind]))  # type: ignore[arg-type]  # ours, all async


def to_asker(refusal: Response) -> ASGIApp:
    """The refusal of whatever stands in front of the application, as whoever asked can read it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (await _as_page(Request(scope, receive), refusal))(scope, receive, send)

    return answer


def mistake(scope: Scope, reference: str) -> Response:
    """A 500 with the reference that the log has; its page needs nothing of the gateway but words."""
    detail = f"the gateway made a mistake; its log says which, by the reference {reference}"
    failed = problem(500, detail, kind=INTERNAL, more={"reference": reference})
    request = Request(scope)
    return _alone(request, 500, "mistake.html", title=TITLES[500], reference=reference) if _is_for_people(request) else failed


def _shown(answer: Handler) -> Handler:
    async def to_page(request: Request, error: Exception) -> Response:
        return await _as_page(request, await answer(request, error))

    return to_page


async def _as_page(request: Request, refusal: Response) -> Response:
    if not isinstance(refusal, ProblemResponse) or not _is_for_people(request):
        return refusal
    status, frame = refusal.status_code, frame_of(request)
    told = {"title": TITLES.get(status, ELSE), "words": shown(refusal.said, frame)}
    if request.url.path.startswith(_LINKS):
        answer: Response = _alone(request, status, "refused_alone.html", **told)
    else:
        visitor = visitor_of(request)
        can_sign_in = visitor is None or visitor.via == HERE
        answer = await page(request, "refused.html", status=status, can_sign_in=can_sign_in, next=_page_of(request), **told)
    for name, value in refusal.headers.items():
        if name not in _OF_THE_BODY:
            answer.headers[name] = value
    return answer


def _is_for_people(request: Request) -> bool:
    path = request.url.path
    for_programs = path.startswith(_PROGRAMS) and not path.startswith(_PAGES_AMONG_THEM)
    return "text/html" in request.headers.get("accept", "") and not for_programs


def _page_of(request: Request) -> str:
    """The page that was asked for, or on which the form stood."""
    if request.method in ("GET", "HEAD"):
        return request.url.path
    form = urlsplit(request.headers.get("referer", ""))
    return form.path if form.netloc in {request.url.netloc, *request.app.state.hosts} else "/"


def _alone(request: Request, status: int, template: str, **told: str) -> HTMLResponse:
    """A page without anything that would need the gateway, or a sign-in."""
    locale = locale_of(request.headers.get("accept-language", ""), request.cookies.get(COOKIE, ""))
    is_link = request.url.path.startswith(_LINKS)
    text = environment(locale).get_template(template).render(lang=locale.value, is_link=is_link, **told)
    return HTMLResponse(text, status, {"Content-Language": locale.value, "Vary": "Accept, Accept-Language, Cookie"})
