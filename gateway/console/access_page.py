"""`/access`: users, tokens and sessions for administrators. Every button does what the API does, by the same code."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from gateway.config.durations import parse_duration
from gateway.console.access import Admin
from gateway.console.access_api import user_shape
from gateway.console.accounts import AccessRefused, Accounts
from gateway.console.browsers import browser_words
from gateway.console.forms import read_form
from gateway.console.pages import frame_of, page
from gateway.console.passwords import CHARS_MIN
from gateway.console.sentences import shown
from gateway.console.signing_in import SignIn
from gateway.console.words import message
from gateway.domain.instants import MINUTE_MS
from gateway.domain.sentences import Name, sentence
from gateway.runtime.access import Role

router = APIRouter(include_in_schema=False)

DONE: Mapping[str, str] = {
    "add-user": message("The user was added."),
    "role": message("The role was changed; it is so at once, also where the user is signed in."),
    "password": message("The password was changed, and the user signed out everywhere."),
    "disable": message("The user cannot sign in any more, and is signed out everywhere."),
    "enable": message("The user can sign in again."),
    "unlock": message("The user may try to sign in again."),
    "revoke-token": message("The token opens nothing any more."),
    "end-session": message("That browser is signed out."),
}

TOO_SHORT = sentence("a token lasts for 1 minute or longer; write it like 90d, or leave it empty for ever")

Fields = Mapping[str, str]


@router.get("/access")
async def access(request: Request, admin: Admin) -> Response:
    """Who may use the console, and who does at the moment."""
    del admin
    return await _shown(request)


@router.post("/access/users")
async def add_user(request: Request, admin: Admin) -> Response:
    """Somebody more."""

    async def change(accounts: Accounts, fields: Fields) -> None:
        await accounts.add_user(admin.name, fields.get("name", ""), _role(fields), fields.get("password", ""))

    return await _changed(request, "add-user", change)


@router.post("/access/users/{name}/role")
async def change_role(request: Request, admin: Admin, name: str) -> Response:
    """Another role."""

    async def change(accounts: Accounts, fields: Fields) -> None:
        await accounts.change_role(admin.name, name, _role(fields))

    return await _changed(request, "role", change)


@router.post("/access/users/{name}/password")
async def set_password(request: Request, admin: Admin, name: str) -> Response:
    """Another password for somebody else."""

    async def change(accounts: Accounts, fields: Fields) -> None:
        await accounts.set_password(admin.name, name, fields.get("password", ""))

    return await _changed(request, "password", change)


@router.post("/access/users/{name}/disable")
async def disable(request: Request, admin: Admin, name: str) -> Response:
    """The name is shut."""

    async def change(accounts: Accounts, _: Fields) -> None:
        await accounts.disable(admin.name, name)

    return await _changed(request, "disable", change)


@router.post("/access/users/{name}/enable")
async def enable(request: Request, admin: Admin, name: str) -> Response:
    """The name is open again."""

    async def change(accounts: Accounts, _: Fields) -> None:
        await accounts.enable(admin.name, name)

    return await _changed(request, "enable", change)


@router.post("/access/users/{name}/unlock")
async def unlock(request: Request, admin: Admin, name: str) -> Response:
    """The lock of too many wrong passwords is off."""
    sign_in: SignIn = request.app.state.sign_in

    async def change(accounts: Accounts, _: Fields) -> None:
        user = accounts.user(name)
        if user is None:
            raise AccessRefused(sentence("there is no user {name!r}", name=name))
        await sign_in.unlock(admin.name, user)

    return await _changed(request, "unlock", change)


@router.post("/access/tokens")
async def make_token(request: Request, admin: Admin) -> Response:
    """A token; the page that answers is the only one that ever shows it."""
    accounts: Accounts = request.app.state.accounts
    fields = await read_form(request)
    try:
        made, text = await accounts.make_token(admin.name, fields.get("name", ""), _role(fields), for_ms=_length(fields))
    except AccessRefused as error:
        return await _shown(request, trouble=shown(error.said, frame_of(request)))
    return await page(request, "token_made.html", made=made, text=text)


@router.post("/access/tokens/{name}/revoke")
async def revoke_token(request: Request, admin: Admin, name: str) -> Response:
    """It opens nothing any more."""

    async def change(accounts: Accounts, _: Fields) -> None:
        await accounts.revoke_token(admin.name, name)

    return await _changed(request, "revoke-token", change)


@router.post("/access/sessions/{session_id}/end")
async def end_session(request: Request, admin: Admin, session_id: str) -> Response:
    """That browser must sign in again."""

    async def change(accounts: Accounts, _: Fields) -> None:
        await accounts.end_session(admin.name, session_id)

    return await _changed(request, "end-session", change)


async def _changed(request: Request, done: str, change: Callable[[Accounts, Fields], Awaitable[None]]) -> Response:
    """Do it and go back to the page; a refusal shows the page with the words."""
    fields = await read_form(request)
    try:
        await change(request.app.state.accounts, fields)
    except AccessRefused as error:
        return await _shown(request, trouble=shown(error.said, frame_of(request)))
    return RedirectResponse(f"/access?done={done}", 303)


def _role(fields: Fields) -> Role:
    try:
        return Role(fields.get("role", ""))
    except ValueError:
        raise AccessRefused(sentence("choose a role: {roles}", roles=tuple(map(Name, Role)))) from None


def _length(fields: Fields) -> int | None:
    """How long a token lasts, in ms; None for ever. Raises `AccessRefused`."""
    text = fields.get("for", "")
    if not text:
        return None
    try:
        length_ms = parse_duration(text)
    except ValueError:
        length_ms = 0
    if length_ms < MINUTE_MS:
        raise AccessRefused(TOO_SHORT)
    return length_ms


async def _shown(request: Request, *, trouble: str = "") -> Response:
    accounts: Accounts = request.app.state.accounts
    return await page(
        request,
        "access.html",
        status=409 if trouble else 200,
        here="/access",
        users=[user_shape(accounts, request.app.state.sign_in, user) for user in accounts.users()],
        tokens=accounts.tokens(),
        sessions=accounts.open_sessions(),
        roles=list(Role),
        chars_min=CHARS_MIN,
        browser_words=browser_words,
        trouble=trouble,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )
