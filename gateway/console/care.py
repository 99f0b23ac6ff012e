"""A treatment's course over HTTP: bags, orders, dose, pump, break and next cycle, calls to the home."""

from fastapi import APIRouter

from gateway.console.access import Running, Who, carry_out
from gateway.console.asked import BagAsked
from gateway.console.asked_care import BreakAsked, CallAsked, CycleAsked, DoseAsked, OrderAsked, PumpAsked
from gateway.console.problems import documented
from gateway.console.shapes import DoneShape
from gateway.domain.care import StartBreak

router = APIRouter(prefix="/api/v1/courses/{course}", tags=["care"], responses=documented(409, 503))


@router.post("/bags", status_code=201)
async def hang_bag(service: Running, who: Who, course: str, asked: BagAsked) -> DoneShape:
    """Record that a new bag hangs; one that expired, or whose label has another rate than the protocol, is refused."""
    return await carry_out(service, who, asked.command(course))


@router.post("/orders", status_code=201)
async def order_bag(service: Running, who: Who, course: str, asked: OrderAsked) -> DoneShape:
    """Record that the pharmacy makes a bag; a later order takes the place of an earlier one."""
    return await carry_out(service, who, asked.command(course))


@router.post("/dose")
async def change_dose(service: Running, who: Who, course: str, asked: DoseAsked) -> DoneShape:
    """Record another dose step. Nothing changes at the pump: the next bag is of that dose."""
    return await carry_out(service, who, asked.command(course))


@router.post("/pump")
async def swap_pump(service: Running, who: Who, course: str, asked: PumpAsked) -> DoneShape:
    """Record that another pump serves the course; the old one serves nobody."""
    return await carry_out(service, who, asked.command(course))


@router.post("/break")
async def start_break(service: Running, who: Who, course: str, asked: BreakAsked | None = None) -> DoneShape:
    """Record that the cycle's infusion days are over; nothing is expected until the next cycle."""
    return await carry_out(service, who, asked.command(course) if asked else StartBreak(course=course))


@router.post("/cycles", status_code=201)
async def next_cycle(service: Running, who: Who, course: str, asked: CycleAsked) -> DoneShape:
    """Record that the next cycle begins with this bag."""
    return await carry_out(service, who, asked.next_cycle(course))


@router.post("/calls", status_code=201)
async def log_call(service: Running, who: Who, course: str, asked: CallAsked) -> DoneShape:
    """Record a call to the home. A pump seen running or standing is a witness of its delivery."""
    return await carry_out(service, who, asked.command(course))
