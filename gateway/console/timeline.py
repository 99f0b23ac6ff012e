"""Everything that happened around an incident in one line of time: the pump's words, our alerts, pages, and what people did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.console.promises import WHY
from gateway.console.terms import OUTCOMES, kind_words, priority_words, rule_words
from gateway.console.words import Words, message
from gateway.core.board import HistoryLine
from gateway.domain.instants import Instant
from gateway.domain.readings import AlarmChange, LinkStatus, PumpEvent
from gateway.domain.words import AlarmPhase, Outcome, Priority, PumpEventKind, WhyPaged
from gateway.runtime.history import Happened
from gateway.runtime.service import PageLine

SHOWN_MAX = 300  # of more the newest

PUMP_EVENTS: Mapping[PumpEventKind, str] = {
    PumpEventKind.DELIVERY_STARTED: message("delivery started"),
    PumpEventKind.DELIVERY_STOPPED: message("delivery stopped"),
    PumpEventKind.DELIVERY_COMPLETE: message("delivery complete"),
    PumpEventKind.BAG_CHANGED: message("bag changed"),
    PumpEventKind.PRIMED: message("line primed"),
    PumpEventKind.RATE_CHANGED: message("rate changed"),
    PumpEventKind.SETTINGS_CHANGED: message("settings changed"),
    PumpEventKind.LOCKED: message("locked"),
    PumpEventKind.UNLOCKED: message("unlocked"),
    PumpEventKind.POWER_ON: message("switched on"),
    PumpEventKind.POWER_OFF: message("switched off"),
    PumpEventKind.BATTERY_CHANGED: message("battery changed"),
    PumpEventKind.TIME_CHANGED: message("clock changed"),
}
PHASES: Mapping[AlarmPhase, str] = {
    AlarmPhase.START: message("The pump's alarm began: {what}"),
    AlarmPhase.CONTINUE: message("The pump's alarm goes on: {what}"),
    AlarmPhase.END: message("The pump's alarm ended: {what}"),
    AlarmPhase.INACTIVATED: message("The pump's alarm was silenced at the pump: {what}"),
}
ALERTS: Mapping[str, str] = {
    "opened": message("The incident opened: {what}"),
    "alert-fired": message("Fires: {what}"),
    "alert-raised": message("Became more urgent: {what}"),
    "alert-milestone": message("A limit comes closer: {what}"),
    "alert-resolved": message("Fires no more: {what}"),
}
DEEDS: Mapping[str, tuple[str, str]] = {
    "acknowledged": ("ack", message("{who} took it")),
    "escalated": ("ack", message("{who} passed it on to the next step")),
    "handed-over": ("ack", message("{who} handed it over to {text}")),
    "note": ("note", message("{who} noted: {text}")),
    "call": ("note", message("{who} called: {text}")),
    "silenced": ("ack", message("{who} silenced {text}")),
    "closed": ("ack", message("{who} closed it: {text}")),
    "resolved": ("ack", message("It is over: nothing fired for two minutes")),
    "lease-ended": ("page", message("The time of {who} ended, and something still fires")),
    "silence-ended": ("page", message("It is not silenced any more")),
    "new-alert": ("page", message("Something new fires that nothing silences")),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `css` is its mark in the margin, `small` what explains it; `failed`: a page that may not have arrived."""

    at: Instant
    css: str
    words: str
    small: str = ""
    failed: bool = False


def timeline(
    history: Sequence[HistoryLine], happened: Sequence[Happened], pages: Sequence[PageLine], say: Words
) -> tuple[Entry, ...]:
    """All of it, the newest first. `pages` tell by what each page went; those that nobody remembers are told without it."""
    teller = _Teller(say, {line.page.key: line for line in pages})
    entries = [*(entry for line in history for entry in teller.line(line)), *(teller.happening(one) for one in happened)]
    return tuple(sorted(entries, key=lambda entry: entry.at)[::-1][:SHOWN_MAX])  # of one instant the later line first


def what_it_was(history: Sequence[HistoryLine], say: Words) -> str:
    """What opened the incident: all that is left to say of one in which nothing fires any more."""
    opened = next((line.text for line in history if line.what == "opened"), "")
    return _Teller(say, {}).alert(opened) if opened else ""


@dataclass(frozen=True, slots=True)
class _Teller:
    say: Words
    pages: Mapping[str, PageLine]

    def line(self, line: HistoryLine) -> Iterator[Entry]:
        """One line of the incident's own history."""
        say = self.say
        if line.what in ALERTS:
            yield Entry(
                line.at, "alarm" if line.what != "alert-resolved" else "", say(ALERTS[line.what], what=self.alert(line.text))
            )
        elif line.what == "paging":
            yield self._paging(line)
        elif line.what.startswith("page-"):
            yield self._outcome(line)
        elif line.what in DEEDS:
            css, words = DEEDS[line.what]
            yield Entry(line.at, css, say(words, who=line.who, text=line.text))
        else:  # what a newer version wrote
            yield Entry(line.at, "", " ".join(part for part in (line.what.replace("-", " "), line.who, line.text) if part))

    def happening(self, one: Happened) -> Entry:
        """Something that the pump told."""
        reading, say = one.reading, self.say
        if isinstance(reading, AlarmChange):
            css = "alarm" if reading.phase in (AlarmPhase.START, AlarmPhase.CONTINUE) else ""
            return Entry(
                one.at, css, say(PHASES[reading.phase], what=kind_words(reading.condition.value, say)), reading.code or ""
            )
        if isinstance(reading, LinkStatus):
            words = message("The pump's connection is up") if reading.online else message("The pump's connection was lost")
            return Entry(one.at, "", say(words))
        return Entry(one.at, "", say("The pump says: {what}", what=say(PUMP_EVENTS[reading.event])), self._numbers(reading))

    def alert(self, text: str) -> str:
        """`rule:kind@course priority` in words."""
        key, _, priority = text.partition(" ")
        rule, _, about = key.partition(":")
        kind, _, course = about.partition("@")
        words = rule_words(rule.partition("@")[0], self.say) + (f": {kind_words(kind, self.say)}" if kind else "")
        course = course or rule.partition("@")[2]
        urgent = f" ({priority_words(Priority(priority), self.say)})" if priority in tuple(Priority) else ""
        return f"{words}{urgent}" + (f", {course}" if course else "")

    def _paging(self, line: HistoryLine) -> Entry:
        why, _, people = line.text.partition(": ")
        reason = self.say(WHY[WhyPaged(why)]) if why in tuple(WhyPaged) else ""
        return Entry(line.at, "page", self.say("Paged: {people}", people=people), reason)

    def _outcome(self, line: HistoryLine) -> Entry:
        """What became of one page: by what it went, and what the transport said when it failed."""
        name = line.what.removeprefix("page-")
        outcome = Outcome(name) if name in tuple(Outcome) else None
        words = self.say(OUTCOMES[outcome]) if outcome in OUTCOMES else name.replace("-", " ")
        page = self.pages.get(line.text)
        by = page.page.transport if page is not None else ""
        told = self.say("Page to {who} by {by}: {outcome}", who=line.who, by=by, outcome=words)
        if not by:
            told = self.say("Page to {who}: {outcome}", who=line.who, outcome=words)
        failed = outcome in (Outcome.REJECTED, Outcome.NO_RECEIPT, Outcome.UNKNOWN, Outcome.TEMPORARY)
        return Entry(line.at, "page", told, page.reason if page is not None and failed else "", failed)

    def _numbers(self, reading: PumpEvent) -> str:
        parts = [
            f"{reading.bag_ml:g} mL" if reading.bag_ml is not None else "",
            self.say("primed {ml} mL", ml=f"{reading.primed_ml:g}") if reading.primed_ml is not None else "",
            f"{reading.rate_ml_h:g} mL/h" if reading.rate_ml_h is not None else "",
        ]
        return ", ".join(part for part in parts if part)
