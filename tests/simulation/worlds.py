"""Seeded worlds: pumps in and out of trouble, a network that repeats, delays and reorders, transports that fail, crashes, acks.

`World(seed)` lives through one made-up evening on the scenario runner. Everything in it follows from the seed.
"""

import hashlib
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config.load import load_ward_mapping
from gateway.config.protocols import read_protocols
from gateway.core.turns import Sending
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.runtime.fold import Fold
from gateway.runtime.snapshots import dump
from gateway.scenario.grammar import Scenario, Step
from gateway.scenario.house import House
from gateway.scenario.story import Story
from rules.yaml_lines import load

START = 1_772_452_800_000  # 2026-03-02 20:00 in Hong Kong
PUMPS = ("p1", "p2", "p3")
TROUBLE_MIN = 240  # so long things go wrong; after that all is mended
CALM_MIN = 45
NEVER_STOPPING = ("free-flow", "over-infusion", "battery-fault", "under-infusion")
STOPPING = ("occlusion-downstream", "air-in-line", "system-fault", "door-open")

_WARD = Path(__file__).parent.parent / "ward.example.yaml"


@dataclass(frozen=True)
class Episode:
    """One trouble of one pump, from minute to minute."""

    pump: str
    kind: str
    what: str
    begins: int
    ends: int


class World:
    """One evening. After `live` its journal, effects and sends can be checked."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._dice = random.Random(seed)
        self.episodes = [episode for pump in PUMPS for episode in self._life(pump)]
        self.outages: list[tuple[int, int]] = []
        self.story = Story(_scenario(self._steps()))
        self.house = BadHouse(self.story.scenario, self.story.tell, random.Random(seed + 1))
        self.story.house = self.house

    def live(self) -> "World":
        """Live through it."""
        self.story.run()
        return self

    def _life(self, pump: str) -> list[Episode]:
        """Troubles one after another, never two of one pump at once."""
        dice, at, found = self._dice, self._dice.randint(5, 40), []
        while at < TROUBLE_MIN - 45:
            kind = dice.choice(["alarm", "alarm", "stopping-alarm", "stop", "silent", "mute"])
            what = {"alarm": dice.choice(NEVER_STOPPING), "stopping-alarm": dice.choice(STOPPING), "stop": "user"}.get(kind, "")
            length = dice.choice([1, 3, 8, 15, 25, 40])
            found.append(Episode(pump, kind, what, at, at + length))
            at += length + dice.randint(8, 50)
        return found

    def _steps(self) -> list[Step]:
        steps = [(0, "enrol", {"enrol": {"course": f"P-{pump}", "pump": pump, "bag": "24-hour"}}) for pump in PUMPS]
        for pump in PUMPS:  # tomorrow's bag is on order: the pharmacy has no trouble of its own this evening
            order = {"command": "order-bag", "course": f"P-{pump}", "bag": "24-hour", "ready_at": "23h"}
            steps.append((0, "record", {"record": order}))
        for episode in self.episodes:
            steps += _steps_of(episode)
        steps += self._faults() + self._people()
        end = TROUBLE_MIN
        steps += [(end, "transport", {"transport": name, "heal": True}) for name in ("sms", "voice", "pager", "email")]
        steps.append((end + CALM_MIN, "influx", {"influx": "up"}))
        return [Step(at * MINUTE_MS, verb, keys, 0) for at, verb, keys in sorted(steps, key=lambda step: step[0])]

    def _faults(self) -> list[tuple[int, str, dict[str, Any]]]:
        dice, steps = self._dice, []
        for _ in range(dice.randint(1, 4)):
            at, name = dice.randint(10, TROUBLE_MIN - 40), dice.choice(["sms", "voice", "pager"])
            fault = dice.choice([{"fail": "reject"}, {"fail": "temporary"}, {"fail": "hang"}, {"receipt": "none"}])
            steps.append((at, "transport", {"transport": name, **fault}))
            steps.append((at + dice.randint(5, 40), "transport", {"transport": name, "heal": True}))
        for _ in range(dice.randint(2, 6)):
            at, down = dice.randint(10, TROUBLE_MIN - 40), dice.choice([0, 2, 9])
            if all(at + down + 1 < begins or at > ends + 1 for begins, ends in self.outages):
                self.outages.append((at, at + down))
                steps += dice.choice([_crash, _broker_away])(at, down)
        for _ in range(dice.randint(0, 3)):
            point = dice.choice(["before-send", "sending", "after-send"])
            steps.append((dice.randint(10, TROUBLE_MIN - 40), "gateway", {"gateway": "crash", "at_point": point}))
        return steps

    def _people(self) -> list[tuple[int, str, dict[str, Any]]]:
        dice, steps = self._dice, []
        for _ in range(dice.randint(3, 12)):
            at, person = dice.randint(10, TROUBLE_MIN), dice.choice(["nurse-a", "nurse-b", "charge-nurse"])
            act = dice.choice(["ack", "ack", "reply", "link", "escalate", "close"])
            said = {"reply": ["{code}", "{code}", "ack", "STOP", "START"], "link": ["take", "cannot"]}
            what = dice.choice(said[act]) if act in said else f"P-{dice.choice(PUMPS)}"
            keys = {"person": person, act: what, "reason": "made up"}
            steps.append((at, f"person.{act}", keys))
        return steps


class BadHouse(House):
    """A gateway behind a bad network; remembers what it decided and sent."""

    def __init__(self, scenario: Scenario, tell: Any, dice: random.Random) -> None:
        super().__init__(scenario, tell)
        self._dice = dice
        self._late: list[tuple[Instant, str, bytes]] = []
        self.decided: list[tuple[int, Effect]] = []
        self.sends: list[tuple[Instant, Page, bool]] = []

    def hear(self, at: Instant, topic: str, payload: bytes) -> None:
        """Some messages come twice, some up to two minutes late and in another order."""
        due = [entry for entry in self._late if entry[0] <= at]
        self._late = [entry for entry in self._late if entry[0] > at]
        self._dice.shuffle(due)
        roll = self._dice.random()
        if roll < 0.06:
            self._late.append((at + self._dice.randint(1, 120_000), topic, payload))
        else:
            due += [(at, topic, payload)] * (2 if roll > 0.94 else 1)
        for _, late_topic, late_payload in due:
            super().hear(at, late_topic, late_payload)

    def _do(self, effect: Effect, at: Instant) -> None:
        self.decided.append((len(self.journal), effect))
        super()._do(effect, at)

    def to_send(self, at: Instant) -> tuple[Sending, ...]:
        """Note for each page whether somebody has its incident since it was decided."""
        sends = super().to_send(at)
        for sending in sends:
            if isinstance(sending.item, Page):
                incident = self.fold.monitor.find_incident(sending.item.incident)
                taken = incident is not None and incident.ack is not None and incident.ack.at >= sending.item.decided_at
                self.sends.append((at, sending.item, taken))
        return sends


def _steps_of(episode: Episode) -> list[tuple[int, str, dict[str, Any]]]:
    pump, begins, ends = {"pump": episode.pump}, episode.begins, episode.ends
    match episode.kind:
        case "alarm" | "stopping-alarm":
            alarm = {"alarm": episode.what, "stops": episode.kind == "stopping-alarm"}
            return [(begins, "pump.alarm", pump | alarm), (ends, "pump.clear", pump | {"clear": episode.what})]
        case "stop":
            return [(begins, "pump.stop", pump | {"stop": "user"}), (ends, "pump.run", pump | {"run": True})]
        case _:
            return [(begins, f"pump.{episode.kind}", pump | {episode.kind: True}), (ends, "pump.back", pump | {"back": True})]


def _crash(at: int, down: int) -> list[tuple[int, str, dict[str, Any]]]:
    return [(at, "gateway", {"gateway": "crash"} | ({"restart_after": f"{down}m"} if down else {}))]


def _broker_away(at: int, down: int) -> list[tuple[int, str, dict[str, Any]]]:
    return [(at, "broker", {"broker": "down"}), (at + down, "broker", {"broker": "up"})]


def _scenario(steps: list[Step]) -> Scenario:
    raw = load(_WARD.read_text(encoding="utf-8"), "ward").value
    ward = load_ward_mapping(raw, "ward")
    protocols = read_protocols(ward.protocols, ward.rule_overrides, _WARD.parent)
    return Scenario("simulation", "made up", START, ward, raw, protocols, tuple(steps))


def canonical(fold: Fold) -> bytes:
    """Everything that the monitor knows, as bytes."""
    state = fold.monitor.state
    cells = [*(f"pump:{name}" for name in state.pumps), *(f"course:{name}" for name in state.courses)]
    cells += [*(f"site:{name}" for name in state.sites), "desk:"]
    return b"\n".join(dump(state, key) or b"" for key in sorted(cells))


def digest(seeds: range) -> str:
    """One number for all that happens in these worlds."""
    total = hashlib.sha256()
    for seed in seeds:
        house = World(seed).live().house
        total.update(canonical(house.fold))
        total.update(repr([effect for _, effect in house.decided]).encode())
        total.update(repr([(record.kind, record.body) for record in house.journal]).encode())
    return total.hexdigest()


if __name__ == "__main__":
    print(digest(range(int(sys.argv[1]), int(sys.argv[2]))))
