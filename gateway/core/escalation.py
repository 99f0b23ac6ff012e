"""Whom to page now (DESIGN 6). No terminal silence: while an alert fires and nobody has the incident, something is always due."""

from gateway.core.codes import code_for
from gateway.core.context import Context
from gateway.core.incidents import News, finish, move, tell
from gateway.core.judgements import incident_point, page_point
from gateway.core.oncall import CAREGIVER
from gateway.core.state import Attempt, Incident, Outstanding, Reached, Subject
from gateway.core.texts import compose
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.ward import Person, Policy
from gateway.domain.words import IncidentState, Outcome, WhyPaged

QUIET_MS = 2 * MINUTE_MS
GRACE_MS = 5 * MINUTE_MS
FAILED = frozenset({Outcome.REJECTED, Outcome.NO_RECEIPT})
MISSED = frozenset({Outcome.REJECTED, Outcome.TEMPORARY, Outcome.WITHDRAWN})


def next_due(incident: Incident) -> Instant | None:
    """The earliest instant at which this incident wants a decision."""
    if incident.quiet_at is not None:
        return incident.quiet_at + QUIET_MS
    instants = [attempt.due_at for attempt in incident.attempts]
    if incident.state is IncidentState.ACKNOWLEDGED:
        if incident.restart_at is not None:
            instants.append(incident.restart_at)
        elif incident.ack is not None:
            instants.append(incident.ack.until_at)
    elif incident.next_step_at is not None:
        instants.append(incident.next_step_at)
    return min(instants, default=None)


def decide(subject: Subject, incident: Incident, news: News, context: Context) -> None:
    """Everything that is due for this incident at `context.at`, one paging decision at the most a reason."""
    before = incident.state
    if incident.quiet_at is not None:
        if context.at >= incident.quiet_at + QUIET_MS:
            resolve_incident(subject, incident, context)
        return
    if news.opened or news.raised:
        move(incident, "raise")
        start_policy(subject, incident, WhyPaged.OPENED if news.opened else WhyPaged.RAISED, context)
    elif news.new_alert and move(incident, "new-alert"):
        start_policy(subject, incident, WhyPaged.NEW_ALERT, context)
    else:
        _lapse(subject, incident, context)
        if incident.state is IncidentState.TRIGGERED and _is_due(incident.next_step_at, context.at):
            next_step(subject, incident, WhyPaged.UNACKNOWLEDGED, context)
    if news.milestone:
        _page_milestone(subject, incident, context)
    _try_contacts(subject, incident, context)
    if incident.state is not before or news.opened or news.raised:
        context.effects.append(incident_point(subject, incident, context))


def start_policy(subject: Subject, incident: Incident, why: WhyPaged, context: Context) -> None:
    """The incident's policy from step 1, at once."""
    incident.ack, incident.restart_at, incident.cycle_at, incident.step = None, None, None, -1
    incident.next_step_at = context.at
    next_step(subject, incident, why, context)


def next_step(subject: Subject, incident: Incident, why: WhyPaged, context: Context) -> None:
    """The step that follows the last one; steps that resolve to nobody are passed over, and said so once."""
    policy = policy_of(incident)
    incident.next_step_at = None
    for _ in policy.steps:
        index = incident.step + 1
        if index >= len(policy.steps):
            if policy.repeat_from is None:
                return
            index = policy.repeat_from
            if incident.cycle_at is not None and context.at < incident.cycle_at + policy.repeat_every_ms:
                break
        incident.step = index
        if policy.repeat_from == index:
            incident.cycle_at = context.at
        people = context.people(policy.steps[index].targets)
        if people:
            incident.step_round = _page_people(subject, incident, people, why, context)
            incident.next_step_at = _after_step(incident, policy, context.at + policy.steps[index].wait_ms)
            return
        if any(target != CAREGIVER for target in policy.steps[index].targets):  # an absent caregiver is nobody's gap
            _page_gap(subject, incident, context)
    if policy.steps:
        incident.next_step_at = _after_step(incident, policy, context.at + MINUTE_MS)


def _after_step(incident: Incident, policy: Policy, wanted_at: Instant) -> Instant:
    """When the step after the current one may start: a new round of the policy never earlier than `every` after the last."""
    last = incident.step == len(policy.steps) - 1
    if last and incident.cycle_at is not None:
        return max(wanted_at, incident.cycle_at + policy.repeat_every_ms)
    return wanted_at


def policy_of(incident: Incident) -> Policy:
    """The policy as it was when the incident opened: the route's, or that of the highest priority reached."""
    policies = incident.policies
    return policies[""] if incident.route else policies[incident.peak.value]


def _lapse(subject: Subject, incident: Incident, context: Context) -> None:
    """A lease that ended with an alert still firing comes back: first to who had it, then to the policy."""
    if incident.state is not IncidentState.ACKNOWLEDGED or incident.ack is None:
        return
    if incident.restart_at is None and context.at >= incident.ack.until_at:
        tell(incident, context.at, "lease-ended", who=incident.ack.who)
        acker = context.ward.people.get(incident.ack.who)
        if acker is None:
            _restart(subject, incident, context)
            return
        incident.restart_at = context.at + GRACE_MS
        _page_people(subject, incident, (acker,), WhyPaged.LEASE_ENDED, context)
    elif _is_due(incident.restart_at, context.at):
        _restart(subject, incident, context)


def _restart(subject: Subject, incident: Incident, context: Context) -> None:
    move(incident, "lapse")
    start_policy(subject, incident, WhyPaged.UNACKNOWLEDGED, context)


def _page_milestone(subject: Subject, incident: Incident, context: Context) -> None:
    policy = policy_of(incident)
    targets = policy.milestone_targets or (policy.steps[0].targets if policy.steps else ())
    just_paged = {page.person for page in context.effects if isinstance(page, Page) and page.incident == incident.key}
    people = tuple(person for person in context.people(targets) if person.id not in just_paged)
    if people:
        _page_people(subject, incident, people, WhyPaged.MILESTONE, context)


def _page_gap(subject: Subject, incident: Incident, context: Context) -> None:
    """Nobody is on call for a step: the fallback hears of it, once an incident."""
    if incident.gap_paged:
        return
    incident.gap_paged = True
    people = tuple(context.ward.people[name] for name in _fallback(context) if name in context.ward.people)
    _page_people(subject, incident, people, WhyPaged.STAFFING_GAP, context)


def _fallback(context: Context) -> tuple[str, ...]:
    return tuple(person.id for person in context.people(context.ward.fallback))


def _page_people(subject: Subject, incident: Incident, people: tuple[Person, ...], why: WhyPaged, context: Context) -> int:
    """Begin a round for these people: their contacts are tried in order, each after its own delay. Returns the round."""
    incident.round += 1
    names = {person.id for person in people}
    incident.attempts = [attempt for attempt in incident.attempts if attempt.person not in names]
    incident.spared = [attempt for attempt in incident.spared if attempt.person not in names]
    for person in people:
        before = incident.reached.get(person.id)
        reached = incident.reached[person.id] = Reached(incident.round, len(person.contacts))
        if before is not None:
            reached.accepted, reached.perhaps = before.accepted, before.perhaps
        incident.attempts += [
            Attempt(person.id, index, incident.round, context.at + contact.after_ms, why.value)
            for index, contact in enumerate(person.contacts)
        ]
    tell(incident, context.at, "paging", text=f"{why.value}: {', '.join(sorted(names))}")
    _try_contacts(subject, incident, context)
    return incident.round


def _try_contacts(subject: Subject, incident: Incident, context: Context) -> None:
    due = [attempt for attempt in incident.attempts if attempt.due_at <= context.at]
    incident.attempts = [attempt for attempt in incident.attempts if attempt.due_at > context.at]
    for attempt in due:
        person = context.ward.people.get(attempt.person)
        if person is not None and attempt.contact < len(person.contacts):
            context.effects.append(_page(subject, incident, person, attempt, context))


def _page(subject: Subject, incident: Incident, person: Person, attempt: Attempt, context: Context) -> Page:
    why = WhyPaged(attempt.why)
    contact = person.contacts[attempt.contact]
    about = tuple(dict.fromkeys(note.rule for note in incident.alerts.values()))
    if why is WhyPaged.STAFFING_GAP:
        about = (why.value, *about)
    elif why is WhyPaged.RESOLVED:
        about = (why.value,)
    code = code_for(subject, incident, person, context)
    key = f"{incident.key}/r{attempt.round}/{person.id}/{attempt.contact}"
    incident.outstanding[key] = Outstanding(contact.transport, why.value, context.at)
    return Page(
        key=key,
        incident=incident.key,
        course=context.place(subject),
        person=person.id,
        transport=contact.transport,
        address=contact.address,
        priority=incident.peak,
        why=why,
        about=about,
        text=compose(subject, incident, why, code, context),
        code=code,
        decided_at=context.at,
    )


def resolve_incident(subject: Subject, incident: Incident, context: Context) -> None:
    """All alerts have been quiet for long enough: over, and everybody who was paged is told once."""
    finish(subject, incident, context, "quiet")
    tell_resolved(subject, incident, context)


def tell_resolved(subject: Subject, incident: Incident, context: Context) -> None:
    """Tell who was paged that it is over, by the first contact that took a page and is not voice.

    Whom nothing can have reached is not told: "resolved" would be the first that they hear of it.
    """
    incident.round += 1
    for name, reached in incident.reached.items():
        if reached.perhaps:
            _tell_over(subject, incident, name, context)
    context.effects.append(incident_point(subject, incident, context))


def _tell_over(subject: Subject, incident: Incident, name: str, context: Context) -> None:
    person, reached = context.ward.people.get(name), incident.reached[name]
    if person is None:
        return
    quiet = [i for i, c in enumerate(person.contacts) if i not in reached.failed and not _is_voice(c.transport, context)]
    choices = [i for i in reached.accepted if i in quiet] or quiet
    if choices:
        attempt = Attempt(name, choices[0], incident.round, context.at, WhyPaged.RESOLVED.value)
        context.effects.append(_page(subject, incident, person, attempt, context))


def _is_voice(transport: str, context: Context) -> bool:
    facts = context.ward.transports.get(transport)
    return facts is not None and facts.voice


def note_outcome(subject: Subject, incident: Incident, key: str, outcome: Outcome, context: Context) -> None:
    """What became of a page: a contact that failed for good makes the next one due at once, and then the next step."""
    _, round_text, name, contact_text = key.rsplit("/", 3)
    reached, round_, contact = incident.reached.get(name), int(round_text[1:]), int(contact_text)
    what = f"page-{outcome.value}"
    if not any(line.what == what and line.text == key for line in incident.history):  # retries would drown the rest
        tell(incident, context.at, what, who=name, text=key)
    if outcome not in (Outcome.TEMPORARY, Outcome.UNKNOWN) and (page := incident.outstanding.pop(key, None)) is not None:
        context.effects.append(page_point(subject, name, page, outcome, context))
    if reached is None:
        return
    reached.perhaps |= outcome not in MISSED
    if outcome is Outcome.ACCEPTED and contact not in reached.accepted:
        reached.accepted.append(contact)
    if round_ < reached.round or outcome not in FAILED or contact in reached.failed:
        return
    reached.failed.append(contact)
    if incident.state is IncidentState.RESOLVED:
        if round_ > reached.round and len(reached.failed) < reached.contacts:
            incident.round += 1
            _tell_over(subject, incident, name, context)
        return
    waiting = [attempt for attempt in incident.attempts if attempt.person == name] or _unspared(incident, name)
    if waiting:
        min(waiting, key=lambda attempt: attempt.due_at).due_at = context.at
    elif incident.state is IncidentState.TRIGGERED and round_ == incident.step_round and _all_failed(incident):
        incident.next_step_at = _after_step(incident, policy_of(incident), context.at)


def spare(incident: Incident, key: str) -> None:
    """This page was merged into another one of the same person: its contact waits for that one to fail."""
    _, round_text, name, contact_text = key.rsplit("/", 3)
    page, reached, round_ = incident.outstanding.pop(key, None), incident.reached.get(name), int(round_text[1:])
    if page is not None and reached is not None and reached.round == round_ and incident.state is IncidentState.TRIGGERED:
        incident.spared.append(Attempt(name, int(contact_text), round_, page.decided_at, page.why))


def _unspared(incident: Incident, name: str) -> list[Attempt]:
    """The person's first contact that was spared, taken up again."""
    first = next((attempt for attempt in incident.spared if attempt.person == name), None)
    if first is None:
        return []
    incident.spared.remove(first)
    incident.attempts.append(first)
    return [first]


def _all_failed(incident: Incident) -> bool:
    step = [reached for reached in incident.reached.values() if reached.round == incident.step_round]
    return all(len(reached.failed) >= reached.contacts for reached in step)


def _is_due(instant: Instant | None, at: Instant) -> bool:
    return instant is not None and instant <= at
