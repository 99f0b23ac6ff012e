"""What makes it quieter for a while, over HTTP: planned windows and silences. Both end loudly: what still fires is paged."""

from fastapi import APIRouter

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked_care import SilenceAsked, WindowAsked
from gateway.console.problems import documented
from gateway.console.shapes import DoneShape
from gateway.core.silences import id_of
from gateway.domain.care import CloseWindow, EndSilence

router = APIRouter(prefix="/api/v1", tags=["windows and silences"], responses=documented(409, 503))


@router.post("/courses/{course}/windows", status_code=201)
async def open_window(service: Running, who: Who, course: str, asked: WindowAsked) -> DoneShape:
    """Begin a planned window now; free flow, a wrong rate, fever and milestones never wait for its end."""
    return await carry_out(service, who, asked.command(course))


@router.delete("/courses/{course}/windows")
async def close_window(service: Running, who: Who, course: str) -> DoneShape:
    """End the window now; whatever still fires is paged."""
    return await carry_out(service, who, CloseWindow(course=course))


@router.post("/silences", status_code=201)
async def silence(service: Running, who: Who, asked: SilenceAsked) -> DoneShape:
    """Mute rules of a course, with a reason and an end; `silence` in the answer is the id to end it by."""
    done = await carry_out(service, who, asked.command())
    return done.model_copy(update={"silence": id_of(asked.course, done.seq)})


@router.delete("/silences/{silence_id}")
async def end_silence(service: Running, who: Who, silence_id: str) -> DoneShape:
    """End a silence now, by its id or by the course that has only this one; whatever still fires is paged."""
    return await carry_out(service, who, EndSilence(silence=silence_id))
