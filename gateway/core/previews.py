"""Every text that a protocol can send, written by the same code as a real page, for a reviewer to read and sign.

Made from stories: for each question that rules may ask, the longest things that its findings say. Nothing here is measured or
recorded; the night, the course and the code are made up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.incident_state import Happening, Incident, Note, Told
from gateway.core.languages import WORDINGS
from gateway.core.state import Course, Delivery, Interruption, Site, Subject
from gateway.core.texts import clock_time, compose, loses_words
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.domain.locale import Locale
from gateway.domain.ward import Ward
from gateway.domain.words import OF_NO_INCIDENT, Condition, DeliveryState, IncidentState, Priority, WhyPaged
from rules.model import Protocol, Rule
from rules.predicate import PUMP, SITE
from rules.predicates import PREDICATES

NIGHT = 1_772_565_000_000  # 2026-03-03 19:10 UTC: a night in Asia, a day in Europe
SINCE_MS = 3 * HOUR_MS + 11 * MINUTE_MS
LONG_MS = HOUR_MS + 9 * MINUTE_MS  # so much earlier the limit of four hours has passed

ALL_BUT_RESOLVED = tuple(why for why in WhyPaged if why not in OF_NO_INCIDENT | {WhyPaged.RESOLVED})
STOPPING = frozenset({"delivery_interrupted", "delivery_unknown"})


@dataclass(frozen=True, slots=True)
class Story:
    """What a finding tells: `kind` and `detail` as in `rules.model.Finding`."""

    kind: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """One text. `cut`: its first line has no room for what is wrong, the limit and the code."""

    rule: str
    what: str
    text: str
    cut: bool = False

    @property
    def essential(self) -> str:
        """What must arrive with the first message."""
        return self.text.partition("\n")[0]


_STRANGER = "pump-17"
_CAUSES = ("user", "clinician", "alarm", "kvo", "powered-off", "between-doses", "unspecified", *Condition)

STORIES: Mapping[str, tuple[Story, ...]] = {
    "delivery_interrupted": tuple(Story(detail=cause) for cause in _CAUSES),
    "delivery_unknown": (Story(detail="silence"), Story(detail="unsaid"), Story(detail="scale stands")),
    "alarm_active": tuple(Story(kind) for kind in Condition),
    "alarm_recurrent": tuple(Story(kind, "12 times") for kind in Condition),
    "battery_running_out": (
        Story(detail="19 %, by the maker's figure 1 h 59 min left"),
        Story(detail="9 %, by its own fall 29 min left"),
    ),
    "bag_ending_early": (Story(),),
    "bag_change_overdue": (Story(detail="change due"), Story(detail="past its expiry")),
    "bag_order_due": (Story(),),
    "interruption_found": (Story(detail="23 h 59 min"),),
    "rate_mismatch": (Story(detail="0.606 instead of 0.6 mL/h"),),
    "under_delivery": (Story(detail="79 %"),),
    "settings_changed": (
        Story("unlocked", "unlocked"),
        Story("settings", "settings changed (pressure limit)"),
        Story("settings", "settings changed (Mrs Example)"),  # what a device says of its own never leaves the house
        Story("time-changed", "clock moved by 23 h 59 min"),
    ),
    "pump_unassigned": (Story(_STRANGER, "delivers"), Story(_STRANGER, "alarm occlusion downstream")),
    "mostly_refused": (Story(detail="300 of 300 messages"), Story(_STRANGER, f"300 of 300 messages of {_STRANGER}")),
    "site_silent": (Story(detail="499 of 500"),),
    "never_heard": (Story(),),
    "fever": (Story(detail="39.5"),),
    "handwriting_changed": (Story(),),
    "diary_missing": (Story(),),
    "gateway_deaf": (Story(),),
    "watchdog_silent": (Story(),),
    "broker_dropped": (Story(detail="1000000"),),
}


@dataclass(frozen=True, slots=True)
class Previewer:
    """Writes the texts of one protocol for one ward in one language."""

    protocol: Protocol
    ward: Ward
    locale: Locale
    course: str = "P-017"
    code: str = "4711"
    at: Instant = NIGHT

    def of(self, rule: Rule) -> Iterator[Preview]:
        """Each thing that the rule can find, opened; of the longest one every other page too."""
        stories = STORIES.get(rule.predicate, (Story(),))
        opened = [self.page(rule, story, WhyPaged.OPENED) for story in stories]
        yield from opened
        longest = stories[max(range(len(stories)), key=lambda i: len(opened[i].essential))]
        for why in ALL_BUT_RESOLVED[1:]:
            yield self.page(rule, longest, why)
        if rule.predicate in STOPPING:
            late = replace(self, at=self.at + LONG_MS)
            yield late.page(rule, longest, WhyPaged.MILESTONE, " past the limit")
            yield late.page(rule, longest, WhyPaged.RESOLVED, " past the limit")
        yield self.page(rule, longest, WhyPaged.RESOLVED)

    def answers(self) -> Iterator[Preview]:
        """What is said back to people who wrote, the reminder for the home, and the page about somebody who wants none."""
        words, until = WORDINGS[self.locale], clock_time(self.at + 30 * MINUTE_MS, self._context(), self.locale)
        before = words.answers["before"].format(who="charge-nurse", until=until)
        filled = {
            "subject": self.course,
            "code": self.code,
            "count": 2,
            "until": until,
            "who": "charge-nurse",
            "before": before,
            "transport": "sms",
            "rest": "voice, email",
            "people": "ward-manager",
            "others": words.answers["others-told"].format(people="ward-manager"),
        }
        for name, answer in words.answers.items():
            yield Preview("answer", name, answer.format(**filled).strip())
        yield Preview("reminder", "diary", words.reminder.format(subject=self.course))
        unreachable = words.unreachable.format(site=self.ward.site, person="charge-nurse", transport="sms")
        yield Preview("page", WhyPaged.UNREACHABLE.value, unreachable)
        test = words.test.format(site=self.ward.site, at=clock_time(self.at, self._context(), self.locale))
        yield Preview("page", WhyPaged.TEST.value, test)

    def page(self, rule: Rule, story: Story, why: WhyPaged, when: str = "") -> Preview:
        """One page about one finding; with the pump's own alarm where that is what stopped the delivery."""
        subject, incident, context = self._subject(rule, story), self._incident(rule, story), self._context()
        incident.subject = subject.id
        cut = loses_words(subject, incident, self.code, context, self.locale)
        if why is WhyPaged.RESOLVED:
            incident.state, incident.last_alerts, incident.alerts = IncidentState.RESOLVED, list(incident.alerts.values()), {}
            incident.history.append(Happening(self.at, "resolved"))
        text = compose(subject, incident, why, self.code, context, self.locale)
        return Preview(rule.name, f"{why.value}{_named(story)}{when}", text, cut)

    def _incident(self, rule: Rule, story: Story) -> Incident:
        since = NIGHT - SINCE_MS
        notes = [self._note(rule, story, since)]
        alarm = next((one for one in self.protocol.rules if one.predicate == "alarm_active"), None)
        if rule.predicate == "delivery_interrupted" and alarm is not None and story.detail in set(Condition):
            notes.append(self._note(alarm, Story(story.detail), since + MINUTE_MS))
        peak = max((note.priority for note in notes), key=lambda priority: priority.rank)
        alerts = {f"{note.rule}:{note.kind}": note for note in notes}
        return Incident("preview@1", "", "", NIGHT - HOUR_MS, peak, {}, alerts=alerts, round=2)

    def _note(self, rule: Rule, story: Story, since: Instant) -> Note:
        priority = rule.rungs[-1].priority if rule.rungs else self.protocol.conditions.get(_condition(story), Priority.HIGH)
        names = (story.kind, story.detail)
        told = ((locale, rule.translated(locale, *names)) for locale in rule.translations)
        return Note(
            rule=rule.name,
            kind=story.kind,
            family=story.kind or rule.name,
            priority=priority,
            since=since,
            detail=story.detail,
            say=rule.say,
            first=rule.first_for(*names),
            by_at=NIGHT + DAY_MS,
            translated={locale: Told(*words) for locale, words in told if words is not None},
        )

    def _subject(self, rule: Rule, story: Story) -> Subject:
        scopes = PREDICATES[rule.predicate].scopes
        if scopes & SITE or (scopes & PUMP and story.kind):
            return Site(self.ward.site)
        states = {"delivery_interrupted": DeliveryState.INTERRUPTED, "delivery_unknown": DeliveryState.UNKNOWN}
        state, since = states.get(rule.predicate, DeliveryState.DELIVERING), NIGHT - SINCE_MS
        delivery = Delivery(state=state, since=since, evidence_at=since, estimated=rule.predicate == "delivery_interrupted")
        if rule.predicate in STOPPING:
            delivery.interruptions = [Interruption(since, self.at, story.detail, estimated=delivery.estimated)]
        return Course(self.course, site=self.ward.site, protocol=self.protocol.name, pump=_STRANGER, delivery=delivery)

    def _context(self) -> Context:
        return Context(self.ward, {self.protocol.name: self.protocol}, {}, Desk(), self.at, 1)


def _condition(story: Story) -> Condition:
    return Condition(story.kind) if story.kind in set(Condition) else Condition.OTHER


def _named(story: Story) -> str:
    name = story.kind or story.detail
    return f" ({name})" if name else ""
