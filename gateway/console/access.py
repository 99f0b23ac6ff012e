"""What every handler needs: the running gateway, and who asks."""

from typing import Annotated

from fastapi import Depends, Header, Request

from gateway.console.problems import REFUSED, Trouble
from gateway.console.shapes import DoneShape
from gateway.domain.commands import Command
from gateway.runtime.service import Service


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _who(
    x_dripwatch_user: Annotated[
        str, Header(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", description="who asks, for the record")
    ] = "api",
) -> str:
    return x_dripwatch_user.strip()


Running = Annotated[Service, Depends(_service)]
Who = Annotated[str, Depends(_who)]


async def carry_out(service: Service, who: str, command: Command) -> DoneShape:
    """Journal and do what a person asked; a refusal becomes a 409 with the gateway's own words."""
    result = await service.command(who, command)
    if not result.ok:
        raise Trouble(409, result.message, kind=REFUSED)
    return DoneShape(seq=result.seq, message=result.message, incident=result.incident)
