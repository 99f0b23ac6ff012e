"""Expectations against what happened: every page is named by exactly one expectation, or allowed, or a failure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.incident_state import Incident
from gateway.domain.effects import Page
from gateway.domain.instants import Instant
from gateway.domain.words import AlertPhase
from gateway.scenario.grammar import Expectation, Scenario, Step
from gateway.scenario.house import House
from rules.durations import parse_ms

SINCE_TOLERANCE_MS = 30_000

_CODE = re.compile(r"\{(wide )?code(?:@([0-9wdhms]+))?\}")
_WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}  # as a Chinese keyboard writes them


@dataclass(slots=True)
class Seen:
    """A page as it went out, at the instant of its first attempt."""

    at: Instant
    page: Page


@dataclass(slots=True)
class _State:
    """An expectation about a state, and whether it has held yet."""

    expectation: Expectation
    holds: bool = False
    actual: str = ""


@dataclass(slots=True)
class Checks:
    """All expectations of one run."""

    scenario: Scenario
    pages: list[Seen] = field(default_factory=list)
    allowed: list[tuple[Instant, Mapping[str, Any]]] = field(default_factory=list)
    states: list[_State] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)
    _replied: dict[str, Instant] = field(default_factory=dict)
    _opened: set[int] = field(default_factory=set)

    @property
    def end_at(self) -> Instant:
        """When the run ends: the last `at`, or the last expectation's end."""
        start = self.scenario.start_at
        ends = [start + e.at_ms + e.within_ms for e in self.scenario.expectations]
        return max([start + self.scenario.steps[-1].at_ms, *ends])

    def open(self, step: Step, at: Instant) -> None:
        """An `expect` or `allow` step is reached."""
        if step.verb == "allow":
            allowed = step.keys["allow"]
            self.allowed += [(at, keys) for keys in (allowed if isinstance(allowed, list) else [allowed])]
            return
        for expectation in self.scenario.expectations:
            if expectation.line == step.line and expectation.kind not in ("page", "nothing_else"):
                self.states.append(_State(expectation))

    def note_page(self, page: Page, at: Instant) -> bool:
        """A page goes out; True when this key is new."""
        if page.key in self._keys:
            return False
        self._keys.add(page.key)
        self.pages.append(Seen(at, page))
        return True

    def note_refusal(self, keys: Mapping[str, Any], message: str, at: Instant) -> None:
        """A recorded command was refused with these words (none: it was carried out); `refused` says what the step wants."""
        wanted = str(keys.get("refused", ""))
        if bool(wanted) != bool(message) or re.search(wanted, message) is None:
            offset = offset_words(at - self.scenario.start_at)
            expected = f"a refusal that says {wanted!r}" if wanted else "no refusal"
            self.commands.append(f"{self.scenario.file}: {offset}: expected {expected}; it was {message or 'carried out'}")

    def replied(self, person: str, at: Instant) -> None:
        """A person wrote to the gateway."""
        self._replied[person] = at

    def fill_codes(self, text: str, person: str) -> str:
        """Replace `{code}` by the code of the person's latest page, `{code@6h2m}` by that of the page nearest to that offset.

        `{wide code}` is the same in wide digits.
        """

        def code(match: re.Match[str]) -> str:
            page = self.page_to(person, match[2])
            found = page.code if page is not None else "0000"
            return found.translate(_WIDE) if match[1] else found

        return _CODE.sub(code, text)

    def page_to(self, person: str, sent: object) -> Page | None:
        """The person's latest page, or that sent nearest to the offset `sent`; None where there was none."""
        mine = [seen for seen in self.pages if seen.page.person == person]
        if not mine or sent is None:
            return mine[-1].page if mine else None
        wanted_at = self.scenario.start_at + parse_ms(str(sent))
        return min(mine, key=lambda seen: abs(seen.at - wanted_at)).page

    def next_due(self, at: Instant) -> Instant | None:
        """When an open expectation about a state must be looked at for the last time."""
        ends = (self.scenario.start_at + s.expectation.at_ms + s.expectation.within_ms for s in self.states if not s.holds)
        return min((end for end in ends if end > at), default=None)

    def look(self, house: House, at: Instant) -> None:
        """Look at the state expectations that are open now."""
        for state in self.states:
            begin_at = self.scenario.start_at + state.expectation.at_ms
            if not state.holds and begin_at <= at <= begin_at + state.expectation.within_ms:
                state.holds, state.actual = self._holds(state.expectation, house)

    def failures(self) -> list[str]:
        """Everything that did not go as expected, in words."""
        failed = [
            f"{self.scenario.file}:{s.expectation.line}: expected {_words(s.expectation.keys)}; it was {s.actual or 'nothing'}"
            for s in self.states
            if not s.holds
        ]
        return failed + self.commands + self._page_failures()

    # ---- pages -----------------------------------------------------------------------------------------------------

    def _page_failures(self) -> list[str]:
        slots = [e for e in self.scenario.expectations if e.kind == "page" for _ in range(int(e.keys.get("times", 1)))]
        taken: dict[int, int] = {}
        failed = [slots[i] for i in range(len(slots)) if not self._assign(i, slots, taken, set())]
        failures = [f"{self.scenario.file}:{e.line}: expected {_words(e.keys)}; nearest: {self._nearest(e)}" for e in failed]
        for index, seen in enumerate(self.pages):
            if index not in taken and not any(seen.at >= since and _matches(keys, seen.page) for since, keys in self.allowed):
                failures.append(f"{self.scenario.file}: a page that nobody expected: {self._page_words(seen)}")
        return failures

    def _assign(self, slot: int, slots: list[Expectation], taken: dict[int, int], tried: set[int]) -> bool:
        """Find a page for this expectation, moving others to other pages where they leave one free (augmenting paths)."""
        expectation = slots[slot]
        begin_at = self.scenario.start_at + expectation.at_ms
        for index, seen in enumerate(self.pages):
            fits = begin_at <= seen.at <= begin_at + expectation.within_ms and _matches(expectation.keys, seen.page)
            if not fits or index in tried:
                continue
            tried.add(index)
            if index not in taken or self._assign(taken[index], slots, taken, tried):
                taken[index] = slot
                return True
        return False

    def _nearest(self, expectation: Expectation) -> str:
        wanted_at = self.scenario.start_at + expectation.at_ms
        near = sorted(self.pages, key=lambda seen: abs(seen.at - wanted_at))[:3]
        return "; ".join(self._page_words(seen) for seen in near) or "no page at all"

    def _page_words(self, seen: Seen) -> str:
        page = seen.page
        offset = offset_words(seen.at - self.scenario.start_at)
        return f"{offset} {page.person} by {page.transport} [{page.priority} {page.why}: {', '.join(page.about)}] {page.text!r}"

    # ---- states ----------------------------------------------------------------------------------------------------

    def _holds(self, expectation: Expectation, house: House) -> tuple[bool, str]:
        keys = expectation.keys
        match expectation.kind:
            case "incident":
                return self._incident_holds(keys, house)
            case "delivery":
                return self._delivery_holds(keys, house)
            case "alert":
                return self._alert_holds(keys, house)
            case _:
                return self._answer_holds(keys, house)

    def _incident_holds(self, keys: Mapping[str, Any], house: House) -> tuple[bool, str]:
        subject = house.fold.monitor.state.peek(str(keys["incident"]))
        incident: Incident | None = subject.open.get("") if subject else None
        if incident is None and keys["is"] == "resolved" and subject is not None and subject.closed:
            incident = subject.closed[-1]
        actual = incident.state.value if incident else "none"
        priority = incident.peak.value if incident else "-"
        wanted = keys.get("priority", priority)
        return actual == keys["is"] and priority == wanted, f"{actual} {priority}"

    def _delivery_holds(self, keys: Mapping[str, Any], house: House) -> tuple[bool, str]:
        course = house.fold.monitor.state.courses.get(str(keys["delivery"]))
        if course is None:
            return False, "no such course"
        delivery = course.delivery
        since_ms = delivery.since - self.scenario.start_at
        holds = delivery.state.value == keys["is"]
        if "since" in keys:
            holds = holds and abs(since_ms - parse_ms(str(keys["since"]))) <= SINCE_TOLERANCE_MS
        return holds, f"{delivery.state.value} since {offset_words(since_ms)}"

    def _alert_holds(self, keys: Mapping[str, Any], house: House) -> tuple[bool, str]:
        state = house.fold.monitor.state
        subjects = [state.peek(str(keys["course"]))] if "course" in keys else [state.peek(name) for name in state.subjects()]
        alerts = [a for subject in subjects if subject for a in subject.alerts.values() if a.rule == keys["alert"] and not a.idle]
        phases = {alert.phase for alert in alerts}
        actual = "firing" if AlertPhase.FIRING in phases else "pending" if phases else "none"
        return actual == keys["is"], actual

    def _answer_holds(self, keys: Mapping[str, Any], house: House) -> tuple[bool, str]:
        person = str(keys["answer"])
        since = self._replied.get(person, 0)
        texts = [answer.text for at, answer in house.answers if answer.person == person and at >= since]
        if keys.get("is") == "none":
            return not texts, texts[-1] if texts else "silence"
        says = str(keys.get("says", ""))
        return bool(texts) and re.search(says, texts[-1]) is not None, texts[-1] if texts else "silence"


def _matches(keys: Mapping[str, Any], page: Page) -> bool:
    """Whether a page is what these keys name."""
    return (
        keys["page"] == page.person
        and keys.get("by", page.transport) == page.transport
        and ("about" not in keys or keys["about"] in page.about)
        and keys.get("course", page.course) == page.course
        and keys.get("priority", page.priority.value) == page.priority.value
        and ("says" not in keys or re.search(str(keys["says"]), page.text) is not None)
    )


def _words(keys: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in keys.items())


def offset_words(offset_ms: int) -> str:
    """`6h02m00s`, as the timeline shows instants."""
    seconds, sign = abs(offset_ms) // 1000, "-" if offset_ms < 0 else ""
    return f"{sign}{seconds // 3600}h{seconds // 60 % 60:02d}m{seconds % 60:02d}s"
