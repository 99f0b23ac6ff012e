"""The audit: who did what, when and why, told from a journal alone. What each line means stands in docs/audit.md.

A pure reading: the records are folded once, in order, and each gives its lines before the next is read. However long the journal
is, memory holds the fold, the open incidents and the pages whose outcomes may still come.

Behind a record that is missing (removed by retention, or damaged) the fold's own judgements prove nothing: pages are told when an
outcome names them, incidents when one of their pages was, and a refusal is not told for certain.
"""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from gateway.core.events import Commanded, Event, Loaded, Replied, Sent, Ticked
from gateway.core.replies import sender_of
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.commands import Acknowledge, Close, Escalate, HandOver, Note
from gateway.domain.effects import Answer, CommandResult, Effect, Page
from gateway.domain.instants import Instant
from gateway.domain.words import WhyPaged
from gateway.runtime.audit_config import changes, contents
from gateway.runtime.audit_incidents import BY_PEOPLE, Followers, Gained, told_in_words
from gateway.runtime.audit_line import AuditLine, Result, Wanted, What
from gateway.runtime.audit_pages import Known, Pages, outcome_words, page_words
from gateway.runtime.audit_words import deed_of, quoted
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Record
from gateway.runtime.records import Unreadable, event_of
from rules.durations import say_ms

READ_AT_ONCE = 2_000
GAP_MS = 60_000  # a start after less is a mere restart

_HOME = "diary-page"  # who writes through a home's private link
_ON_INCIDENTS = Acknowledge | Escalate | HandOver | Close | Note  # what these do stands in the incident's history
_WAYS = {"link": " by a page's link", "call": " by a key on the phone"}
_FROM_HERE_ON = "; from here on only what records prove is told"
_UNKNOWN_RESULT = "whether it was taken cannot be told any more"


@dataclass(slots=True)
class Tally:
    """Counted while an audit is told: lines of the gateway's own test that nobody asked for."""

    tests_left_out: int = 0


async def audit(journal: Journal, wanted: Wanted, tally: Tally | None = None) -> AsyncIterator[AuditLine]:
    """The wanted lines of a journal, in its order, up to the record that is its last now. Writes nothing."""
    telling, after, last = Audit(), 0, await journal.last_seq()
    while after < last and (items := await journal.read(after, READ_AT_ONCE)):
        for item in items:
            after = item.seq
            if after > last or wanted.is_over(item.seq, getattr(item, "received_at", 0)):
                return
            for line in telling.hear(item):
                if wanted.fits(line):
                    yield line
                elif tally is not None and wanted.leaves_out(line):
                    tally.tests_left_out += 1


class Audit:
    """A journal as it is told: feed it every record in order, and take the lines that each one gives."""

    def __init__(self) -> None:
        self._fold = Fold()
        self._followers = Followers()
        self._pages = Pages()
        self._config: dict[str, str] = {}
        self._seq, self._at = 0, 0
        self._careful = False
        self._lines: list[AuditLine] = []

    def hear(self, item: Record | Damaged) -> list[AuditLine]:
        """The lines of one record; a damaged one is named and passed over."""
        self._lines, before, before_at = [], self._seq, self._at
        self._seq, self._at = item.seq, getattr(item, "received_at", self._at)
        if item.seq > before + 1 and not self._careful:
            self._be_careful(f"records {before + 1} to {item.seq - 1} are not kept any more")
        if isinstance(item, Damaged):
            self._be_careful(f"record {item.seq} is damaged ({item.detail}) and was passed over")
        else:
            self._judge(item, before_at)
        return self._lines

    def _be_careful(self, why: str) -> None:
        """A record is missing: what is judged without it may never have happened."""
        self._add(AuditLine(what=What.RECORD, text=why if self._careful else f"{why}{_FROM_HERE_ON}"))
        self._careful = True

    def _judge(self, record: Record, before_at: Instant) -> None:
        """The record's own line first, then what it did to incidents, then whom that paged."""
        event = self._event(record)
        effects = self._fold.judge(event, record.received_at)
        gained = self._followers.look(self._fold.monitor.state, record.seq)
        proven = [one for one in gained if one.followed.vouched or not self._careful]
        match event:
            case Loaded():
                self._tell_config(record, event, before_at)
            case Sent():
                self._tell_outcome(record, event)
            case Commanded():
                self._tell_command(event, effects, proven, _by(event, record))
            case Replied():
                self._tell_reply(event, effects, proven)
            case _:
                pass  # what pumps say and the clock shows are nobody's deeds
        self._tell_gained(proven, _by(event, record))
        self._followers.settle(gained)
        self._tell_pages(effects)
        for finding in self._fold.findings:
            self._add(AuditLine(what=What.RECORD, text=quoted(finding)))
        self._fold.findings.clear()

    def _event(self, record: Record) -> Event:
        try:
            return event_of(record)
        except Unreadable as problem:
            self._add(AuditLine(what=What.RECORD, text=f"{quoted(str(problem))}; it was passed over"))
            return Ticked(record.seq)

    def _add(self, line: AuditLine) -> None:
        """Give the line its place; what concerns the gateway's own test is told as such."""
        course = line.course or self._course_of(line.incident)
        what = What.TEST if course == SYNTHETIC else line.what
        placed = replace(line, seq=self._seq, number=len(self._lines) + 1, at=self._at, what=what, course=course)
        self._lines.append(placed)

    def _course_of(self, incident: str) -> str:
        name = incident.partition("@")[0].partition(".")[0]
        return "" if name == self._fold.monitor.state.ward.site else name

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._fold.monitor.state.ward.timezone or "UTC")

    # ---- what people did -------------------------------------------------------------------------------------------

    def _tell_command(self, event: Commanded, effects: Iterable[Effect], gained: Iterable[Gained], by: str) -> None:
        on_incident = isinstance(event.command, _ON_INCIDENTS)
        if on_incident and any(one.happening.what in BY_PEOPLE for one in gained):
            return
        result = next((effect for effect in effects if isinstance(effect, CommandResult) and effect.seq == event.seq), None)
        if result is not None and result.first:
            return  # the same request once more, with its key: what it did is told where it did it
        deed = deed_of(event.command, self._zone, self._at)
        line = AuditLine(what=deed.what, text="", who=event.who, course=deed.course, incident=deed.incident, why=deed.why)
        because, who = f": {quoted(deed.why)}" if deed.why.strip() else "", _actor(event.who)
        asked = f"{who} asked{by} to {deed.plain} {deed.rest}{because}"
        if result is None or (self._careful and (on_incident or not result.ok)):
            self._add(replace(line, result=Result.NOT_KNOWN, text=f"{asked}; {_UNKNOWN_RESULT}"))
        elif result.ok:
            self._add(replace(line, text=f"{who} {deed.past} {deed.rest}{because}"))
        else:
            self._add(replace(line, result=Result.REFUSED, text=f"{asked}; refused: {quoted(result.message)}"))

    def _tell_reply(self, event: Replied, effects: Iterable[Effect], gained: Iterable[Gained]) -> None:
        if any(one.happening.what in BY_PEOPLE for one in gained):
            return
        state, by = self._fold.monitor.state, _by_transport(event)
        person = sender_of(state.ward, state.courses.values(), event.transport, event.address)
        if person is None:
            text = f"a number that nobody here has, ending in {event.address[-4:]}, wrote{by}; it was ignored"
            self._add(AuditLine(what=What.REPLY, text=quoted(text), result=Result.REFUSED))
            return
        wrote = f"{person.id} wrote “{quoted(event.text)}”{by}"
        answer = next((effect for effect in effects if isinstance(effect, Answer)), None)
        line = AuditLine(what=What.REPLY, text=f"{wrote}; {_UNKNOWN_RESULT}", who=person.id, result=Result.NOT_KNOWN)
        if not self._careful:
            said = f"answered: “{quoted(answer.text)}”" if answer is not None else "no answer was given"
            line = replace(line, text=f"{wrote}; {said}", result=Result.DONE)
        self._add(line)

    def _tell_gained(self, gained: Iterable[Gained], by: str) -> None:
        for one in gained:
            told = told_in_words(one, self._at, self._zone, by if one.happening.what in BY_PEOPLE else "")
            if told is not None:
                what, text, why = told
                self._add(AuditLine(what=what, text=text, who=one.happening.who, incident=one.incident.key, why=why))

    # ---- what the gateway did --------------------------------------------------------------------------------------

    def _tell_config(self, record: Record, event: Loaded, before_at: Instant) -> None:
        body = json.loads(record.body)
        texts = {"ward file": body["ward"]} | {f"protocol {name}": text for name, text in body["protocols"].items()}
        details = changes(self._config, texts) if self._config else ()
        if not self._config:
            said = f"{contents(body['ward'])}; {', '.join(texts)}"
        else:
            said = f"{len(details)} changes" if len(details) > 1 else "1 change" if details else "nothing changed"
        self._config = texts
        did = "the gateway started" if event.started else "the ward file was taken in again"
        if event.started and before_at and self._at - before_at >= GAP_MS:
            did += f", after {say_ms(self._at - before_at)} without a record"
        self._add(
            AuditLine(what=What.CONFIG, text=f"{did}: {said}", why="started" if event.started else "reloaded", details=details)
        )

    def _tell_pages(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Page):
                known = self._pages.decided(effect, told=not self._careful)
                if not self._careful:
                    self._tell_page(known)

    def _tell_page(self, known: Known) -> None:
        why = known.page.why if known.page is not None else None
        followed = self._followers.of(known.incident)
        if followed is not None and followed.first_page_at is None and why is not WhyPaged.RESOLVED:
            followed.first_page_at = self._at
        self._add(
            AuditLine(
                what=What.PAGE,
                text=page_words(known, self._at),
                who=known.person,
                incident=known.incident,
                why=why.value if why is not None else "",
                page=known.key,
            )
        )

    def _tell_outcome(self, record: Record, event: Sent) -> None:
        """What a transport said. It also proves that there was a page, where nothing else does any more."""
        known, told = self._pages.sent(event.key)
        followed = self._followers.of(known.incident)
        if followed is not None:
            followed.vouched = True
        if not told:
            self._tell_page(known)
        attempt = json.loads(record.body).get("attempt", 0)
        self._add(
            AuditLine(
                what=What.OUTCOME,
                text=outcome_words(known, event, attempt if isinstance(attempt, int) else 0),
                who=known.person,
                incident=known.incident,
                why=event.outcome.value,
                page=known.key,
            )
        )


def _by(event: Event, record: Record) -> str:
    """How a person reached us, where the record tells."""
    if isinstance(event, Replied):
        return _by_transport(event)
    by = str(json.loads(record.body).get("by", "")) if isinstance(event, Commanded) else ""
    return _WAYS.get(by, f" by {by}") if by else ""


def _by_transport(reply: Replied) -> str:
    return " by SMS" if reply.transport == "sms" else f" by {reply.transport}"


def _actor(who: str) -> str:
    return "the home, by its private link," if who == _HOME else who
