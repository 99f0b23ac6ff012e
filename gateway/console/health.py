"""Is the gateway alive, and is it ready? For watchdogs, load balancers and `dripwatch doctor`."""

from fastapi import APIRouter

from gateway.console.access import Running
from gateway.console.problems import NOT_READY, Trouble, documented
from gateway.console.shapes import HealthShape, LiveShape

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> LiveShape:
    """The process answers; nothing else is said."""
    return LiveShape(alive=True)


@router.get("/ready", responses=documented(503))
async def ready(service: Running) -> HealthShape:
    """Whether it hears, stores, judges and can page; 503 with the findings when it does not."""
    health = HealthShape.model_validate(service.health())
    if not health.ready:
        detail = "; ".join(health.findings) or "the gateway is not ready"
        raise Trouble(503, detail, kind=NOT_READY, more=health.model_dump())
    return health
