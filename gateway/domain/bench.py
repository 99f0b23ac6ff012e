"""A technician's work on a pump that serves nobody: announced with an end, and what came of its commissioning."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a commissioning came to. `incomplete`: nothing failed, but not everything was done."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBench:
    """This pump is on the bench from now on, for `for_ms`: what it raises there concerns nobody. Again: a new end."""

    pump: str
    for_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndBench:
    """The pump is off the bench: whatever it shows counts again."""

    pump: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commissioned:
    """The pump went through its commissioning. `digest` is the SHA-256 (hex) of the signed document, which is kept elsewhere."""

    pump: str
    digest: str
    verdict: Verdict


BenchCommand = StartBench | EndBench | Commissioned
