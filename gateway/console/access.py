"""What every handler needs: the running gateway, who asks, and what they must be allowed to.

Every route says what it needs by one of `Viewer`, `Reader`, `Triager`, `Hands`, `Technician`, `Admin` (as a parameter, or as
`needs(…)` among its dependencies). The guard has found out who the visitor is before; here only the role is judged.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, params

from gateway.console.once import KEY_MISUSED, asked
from gateway.console.origin import SAFE, comes_from_elsewhere
from gateway.console.problems import FORBIDDEN, INVALID, NO_TOKEN, REFUSED, Trouble
from gateway.console.roles import Need, Role, may
from gateway.console.shapes import DoneShape
from gateway.console.words import message
from gateway.domain.commands import Command
from gateway.domain.sentences import Name, sentence
from gateway.runtime.service import Service

WHO_MAX = 64

_BROWSERS = ("session", "here")  # admitted without having to say anything that a foreign page could not have them say


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was let in: a user's or token's name, the role, and by what they came: session, token, key file, here."""

    name: str
    role: Role
    via: str
    session: str = ""  # the session's digest, where there is one


def name_in(header: str) -> str:
    """The text of X-Dripwatch-User, which is UTF-8 on the wire (HTTP knows Latin-1 only); empty where it is no name."""
    who = header.encode("latin-1").decode("utf-8", "replace").strip()
    return who if 0 < len(who) <= WHO_MAX and who.isprintable() else ""


class Allowed:
    """A dependency: the visitor, if the role has what is needed. Raises `Trouble` 401 (nobody) and 403."""

    def __init__(self, need: Need) -> None:
        self.need = need

    async def __call__(self, request: Request) -> Visitor:
        """Who asks."""
        visitor = visitor_of(request)
        if visitor is None:
            raise Trouble(401, message("this needs a sign-in"), kind=NO_TOKEN)
        if visitor.via in _BROWSERS and request.method not in SAFE:
            api = request.url.path.startswith("/api/")  # no form of ours, with its mark, leads there
            if comes_from_elsewhere(request, must_say=api):
                raise Trouble(403, message("another site's page sent this, so nothing was changed"), kind=FORBIDDEN)
        if not may(visitor.role, self.need):
            who = sentence("{name} ({role})", name=visitor.name, role=Name(visitor.role))
            if visitor.via == "here":
                who = sentence("somebody who has not signed in")
            roles = tuple(Name(role) for role in Role if may(role, self.need))
            raise Trouble(403, sentence("{who} may not do this; these roles may: {roles}", who=who, roles=roles), kind=FORBIDDEN)
        return visitor


def visitor_of(request: Request) -> Visitor | None:
    """Who asks, as the guard found out; None for nobody that it knows."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor


def needs(need: Need) -> list[params.Depends]:
    """For `APIRouter(dependencies=…)`: what every route of it needs."""
    return [Depends(_ALLOWED[need])]


def allowed(need: Need) -> Allowed:
    """The dependency of this need."""
    return _ALLOWED[need]


_ALLOWED = {need: Allowed(need) for need in Need}

Viewer = Annotated[Visitor, Depends(_ALLOWED[Need.VIEW])]
Reader = Annotated[Visitor, Depends(_ALLOWED[Need.READ])]
Triager = Annotated[Visitor, Depends(_ALLOWED[Need.TRIAGE])]
Hands = Annotated[Visitor, Depends(_ALLOWED[Need.PUMP])]
Technician = Annotated[Visitor, Depends(_ALLOWED[Need.TECHNICIAN])]
Admin = Annotated[Visitor, Depends(_ALLOWED[Need.ADMIN])]


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _who(
    request: Request,
    x_dripwatch_user: Annotated[
        str, Header(description="who asks, for the record; believed with the key file's token only")
    ] = "api",
) -> str:
    """The visitor's name. Raises `Trouble` 422 for a header that is no name."""
    if not name_in(x_dripwatch_user):
        raise Trouble(422, f"X-Dripwatch-User: a name of 1 to {WHO_MAX} printable characters", kind=INVALID)
    visitor = visitor_of(request)
    return visitor.name if visitor is not None else name_in(x_dripwatch_user)


Running = Annotated[Service, Depends(_service)]
Who = Annotated[str, Depends(_who)]


async def carry_out(service: Service, who: str, command: Command) -> DoneShape:
    """Journal and do what a person asked; a refusal becomes a 409 with the gateway's own words.

    Where the request came with a key, a repetition is answered as the first one was.
    """
    result = await service.command(who, command, once=asked.get())
    if result.misused:
        raise Trouble(422, result.message, kind=KEY_MISUSED)
    if not result.ok:
        raise Trouble(409, result.message, kind=REFUSED)
    return DoneShape(seq=result.first or result.seq, message=result.message, incident=result.incident)
