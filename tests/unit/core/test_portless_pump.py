"""A pump that cannot speak, judged by what stands beside it: the core's side of `relay-and-scale`."""

import json

import pytest

from device_adapters.envelope import Sent, enveloped
from device_adapters.registry import decode
from gateway.core.events import Heard
from gateway.domain.effects import Heeded
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Condition, DeliveryState
from tests.support.core_world import PUMP, SITE, World

FULL_G = 500.0
DELIVERING, UNKNOWN = DeliveryState.DELIVERING, DeliveryState.UNKNOWN


class Beside(World):
    """The world, with a bridge beside the pump."""

    number = 0

    def sees(self, minute: float, *, seq: int | None = None, **frame: object) -> list[object]:
        """The bridge sends a frame; its effects."""
        self.number += 1
        sent = Sent(self.at(minute), "b1", self.number if seq is None else seq)
        payload = enveloped(sent, json.dumps(frame).encode())
        found = decode("raw/relay-and-scale", payload, received_at=self.at(minute))
        return list(self._step(Heard(self._next(), SITE, PUMP, "raw/relay-and-scale", found), self.at(minute)))

    @property
    def pump(self):
        """The pump's cell."""
        return self.monitor.state.pumps[f"{SITE}/{PUMP}"]

    def weighed(self, first: int, last: int, *, stood_from: int | None = None) -> None:
        """A frame a minute with a bag that loses 10 mL/h until it stands."""
        self.pump_rate()
        for minute in range(first, last + 1):
            flowed = minute if stood_from is None else min(minute, stood_from)
            self.sees(minute, relay="idle", mains=True, weight_g=round(FULL_G - flowed / 6, 2))

    def pump_rate(self) -> None:
        """The bag's own rate makes the scale quick."""
        assert self.course.bag is not None
        self.course.bag.rate_ml_h = 10.0


def told(world: World) -> tuple[DeliveryState, int, str]:
    """(state, since in minutes, cause)."""
    now = world.course.delivery
    return now.state, (now.since - world.at(0)) // MINUTE_MS, now.cause


def test_the_scale_alone_shows_delivery_from_its_first_verdict_on():
    """Nobody knows before a quarter of an hour; then the bag's weight says so, and it stays so while the scale speaks."""
    world = Beside()
    world.weighed(0, 90)
    state, since, cause = told(world)
    assert (state, cause) == (DELIVERING, "scale")
    assert 14 <= since <= 20
    assert world.pump.heard_at == 0


def test_a_bag_that_stands_is_unknown_since_the_last_proof():
    """A pump that cannot speak and whose bag gets no lighter: unknown since the weight last proved a flow."""
    world = Beside()
    world.weighed(0, 120, stood_from=90)
    state, since, cause = told(world)
    assert (state, cause) == (UNKNOWN, "scale stands")
    assert 80 <= since <= 90


@pytest.mark.hazard("H-05")
def test_a_dead_pump_is_not_kept_alive_by_its_contact():
    """The green light goes out; the contact stays idle for ever, and the pump is silent all the same."""
    world = Beside()
    for minute in range(30):
        world.sees(minute, relay="idle", light="green", mains=True)
    assert told(world)[0] is DELIVERING
    for minute in range(30, 60):
        world.sees(minute, relay="idle", light="dark", mains=True)
    assert told(world) == (UNKNOWN, 29, "silence")
    assert any("delivery-unknown" in page.about for _, page in world.pages)


def test_a_call_is_an_alarm_though_the_pump_says_nothing():
    """The contact closes: a condition is active and a page goes out; it opens: the condition is over."""
    world = Beside()
    world.sees(0, relay="idle", light="green")
    for minute in range(1, 5):
        world.sees(minute, relay="calling", light="green")
    assert world.pump.conditions[Condition.OTHER].active
    assert [page.about for _, page in world.pages] == [("alarm-persistent",)]
    world.sees(5, relay="idle", light="green")
    assert not world.pump.conditions[Condition.OTHER].active


def test_amber_after_blue_is_not_taken_for_low():
    """The light turns without an idle frame between: the condition rises with it."""
    world = Beside()
    world.sees(0, light="blue")
    world.sees(1, light="amber")
    assert world.pump.conditions[Condition.OTHER].device_priority == "high"


def test_a_message_of_several_readings_is_one_number():
    """All readings of a payload are taken, the same payload again is one repeat, and it is heeded once."""
    world = Beside()
    effects = world.sees(1, seq=7, relay="calling", light="red", mains=True)
    assert [effect for effect in effects if isinstance(effect, Heeded)] == [Heeded(SITE, PUMP, "b1", 7)]
    assert world.pump.flow.delivering is False
    assert world.pump.on_battery is False
    assert world.pump.conditions[Condition.OTHER].active
    assert world.pump.repeats == 0
    world.sees(2, seq=7, relay="idle", light="green", mains=False)
    assert world.pump.repeats == 1
    assert world.pump.on_battery is False
