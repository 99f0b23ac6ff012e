"""The weight of the bag as a second witness: during silence, against the pump's own word, and for late alarms."""

import pytest

from gateway.core import delivery, scale
from gateway.core.scale_state import Scale
from gateway.domain.commands import HangBag
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import DeliveryState
from gateway.runtime.snapshots import dump, restore
from tests.support.core_world import World

FULL_G = 110.0
G_A_MINUTE = 0.6 / 60  # a 7-day bag

DELIVERING, UNKNOWN, INTERRUPTED = DeliveryState.DELIVERING, DeliveryState.UNKNOWN, DeliveryState.INTERRUPTED


def pump_of(world: World):
    """The pump's cell."""
    return world.monitor.state.pumps["ward/p1"]


def told(world: World) -> tuple[DeliveryState, int, str]:
    """(state, since in minutes, cause)."""
    now = world.course.delivery
    return now.state, (now.since - world.at(0)) // MINUTE_MS, now.cause


def weighs(world: World, first: int, last: int, *, stood_from: int | None = None, **body: object) -> float:
    """The scale speaks every minute of [first, last]; the bag gets lighter but for the time from `stood_from` on."""
    weight_g = FULL_G
    for minute in range(first, last + 1):
        flowed = minute if stood_from is None else min(minute, stood_from)
        weight_g = round(FULL_G - flowed * G_A_MINUTE, 3)
        world.hears(minute, bag_weight_g=weight_g, **body)
    return weight_g


def running(until: int = 120, *, stood_from: int | None = None) -> World:
    """A pump that says every minute that it delivers, with its bag on a scale."""
    world = World()
    weighs(world, 0, until, stood_from=stood_from, delivery_status="delivering", set_rate_ml_h=0.6)
    return world


def test_a_silent_pump_whose_bag_gets_lighter_delivers():
    """The scale alone speaks for three hours: no silence to call about, and the judgement names its witness."""
    world = running()
    weighs(world, 121, 300)
    assert told(world) == (DELIVERING, 0, "scale")
    assert world.pages == []
    assert delivery.worst_ms(world.course, pump_of(world), world.at(300)) == 0


def test_a_silent_pump_whose_bag_stands_is_unknown_since_the_last_proof():
    """Flow stops at minute 180; it is unknown from no later than that, though the pump was last heard at 120."""
    world = running()
    weighs(world, 121, 230, stood_from=180)
    state, since, cause = told(world)
    assert (state, cause) == (UNKNOWN, "scale stands")
    assert 150 <= since <= 180
    assert world.pages[-1][1].about == ("delivery-unknown",)
    assert "pump not heard, bag no lighter since" in world.pages[-1][1].text


def test_when_the_scale_falls_silent_too_nobody_vouches():
    """Five minutes after the scale's last word delivery is unknown, since its last proof."""
    world = running()
    weighs(world, 121, 200)
    world.waits(204.9)
    assert told(world)[0] is DELIVERING
    world.waits(205)
    state, since, cause = told(world)
    assert (state, cause) == (UNKNOWN, "silence")
    assert 170 <= since <= 200


def test_the_scale_is_no_sign_of_life_of_the_pump():
    """A pump that was never heard is looked for, however its bag is weighed."""
    world = World()
    weighs(world, 0, 12)
    assert pump_of(world).heard_at == 0
    assert [page.about for _, page in world.pages] == [("pump-never-heard",)]


def test_a_young_scale_vouches_for_nothing():
    """Before a standstill could show, silence stays silence."""
    world = World()
    world.runs(range(60))
    weighs(world, 60, 90)
    assert told(world) == (UNKNOWN, 59, "silence")


@pytest.mark.hazard("H-07", "H-72")
def test_a_bag_that_stands_while_the_pump_says_it_delivers_is_under_delivery():
    """The pump's own word stays the judgement; the worst case and the rule go by the weight."""
    world = running(350, stood_from=180)
    assert told(world)[0] is DELIVERING
    assert [page.priority.value for _, page in world.pages if page.about == ("under-delivery",)][:2] == ["medium", "medium"]
    assert any(page.priority.value == "high" for _, page in world.pages if "under-delivery" in page.about)
    worst = delivery.worst_ms(world.course, pump_of(world), world.at(350))
    assert 170 * MINUTE_MS <= worst <= 200 * MINUTE_MS
    first_at = next(at for at, page in world.pages if page.about == ("under-delivery",))
    assert 30 <= (first_at - world.at(180)) // MINUTE_MS <= 60


@pytest.mark.hazard("H-02")
def test_an_occlusion_is_dated_back_no_further_than_the_weight_proves():
    """The protocol's lag is an hour; a bag that got lighter until half an hour before says that it was no hour."""
    world = running(240, stood_from=210)
    world.hears(240, "alarm", alarm="occlusion-downstream", phase="start", priority="high", stops_delivery=True)
    state, since, cause = told(world)
    assert (state, cause) == (INTERRUPTED, "occlusion-downstream")
    assert 185 <= since <= 210
    plain = World()
    plain.runs(range(241))
    plain.hears(240, "alarm", alarm="occlusion-downstream", phase="start", priority="high", stops_delivery=True)
    assert told(plain)[1] == 180


def test_a_new_bag_and_a_hand_at_the_bag_begin_anew():
    """A jump in either direction proves nothing, and no verdict outlives it."""
    world = running()
    assert pump_of(world).scale.falls is True
    world.hears(121, delivery_status="delivering", bag_weight_g=120.0)
    assert (pump_of(world).scale.falls, len(pump_of(world).scale.points)) == (None, 1)
    world.hears(122, delivery_status="delivering", bag_weight_g=60.0)
    assert (pump_of(world).scale.falls, len(pump_of(world).scale.points)) == (None, 1)


@pytest.mark.parametrize("event", [{"event": "bag-changed", "bag_ml": 110}, {"event": "primed", "primed_ml": 0.5}])
def test_a_bag_change_or_a_priming_begins_anew(event):
    """What leaves the bag then reaches nobody."""
    world = running()
    world.hears(121, "event", **event)
    assert (pump_of(world).scale.falls, pump_of(world).scale.points) == (None, ())


def test_a_pump_that_stands_is_no_flow_to_be_proven():
    """Weights during a stop are forgotten; afterwards the scale needs its time again."""
    world = running()
    world.hears(121, delivery_status="not-delivering", not_delivering_reason="user", bag_weight_g=108.79)
    assert pump_of(world).scale.falls is None
    assert told(world)[0] is INTERRUPTED


def test_a_weight_of_a_pump_without_a_course_is_not_kept():
    """Nobody's bag."""
    world = World(enrol=False)
    world.hears(0, bag_weight_g=100.0)
    assert pump_of(world).scale is None


def test_an_old_weight_changes_nothing():
    """What arrives late was overtaken."""
    world = running()
    before = pump_of(world).scale.points
    world.hears(121, seen=60, bag_weight_g=50.0)
    assert pump_of(world).scale.points == before
    assert pump_of(world).scale.weight_g == pytest.approx(FULL_G - 120 * G_A_MINUTE)


def test_noise_within_the_tolerance_is_neither_flow_nor_standstill():
    """A tenth of a gram up and down hides no stop and stops no flow."""
    world = World()
    for minute in range(301):
        noise = 0.1 if minute % 2 else -0.1
        world.hears(minute, delivery_status="delivering", bag_weight_g=round(FULL_G - minute * G_A_MINUTE + noise, 3))
    assert pump_of(world).scale.falls is True
    assert pump_of(world).scale.percent >= 80
    assert world.pages == []


def test_what_is_kept_of_a_scale_is_bounded():
    """A week of weights a minute leaves two hours of points."""
    world = World()
    world.does(0, HangBag(course="P-017", bag="7-day"))
    weighs(world, 0, 3_000, delivery_status="delivering")
    assert len(pump_of(world).scale.points) <= 10
    assert scale.delivered_percent(pump_of(world)) == 100


def test_a_scale_survives_a_snapshot():
    """What it has proven is not forgotten with a restart."""
    before = running().monitor.state
    cell = dump(before, "pump:ward/p1")
    assert cell is not None
    after = restore({"pump:ward/p1": cell})
    assert after.pumps["ward/p1"].scale == before.pumps["ward/p1"].scale


def test_a_scale_that_tells_nothing_yet_says_nothing():
    """No percent, no proof."""
    world = World(enrol=False)
    world.hears(0, delivery_status="delivering")
    pump = pump_of(world)
    assert (scale.delivered_percent(pump), scale.proven_until(pump), scale.stands(pump)) == (None, 0, False)
    pump.scale = Scale()
    assert scale.delivered_percent(pump) is None
