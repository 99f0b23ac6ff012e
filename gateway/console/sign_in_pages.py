"""`/login` and `/logout`: a form without JavaScript, and a cookie that no script can read."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from gateway.console.access import Viewer, visitor_of
from gateway.console.accounts import Accounts
from gateway.console.door import COOKIE, SECURE_COOKIE, SESSION
from gateway.console.forms import read_form
from gateway.console.pages import page
from gateway.console.signing_in import NotSignedIn, SignedIn, SignIn, Why
from gateway.console.words import message
from gateway.domain.instants import SECOND_MS

PATH_MAX = 500

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next", max_length=2_000)]

_STATUS = {Why.WRONG: 403, Why.LOCKED: 429, Why.BUSY: 503}
WORDS = {
    Why.WRONG: message("The name or the password is wrong. After five wrong tries the name is locked for 15 minutes."),
    Why.LOCKED: message(
        "Too many wrong tries. Wait until {at}, or ask an administrator. Links in pages and SMS replies still work."
    ),
    Why.BUSY: message("Too many people sign in at this moment. Try again in a few seconds."),
}
COOKIE_LOST = message(
    "The password was right, but the browser did not keep the sign-in: open the console by its https address, and allow cookies."
)


@router.get("/login")
async def login(request: Request, wanted: Next = "/", signed: Annotated[bool, Query()] = False) -> Response:
    """The form. Whoever has signed in already goes on to where they wanted to go."""
    visitor = visitor_of(request)
    if visitor is not None and visitor.via == SESSION:
        return RedirectResponse(ours(wanted), 303)
    trouble = COOKIE_LOST if signed else ""
    return await page(request, "login.html", next=ours(wanted), name="", trouble=trouble, until_at=None)


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Try; the cookie, or the form again with what is wrong."""
    fields = await read_form(request)
    signing: SignIn = request.app.state.sign_in
    name, target = fields.get("name", "")[:100], ours(fields.get("next", ""))
    address = request.client.host if request.client else ""
    browser = request.headers.get("user-agent", "")
    came = await signing(name, fields.get("password", ""), browser=browser, address=address)
    if isinstance(came, NotSignedIn):
        told = {"here": "/login", "next": target, "name": name, "trouble": WORDS[came.why], "until_at": came.until_at}
        return await page(request, "login.html", status=_STATUS[came.why], **told)
    answer = RedirectResponse(f"/login?signed=true&next={quote(target, safe='/')}", 303)
    _give(request, answer, came)
    return answer


@router.post("/logout")
async def sign_out(request: Request, visitor: Viewer) -> Response:
    """This browser's session ends."""
    await read_form(request)
    accounts: Accounts = request.app.state.accounts
    session = accounts.sessions.get(visitor.session) if visitor.session else None
    if session is not None:
        await accounts.sessions.end([session])
    answer = RedirectResponse("/login", 303)
    for name in (COOKIE, SECURE_COOKIE):
        answer.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="strict")
    return answer


def ours(path: str) -> str:
    """A path of this console to go on to; the board for anything else."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout"))
    return path if is_ours and path.isprintable() and "\\" not in path and len(path) <= PATH_MAX else "/"


def _give(request: Request, answer: Response, came: SignedIn) -> None:
    """The cookie goes over encrypted connections only, but for a browser on the gateway's own machine."""
    secure = request.url.scheme == "https" or not request.state.plain_loopback
    answer.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        came.cookie,
        max_age=came.lasts_ms // SECOND_MS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
