"""The demo's day on a ward: six homes, and trouble as it comes. Pure: what is published and done when, on the demo's clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.commands import Acknowledge, Command, Enrol
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.words import Condition
from rules.model import Protocol

HOMES = 6
DAY_MS = 24 * HOUR_MS

WARD: Mapping[str, Any] = {
    "site": "demo-ward",
    "timezone": "Asia/Hong_Kong",
    "transports": {
        "sms": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
        "voice": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
    },
    "people": {
        "nurse-ada": {"contacts": [{"sms": "85290000001"}, {"voice": "85290000001", "after": "2m"}]},
        "charge-nurse": {"contacts": [{"sms": "85290000003"}, {"voice": "85290000003", "after": "1m"}]},
    },
    "schedules": {
        "ward-nurse": {"rotation": {"every": "1w", "handover": "mon 08:00", "people": ["nurse-ada"], "starts": "2026-01-05"}}
    },
    "policies": {
        "high": {
            "steps": [
                {"page": ["schedule:ward-nurse"], "wait": "5m"},
                {"page": ["schedule:ward-nurse", "person:charge-nurse"], "wait": "10m"},
            ],
            "repeat": {"from_step": 1, "every": "15m"},
            "ack_lease": "30m",
            "milestones_page": ["schedule:ward-nurse", "person:charge-nurse"],
        },
        "medium": {
            "steps": [{"page": ["schedule:ward-nurse"], "wait": "15m"}, {"page": ["person:charge-nurse"], "wait": "30m"}],
            "repeat": {"from_step": 1, "every": "30m"},
            "ack_lease": "2h",
        },
        "fallback": ["person:charge-nurse"],
    },
    "protocols": ["blinatumomab_home"],
}


@dataclass(frozen=True, slots=True)
class Said:
    """Something for the broker."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """Something that a person does, and who."""

    who: str
    command: Command


@dataclass(frozen=True, slots=True)
class Line:
    """What the audience is told: what happens at the homes, which the gateway has to find out."""

    text: str


Deed = Said | Told | Line
_PumpAct = Callable[[SimulatedPump, Instant], list[Outgoing]]


class Day:
    """Six pumps and a plan. `due(at)` gives everything up to `at`, in order."""

    def __init__(self, start_at: Instant, protocol: Protocol, site: str) -> None:
        self._start_at, self._site = start_at, site
        bag = protocol.bags["7-day"]
        self.pumps = {
            f"pump-{number}": SimulatedPump(
                f"pump-{number}", rate_ml_h=bag.rate_ml_h, bag_ml=bag.fill_ml, started_at=start_at + number * 1_000
            )
            for number in range(1, HOMES + 1)
        }
        self._plan = [(start_at + minute * MINUTE_MS, words, device, act) for minute, words, device, act in _TROUBLE]
        self._done = 0
        self._begun = False

    def next_at(self) -> Instant:
        """When something is due next; the plan starts over every day."""
        reports = [pump.next_report_at for pump in self.pumps.values() if pump.works.alive]
        return min([*reports, self._plan[self._done][0]])

    def enrolments(self) -> list[Told]:
        """The six courses."""
        return [
            Told("demo", Enrol(course=f"P-10{number}", pump=f"pump-{number}", protocol="blinatumomab_home", bag="7-day"))
            for number in range(1, HOMES + 1)
        ]

    def due(self, at: Instant) -> list[Deed]:
        """Everything that is due up to `at`."""
        deeds: list[Deed] = []
        if not self._begun:
            self._begun = True
            for pump in self.pumps.values():
                deeds += self._said(pump.device, pump.power_up(max(at, pump.next_report_at - MINUTE_MS)))
        for pump in self.pumps.values():
            while pump.works.alive and pump.next_report_at <= at:
                deeds += self._said(pump.device, pump.report(pump.next_report_at))
        while self._plan[self._done][0] <= at:
            deeds += self._happen(at)
        return deeds

    def _happen(self, at: Instant) -> list[Deed]:
        planned_at, words, device, act = self._plan[self._done]
        self._plan.append((planned_at + DAY_MS, words, device, act))
        self._done += 1
        deeds: list[Deed] = [Line(words)] if words else []
        if isinstance(act, str):
            return [*deeds, Told("nurse-ada", Acknowledge(incident=act))]
        return deeds + self._said(device, act(self.pumps[device], at))

    def _said(self, device: str, messages: list[Outgoing]) -> list[Deed]:
        return [Said(f"dw/v1/{self._site}/{device}/{message.channel}", message.payload()) for message in messages]


# (minute of the day, what the audience reads, pump, what happens to it or which incident is acknowledged)
_TROUBLE: tuple[tuple[int, str, str, _PumpAct | str], ...] = (
    (6, "P-103's caregiver stops the pump for a shower and forgets it", "pump-3", lambda pump, at: pump.stop(at)),
    (
        12,
        "air in P-105's line; the caregiver taps the tubing (nobody should be paged)",
        "pump-5",
        lambda pump, at: pump.alarm(at, Condition.AIR_IN_LINE),
    ),
    (17, "P-105's air is gone", "pump-5", lambda pump, at: pump.clear(at, Condition.AIR_IN_LINE)),
    (22, "nurse-ada takes P-103 and calls the home", "pump-3", "P-103"),
    (26, "P-103's pump runs again", "pump-3", lambda pump, at: pump.run(at)),
    (30, "P-102 lies on the line: nothing flows, and the pump will not notice for an hour", "pump-2", SimulatedPump.occlude),
    (40, "P-104's internet is down; the pump goes on", "pump-4", lambda pump, at: pump.disconnect(at)),
    (85, "P-104's internet is back; the volume tells that the pump ran on", "pump-4", SimulatedPump.reconnect),
    (108, "the home of P-102 frees the line", "pump-2", lambda pump, at: pump.run(at)),
    (
        180,
        "P-106's pump reports a system fault",
        "pump-6",
        lambda pump, at: pump.alarm(at, Condition.SYSTEM_FAULT),
    ),
    (195, "nurse-ada takes P-106", "pump-6", "P-106"),
    (215, "P-106's pump was exchanged at the ward", "pump-6", lambda pump, at: pump.clear(at, Condition.SYSTEM_FAULT)),
    (300, "P-101's battery runs: unplugged", "pump-1", lambda pump, at: pump.unplug(at, 30)),
    (480, "P-101 is plugged in again", "pump-1", lambda pump, at: pump.plug(at) + pump.reconnect(at)),
)
