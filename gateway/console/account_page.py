"""`/account`: one's own password and the browsers where one is signed in."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from gateway.console.access import Reader, Visitor
from gateway.console.accounts import AccessRefused, Accounts
from gateway.console.browsers import browser_words
from gateway.console.forms import read_form
from gateway.console.pages import frame_of, page
from gateway.console.problems import Trouble
from gateway.console.sentences import shown
from gateway.console.sign_in_pages import WORDS
from gateway.console.signing_in import NotSignedIn, SignIn, Why
from gateway.console.words import message
from gateway.runtime.access import User

router = APIRouter(include_in_schema=False)

DONE = {
    "password": message("You have another password. Your other browsers are signed out."),
    "session": message("That browser is signed out."),
}
NOT_TWICE = message("The two new passwords differ; nothing was changed.")
GONE = message("That browser is signed out already.")
WRONG_NOW = message("Your present password is wrong; nothing was changed.")


@router.get("/account")
async def account(request: Request, visitor: Reader) -> Response:
    """What one may change of one's own."""
    return await _shown(request, visitor)


@router.post("/account/password")
async def change_password(request: Request, visitor: Reader) -> Response:
    """Another password for oneself: the present one proves who sits there. The other browsers are signed out."""
    accounts, user = _own(request, visitor)
    fields = await read_form(request)
    if fields.get("new", "") != fields.get("again", ""):
        return await _shown(request, visitor, trouble=NOT_TWICE)
    sign_in: SignIn = request.app.state.sign_in
    proof = await sign_in.prove(user, fields.get("present", ""), address=request.client.host if request.client else "")
    if isinstance(proof, NotSignedIn):
        trouble = WRONG_NOW if proof.why is Why.WRONG else WORDS[proof.why]
        return await _shown(request, visitor, trouble=trouble, until_at=proof.until_at)
    try:
        await accounts.set_password(user.name, user.name, fields.get("new", ""), keep=visitor.session)
    except AccessRefused as error:
        return await _shown(request, visitor, trouble=shown(error.said, frame_of(request)))
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, visitor: Reader, session_id: str) -> Response:
    """Sign one of one's own browsers out."""
    accounts, user = _own(request, visitor)
    await read_form(request)
    session = accounts.sessions.named(session_id)
    if session is None or session.user != user.name:
        return await _shown(request, visitor, trouble=GONE)
    await accounts.end_session(user.name, session_id)
    return RedirectResponse("/account?done=session", 303)


def _own(request: Request, visitor: Visitor) -> tuple[Accounts, User]:
    """Whose account it is. Raises `Trouble` for a visitor who has none: a token, or nobody in particular."""
    accounts: Accounts = request.app.state.accounts
    user = accounts.user(visitor.name) if visitor.session else None
    if user is None:
        raise Trouble(403, message("only somebody who signed in has an account; sign in first"))
    return accounts, user


async def _shown(request: Request, visitor: Visitor, *, trouble: str = "", until_at: int | None = None) -> Response:
    accounts, user = _own(request, visitor)
    return await page(
        request,
        "account.html",
        status=409 if trouble else 200,
        here="/account",
        user=user,
        sessions=accounts.open_sessions(user.name),
        browser_words=browser_words,
        trouble=trouble,
        until_at=until_at,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )
