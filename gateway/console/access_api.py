"""Users, tokens and sessions over HTTP, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from gateway.console.access import Who, needs
from gateway.console.access_shapes import (
    ChangedShape,
    PasswordAsked,
    RoleAsked,
    SessionShape,
    TokenAsked,
    TokenMadeShape,
    TokenShape,
    UserAsked,
    UserShape,
)
from gateway.console.accounts import Accounts
from gateway.console.problems import REFUSED, Trouble, documented
from gateway.console.roles import Need
from gateway.console.signing_in import SignIn
from gateway.runtime.access import User

router = APIRouter(prefix="/api/v1", tags=["access"], dependencies=needs(Need.ADMIN))


async def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


async def _sign_in(request: Request) -> SignIn:
    sign_in: SignIn = request.app.state.sign_in
    return sign_in


Known = Annotated[Accounts, Depends(_accounts)]
Signing = Annotated[SignIn, Depends(_sign_in)]


def user_shape(accounts: Accounts, sign_in: SignIn, user: User) -> UserShape:
    """A user with what is so now."""
    return UserShape(
        name=user.name,
        role=user.role,
        disabled=user.disabled,
        created_at=user.created_at,
        locked_until=sign_in.locked_until(user.name),
        sessions=len(accounts.open_sessions(user.name)),
    )


@router.get("/users")
async def users(accounts: Known, sign_in: Signing) -> list[UserShape]:
    """Everybody who can sign in, by name."""
    return [user_shape(accounts, sign_in, user) for user in accounts.users()]


@router.post("/users", status_code=201, responses=documented(409, 503))
async def add_user(accounts: Known, who: Who, asked: UserAsked) -> ChangedShape:
    """Somebody more who can sign in."""
    user = await accounts.add_user(who, asked.name, asked.role, asked.password)
    return ChangedShape(message=f"{user.name} can sign in, as {user.role}")


@router.post("/users/{name}/role", responses=documented(409, 503))
async def change_role(accounts: Known, who: Who, name: str, asked: RoleAsked) -> ChangedShape:
    """Another role, at once, also in the sessions that are open."""
    user = await accounts.change_role(who, name, asked.role)
    return ChangedShape(message=f"{user.name} is {user.role} now")


@router.post("/users/{name}/password", responses=documented(409, 503))
async def set_password(accounts: Known, who: Who, name: str, asked: PasswordAsked) -> ChangedShape:
    """Another password; all the user's sessions end."""
    user = await accounts.set_password(who, name, asked.password)
    return ChangedShape(message=f"{user.name} has another password, and must sign in again everywhere")


@router.post("/users/{name}/disable", responses=documented(409, 503))
async def disable(accounts: Known, who: Who, name: str) -> ChangedShape:
    """Nobody signs in by this name any more; its sessions end."""
    user = await accounts.disable(who, name)
    return ChangedShape(message=f"{user.name} cannot sign in any more, and is signed out everywhere")


@router.post("/users/{name}/enable", responses=documented(409, 503))
async def enable(accounts: Known, who: Who, name: str) -> ChangedShape:
    """The name may be signed in with again, by its old password."""
    user = await accounts.enable(who, name)
    return ChangedShape(message=f"{user.name} can sign in again")


@router.post("/users/{name}/unlock", responses=documented(409, 503))
async def unlock(accounts: Known, sign_in: Signing, who: Who, name: str) -> ChangedShape:
    """Open a name that too many wrong passwords have locked, before its 15 minutes are over."""
    user = accounts.user(name)
    if user is None:
        raise Trouble(409, f"there is no user {name!r}", kind=REFUSED)
    await sign_in.unlock(who, user)
    return ChangedShape(message=f"{user.name} may try to sign in again")


@router.get("/tokens")
async def tokens(accounts: Known) -> list[TokenShape]:
    """The tokens of programs, by name; never their texts."""
    return [TokenShape.model_validate(token) for token in accounts.tokens()]


@router.post("/tokens", status_code=201, responses=documented(409, 503))
async def make_token(accounts: Known, who: Who, asked: TokenAsked) -> TokenMadeShape:
    """A token for a program. Its text is in this answer and nowhere else."""
    token, text = await accounts.make_token(who, asked.name, asked.role, for_ms=asked.for_)
    return TokenMadeShape(**dict(TokenShape.model_validate(token)), token=text)


@router.delete("/tokens/{name}", responses=documented(409, 503))
async def revoke_token(accounts: Known, who: Who, name: str) -> ChangedShape:
    """The token opens nothing from now on."""
    token = await accounts.revoke_token(who, name)
    return ChangedShape(message=f"the token {token.name} opens nothing any more")


@router.get("/sessions")
async def sessions(accounts: Known) -> list[SessionShape]:
    """The browsers that are signed in, those that were seen last first."""
    return [SessionShape.model_validate(session) for session in accounts.open_sessions()]


@router.delete("/sessions/{session_id}", responses=documented(409, 503))
async def end_session(accounts: Known, who: Who, session_id: str) -> ChangedShape:
    """That browser must sign in again."""
    user = await accounts.end_session(who, session_id)
    return ChangedShape(message=f"a browser of {user} is signed out")
