"""Who can be paged, how, and by which policy: frozen, for console, API and terminal, which never see the state itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.core.channel_state import LastWord, PageTest, Tried
from gateway.core.channels import TEST_EVERY_MS, way
from gateway.core.oncall import Duty, duties, on_call
from gateway.core.outbox import TEST_KEPT_MS
from gateway.core.store import State
from gateway.core.synthetic import PROTOCOL, ROUTE
from gateway.domain.instants import DAY_MS, MINUTE_MS, Instant
from gateway.domain.ward import Person, Policy, Schedule, Shift, Ward
from gateway.domain.words import Outcome, Priority
from rules.model import Protocol, Rule

DAYS = 14  # of duties shown; a rota is written for so long ahead
PAGED = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)  # each has the policy of its name

_TRIED_AGAIN = frozenset({None, Outcome.TEMPORARY, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class WayLine:
    """A contact of a person, tried `after_ms` a step. `muted`: the person wants no pages by it (STOP).

    What its transport said last, of any page: `outcome` at `said_at`, None where nothing was ever sent by it.
    """

    transport: str
    address: str
    after_ms: int
    muted: bool
    outcome: Outcome | None
    said_at: Instant | None
    reason: str


@dataclass(frozen=True, slots=True)
class TriedLine:
    """A contact of a test page and what became of it.

    `waits`: more may come. `works`: it was delivered, or accepted where nobody promises a receipt.
    """

    transport: str
    address: str
    outcome: Outcome | None
    said_at: Instant | None
    reason: str
    waits: bool
    works: bool


@dataclass(frozen=True, slots=True)
class PageTestLine:
    """The newest test page of a person: asked for at `at` by `who`, in record `seq`. `waits` while any of its contacts does."""

    seq: int
    at: Instant
    who: str
    tried: tuple[TriedLine, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody who can be paged; ways in the order of trying. `next_test_at`: before it no further test page is sent."""

    id: str
    language: str
    teams: tuple[str, ...]
    on_call: tuple[str, ...]
    ways: tuple[WayLine, ...]
    test: PageTestLine | None
    next_test_at: Instant | None


@dataclass(frozen=True, slots=True)
class RotaLine:
    """A schedule from now on: `duties` leave nothing out, the first is that of now; one without people is a gap."""

    name: str
    timezone: str
    duties: tuple[Duty, ...]
    overrides: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """Which policies a rule's alerts go to. `priorities` are those that it can have, lowest first; none: whatever it finds."""

    rule: str
    priorities: tuple[Priority, ...]
    policies: tuple[str, ...]
    routed: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """The ward's people and policies as of `at`; the gateway's own test is left out."""

    at: Instant
    timezone: str
    people: tuple[PersonLine, ...]
    teams: Mapping[str, tuple[str, ...]]
    schedules: tuple[Schedule, ...]
    policies: tuple[Policy, ...]
    fallback: tuple[str, ...]
    rules: tuple[RuleLine, ...]

    def person(self, name: str) -> PersonLine | None:
        """Somebody by name; None where the ward has nobody of that name."""
        return next((line for line in self.people if line.id == name), None)

    def rota(self, days: int = DAYS) -> tuple[RotaLine, ...]:
        """Every schedule through the coming days. Reading a large calendar takes its time: call it from another thread."""
        until_at = self.at + days * DAY_MS
        return tuple(_rota(schedule, self.at, until_at) for schedule in self.schedules)


def build_roster(state: State, at: Instant) -> Roster:
    """The roster at `at`."""
    ward = state.ward
    on_duty = {name: on_call(schedule, at) for name, schedule in ward.schedules.items()}
    return Roster(
        at=at,
        timezone=ward.timezone,
        people=tuple(_person(person, on_duty, state, at) for person in ward.people.values()),
        teams=ward.teams,
        schedules=tuple(ward.schedules.values()),
        policies=_policies(ward),
        fallback=ward.fallback,
        rules=tuple(_rules(ward, state.protocols)),
    )


def _policies(ward: Ward) -> tuple[Policy, ...]:
    """Those of the priorities first, the most urgent first; information opens no incident, so that its policy pages nobody."""
    left_out = (ROUTE, Priority.INFORMATION.value)
    first = [ward.policies[priority.value] for priority in PAGED if priority.value in ward.policies]
    return (*first, *(policy for policy in ward.policies.values() if policy not in first and policy.name not in left_out))


def _person(person: Person, on_duty: Mapping[str, tuple[str, ...]], state: State, at: Instant) -> PersonLine:
    channels, ward = state.desk.channels, state.ward
    words, test = channels.words.get(person.id, {}), channels.tests.get(person.id)
    muted = state.desk.stopped.get(person.id, ())
    ways = []
    for contact in person.contacts:
        said = words.get(way(contact), LastWord())
        silenced = contact.transport in muted
        ways.append(
            WayLine(contact.transport, contact.address, contact.after_ms, silenced, said.outcome, said.at or None, said.reason)
        )
    return PersonLine(
        id=person.id,
        language=person.locale.value,
        teams=tuple(team for team, people in ward.teams.items() if person.id in people),
        on_call=tuple(name for name, people in on_duty.items() if person.id in people),
        ways=tuple(ways),
        test=None if test is None else _test(test, ward, at),
        next_test_at=None if test is None or at >= test.at + TEST_EVERY_MS else test.at + TEST_EVERY_MS,
    )


def _test(test: PageTest, ward: Ward, at: Instant) -> PageTestLine:
    tried = tuple(_tried(each, test.at, ward, at) for each in test.tried)
    return PageTestLine(test.seq, test.at, test.who, tried, waits=any(line.waits for line in tried))


def _tried(tried: Tried, asked_at: Instant, ward: Ward, at: Instant) -> TriedLine:
    """Where a receipt is promised being accepted is not the end; whatever says nothing any more has ended without one."""
    facts, word = ward.transports.get(tried.transport), tried.word
    promised_ms = facts.receipt_deadline_ms if facts is not None and facts.receipts else 0
    took_it = word.outcome is Outcome.ACCEPTED
    waits = word.outcome in _TRIED_AGAIN or (took_it and promised_ms > 0)
    waits = waits and at < asked_at + TEST_KEPT_MS + promised_ms + MINUTE_MS
    works = word.outcome is Outcome.DELIVERED or (took_it and not promised_ms)
    return TriedLine(tried.transport, tried.address, word.outcome, word.at or None, word.reason, waits, works)


def _rota(schedule: Schedule, at: Instant, until_at: Instant) -> RotaLine:
    overrides = tuple(shift for shift in schedule.overrides if shift.until_at > at and shift.from_at < until_at)
    return RotaLine(schedule.name, schedule.timezone, tuple(duties(schedule, at, until_at)), overrides)


def _rules(ward: Ward, protocols: Mapping[str, Protocol]) -> Iterator[RuleLine]:
    """Rules of all protocols by name, in the order of the first that has each; what one of them can do, the rule can do."""
    found: dict[str, list[Rule]] = {}
    for name in sorted(protocols):
        for rule in protocols[name].rules if name != PROTOCOL else ():
            found.setdefault(rule.name, []).append(rule)
    routes = {route.rule: route.policy for route in reversed(ward.routes)}
    for name, rules in found.items():
        known = {rung.priority for rule in rules for rung in rule.rungs}
        priorities = tuple(sorted(known, key=lambda priority: priority.rank)) if all(rule.rungs for rule in rules) else ()
        reached = tuple(priority.value for priority in PAGED if not priorities or priority in priorities)
        yield RuleLine(name, priorities, (routes[name],) if name in routes else reached, name in routes)
