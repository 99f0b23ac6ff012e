"""The people of a study: they notice most pages, take the incident, ring the home, and ring again when nobody answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.core.oncall import CAREGIVER
from gateway.domain.care import LogCall, Seen
from gateway.domain.commands import Acknowledge, ClearCondition, Command
from gateway.domain.effects import Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.words import Priority, WhyPaged
from gateway.scenario import troubles
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.chances import Chances
from gateway.scenario.home import Home
from gateway.scenario.places import Agenda

LEASE_MAX_MS = 24 * HOUR_MS  # nobody takes an incident for longer


@dataclass(frozen=True, slots=True)
class Desk:
    """What the team needs of the gateway. `conditions` are those that it still shows of a pump."""

    tell: Callable[[str, Command, Instant], None]
    is_open: Callable[[str], bool]
    conditions: Callable[[str], tuple[str, ...]]


class Team:
    """Everybody who is paged about these homes. Each course has its own dice, so that one patient's nights are not another's."""

    def __init__(self, seed: int, assumed: Assumptions, homes: Iterable[Home], desk: Desk) -> None:
        self._assumed, self._desk = assumed, desk
        self._homes = {home.course: home for home in homes}
        self._chances = {course: Chances(seed, course, "team") for course in ("", *self._homes)}
        self._agenda = Agenda()
        self._taking: set[str] = set()
        self._calling: set[str] = set()

    @property
    def next_at(self) -> Instant | None:
        """When somebody does something next."""
        return self._agenda.next_at

    def act(self, at: Instant) -> None:
        """Everything that people do up to `at`."""
        while (next_at := self.next_at) is not None and next_at <= at:
            self._agenda.do_next()

    def paged(self, page: Page, at: Instant) -> None:
        """A page goes out. Who notices it takes the incident a little later."""
        chances, assumed = self._chances[page.course], self._assumed
        if is_for_home(page):
            if page.why is not WhyPaged.RESOLVED and not chances.happens(assumed.page_missed):
                troubles.texted(self._homes[page.course], at)
            return
        if not calls_for_action(page) or chances.happens(assumed.page_missed) or page.incident in self._taking:
            return
        self._taking.add(page.incident)
        taken_at = at + chances.lognormal_ms(assumed.ack_min, assumed.ack_spread)
        self._agenda.plan(taken_at, lambda now: self._take(page, now))

    def _take(self, page: Page, at: Instant) -> None:
        self._taking.discard(page.incident)
        if not self._desk.is_open(page.incident):
            return
        self._desk.tell(page.person, Acknowledge(incident=page.incident), at)
        if page.course in self._homes and page.course not in self._calling:
            self._calling.add(page.course)
            wait_ms = self._chances[page.course].minutes_ms(self._assumed.call_min)
            self._agenda.plan(at + wait_ms, lambda now: self._call(page, now))

    def _call(self, page: Page, at: Instant) -> None:
        home, chances = self._homes[page.course], self._chances[page.course]
        if chances.happens(self._assumed.call_unanswered):
            self._agenda.plan(at + round(self._assumed.call_again_min * MINUTE_MS), lambda now: self._call(page, now))
            return
        self._calling.discard(page.course)
        if home.ended:
            return
        heard = troubles.called(home, at, page.about)
        if not home.pump.link_up:  # the pump itself cannot tell: what the caregiver sees is written down
            seen = Seen.RUNNING if heard.runs else Seen.STANDING
            self._desk.tell(page.person, LogCall(course=page.course, called=CAREGIVER, seen=seen), at)
        lease_ms = self._lease_ms(heard, at)
        if lease_ms and self._desk.is_open(page.incident):
            self._desk.tell(page.person, Acknowledge(incident=page.incident, for_ms=lease_ms), at)
        for _, longest_min in (self._assumed.hands_on_min, self._assumed.visit_min):
            self._agenda.plan(at + round(longest_min * MINUTE_MS), lambda now: self._look_again(page, now))

    def _lease_ms(self, heard: troubles.Heard, at: Instant) -> int:
        """Who has arranged a visit or a bag change keeps the incident until that should be done; 0: nothing is arranged."""
        visit_ms = round(self._assumed.visit_min[1] * MINUTE_MS) if heard.needs_visit else 0
        change_ms = heard.arranged_at + HOUR_MS - at if heard.arranged_at is not None else 0
        return min(LEASE_MAX_MS, max(visit_ms, change_ms))

    def _look_again(self, page: Page, at: Instant) -> None:
        """When the home should be well: what the gateway still shows and the pump does not is recorded as cleared."""
        home = self._homes[page.course]
        if home.ended or not self._desk.is_open(page.incident) or not home.pump.link_up:
            return
        for condition in self._desk.conditions(home.device):
            if condition not in home.pump.active:
                self._desk.tell(page.person, ClearCondition(pump=home.device, condition=condition), at)


def calls_for_action(page: Page) -> bool:
    """Whether the page asks the ward to do something now: no ending, no low-priority errand, no text to a home."""
    return page.why is not WhyPaged.RESOLVED and page.priority.rank >= Priority.MEDIUM.rank and not is_for_home(page)


def is_for_home(page: Page) -> bool:
    """Whether the page goes to a caregiver, not to the ward."""
    return page.person.startswith(f"{CAREGIVER}:")
