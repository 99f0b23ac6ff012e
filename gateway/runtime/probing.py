"""What a run of the gateway's own test tells: each hop from a pump's alarm to a person's answer, and how long it took."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.instants import SECOND_MS, Instant


class Hop(StrEnum):
    """The hops, in their order."""

    PUBLISHED = "published"
    JOURNALLED = "journalled"
    JUDGED = "judged"
    PLANNED = "page planned"
    HANDED_OVER = "handed over"
    ACCEPTED = "accepted"
    ACKNOWLEDGED = "acknowledged"


DEADLINES_MS = {  # from the hop before; for the last one the ward file's `within` counts
    Hop.PUBLISHED: 15 * SECOND_MS,
    Hop.JOURNALLED: 10 * SECOND_MS,
    Hop.JUDGED: 10 * SECOND_MS,
    Hop.PLANNED: 10 * SECOND_MS,
    Hop.HANDED_OVER: 30 * SECOND_MS,
    Hop.ACCEPTED: 30 * SECOND_MS,
}

MISSED = {
    Hop.PUBLISHED: "the broker did not take the synthetic pump's alarm",
    Hop.JOURNALLED: "the alarm never came into the journal: the gateway does not hear the broker, or does not store",
    Hop.JUDGED: "the alarm stands in the journal but was not judged",
    Hop.PLANNED: "the alarm was judged but no page was planned",
    Hop.HANDED_OVER: "the page was planned but not handed to a transport",
    Hop.ACCEPTED: "no transport took the page",
    Hop.ACKNOWLEDGED: "the page was sent but nobody took it in time",
}


@dataclass(frozen=True, slots=True)
class HopLine:
    """A hop that was passed, and how long after the one before (the first: after the start), in ms."""

    hop: Hop
    at: Instant
    latency_ms: int


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """A run as far as it has come. `failed` names the hop that was not passed in time; `detail` says what is known of it."""

    number: int
    started_at: Instant
    hops: tuple[HopLine, ...]
    finished: bool = False
    failed: Hop | None = None
    detail: str = ""
    pinged: bool = False


@dataclass(slots=True)
class Progress:
    """A run under way. `mark` is what its messages carry, `incident` what they raised; `passed` only ever grows."""

    number: int
    mark: str
    pump: str
    started_at: Instant
    passed: dict[Hop, Instant] = field(default_factory=dict)
    incident: str = ""
    detail: str = ""

    def report(self) -> ProbeReport:
        """As far as it has come: the hops in their order, up to the first that is open."""
        lines: list[HopLine] = []
        before_at = self.started_at
        for hop in Hop:
            if hop not in self.passed:
                break
            at = max(self.passed[hop], before_at)  # the broker's answer may come after the gateway's own hearing
            lines.append(HopLine(hop, at, at - before_at))
            before_at = at
        return ProbeReport(self.number, self.started_at, tuple(lines))
