"""What people write back, as a provider of short messages hands it on."""

from fastapi import APIRouter

from gateway.console.access import Running
from gateway.console.asked import ReplyAsked
from gateway.console.problems import documented

router = APIRouter(prefix="/api/v1/replies", tags=["replies"])


@router.post("", status_code=202, responses=documented(503))
async def reply(service: Running, asked: ReplyAsked) -> None:
    """Journal a message that a person sent. What it does is answered to that person; an unknown number gets no answer."""
    await service.reply(asked.transport, asked.address, asked.text)
