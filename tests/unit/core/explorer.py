"""Every order in which an incident's life can go, for a small ward: breadth first over the real core, until nothing new comes.

A state is kept as its saved cells, so that each step also goes through what a crash would find on the disk. Two states are the
same when they differ in nothing but the clock, the numbers of records and rounds, and the lines of history.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations

from gateway.core import escalation
from gateway.core.events import Commanded, Event, Heard, Linked, Loaded, Sent, Ticked
from gateway.core.incident_state import Incident
from gateway.core.monitor import Monitor
from gateway.core.state import Course
from gateway.domain.care import SilenceRules
from gateway.domain.commands import Acknowledge, Enrol, HandOver
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.readings import AlarmChange, Decoded, Observation, Reading
from gateway.domain.ward import Ward
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, IncidentState, Outcome, Priority
from gateway.runtime.snapshots import dump, restore
from rules.model import Protocol

COURSE, PUMP = "P-017", "p1"
REPORT_MS = 4 * MINUTE_MS
EVERY_MS = 4 * MINUTE_MS  # between two rounds of the high policy
SILENCE_MS = 2 * MINUTE_MS
START: Instant = 1_772_409_600_000
OUTCOMES = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.NO_RECEIPT)
PEOPLE = ("nurse-a", "nurse-b")
HANDS_OVER = "handed over"

Key = tuple[object, ...]
Cells = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search tries: time by the minute or from one deadline to the next; a priority that rises; silences; hand-overs."""

    by_the_minute: bool = False
    rises: bool = False
    silences: bool = False
    hand_overs: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A state: its cells, its instant, and the actions that led to it from the start."""

    cells: Cells
    at: Instant
    path: tuple[str, ...]


class Life:
    """One state brought back to life, to try an action on it. `effects` are what the actions brought."""

    def __init__(self, ward: Ward, protocol: Protocol, node: Node | None = None) -> None:
        self._ward, self._protocol = ward, protocol
        self.effects: list[Effect] = []
        self._seq = 0
        if node is None:
            self.at, self.monitor = START, Monitor()
            self.start()
            return
        state = restore(node.cells)
        state.ward, state.protocols = ward, {protocol.name: protocol}
        state.index_rules()
        self.at, self.monitor = node.at, Monitor(state)

    def start(self) -> None:
        """A process starts, finds its broker and has read what the broker kept."""
        self.step(Loaded, self._ward, {self._protocol.name: self._protocol}, started=True)
        self.step(Linked, "up")
        self.step(Linked, "drained")

    def step(self, make: Callable[..., Event], *args: object, **keys: object) -> None:
        """One record at this instant."""
        self._seq += 1
        self.effects += self.monitor.step(make(self._seq, *args, **keys), self.at)

    def hear(self, reading: Reading) -> None:
        """One message of the pump."""
        self.step(Heard, self._ward.site, PUMP, "telemetry", Decoded((reading,)))

    def report(self) -> None:
        """The pump says that it delivers, as it does every few minutes: what is wrong with it stops nothing."""
        self.hear(Observation(observed_at=self.at, delivery_status=DeliveryStatus.DELIVERING))

    def alarm(self, condition: Condition, phase: AlarmPhase) -> None:
        """An alarm begins or ends at the pump."""
        self.hear(AlarmChange(observed_at=self.at, condition=condition, phase=phase, stops_delivery=False))

    def wait(self, until_at: Instant) -> None:
        """Time passes; the pump reports."""
        while self.at < until_at:
            self.at = min(self.at + REPORT_MS, until_at)
            self.step(Ticked)
            self.report()

    @property
    def incident(self) -> Incident | None:
        """The course's open incident."""
        return self.course.open.get("")

    @property
    def course(self) -> Course:
        """The course's cell."""
        return self.monitor.state.courses[COURSE]

    def due_at(self) -> Instant | None:
        """When the incident wants something next, or a silence ends; None when time alone brings nothing."""
        own = escalation.next_due(self.incident) if self.incident is not None else None
        ends = [silence.until_at for silence in self.course.care.silences]
        return min([max(at, self.at) for at in (own, *ends) if at is not None], default=None)

    def node(self, path: tuple[str, ...]) -> Node:
        """This state, put away."""
        state = self.monitor.state
        keys = [f"pump:{key}" for key in state.pumps] + [f"course:{COURSE}", f"site:{self._ward.site}", "desk:"]
        return Node({key: body for key in keys if (body := dump(state, key)) is not None}, self.at, path)


def opened(ward: Ward, protocol: Protocol, scope: Scope) -> Life:
    """A course whose pump has just opened an incident: of high priority, or of medium where the search lets it rise."""
    life = Life(ward, protocol)
    life.step(Commanded, "nurse-a", Enrol(course=COURSE, pump=PUMP, protocol=protocol.name, bag="7-day"))
    life.report()
    life.alarm(Condition.TEMPERATURE if scope.rises else Condition.SYSTEM_FAULT, AlarmPhase.START)
    while life.incident is None:
        life.wait(life.at + SECOND_MS * 30)
    return life


def actions(life: Life, scope: Scope) -> Iterator[tuple[str, Callable[[Life], None]]]:
    """What may happen next: time, an answer of a provider, a person, the pump, a crash."""
    incident = life.incident
    yield "crash", Life.start
    if incident is None:
        return
    due_at = life.at + MINUTE_MS if scope.by_the_minute else life.due_at()
    if due_at is not None:
        yield "time passes", lambda one: one.wait(due_at)
    for key in incident.outstanding:
        round_ = int(key.rsplit("/", 3)[1][1:])
        if round_ == incident.round:
            for outcome in OUTCOMES:
                yield f"{outcome.value} {key.split('/', 1)[1]}", lambda one, k=key, o=outcome: one.step(Sent, k, o)
    for who in PEOPLE:
        if incident.ack is None or incident.ack.who != who:
            yield f"ack by {who}", lambda one, w=who: one.step(Commanded, w, Acknowledge(incident=COURSE))
    yield from _hand_overs(incident, scope)
    fires = {note.kind for note in incident.alerts.values()}
    if scope.rises and Condition.SYSTEM_FAULT.value not in fires and incident.peak is not Priority.HIGH:
        yield "high alarm", _high
    if scope.silences and not life.course.care.silences:
        quiet = SilenceRules(course=COURSE, reason="the ward is with the patient", for_ms=SILENCE_MS)
        yield "silence", lambda one: one.step(Commanded, "nurse-a", quiet)
    yield from _ends(incident)


def _high(life: Life) -> None:
    life.alarm(Condition.SYSTEM_FAULT, AlarmPhase.START)
    life.wait(life.at + 2 * MINUTE_MS)


def _hand_overs(incident: Incident, scope: Scope) -> Iterator[tuple[str, Callable[[Life], None]]]:
    for who, to in permutations(PEOPLE) if scope.hand_overs and not _was_handed_over(incident) else ():
        if incident.ack is None or incident.ack.who != to:
            over = HandOver(incident=COURSE, to=to)
            yield f"{HANDS_OVER} to {to}", lambda one, w=who, c=over: one.step(Commanded, w, c)


def _was_handed_over(incident: Incident) -> bool:
    """Once is tried in every state; more would only multiply them."""
    return any(line.what == "handed-over" for line in incident.history)


def _ends(incident: Incident) -> Iterator[tuple[str, Callable[[Life], None]]]:
    if incident.quiet_at is None:
        for kind in sorted({note.kind for note in incident.alerts.values()}):
            yield f"{kind} ends", lambda one, k=kind: one.alarm(Condition(k), AlarmPhase.END)
    else:
        yield "it comes back", lambda one: one.alarm(Condition.SYSTEM_FAULT, AlarmPhase.START)


def likeness(life: Life) -> Key:
    """What makes two states the same: everything that decides what comes next, by its distance from now."""
    incident, at, desk = life.incident, life.at, life.monitor.state.desk
    if incident is None:
        return (desk.connected,)
    since, ack = _distance(at), incident.ack
    held = incident.state is IncidentState.ACKNOWLEDGED  # whoever gets it back begins at step 1: where it stood is forgotten
    steps = () if held else (incident.step, since(incident.next_step_at), _recent(incident.cycle_at, at))
    counted = (incident.round,) if held else (incident.round, incident.step_round)
    return (
        incident.state,
        incident.peak,
        steps,
        since(incident.restart_at),
        since(incident.quiet_at),
        incident.gap_paged,
        _was_handed_over(incident),
        (incident.muted, tuple(since(silence.until_at) for silence in life.course.care.silences)),
        (ack.who, since(ack.until_at), ack.priority, tuple(ack.families)) if ack else None,
        tuple(sorted((key, note.priority) for key, note in incident.alerts.items())),
        tuple((a.person, a.contact, since(a.due_at), a.why, a.round - incident.round) for a in incident.attempts),
        tuple((a.person, a.contact, a.why, a.round - incident.round) for a in incident.spared),
        tuple(
            (name, r.round == incident.round, r.round == incident.step_round, tuple(sorted(r.failed)))
            for name, r in sorted(incident.reached.items())
            if r.round in counted
        ),
        tuple(sorted(key.split("/", 2)[2] for key in incident.outstanding if f"/r{incident.round}/" in key)),
    )


def _recent(cycle_at: Instant | None, at: Instant) -> int | None:
    """How long ago the last round of the policy began, as far as that can still delay the next one."""
    return None if cycle_at is None or at - cycle_at >= EVERY_MS else cycle_at - at


def _distance(at: Instant) -> Callable[[Instant | None], int | None]:
    return lambda instant: None if instant is None else instant - at


@dataclass(slots=True)
class Explored:
    """All states that there are, by likeness, and whether the search came to its end."""

    nodes: dict[Key, Node] = field(default_factory=dict)
    steps: int = 0
    complete: bool = False


def explore(ward: Ward, protocol: Protocol, scope: Scope, look: Callable[[Life, Node], None], states_max: int) -> Explored:
    """Every state that can be reached; `look` judges each once, and may change the life that it is given."""
    first = opened(ward, protocol, scope)
    found = Explored({likeness(first): first.node(())})
    todo = deque(found.nodes.values())
    while todo and len(found.nodes) < states_max:
        node = todo.popleft()
        look(Life(ward, protocol, node), node)
        for name, act in actions(Life(ward, protocol, node), scope):
            life = Life(ward, protocol, node)
            act(life)
            found.steps += 1
            key = likeness(life)
            if key not in found.nodes:
                found.nodes[key] = life.node((*node.path, name))
                todo.append(found.nodes[key])
    found.complete = not todo
    return found


def pages_of(effects: list[Effect]) -> list[Page]:
    """The pages among effects."""
    return [effect for effect in effects if isinstance(effect, Page)]
