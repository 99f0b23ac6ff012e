"""Runs one scenario in virtual time: pumps, people and faults as told, everything else real."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from device_adapters.simulated_pump import SimulatedPump
from gateway.core.turns import Sending
from gateway.domain.care import NextCycle, SwapPump
from gateway.domain.commands import Acknowledge, Close, Command, Enrol, Escalate
from gateway.domain.effects import Page
from gateway.domain.instants import Instant
from gateway.domain.words import Outcome
from gateway.runtime.records import command_entry, reply_entry
from gateway.scenario.carriers import Carriers
from gateway.scenario.checks import Checks
from gateway.scenario.diary import publish_diary
from gateway.scenario.grammar import Scenario, Step
from gateway.scenario.house import House
from gateway.scenario.links import follow_link
from gateway.scenario.pumps import act, link_all, publish_now
from gateway.scenario.recorded import WARD, exchange, recorded
from rules.durations import parse_ms

STEPS_MAX = 2_000_000  # instants in one run; a story that never comes to rest is a bug, not a long story


@dataclass(order=True, slots=True)
class _Due:
    """Something that will happen: a word from a transport, or a restart."""

    at: Instant
    number: int
    key: str = field(compare=False)
    outcome: Outcome | None = field(compare=False)
    attempt: int = field(compare=False, default=0)


class Story:
    """One run. `lines` is the timeline: (instant, words)."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.at = scenario.start_at
        self.lines: list[tuple[Instant, str]] = []
        self.carriers = Carriers()
        self.house = House(scenario, self.tell)
        self.pumps: dict[str, SimulatedPump] = {}
        self.checks = Checks(scenario)
        self._coming: list[_Due] = []
        self._count = 0
        self._crash_at: str | None = None
        self._dropped: set[str] = set()  # pumps that lost their link because the broker went away

    def tell(self, at: Instant, words: str) -> None:
        """Add a line to the timeline."""
        self.lines.append((at, words))

    def run(self) -> list[str]:
        """Tell the whole story; returns the failures in words, none when it went as expected."""
        self.house.start(self.at)
        for step in self.scenario.steps:
            self._live_until(self.scenario.start_at + step.at_ms)
            self._do(step)
            self._settle()
        self._live_until(self.checks.end_at)
        return self.checks.failures()

    # ---- time ------------------------------------------------------------------------------------------------------

    def _live_until(self, until: Instant) -> None:
        for _ in range(STEPS_MAX):
            due_at = self._next_at()
            if due_at is None or due_at > until:
                self.at = max(self.at, until)
                self._settle()
                return
            self.at = max(self.at, due_at)
            self._happen()
            self._settle()
        raise RuntimeError(f"{self.scenario.file}: the story does not come to rest at {self.at}")

    def _next_at(self) -> Instant | None:
        dues = [pump.next_report_at for pump in self.pumps.values() if pump.works.alive]
        if self._coming:
            dues.append(self._coming[0].at)
        house_due_at = self.house.next_due()
        if house_due_at is not None:
            dues.append(house_due_at)
        checks_due_at = self.checks.next_due(self.at)
        if checks_due_at is not None:
            dues.append(checks_due_at)
        return min(dues, default=None)

    def _happen(self) -> None:
        for pump in self.pumps.values():
            if pump.works.alive and pump.next_report_at <= self.at:
                publish_now(self.house, self.scenario.ward.ward.site, pump, pump.report(pump.next_report_at), self.at)
        while self._coming and self._coming[0].at <= self.at:
            due = heappop(self._coming)
            if due.outcome is None:
                self.house.start(self.at)
                self.tell(self.at, "gateway is back")
            else:
                self.house.settle(due.key, due.outcome, self.at, due.attempt)
        deadline_at = self.house.fold.monitor.next_deadline() if self.house.up else None
        if deadline_at is not None and deadline_at <= self.at:
            self.house.tick(self.at)

    def _settle(self) -> None:
        """Hand out what is to be sent, until nothing more comes of it at this instant."""
        while self.house.up:
            sends = self.house.to_send(self.at)
            for sending in sends:
                if self.house.up:
                    self._send(sending)
            if not sends or not self._pop_now():
                break
        self.checks.look(self.house, self.at)

    def _pop_now(self) -> bool:
        happened = False
        while self._coming and self._coming[0].at <= self.at and self._coming[0].outcome is not None:
            due = heappop(self._coming)
            if due.outcome is not None:
                self.house.settle(due.key, due.outcome, self.at, due.attempt)
            happened = True
        return happened

    def _send(self, sending: Sending) -> None:
        item = sending.item
        if isinstance(item, Page) and self.checks.note_page(item, self.at):
            about = ", ".join(item.about)
            self.tell(self.at, f"page {item.person} by {item.transport} [{item.priority} {item.why}: {about}] {item.text!r}")
        elif not isinstance(item, Page):
            self.tell(self.at, f"answer {item.person}: {item.text!r}")
        point, self._crash_at = (self._crash_at, None) if isinstance(item, Page) else (None, self._crash_at)
        words = [] if point in ("before-send", "sending") else self.carriers.send(item.transport, item.person)
        if point is not None:
            self.house.crash(self.at)
            self._restart(0)
            return
        for after_ms, outcome in words:
            self._later(self.at + after_ms, item.key, outcome, sending.attempts)

    def _later(self, at: Instant, key: str, outcome: Outcome | None, attempt: int = 0) -> None:
        self._count += 1
        heappush(self._coming, _Due(at, self._count, key, outcome, attempt))

    def _restart(self, after_ms: int) -> None:
        self._coming = [due for due in self._coming if due.outcome is None]
        if after_ms:
            self._later(self.at + after_ms, "", None)
        else:
            self.house.start(self.at)
            self.tell(self.at, "gateway is back")

    # ---- steps -----------------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        outer, _, inner = step.verb.partition(".")
        keys = step.keys
        match outer:
            case "enrol":
                self._enrol(keys["enrol"])
            case "pump":
                self.tell(self.at, f"{keys['pump']}: {inner} {keys[inner]}")
                if inner == "publish" or keys["pump"] in self.pumps:  # it is not there where its enrolment was refused
                    act(self.house, self.scenario, self.pumps, inner, keys, self.at)
            case "person":
                self._person(inner, keys)
            case "transport":
                self._transport(keys)
            case "gateway":
                self._gateway(keys)
            case "broker":
                self._broker(keys)
            case "window" | "silence" | "record" | "diary":
                self._record(outer, keys)
            case "expect" | "allow":
                self.checks.open(step, self.at)
            case _:
                self.tell(self.at, f"influx {keys['influx']}: nothing in a story depends on it")

    def _enrol(self, keys: Mapping[str, Any]) -> None:
        protocol = keys.get("protocol", "blinatumomab_home")
        bag, course, device = keys.get("bag", "7-day"), keys["course"], keys["pump"]
        planned_change = keys.get("planned_change")
        self.house.take(
            command_entry(
                "scenario",
                Enrol(
                    course=course,
                    pump=device,
                    protocol=protocol,
                    bag=bag,
                    primed_ml=float(keys.get("primed_ml", 0)),
                    planned_change_ms=parse_ms(str(planned_change)) if planned_change is not None else None,
                    cycle=int(keys.get("cycle", 1)),
                    checklist_complete=keys.get("checklist", "complete") == "complete",
                ),
                self.at,
            )
        )
        self.tell(self.at, f"{course} enrolled on {device} with a {bag} bag")
        if not self.house.results or not self.house.results[-1].ok:
            return
        kind = self.house.fold.monitor.state.protocols[protocol].bags[bag]
        pump = SimulatedPump(device, rate_ml_h=kind.rate_ml_h, bag_ml=kind.fill_ml, started_at=self.at)
        if keys.get("primed_ml"):
            pump.works.bag.prime(float(keys["primed_ml"]))
        self.pumps[device] = pump
        if keys.get("pump_on", True):
            publish_now(self.house, self.scenario.ward.ward.site, pump, pump.power_up(self.at), self.at)
        else:
            pump.disconnect(self.at, keeps=False)

    def _record(self, verb: str, keys: Mapping[str, Any]) -> None:
        """A person records something; where the story says `refused`, it must be refused in such words."""
        given, start_at = keys[verb], self.scenario.start_at
        self.tell(self.at, f"{verb}: {', '.join(f'{key} {value}' for key, value in given.items())}")
        if verb == "diary":  # comes over MQTT, as any telemetry
            self.checks.note_refusal(keys, publish_diary(self.house, self.scenario.ward.ward.site, given, self.at), self.at)
            return
        try:
            command = recorded(verb, given, start_at)
        except ValueError as error:
            self.checks.note_refusal(keys, str(error), self.at)
            return
        course = self.house.fold.monitor.state.courses.get(getattr(command, "course", ""))
        before = course.pump if course is not None else ""
        self.house.take(command_entry(str(keys.get("by", WARD)), command, self.at))
        result = self.house.results[-1]
        self.checks.note_refusal(keys, "" if result.ok else result.message, self.at)
        if result.ok and course is not None and isinstance(command, SwapPump | NextCycle):
            fresh, runs = isinstance(command, NextCycle), bool(keys.get("pump_on", True))
            exchange(self.house, self.pumps, course, before, self.at, fresh=fresh, runs=runs)

    def _person(self, verb: str, keys: Mapping[str, Any]) -> None:
        person = str(keys["person"])
        self.tell(self.at, f"{person}: {verb} {keys[verb]}")
        if verb == "reply":
            self._reply(person, str(keys["reply"]))
            return
        if verb == "link":
            self.checks.note_refusal(keys, follow_link(self.house, self.checks, keys, self.at), self.at)
            return
        subject = str(keys[verb])
        commands: dict[str, Command] = {
            "ack": Acknowledge(incident=subject),
            "escalate": Escalate(incident=subject),
            "close": Close(incident=subject, reason=str(keys.get("reason", ""))),
        }
        command = commands[verb]
        self.house.take(command_entry(person, command, self.at))

    def _reply(self, name: str, text: str) -> None:
        ward = self.scenario.ward.ward
        course = self.house.fold.monitor.state.courses.get(name.partition(":")[2])
        home = course.care.caregiver if course is not None else ()
        contacts = ward.people[name].contacts if name in ward.people else home
        contact = next((c for c in contacts if ward.transports[c.transport].two_way), contacts[0] if contacts else None)
        transport, address = (contact.transport, contact.address) if contact else ("sms", name)
        text = self.checks.fill_codes(text, name)
        self.checks.replied(name, self.at)
        self.house.take(reply_entry(transport, address, text, self.at))

    def _transport(self, keys: Mapping[str, Any]) -> None:
        name = str(keys["transport"])
        if keys.get("heal"):
            self.carriers.heal(name)
        elif keys.get("receipt") == "none":
            self.carriers.drop_receipts(name)
        else:
            self.carriers.break_(name, str(keys.get("fail", "hang")), keys.get("for"))
        self.tell(self.at, f"transport {name}: {', '.join(f'{k} {v}' for k, v in keys.items() if k != 'transport')}")

    def _gateway(self, keys: Mapping[str, Any]) -> None:
        if keys["gateway"] == "reload":
            self.house.reload(self.at, keys.get("ward_patch") or {})
            self.tell(self.at, "gateway reloads its ward file")
        elif "at_point" in keys:
            self._crash_at = str(keys["at_point"])
        else:
            self.house.crash(self.at)
            self._restart(parse_ms(str(keys["restart_after"])) if "restart_after" in keys else 0)

    def _broker(self, keys: Mapping[str, Any]) -> None:
        self.tell(self.at, f"broker {keys['broker']}")
        if keys["broker"] == "drops":
            self.house.lose_unread(self.at, int(keys.get("messages", 1)))
            return
        link_all(self.house, self.scenario.ward.ward.site, self.pumps, self._dropped, self.at, up=keys["broker"] == "up")
        self.house.session(self.at, up=keys["broker"] == "up")  # up: what the pumps have published by now is the backlog
