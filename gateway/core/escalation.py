"""Whom to page now (DESIGN 6). No terminal silence: while an alert fires and nobody has the incident, something is always due."""

from gateway.core.context import Context
from gateway.core.fallback import ask_fallback, page_gap
from gateway.core.incident_state import Attempt, Incident
from gateway.core.incidents import News, finish, move, priority_of, tell
from gateway.core.judgements import incident_point, page_point
from gateway.core.oncall import CAREGIVER
from gateway.core.paging import page_people, tell_over, tell_resolved, try_contacts
from gateway.core.silences import review
from gateway.core.state import Subject
from gateway.domain.effects import Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.ward import Person, Policy
from gateway.domain.words import OF_NO_INCIDENT, IncidentState, Outcome, WhyPaged

QUIET_MS = 2 * MINUTE_MS
GRACE_MS = 5 * MINUTE_MS
DEFAULT_LEASE_MS = 2 * HOUR_MS  # where the policy says nothing
PASSES_MUTE = frozenset({WhyPaged.MILESTONE, WhyPaged.ESCALATED})
WANTED_ALWAYS = OF_NO_INCIDENT | {WhyPaged.RESOLVED}
FAILED = frozenset({Outcome.REJECTED, Outcome.NO_RECEIPT})
MISSED = frozenset({Outcome.REJECTED, Outcome.TEMPORARY, Outcome.WITHDRAWN})


def next_due(incident: Incident) -> Instant | None:
    """The earliest instant at which this incident wants a decision."""
    if incident.quiet_at is not None:
        return incident.quiet_at + QUIET_MS
    instants = [attempt.due_at for attempt in incident.attempts]
    if incident.muted:
        return min(instants, default=None)
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
    was_muted, ended = incident.muted, review(subject, incident, context.at)
    if incident.muted:
        incident.attempts = [attempt for attempt in incident.attempts if WhyPaged(attempt.why) in PASSES_MUTE]
        incident.spared.clear()
    elif ended or was_muted:
        _speak_again(subject, incident, ended, news, was_muted=was_muted, context=context)
    elif news.opened or news.raised:
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
    try_contacts(subject, incident, context)
    if incident.state is not before or news.opened or news.raised:
        context.effects.append(incident_point(subject, incident, context))


def _speak_again(subject: Subject, incident: Incident, ended: str, news: News, *, was_muted: bool, context: Context) -> None:
    """What was mute is so no longer and still fires: the people of the policy hear of it, whoever knew before.

    Steps that went on for other alerts, and a lease that still covers this one, are not disturbed. Without an end it is a new
    alert that broke the quiet of an incident.
    """
    priority, ack = priority_of(incident), incident.ack
    rose = priority.rank > incident.peak.rank or news.raised
    incident.peak = max(incident.peak, priority, key=lambda each: each.rank)
    why = WhyPaged.SILENCE_ENDED if ended else WhyPaged.NEW_ALERT if incident.round else WhyPaged.OPENED
    tell(incident, context.at, why.value, text=ended)
    taken = incident.state is IncidentState.ACKNOWLEDGED
    held = taken and ack is not None and context.at < ack.until_at and ack.priority.rank >= priority.rank
    loud = [note for note in incident.alerts.values() if note.muted_until is None]
    covered = held and ack is not None and all(note.family in ack.families for note in loud)
    if rose or ((was_muted or taken) and not covered) or news.new_alert:
        move(incident, "raise")
        start_policy(subject, incident, why, context)
        return
    steps = policy_of(incident).steps
    people = context.people(steps[max(incident.step, 0)].targets, subject) if steps else ()
    if people:
        page_people(subject, incident, people, why, context)


def is_wanted(incident: Incident | None, page: Page) -> bool | None:
    """Whether a planned page of this incident should go out now: True, None (not while nothing fires), False (pointless)."""
    if page.why in WANTED_ALWAYS or incident is None:
        return page.why in WANTED_ALWAYS
    if incident.state is IncidentState.RESOLVED:
        return False
    if incident.muted and page.why not in PASSES_MUTE:
        return False  # the end of the silence pages anew
    if page.why is not WhyPaged.MILESTONE and incident.ack is not None and incident.ack.at >= page.decided_at:
        return False
    reached = incident.reached.get(page.person)
    if reached is not None and reached.round > int(page.key.rsplit("/", 3)[1][1:]):
        return False
    return None if incident.quiet_at is not None else True


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
        people = context.people(policy.steps[index].targets, subject)
        if people:
            incident.step_round = page_people(subject, incident, people, why, context)
            incident.next_step_at = _after_step(incident, policy, context.at + policy.steps[index].wait_ms)
            return
        if any(target != CAREGIVER for target in policy.steps[index].targets):  # an absent caregiver is nobody's gap
            page_gap(subject, incident, context)
    if policy.steps:
        incident.next_step_at = _after_step(incident, policy, context.at + MINUTE_MS)
        if not any(context.people(step.targets, subject) for step in policy.steps[policy.repeat_from or 0 :]):
            incident.next_step_at = context.at + MINUTE_MS  # somebody may come on duty
            ask_fallback(subject, incident, max(policy.repeat_every_ms, GRACE_MS), why, context)


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


def lease_of(incident: Incident) -> int:
    """For how long, in ms, somebody has it who takes it without saying for how long."""
    return policy_of(incident).ack_lease_ms or DEFAULT_LEASE_MS


def _lapse(subject: Subject, incident: Incident, context: Context) -> None:
    """A lease that ended with an alert still firing comes back: first to who had it, then to the policy."""
    if incident.state is not IncidentState.ACKNOWLEDGED or incident.ack is None:
        return
    if incident.restart_at is None and context.at >= incident.ack.until_at:
        tell(incident, context.at, "lease-ended", who=incident.ack.who)
        acker = context.person(incident.ack.who)
        if acker is None or not context.contacts(acker):
            _restart(subject, incident, context)
            return
        incident.restart_at = context.at + GRACE_MS
        page_people(subject, incident, (acker,), WhyPaged.LEASE_ENDED, context)
    elif _is_due(incident.restart_at, context.at):
        _restart(subject, incident, context)


def _restart(subject: Subject, incident: Incident, context: Context) -> None:
    move(incident, "lapse")
    start_policy(subject, incident, WhyPaged.UNACKNOWLEDGED, context)


def _page_milestone(subject: Subject, incident: Incident, context: Context) -> None:
    policy = policy_of(incident)
    targets = policy.milestone_targets or (policy.steps[0].targets if policy.steps else ())
    just_paged = {page.person for page in context.effects if isinstance(page, Page) and page.incident == incident.key}
    people = tuple(person for person in context.people(targets, subject) if person.id not in just_paged)
    if people:
        page_people(subject, incident, people, WhyPaged.MILESTONE, context)


def resolve_incident(subject: Subject, incident: Incident, context: Context) -> None:
    """All alerts have been quiet for long enough: over, and everybody who was paged is told once."""
    finish(subject, incident, context, "quiet")
    tell_resolved(subject, incident, context)


def note_outcome(subject: Subject, incident: Incident, key: str, outcome: Outcome, context: Context) -> None:
    """What became of a page: a contact that failed for good makes the next one due at once, and then the next step."""
    _, round_text, name, contact_text = key.rsplit("/", 3)
    reached, round_, contact = incident.reached.get(name), int(round_text[1:]), int(contact_text)
    _write_down(subject, incident, key, outcome, context)
    if reached is None:
        return
    unheard, reached.perhaps = not reached.perhaps, reached.perhaps or outcome not in MISSED
    if outcome is Outcome.ACCEPTED and contact not in reached.accepted:
        reached.accepted.append(contact)
    if incident.state is IncidentState.RESOLVED and unheard and reached.perhaps:
        incident.round += 1  # the page was on its way when it was over: what was sent is followed by its end
        tell_over(subject, incident, name, context)
        return
    if round_ < reached.round or outcome not in FAILED or contact in reached.failed:
        return
    reached.failed.append(contact)
    if incident.state is not IncidentState.RESOLVED:
        _try_next(incident, name, round_, context)
    elif round_ > reached.round and len(reached.failed) < reached.contacts:
        incident.round += 1
        tell_over(subject, incident, name, context)


def pass_over(incident: Incident, person: Person, transport: str, context: Context) -> None:
    """The person wants no more pages by this transport: as if these contacts had failed for good."""
    reached = incident.reached.get(person.id)
    if reached is None:
        return
    indices = {i for i, contact in enumerate(person.contacts) if contact.transport == transport}
    reached.failed += sorted(indices - set(reached.failed))
    for waiting in (incident.attempts, incident.spared):
        waiting[:] = [attempt for attempt in waiting if attempt.person != person.id or attempt.contact not in indices]
    _try_next(incident, person.id, reached.round, context)


def _try_next(incident: Incident, name: str, round_: int, context: Context) -> None:
    """A contact failed: the person's next one is due at once, and where nobody of the step is left, so is the next step."""
    waiting = [attempt for attempt in incident.attempts if attempt.person == name] or _unspared(incident, name)
    if waiting:
        min(waiting, key=lambda attempt: attempt.due_at).due_at = context.at
    elif incident.state is IncidentState.TRIGGERED and round_ == incident.step_round and _all_failed(incident):
        incident.next_step_at = _after_step(incident, policy_of(incident), context.at)


def _write_down(subject: Subject, incident: Incident, key: str, outcome: Outcome, context: Context) -> None:
    """The outcome as a line of the history, each kind once a page, and as a point when the page is done."""
    name, what = key.rsplit("/", 3)[2], f"page-{outcome.value}"
    if not any(line.what == what and line.text == key for line in incident.history):  # retries would drown the rest
        tell(incident, context.at, what, who=name, text=key)
    if outcome not in (Outcome.TEMPORARY, Outcome.UNKNOWN) and (page := incident.outstanding.pop(key, None)) is not None:
        context.effects.append(page_point(subject, name, page, outcome, context))


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
