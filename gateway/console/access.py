"""What every handler needs: the running gateway, and who asks."""

from typing import Annotated

from fastapi import Depends, Header, Request

from gateway.console.problems import INVALID, REFUSED, Trouble
from gateway.console.shapes import DoneShape
from gateway.domain.commands import Command
from gateway.runtime.service import Service

WHO_MAX = 64


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _who(x_dripwatch_user: Annotated[str, Header(description="who asks, for the record")] = "api") -> str:
    """The header's text, which is UTF-8 on the wire (HTTP itself knows Latin-1 only)."""
    who = x_dripwatch_user.encode("latin-1").decode("utf-8", "replace").strip()
    if not 0 < len(who) <= WHO_MAX or not who.isprintable():
        raise Trouble(422, f"X-Dripwatch-User: a name of 1 to {WHO_MAX} printable characters", kind=INVALID)
    return who


Running = Annotated[Service, Depends(_service)]
Who = Annotated[str, Depends(_who)]


async def carry_out(service: Service, who: str, command: Command) -> DoneShape:
    """Journal and do what a person asked; a refusal becomes a 409 with the gateway's own words."""
    result = await service.command(who, command)
    if not result.ok:
        raise Trouble(409, result.message, kind=REFUSED)
    return DoneShape(seq=result.seq, message=result.message, incident=result.incident)
