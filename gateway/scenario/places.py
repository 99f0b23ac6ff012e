"""What the homes of a simulated ward share, and what comes of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from gateway.domain.commands import Command
from gateway.domain.instants import Instant
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.local_time import LocalTime
from gateway.scenario.network import Arrival
from gateway.scenario.truth import Cause
from rules.model import BagKind


@dataclass(frozen=True, slots=True)
class Told:
    """A person records something."""

    who: str
    command: Command


@dataclass(frozen=True, slots=True)
class Look:
    """The next visit is planned now: what does the forecast say of this bag."""

    bag: int


Deed = Arrival | Told | Look


@dataclass(frozen=True, slots=True)
class Place:
    """One ward's homes: their bags, their clocks, what is assumed of them; `homes_by`: the transport to reach them, if any."""

    seed: int
    site: str
    protocol: str
    bag: BagKind
    local: LocalTime
    assumed: Assumptions
    homes_by: str = ""


@dataclass(slots=True)
class Trouble:
    """What is wrong at a home. `cause` None: it stops nothing. `shown`: the pump has said so. `mending`: somebody is on it."""

    cause: Cause | None
    needs_visit: bool = False
    shown: bool = True
    mending: bool = False


@dataclass(order=True, slots=True)
class _Planned:
    at: Instant
    number: int
    act: Callable[[Instant], None] = field(compare=False)


class Agenda:
    """What is planned; of the same instant what was planned first comes first."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._count = 0

    @property
    def next_at(self) -> Instant | None:
        """When the next thing is due."""
        return self._planned[0].at if self._planned else None

    def plan(self, at: Instant, act: Callable[[Instant], None]) -> None:
        """Do `act` at `at`."""
        self._count += 1
        heappush(self._planned, _Planned(at, self._count, act))

    def do_next(self) -> None:
        """The next thing, at its own instant."""
        planned = heappop(self._planned)
        planned.act(planned.at)

    def clear(self) -> None:
        """Nothing more is planned."""
        self._planned.clear()
