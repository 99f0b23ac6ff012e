"""The virtual-time study: simulated patients on the real core, with the truth beside what was paged.

Patients are independent: they live in wards of at most ten homes, each with a gateway of its own, on as many cores as there are.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from multiprocessing import get_context
from zoneinfo import ZoneInfo

from gateway.config.load import load_ward
from gateway.core.forecast import BagForecast
from gateway.domain.effects import Page
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.words import Priority, WhyPaged
from gateway.scenario import bag_life
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.home import Home
from gateway.scenario.network import Arrival
from gateway.scenario.patients import patient, place_of, start_of
from gateway.scenario.places import Deed, Place, Told
from gateway.scenario.study_gateway import StudyGateway
from gateway.scenario.team import Desk, Team, calls_for_action, is_for_home
from gateway.scenario.truth import TrueBag, TrueInterruption
from rules.loader import load_protocol

HOMES_A_WARD = 10
PATIENTS_MAX = 10_000
INSTANTS_MAX = 50_000_000  # a ward that never comes to rest is a bug, not a long study
MONDAY = (2026, 3, 2)
NEVER_AT: Instant = 1 << 62


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. `ward` and `protocols` are texts as the journal keeps them; the homes are on `protocol`."""

    ward: str
    protocols: Mapping[str, str]
    protocol: str
    patients: int
    timezone: str
    seed: int = 1
    assumed: Assumptions = field(default_factory=Assumptions)

    def lasting(self, *, days: float, report_s: float) -> "Plan":
        """The same with courses of so many days and pumps that report so often."""
        return replace(self, assumed=replace(self.assumed, cycle_days=days, report_s=report_s))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out. `page`: the person and the decision behind it; a second contact of the same is the same page.

    `acts`: it asks the ward to do something. `to_home`: it went to a caregiver.
    """

    at: Instant
    page: str
    incident: str
    person: str
    transport: str
    priority: Priority
    why: WhyPaged
    about: tuple[str, ...]
    acts: bool
    to_home: bool = False


@dataclass(frozen=True, slots=True)
class Lived:
    """An incident from its opening to its end."""

    incident: str
    opened_at: Instant
    closed_at: Instant


@dataclass(slots=True)
class PatientResult:
    """One patient's cycle: the truth, and what was told.

    `alarms_at`: starts of alarms as they reached the gateway; `losses`: how long the pump could not be heard; `incidents`: lives
    of this course's incidents; `forecasts`: by bag, as they stood when the next visit was planned.
    """

    course: str
    since: Instant
    until: Instant
    interruptions: list[TrueInterruption]
    bags: list[TrueBag]
    losses: list[tuple[Instant, Instant]]
    happened: dict[str, int]
    delivered_ml: float
    sent: list[Sent] = field(default_factory=list)
    alarms_at: list[Instant] = field(default_factory=list)
    incidents: list[Lived] = field(default_factory=list)
    forecasts: dict[int, BagForecast] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WardResult:
    """One ward's patients; `digest` is of its whole journal and all its pages; `refused` are commands that were refused."""

    patients: tuple[PatientResult, ...]
    digest: str
    records: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """All patients in order, and the study's digest."""

    plan: Plan
    patients: tuple[PatientResult, ...]
    digest: str
    records: int
    refused: tuple[str, ...]


def run_study(plan: Plan, *, workers: int = 1, progress: Callable[[int], None] = lambda _: None) -> Study:
    """Simulate every patient; `progress` hears how many are done. The result does not depend on the number of `workers`."""
    wards: list[WardResult] = []
    for result in _wards(plan, workers):
        wards.append(result)
        progress(sum(len(ward.patients) for ward in wards))
    digest = blake2b("".join(ward.digest for ward in wards).encode(), digest_size=16).hexdigest()
    return Study(
        plan=plan,
        patients=tuple(result for ward in wards for result in ward.patients),
        digest=digest,
        records=sum(ward.records for ward in wards),
        refused=tuple(words for ward in wards for words in ward.refused),
    )


def _wards(plan: Plan, workers: int) -> Iterator[WardResult]:
    firsts = range(1, plan.patients + 1, HOMES_A_WARD)
    if workers <= 1 or len(firsts) == 1:
        yield from (run_ward(plan, first) for first in firsts)
        return
    with ProcessPoolExecutor(min(workers, len(firsts)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_ward, [plan] * len(firsts), firsts)


def run_ward(plan: Plan, first: int) -> WardResult:
    """Simulate the ward whose first patient has this number."""
    ward = _Ward(plan, first)
    ward.live()
    return ward.result()


def monday(timezone: str) -> Instant:
    """The midnight from which a study counts: a Monday."""
    return round(datetime(*MONDAY, tzinfo=ZoneInfo(timezone)).timestamp() * SECOND_MS)


class _Ward:
    """At most ten homes, their gateway and the people who watch them."""

    def __init__(self, plan: Plan, first: int) -> None:
        loaded = load_ward(plan.ward, "ward", None)
        protocol = load_protocol(plan.protocols[plan.protocol], plan.protocol, loaded.rule_overrides)
        place: Place = place_of(loaded, protocol, plan.assumed, plan.seed)
        from_at = monday(loaded.ward.timezone)
        numbers = range(first, min(first + HOMES_A_WARD, plan.patients + 1))
        self.homes = [patient(place, number, start_of(place, number, from_at)) for number in numbers]
        self.gateway = StudyGateway(loaded, plan.protocols, from_at)
        desk = Desk(self.gateway.tell, self.gateway.is_open, self.gateway.conditions)
        self.team = Team(plan.seed, plan.assumed, self.homes, desk)
        self.results = {home.course: _blank(home) for home in self.homes}
        self._dues = [_due_of(home) for home in self.homes]
        self._until = max(home.end_at for home in self.homes) + DAY_MS  # what the last hours leave open is told by then

    def live(self) -> None:
        """Until every story is over."""
        for _ in range(INSTANTS_MAX):
            at = self._next_at()
            if at > self._until:
                return
            for index, home in enumerate(self.homes):
                if self._dues[index] <= at:
                    self._take_all(home, at)
                    self._dues[index] = _due_of(home)
            if self.team.next_at is not None and self.team.next_at <= at:
                self.team.act(at)
                self._dues = [_due_of(home) for home in self.homes]  # what was agreed on the phone is on a home's agenda now
            self.gateway.tick(at)
            for page in self.gateway.send(at):
                self._note(page, at)
        raise RuntimeError(f"the ward of {self.homes[0].course} does not come to rest")

    def result(self) -> WardResult:
        """What there is to tell."""
        for home in self.homes:
            result, truth = self.results[home.course], home.truth
            result.interruptions, result.bags, result.losses = truth.interruptions, truth.bags, truth.losses
            result.happened, result.delivered_ml, result.until = truth.alarms, truth.delivered_ml, truth.until
        for incident, span in self.gateway.incidents.items():
            if span.course in self.results:
                closed_at = self._until if span.closed_at is None else span.closed_at
                self.results[span.course].incidents.append(Lived(incident, span.opened_at, closed_at))
        told = tuple(self.results.values())
        return WardResult(told, self.gateway.digest(), self.gateway.records, tuple(self.gateway.refused))

    def _next_at(self) -> Instant:
        dues = [min(self._dues), NEVER_AT]
        dues += [due for due in (self.team.next_at, self.gateway.next_due()) if due is not None]
        return min(dues)

    def _take_all(self, home: Home, at: Instant) -> None:
        """What comes of a home by `at`, and what people record because of that."""
        while deeds := home.due(at):
            for deed in deeds:
                self._take(home, deed, at)

    def _take(self, home: Home, deed: Deed, at: Instant) -> None:
        result = self.results[home.course]
        if isinstance(deed, Arrival):
            self.gateway.hear(deed.topic, deed.payload, at)
            if deed.starts_alarm:
                result.alarms_at.append(at)
        elif isinstance(deed, Told):
            self.gateway.tell(deed.who, deed.command, at)
        elif (forecast := self.gateway.forecast(home.course, at)) is not None:
            result.forecasts[deed.bag] = forecast
            bag_life.plan_by_forecast(home, forecast, at)

    def _note(self, page: Page, at: Instant) -> None:
        self.team.paged(page, at)
        if page.course in self.results:
            acts = calls_for_action(page)
            by = page.key.rpartition("/")[0]
            facts = (page.incident, page.person, page.transport, page.priority, page.why, page.about, acts, is_for_home(page))
            sent = Sent(at, by, *facts)
            self.results[page.course].sent.append(sent)


def _due_of(home: Home) -> Instant:
    """When the home is to be asked next: kept beside it, because it is asked for more often than it changes."""
    return NEVER_AT if home.next_at is None else home.next_at


def _blank(home: Home) -> PatientResult:
    return PatientResult(home.course, home.start_at, home.end_at, [], [], [], {}, 0.0)
