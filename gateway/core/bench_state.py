"""What is remembered of a technician's work on a pump."""

from dataclasses import dataclass

from gateway.domain.bench import Verdict
from gateway.domain.instants import Instant

COMMISSIONINGS_MAX = 5  # of one pump; the journal has all of them


@dataclass(frozen=True, slots=True)
class Bench:
    """The pump is on somebody's bench until then."""

    since_at: Instant
    until_at: Instant
    who: str


@dataclass(frozen=True, slots=True)
class Commissioning:
    """The pump was commissioned: when, by whom, with which verdict; `digest` names the signed document."""

    at: Instant
    who: str
    verdict: Verdict
    digest: str


def is_on_bench(bench: Bench | None, at: Instant) -> bool:
    """Whether what the pump raises now is somebody's doing. One that has a course has no bench."""
    return bench is not None and at < bench.until_at
