"""The gateway's own test over HTTP: begin one, and see how far it is."""

from fastapi import APIRouter

from gateway.console.access import Running
from gateway.console.problems import REFUSED, Trouble, documented
from gateway.console.shapes import Shape, When
from gateway.runtime.prober import NoSynthetic
from gateway.runtime.probing import MISSED, Hop, ProbeReport

router = APIRouter(prefix="/api/v1/probe", tags=["probe"])


class HopShape(Shape):
    """A hop that was passed at `at`, so long after the one before."""

    hop: Hop
    at: When
    latency_ms: int


class ProbeShape(Shape):
    """A run of the test as far as it has come. `number` 0: none was run yet. `said` is in words why `failed` was not passed.

    `detail` is what else is known, also of a test that was passed but could not tell the outside switch (`pinged`).
    """

    number: int
    hops: list[HopShape]
    finished: bool
    failed: Hop | None
    said: str
    detail: str
    pinged: bool


class BegunShape(Shape):
    """The run's number."""

    number: int


@router.post("", status_code=202, responses=documented(409))
async def begin(service: Running) -> BegunShape:
    """Begin the test, unless one is under way: then that one's number is the answer."""
    try:
        return BegunShape(number=service.probe())
    except NoSynthetic as none:
        raise Trouble(409, str(none), kind=REFUSED) from None


@router.get("")
async def look(service: Running) -> ProbeShape:
    """The newest run, finished or not."""
    report = service.probe_report() or ProbeReport(0, 0, ())
    said = ""
    if report.failed is not None:
        said = MISSED[report.failed] + (f" ({report.detail})" if report.detail else "")
    return ProbeShape(
        number=report.number,
        hops=[HopShape.model_validate(line) for line in report.hops],
        finished=report.finished,
        failed=report.failed,
        said=said,
        detail=report.detail,
        pinged=report.pinged,
    )
