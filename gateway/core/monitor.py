"""The pure core: events in, effects out.

The caller's duties, in this order:

1. make a record durable, 2. `step` it at its `received_at`, 3. make the effects durable together with the cursor, 4. do them.

Time comes only from the records: `step(event, at)` first fires every deadline earlier than `at`, then the event, then the
deadlines of `at` itself. When `next_deadline()` passes and nothing arrives, the caller appends a `clock` record and steps it.
All rules of an instant are judged before any page of that instant is decided. After a gap of more than 60 s the overdue pages of
an incident merge into one a person.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import assert_never

from gateway.core import answered, channels, courses, escalation, hearing, incidents, intake, replies, sites, synthetic, watched
from gateway.core.context import Context
from gateway.core.desk import begin_deaf
from gateway.core.events import BrokerDropped, Commanded, Event, Heard, Linked, Loaded, Replied, Sent, Ticked
from gateway.core.incident_state import Incident
from gateway.core.judgements import with_decided
from gateway.core.merging import merge_overdue
from gateway.core.obey import obey
from gateway.core.state import Course, Site
from gateway.core.store import State
from gateway.domain.effects import CommandResult, Effect, Heeded, Page
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.readings import AlarmChange
from gateway.domain.view import Facet
from gateway.domain.words import DeliveryState
from rules.engine import Change

GAP_MS = 60 * SECOND_MS


class Monitor:
    """Decides, from the journal's records alone, what is wrong and who is to be told."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self._wakes: list[tuple[Instant, str]] = []
        self._woken: dict[str, int] = {}
        self._seq = 0
        sites.index_strangers(self.state)
        for name in self.state.subjects():
            self._plan(name)

    def step(self, event: Event, at: Instant) -> tuple[Effect, ...]:
        """Fold one record's event in; returns what is to be done because of it and of the deadlines up to `at`."""
        at = max(at, self.state.desk.now_at)
        self._seq = event.seq
        if isinstance(event, Loaded) and event.started:
            begin_deaf(self.state.desk, at)  # before the time of the outage is lived through: nobody was listening
        effects = self.advance(at - 1) if self._is_due_before(at) else []
        self.state.desk.now_at = at
        now = self._context(at)
        self._take(event, now)
        if self._woken or (self._wakes and self._wakes[0][0] <= at):
            self._settle(now)
        return with_decided((*effects, *now.effects), now.ward) if effects or now.effects else ()

    def advance(self, at: Instant) -> list[Effect]:
        """Fire every deadline up to and including `at`, in the order of time."""
        first_at = self.next_deadline()
        overdue = first_at is not None and at - first_at >= GAP_MS
        effects: list[Effect] = []
        while (due_at := self.next_deadline()) is not None and due_at <= at:
            now = self._context(max(due_at, self.state.desk.now_at))
            self.state.desk.now_at = now.at
            self._settle(now)
            effects += now.effects
        self.state.desk.now_at = max(self.state.desk.now_at, at)
        return self._merged(effects) if overdue else effects

    def next_deadline(self) -> Instant | None:
        """When time alone will change something; None when it never will. Stale wake-ups are settled on the way."""
        exact = ""
        while self._wakes:
            wake_at, name = self._wakes[0]
            if name == exact:
                return wake_at
            due_at = self._due(name)
            if due_at is not None and due_at <= wake_at:
                return wake_at
            heappop(self._wakes)
            self.state.wakes.pop(name, None)
            if due_at is not None:
                exact = name
                self.state.wakes[name] = due_at
                heappush(self._wakes, (due_at, name))
        return None

    def _merged(self, effects: list[Effect]) -> list[Effect]:
        """One page a person; a contact that was spared is tried after all when the one that was kept fails."""
        kept, spared = merge_overdue(effects)
        for page in spared:
            incident = self.find_incident(page.incident)
            if incident is not None:
                escalation.spare(incident, page.key)
        return kept

    def wanted(self, page: Page) -> bool | None:
        """Whether a planned page should go out now: True, None (not while nothing fires), False (pointless)."""
        if page.transport in self.state.desk.stopped.get(page.person, ()):
            return False
        return escalation.is_wanted(self.find_incident(page.incident), page)

    def find_incident(self, key: str) -> Incident | None:
        """An incident by its key, open or lately closed."""
        subject = self.state.peek_at(key)
        if subject is None:
            return None
        return next((i for i in (*subject.open.values(), *subject.closed) if i.key == key), None)

    # ---- one event -------------------------------------------------------------------------------------------------

    def _take(self, event: Event, now: Context) -> None:
        match event:
            case Heard() if watched.is_watchdog(event, now.ward):
                self._wake(now.ward.site, watched.take(event, now))
            case Heard():
                self._hear(event, now)
            case Ticked():
                pass
            case Commanded():
                self._command(event, now)
            case Replied():
                self._reply(event, now)
            case Sent():
                self._note_outcome(event, now)
            case Loaded():
                self._load(event, now)
            case Linked():
                hearing.link(now.desk, event.session, now.at)
                self._wake_all(Facet.INHIBITION)
            case BrokerDropped():
                self._wake(now.ward.site, Facet.BROKER if hearing.count_dropped(now.desk, event.total, now.at) else 0)
            case _:
                assert_never(event)

    def _hear(self, event: Heard, now: Context) -> None:
        pump = self.state.heard(event.site, event.device)
        course = self.state.course_of(pump)
        woken = intake.take_in(pump, course, event.decoded, now)
        alarms = dict.fromkeys((item.boot, item.seq) for item in event.decoded.readings if isinstance(item, AlarmChange))
        now.effects += [Heeded(event.site, event.device, boot, seq) for boot, seq in alarms]
        if course is not None:
            pump.stray_at = 0
            if woken:
                self._wake(course.id, woken)
        elif woken or not pump.stray_at:
            self.state.stirred.add(f"{event.site}/{event.device}")
            self._wake(now.ward.site, 0)

    def _command(self, event: Commanded, now: Context) -> None:
        if (told := answered.told_before(now.desk.answered, event, now.at)) is not None:
            now.effects.append(told)
            return
        concerned, done = sites.concerned(self.state, event.command), obey(self.state, event.who, event.command, now)
        result = CommandResult(event.seq, done.ok, str(done.said), done.incident, said=done.said)
        answered.remember(now.desk.answered, event, result, now.at)
        now.effects.append(result)
        if done.ok and done.subject:
            self._wake(done.subject, Facet.ALL)
        self.state.stirred |= concerned
        if concerned:
            self._wake(now.ward.site, 0)

    def _reply(self, event: Replied, now: Context) -> None:
        person = replies.sender_of(now.ward, now.courses.values(), event.transport, event.address)
        if person is None:
            return
        for name in replies.concerned(person, self.state.all_subjects(), now):
            self.state.touch(name)  # before the answer may change its incident: a snapshot keeps it as it was
            self._wake(name, 0)
        said = replies.answer(person, event.transport, event.text, self.state.all_subjects(), now)
        if said is not None:
            now.effects.append(replies.answer_effect(event.seq, person, event.transport, event.address, said, now))

    def _note_outcome(self, event: Sent, now: Context) -> None:
        channels.note(event, now)
        incident_key = event.key.rsplit("/", 3)[0]
        incident, subject = self.find_incident(incident_key), self.state.subject_of(incident_key)
        if incident is not None and subject is not None:
            escalation.note_outcome(subject, incident, event.key, event.outcome, now)
            self._wake(subject.id, 0)

    def _load(self, event: Loaded, now: Context) -> None:
        self.state.ward, self.state.protocols = event.ward, event.protocols
        self.state.index_rules()
        now.ward, now.protocols, now.rules = event.ward, event.protocols, self.state.rules
        synthetic.settle(self.state, now)
        watched.begin(now, started=event.started)
        self._wake_all(Facet.ALL)

    # ---- one instant -----------------------------------------------------------------------------------------------

    def _settle(self, now: Context) -> None:
        """Judge everything that woke or is due at this instant, then decide pages."""
        while self._wakes and self._wakes[0][0] <= now.at:
            _, name = heappop(self._wakes)
            self.state.wakes.pop(name, None)
            self._woken.setdefault(name, 0)
        woken, self._woken = self._woken, {}
        judged: dict[str, list[Change]] = {}
        while woken:
            for name, facets in woken.items():
                self._judge(name, facets, judged, now)
            woken, self._woken = self._woken, {}
        joined = sites.join(self.state, judged, now)
        for name, changes in judged.items():
            subject = self.state.peek(name)
            if subject is not None:
                self._decide(subject, changes, joined if isinstance(subject, Site) else [], now)
                self._plan(name)

    def _judge(self, name: str, facets: int, judged: dict[str, list[Change]], now: Context) -> None:
        """Judge one subject; who depends on what became of it wakes too, at this same instant."""
        subject = self.state.touch(name)
        if subject is None:
            return
        before = subject.delivery.state if isinstance(subject, Course) else subject.inhibits
        judged.setdefault(name, []).extend(courses.judge_subject(self.state, subject, facets, now))
        if isinstance(subject, Site):
            if subject.inhibits is not before:
                for course in self.state.courses:
                    self._wake(course, Facet.INHIBITION)
        elif subject.delivery.state is not before and DeliveryState.UNKNOWN in (before, subject.delivery.state):
            look_at = sites.plan_look(self.state, now)
            if look_at > now.at:
                self._plan_at(now.ward.site, look_at)
            else:
                self._wake(now.ward.site, Facet.SITE)

    def _decide(
        self,
        subject: Course | Site,
        changes: Iterable[Change],
        joined: Iterable[tuple[Course, list[Change]]],
        now: Context,
    ) -> None:
        rules = courses.rules_of(self.state, subject)
        news = incidents.absorb(subject, changes, rules, now)
        for course, theirs in joined:
            theirs_rules = courses.rules_of(self.state, course)
            for route, fresh in incidents.absorb(subject, theirs, theirs_rules, now, course).items():
                news[route] = incidents.merged(news.get(route, incidents.News()), fresh)
        alerts = courses.alerts_of(self.state, subject)
        incidents.refresh(subject, alerts)
        incidents.note_stirring(subject, alerts, now.at)
        for route, incident in list(subject.open.items()):
            escalation.decide(subject, incident, news.get(route, incidents.News()), now)
        synthetic.leave_unmeasured(subject.id, now.effects)

    # ---- wake-ups --------------------------------------------------------------------------------------------------

    def _wake(self, name: str, facets: int) -> None:
        self._woken[name] = self._woken.get(name, 0) | facets

    def _wake_all(self, facets: int) -> None:
        for name in self.state.subjects():
            self._wake(name, facets)

    def _plan(self, name: str) -> None:
        """Make sure that the subject is looked at when it is due; a wake-up that is too early is cheap, one too late is a bug."""
        if (due_at := self._due(name)) is not None:
            self._plan_at(name, due_at)

    def _plan_at(self, name: str, due_at: Instant) -> None:
        planned_at = self.state.wakes.get(name)
        if planned_at is None or due_at < planned_at:
            self.state.wakes[name] = due_at
            heappush(self._wakes, (due_at, name))

    def _due(self, name: str) -> Instant | None:
        subject = self.state.peek(name)
        if subject is None:
            return None
        due_at = courses.next_due(self.state, subject)
        for incident in subject.open.values():
            wanted_at = escalation.next_due(incident)
            if wanted_at is not None and (due_at is None or wanted_at < due_at):
                due_at = wanted_at
        return due_at

    def _is_due_before(self, at: Instant) -> bool:
        return bool(self._wakes) and self._wakes[0][0] < at

    def _context(self, at: Instant) -> Context:
        state = self.state
        return Context(state.ward, state.protocols, state.rules, state.desk, at, self._seq, courses=state.courses)
