"""A pump on a technician's bench, over HTTP: announced with an end, looked at, rehearsed, and its commissioning recorded."""

from fastapi import APIRouter

from gateway.console.access import Reader, Running, Technician, Who, carry_out
from gateway.console.bench_shapes import (
    BenchAsked,
    CommissionedAsked,
    PumpInFullShape,
    RehearsedShape,
    pump_in_full,
    rehearsed,
)
from gateway.console.problems import REFUSED, Trouble, documented
from gateway.console.shapes import DoneShape
from gateway.domain.bench import EndBench
from gateway.domain.words import Condition

router = APIRouter(prefix="/api/v1/pumps/{device}", tags=["pumps"])


@router.get("/full", responses=documented(404))
async def in_full(service: Running, _: Reader, device: str) -> PumpInFullShape:
    """One device with its conditions, measures and commissionings."""
    sheet = service.sheets().pump(device)
    if sheet is None:
        raise Trouble(404, f"no pump {device!r} was ever heard or enrolled here")
    return pump_in_full(sheet)


@router.get("/rehearsal", responses=documented(409))
async def rehearsal(service: Running, _: Technician, device: str, condition: Condition) -> RehearsedShape:
    """Who would be paged if this device raised this condition for a course. Pages nobody and changes nothing."""
    told = service.sheets().rehearse(device, condition)
    if told.refused:
        raise Trouble(409, told.refused, kind=REFUSED)
    return rehearsed(told)


@router.post("/bench", responses=documented(409, 503))
async def start_bench(service: Running, who: Who, _: Technician, device: str, asked: BenchAsked) -> DoneShape:
    """Announce that a pump without a course is on the bench: nobody is called for what it shows, until an end."""
    return await carry_out(service, who, asked.command(device))


@router.delete("/bench", responses=documented(409, 503))
async def end_bench(service: Running, who: Who, _: Technician, device: str) -> DoneShape:
    """Take the pump off the bench before its time; whatever it shows counts again."""
    return await carry_out(service, who, EndBench(pump=device))


@router.post("/commissionings", status_code=201, responses=documented(409, 503))
async def commissioned(service: Running, who: Who, _: Technician, device: str, asked: CommissionedAsked) -> DoneShape:
    """Record that the pump was commissioned, with what came of it and the digest of the signed document."""
    return await carry_out(service, who, asked.command(device))
