"""Tests the gateway from a pump's alarm to a person's answer, with real messages, on a schedule and when somebody asks.

A run publishes an alarm of the synthetic pump at the real broker and watches the hops as they happen. When the page has been
taken, the alarm is ended and the incident closed; only then the outside dead man's switch is pinged. A hop that is not passed in
its time is a finding; in a run of the schedule the fallback people are paged, by the path that needs none of the hops.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.core.events import Event, Sent
from gateway.core.incident_state import Incident
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.synthetic import SYNTHETIC
from gateway.core.turns import Item
from gateway.domain.commands import Close, Command
from gateway.domain.effects import CommandResult, Effect, Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.ward import Synthetic
from gateway.domain.words import Outcome, WhyPaged
from gateway.runtime.ports import Clock, Entry, JournalFull, Record
from gateway.runtime.probing import DEADLINES_MS, MISSED, Hop, ProbeReport, Progress

WHO = "synthetic-pump"
LOOK_AGAIN_MS = MINUTE_MS  # the ward file may change the schedule while we wait for it
CLEARED_MS = 10 * SECOND_MS
PING_MS = 20 * SECOND_MS

Publish = Callable[[str, bytes], Awaitable[None]]
Ping = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class NoSynthetic(Exception):
    """The ward file sets up no synthetic pump."""


class Prober:
    """`publish` and `ping` raise `ConnectionError`; `ping` is None where nobody outside waits. `say` pages the fallback."""

    def __init__(
        self,
        *,
        clock: Clock,
        state: Callable[[], State],
        command: Callable[[str, Command], Awaitable[CommandResult]],
        say: Callable[[str], None],
        publish: Publish | None,
        ping: Ping | None,
    ) -> None:
        self._clock, self._state, self._command, self._say = clock, state, command, say
        self._publish, self._ping = publish, ping
        self._going: Progress | None = None
        self._last: ProbeReport | None = None
        self._asked = asyncio.Event()
        self._moved = asyncio.Event()
        self.finding: str | None = None

    # ---- for front ends --------------------------------------------------------------------------------------------

    def ask(self) -> int:
        """Have a run begin now; returns its number, or that of the one under way. Raises `NoSynthetic`."""
        if self._state().ward.synthetic is None or self._publish is None:
            raise NoSynthetic("the ward file sets up no synthetic pump; see docs/watching.md")
        if self._going is not None:
            return self._going.number
        self._asked.set()
        return self._next_number()

    def report(self) -> ProbeReport | None:
        """The run under way as far as it has come, else the last one; None before the first."""
        return self._going.report() if self._going is not None else self._last

    # ---- what the gateway sees ----------------------------------------------------------------------------------------

    @property
    def watches(self) -> bool:
        """Whether a run is under way: otherwise nothing needs to be noted."""
        return self._going is not None

    def note_stored(self, entries: Sequence[Entry]) -> None:
        """These are durable."""
        going = self._going
        if going is not None and any(entry.device == going.pump and going.mark.encode() in entry.body for entry in entries):
            self._pass(Hop.JOURNALLED)

    def note_judged(self, record: Record, event: Event) -> None:
        """This record was judged as this event."""
        going = self._going
        if going is None:
            return
        if record.device == going.pump and going.mark.encode() in record.body:
            self._pass(Hop.JUDGED)
        if isinstance(event, Sent) and going.incident and event.key.startswith(f"{going.incident}/"):
            self._note_outcome(going, event)
        incident = self._incident(going.incident)
        if incident is not None and incident.ack is not None:
            self._pass(Hop.ACKNOWLEDGED)

    def note_effects(self, effects: Sequence[Effect]) -> None:
        """These are decided and durable."""
        going = self._going
        if going is None:
            return
        for effect in effects:
            if isinstance(effect, Page) and effect.course == SYNTHETIC and effect.why is WhyPaged.OPENED:
                going.incident = going.incident or effect.incident
                self._pass(Hop.PLANNED)

    def note_handing_over(self, item: Item) -> None:
        """This is given to its transport."""
        if self._going is not None and isinstance(item, Page) and item.incident == self._going.incident:
            self._pass(Hop.HANDED_OVER)

    def _note_outcome(self, going: Progress, event: Sent) -> None:
        if event.outcome in (Outcome.ACCEPTED, Outcome.DELIVERED):
            going.detail = ""
            self._pass(Hop.ACCEPTED)
        else:
            going.detail = f"{event.outcome}{f': {event.reason}' if event.reason else ''}"

    def _pass(self, hop: Hop) -> None:
        if self._going is not None:
            self._going.passed.setdefault(hop, self._clock.now())
            self._moved.set()

    # ---- running ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run when the schedule says so or somebody asks, until cancelled."""
        while True:
            scheduled = await self._wait()
            self._asked.clear()
            synthetic = self._state().ward.synthetic
            if synthetic is None or self._publish is None:
                continue
            report = await self._run_once(synthetic, self._publish)
            self._last, self._going = report, None
            self._tell(report, scheduled=scheduled)

    async def _wait(self) -> bool:
        """Until a run is due; True when it is the schedule's. It keeps to a grid, so that a restart brings no run of its own."""
        from_at = self._clock.now()
        while not self._asked.is_set():
            due_at, now = self._due_at(from_at), self._clock.now()
            if due_at is not None and now >= due_at:
                return True
            look_at = now + LOOK_AGAIN_MS
            await self._first_of(self._asked.wait(), look_at if due_at is None else min(look_at, due_at))
        return False

    def _due_at(self, after: Instant) -> Instant | None:
        synthetic = self._state().ward.synthetic
        if synthetic is None or synthetic.every_ms is None:
            return None
        return (after // synthetic.every_ms + 1) * synthetic.every_ms

    async def _run_once(self, synthetic: Synthetic, publish: Publish) -> ProbeReport:
        now = self._clock.now()
        going = Progress(self._next_number(), f"synthetic-{now}", synthetic.pump, now)
        await self._clear_up(synthetic, publish)  # what an earlier run may have left behind
        going.started_at = self._clock.now()
        self._going = going
        failed = await self._hops(going, synthetic, publish)
        await self._clear_up(synthetic, publish)
        pinged = failed is None and await self._ping_outside(going)
        report = going.report()
        return replace(report, finished=True, failed=failed, detail=going.detail, pinged=pinged)

    async def _hops(self, going: Progress, synthetic: Synthetic, publish: Publish) -> Hop | None:
        """Pass them one after the other; returns the one that was not passed in its time."""
        publishing = asyncio.create_task(self._raise_alarm(going, synthetic, publish))
        before_at = going.started_at
        try:
            for hop in Hop:
                deadline_at = before_at + DEADLINES_MS.get(hop, synthetic.within_ms)
                while hop not in going.passed:
                    if self._clock.now() >= deadline_at:
                        return hop
                    self._moved.clear()
                    await self._first_of(self._moved.wait(), deadline_at)
                before_at = max(before_at, going.passed[hop])
        finally:
            publishing.cancel()
        return None

    async def _raise_alarm(self, going: Progress, synthetic: Synthetic, publish: Publish) -> None:
        try:
            await publish(self._topic(synthetic), self._alarm(going.mark, "start", self._clock.now()))
        except ConnectionError as error:
            going.detail = str(error)
        else:
            self._pass(Hop.PUBLISHED)

    async def _clear_up(self, synthetic: Synthetic, publish: Publish) -> None:
        """End the alarm at the pump and close the incident, so that the next run raises a new one."""
        course = self._course()
        if course is None or not (course.open or course.alerts):
            return
        now = self._clock.now()
        body, until = self._alarm(f"cleared-{now}", "end", now), now + CLEARED_MS
        await self._first_of(self._unfailing(publish(self._topic(synthetic), body)), until)
        while (course := self._course()) is not None and course.alerts and self._clock.now() < until:
            await self._clock.sleep_until(self._clock.now() + SECOND_MS // 10)
        for incident in list(course.open.values()) if course is not None else ():
            closing = self._command(WHO, Close(incident=incident.key, reason="the test is over"))
            await self._first_of(self._unfailing(closing), self._clock.now() + CLEARED_MS)

    async def _ping_outside(self, going: Progress) -> bool:
        if self._ping is None:
            return False
        pinging = asyncio.ensure_future(self._ping())
        await self._first_of(asyncio.wait({pinging}), self._clock.now() + PING_MS)
        try:
            wrong = "no answer" if pinging.cancel() else pinging.result() or ""
        except ConnectionError as error:
            wrong = str(error)
        if wrong:
            going.detail = f"the outside dead man's switch could not be told: {wrong}"
        return not wrong

    # ---- telling --------------------------------------------------------------------------------------------------------

    def _tell(self, report: ProbeReport, *, scheduled: bool) -> None:
        unpinged = self._ping is not None and report.failed is None and not report.pinged
        before, self.finding = self.finding, None
        if report.failed is not None or unpinged:
            why = MISSED[report.failed] if report.failed is not None else report.detail
            more = f" ({report.detail})" if report.failed is not None and report.detail else ""
            self.finding = f"the gateway's own test failed: {why}{more}"
            _log.error("%s", self.finding)
            if scheduled:
                self._say(f"Dripwatch: {self.finding}. Alarms may reach nobody. Call the on-call engineer.")
        elif before is not None:
            _log.warning("the gateway's own test is passed again")
            if scheduled:
                self._say("Dripwatch: the gateway's own test is passed again.")

    # ---- helpers ----------------------------------------------------------------------------------------------------------

    def _next_number(self) -> int:
        return self._last.number + 1 if self._last is not None else 1

    def _topic(self, synthetic: Synthetic) -> str:
        return f"dw/v1/{self._state().ward.site}/{synthetic.pump}/alarm"

    def _alarm(self, boot: str, phase: str, at: Instant) -> bytes:
        body = {"observed_at": at, "boot": boot, "seq": 1, "alarm": "other", "phase": phase, "text": "TEST", "priority": "low"}
        return json.dumps(body).encode()

    def _course(self) -> Course | None:
        return self._state().courses.get(SYNTHETIC)

    def _incident(self, key: str) -> Incident | None:
        course = self._course()
        return next((one for one in (*course.open.values(), *course.closed) if one.key == key), None) if course and key else None

    async def _first_of(self, work: Awaitable[object], until: Instant) -> None:
        """Wait for the work, but not beyond `until`; it is given up then."""
        tasks = {asyncio.ensure_future(work), asyncio.ensure_future(self._clock.sleep_until(until))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _unfailing(self, work: Awaitable[object]) -> None:
        """A test that fails must still be told: what its clearing up meets is for the log."""
        try:
            await work
        except (ConnectionError, JournalFull) as error:
            _log.warning("clearing up after the test: %s", error)
