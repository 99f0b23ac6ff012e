"""What a page says: the essential fits into one text message, and nothing identifies a patient beyond the pseudonym.

One message holds 160 characters of the GSM alphabet, or 70 of any other script. The essential is the first line: how urgent, who,
what, since when, the limit, the reply code. What to do first stands on the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from re import compile as pattern
from zoneinfo import ZoneInfo

from gateway.core.advice import INTERRUPTED_RULE, gives_way, is_past_limit
from gateway.core.context import Context
from gateway.core.incident_state import Incident, Note
from gateway.core.languages import WORDINGS
from gateway.core.state import Course, Subject
from gateway.core.wording import Wording
from gateway.domain.gsm7 import ROOM_SEPTETS, fits
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.words import Condition, DeliveryState, Priority, WhyPaged
from rules.model import LimitWords, Protocol

FOUND_RULE = "interruption-found"
NAME_ENOUGH = 16  # of a longer pseudonym its beginning and its end, where nothing else makes room; the whole on the second line

_CONDITIONS = frozenset(Condition)
_COUNTED = pattern(r"\d+ times")


def compose(subject: Subject, incident: Incident, why: WhyPaged, code: str, context: Context, locale: Locale = Locale.EN) -> str:
    """The text of one page in that language; in English as a whole where a piece of it is not translated."""
    writer = _writer(subject, incident, context, locale)
    return writer.over() if why is WhyPaged.RESOLVED else writer.page(why, code)


def loses_words(subject: Subject, incident: Incident, code: str, context: Context, locale: Locale = Locale.EN) -> bool:
    """Whether the page about this open incident has no room for what is wrong, the limit and the code: its words are cut."""
    return _writer(subject, incident, context, locale).essential(code) is None


def _writer(subject: Subject, incident: Incident, context: Context, locale: Locale) -> "_Writer":
    writer = _Writer(subject, incident, context, locale)
    knows = locale is Locale.EN or writer.knows_it_all()
    return writer if knows else _Writer(subject, incident, context, Locale.EN)


def clock_time(instant: Instant, context: Context, locale: Locale = Locale.EN) -> str:
    """`13:05` in the ward's zone today, `Mon 13:05` within six days, else `Mon 9 Mar 13:05`; with the year where it is another.

    A bag that is changed in a week is changed on the weekday that is today: the weekday alone would say the wrong day.
    """
    zone = ZoneInfo(context.ward.timezone)
    then, today = (datetime.fromtimestamp(at / 1000, zone) for at in (instant, context.at))
    return WORDINGS[locale].clock(then, today)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one page in one language."""

    subject: Subject
    incident: Incident
    context: Context
    locale: Locale

    @property
    def words(self) -> Wording:
        """The language."""
        return WORDINGS[self.locale]

    def page(self, why: WhyPaged, code: str) -> str:
        """An open incident: the essential, then what to do first about the most urgent alert."""
        notes, essential = self._notes(), self.essential(code, self._lead(why))
        if essential is None:
            essential = self._cut(code)
        first = self._first(notes)
        if self.subject.id not in essential:
            first = self.words.joined.format(course=self.subject.id, said=first)
        return f"{essential}\n{first}" if first else essential

    def essential(self, code: str, lead: str = "") -> str | None:
        """The essential with as much as fits into one message; None where even the least of it does not."""
        notes, reply = self._notes(), self.words.reply.format(code=code)
        return next(filter(fits, self._attempts(lead, self._sayable(notes), len(notes), reply)), None)

    def over(self) -> str:
        """The end of it; and what the protocol wants when delivery had stopped for longer than its limit."""
        words, notes, incident = self.words, self._notes(), self.incident
        # outcomes of pages may follow the end in the history, and this may be told late
        closed_by = next((line.who for line in reversed(incident.history) if line.what == "closed"), "")
        ended_at = self.context.at if incident.closed_at is None else incident.closed_at
        ending, lasted = words.closed if closed_by else words.over, words.lasted(ended_at - incident.opened_at)
        was = words.was.format(said=self._say(notes[0])) if notes else ""
        attempts = [
            ending.format(subject=name, who=closed_by, lasted=lasted) + what + stopped + words.over_end
            for name in self._names()
            for stopped in self._stopped()
            for what in (was, "")
        ]
        return next(filter(fits, attempts), attempts[-1])

    def knows_it_all(self) -> bool:
        """Whether the language has every piece of what this page may say."""
        limit = self._limit_words()
        said = limit is None or all((limit.long, limit.short, limit.first))
        return said and all(self._knows(note) for note in self._notes())

    def _first(self, notes: list[Note]) -> str:
        """What to do first about the most urgent alert; past the limit nobody starts a pump again as the rule would have it."""
        course, protocol, limit = self._concerned(), self._protocol(), self._limit_words()
        if not notes:
            return ""
        if course is not None and protocol is not None and limit is not None and gives_way(notes[0]):
            return limit.first if is_past_limit(course, protocol, self.context.at) else self._told(notes[0])[1]
        return self._told(notes[0])[1]

    # ---- one alert -------------------------------------------------------------------------------------------------

    def _notes(self) -> list[Note]:
        """What fires, the most urgent first; where nothing does (any more), what fired last."""
        notes = list(self.incident.alerts.values()) or self.incident.last_alerts
        return sorted(notes, key=lambda note: (-note.priority.rank, not note.course))

    def _told(self, note: Note) -> tuple[str, str]:
        told = note.translated.get(self.locale)
        return (note.say, note.first) if told is None else (told.say, told.first)

    def _knows(self, note: Note) -> bool:
        told = note.translated.get(self.locale)
        if told is None or ("{detail}" in told.say and self.words.detail(_figures(note)) is None):
            return False
        return "{cause}" not in told.say or self.words.cause(note.detail) is not None

    def _say(self, note: Note) -> str:
        words, context = self.words, self.context
        since = clock_time(note.since, context, self.locale)
        if note.rule == INTERRUPTED_RULE and isinstance(self.subject, Course) and _is_estimate(note.since, self.subject):
            since = words.about.format(at=since)
        figures = _figures(note)
        said = self._told(note)[0].format(
            since=since,
            kind=words.kinds.get(note.kind, note.kind),
            cause=words.cause(note.detail) or note.detail.replace("-", " "),
            detail=words.detail(figures) or figures,
            lasted=words.lasted(max(0, context.at - note.since)),
            by=clock_time(note.by_at, context, self.locale) if note.by_at is not None else "?",
        )
        return words.joined.format(course=note.course, said=said) if note.course else said

    # ---- room ------------------------------------------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        name = self.subject.id
        return (name,) if len(name) <= NAME_ENOUGH else (name, f"{name[:7]}..{name[-7:]}")

    def _opening(self, name: str, lead: str) -> str:
        priority = self.words.priorities[self.incident.peak]
        return self.words.opening.format(lead=lead, subject=name, priority=priority)

    def _sayable(self, notes: list[Note]) -> list[str]:
        """What is said of the first alerts, no more of them than one message could ever hold: a site's may be thousands."""
        said, room = [], ROOM_SEPTETS
        for note in notes:
            if room < 0:
                break
            said.append(self._say(note))
            room -= len(said[-1]) + len(self.words.between)
        return said

    def _attempts(self, lead: str, said: list[str], total: int, reply: str) -> Iterator[str]:
        """The essential as it should be, then with less: fewer alerts (counted), no lead, a shorter limit, a shorter name."""
        words = self.words
        for name in self._names():
            for limit in self._limits():
                for opening in (self._opening(name, lead), self._opening(name, "")):
                    for count in range(len(said), 0, -1):
                        more = words.more.format(count=total - count) if count < total else ""
                        yield f"{opening}{words.between.join(said[:count])}{more}{words.end}{limit}{reply}"

    def _cut(self, code: str) -> str:
        """A ward's own endless words lose their end, never the code."""
        opening, reply = self._opening(self._names()[-1], ""), self.words.reply.format(code=code)
        said = "".join(self._say(note) for note in self._notes()[:1])
        while said and not fits(f"{opening}{said}{reply}"):
            said = said[:-1]
        return f"{opening}{said}{reply}"

    def _lead(self, why: WhyPaged) -> str:
        if why is WhyPaged.RAISED and self.incident.round == 1:
            return ""
        if why is WhyPaged.SILENCE_ENDED and self.incident.muted_by == "window":
            return self.words.window_over
        return self.words.leads.get(why, "")

    # ---- the limit -------------------------------------------------------------------------------------------------

    def _limits(self) -> tuple[str, ...]:
        """The protocol's limit without delivery, as the time at which it is reached; past it, what that means: long to short.

        Of several courses in a site's incident that of the one that was heard least lately. The pharmacy is told of no limit.
        """
        course, protocol, incident = self._concerned(), self._protocol(), self.incident
        if course is None or protocol is None or incident.route:
            return ("",)
        words, delivery = self.words, course.delivery
        limit, limit_at = words.lasted(protocol.interruption_limit_ms), delivery.since + protocol.interruption_limit_ms
        if any(note.rule == FOUND_RULE and note.priority is Priority.HIGH for note in incident.alerts.values()):
            return self._past(limit)
        if delivery.state not in (DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN):
            return ("",)
        if self.context.at < limit_at:
            return (words.limit_at.format(limit=limit, at=clock_time(limit_at, self.context, self.locale)),)
        return (words.limit_perhaps.format(limit=limit),) if delivery.state is DeliveryState.UNKNOWN else self._past(limit)

    def _past(self, limit: str) -> tuple[str, ...]:
        then = self._limit_words() or LimitWords()
        said = (self.words.limit_past.format(limit=limit, then=text) for text in (then.long, then.short))
        return (*said, self.words.limit_bare.format(limit=limit))

    def _stopped(self) -> tuple[str, ...]:
        """How long delivery had stopped, where that was longer than the limit, and what it means: long, short."""
        protocol = self._protocol()
        if protocol is None or not isinstance(self.subject, Course) or not self.subject.delivery.interruptions:
            return ("",)
        last = self.subject.delivery.interruptions[-1]
        stopped_ms = last.until - last.since
        if last.until < self.incident.opened_at or stopped_ms < protocol.interruption_limit_ms:
            return ("",)
        words, then = self.words, self._limit_words() or LimitWords()
        limit, stopped = words.lasted(protocol.interruption_limit_ms), words.lasted(stopped_ms)
        return tuple(words.stopped.format(stopped=stopped, limit=limit, then=text) for text in (then.long, then.short))

    def _limit_words(self) -> LimitWords | None:
        """What the limit means, in this language; None where there is no limit."""
        protocol = self._protocol()
        if protocol is None or self.locale is Locale.EN:
            return None if protocol is None else _english(protocol)
        return protocol.limit_words.get(self.locale, LimitWords())

    def _protocol(self) -> Protocol | None:
        course = self._concerned()
        return self.context.protocols.get(course.protocol) if course is not None else None

    def _concerned(self) -> Course | None:
        """The course itself; of a site's incident the joined one that was heard least lately."""
        if isinstance(self.subject, Course):
            return self.subject
        courses = self.context.courses
        notes = [note for note in self.incident.alerts.values() if note.course in courses]
        longest = min(notes, key=lambda note: note.since, default=None)
        return courses[longest.course] if longest is not None else None


def _english(protocol: Protocol) -> LimitWords:
    return LimitWords(protocol.past_limit, protocol.past_limit_short, protocol.past_limit_first)


def _figures(note: Note) -> str:
    """What a page may say of a finding beside its time: the pump's own words about its condition stay in the house."""
    return note.detail if note.kind not in _CONDITIONS or _COUNTED.fullmatch(note.detail) else ""


def _is_estimate(since: Instant, course: Course) -> bool:
    if course.delivery.state is DeliveryState.INTERRUPTED:
        return course.delivery.estimated
    return any(over.estimated and over.since == since for over in course.delivery.interruptions[-1:])
