"""Laws of the clocks, with a scale under the bag and with long silences: whatever a pump, its bridge and the network do.

Each law was seen to fail on a core with the matching line taken out.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_adapters.registry import decode
from gateway.core import delivery, scale
from gateway.core.events import Heard
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import DeliveryState
from tests.support.core_world import START_AT, World

QUICK = settings(max_examples=60, deadline=None)
RATE_ML_H = 10.0
G_A_MINUTE = RATE_ML_H / 60
TOLERANCE_MIN = 30  # of the proof: the bag's weight proves nothing finer than its own spacing

# (minutes since the last act, what happens, whether the pump is heard then)
ACTS = st.lists(
    st.tuples(st.integers(1, 25), st.sampled_from(["run", "stop", "kvo", "occlusion", "clear"]), st.booleans()),
    min_size=1,
    max_size=12,
)


class Home:
    """A pump that lives minute by minute: it flows or stands, is heard or not, and its bag hangs on a scale or not."""

    def __init__(self, *, weighed: bool) -> None:
        self.world = World()
        self.weighed = weighed
        self.minute = 0
        self.flows, self.heard = True, True
        self.flowed_min = 0
        self.said_at: int | None = None  # the first time that it said of this stop that it stands
        self.alarmed = False
        self.word = "not-delivering"  # how it says that it stands

    @property
    def pump(self):
        """Its cell."""
        return self.world.monitor.state.pumps["ward/p1"]

    @property
    def promise_min(self) -> float:
        """How long it may say nothing: at least five minutes, more where its reports were rare."""
        promise_ms = max(3 * self.pump.interval_ms, 5 * MINUTE_MS)
        assert promise_ms <= 3 * 60 * MINUTE_MS
        return promise_ms / MINUTE_MS

    def live(self, minutes: int) -> None:
        """Time passes; each minute a report where the pump is heard, and a weight where there is a scale."""
        for _ in range(minutes):
            self.minute += 1
            self.flowed_min += self.flows
            self.tell()

    def tell(self) -> None:
        """One report, now."""
        body: dict[str, object] = {}
        if self.flows:
            self.said_at = None
        elif self.heard and self.said_at is None:
            self.said_at = self.minute
        if self.heard:
            body = {"delivery_status": "delivering" if self.flows else self.word, "set_rate_ml_h": RATE_ML_H}
        if self.weighed:
            body["bag_weight_g"] = round(250 - self.flowed_min * G_A_MINUTE, 3)
        if body:
            self.world.hears(self.minute, **body)
        else:
            self.world.waits(self.minute)

    def act(self, act: str, *, heard: bool) -> None:
        """Something happens at this minute, and the pump is heard or not from now on."""
        self.heard = heard
        if act == "run" or (act == "clear" and not self.alarmed):
            self.flows = True
        elif act == "clear":
            self.alarmed, self.flows = False, True
            if heard:
                self.world.hears(self.minute, "alarm", alarm="occlusion", phase="end")
        else:
            self.flows, self.word = False, "kvo" if act == "kvo" else "not-delivering"
            if act == "occlusion" and heard:
                self.alarmed = True
                self.world.hears(self.minute, "alarm", alarm="occlusion", phase="start", priority="high", stops_delivery=True)
        self.tell()


def lived(acts, *, weighed: bool):
    """The home after each minute of these acts."""
    home = Home(weighed=weighed)
    home.live(15)
    yield home
    for wait, act, heard in acts:
        for _ in range(wait):
            home.live(1)
            yield home
        home.act(act, heard=heard)
        yield home


@QUICK
@given(ACTS, st.booleans())
def test_the_judged_interruption_never_starts_after_the_pumps_own_stop(acts, weighed):
    """Neither a scale nor a silence in between may make a stop look shorter than the pump itself says."""
    for home in lived(acts, weighed=weighed):
        judged = home.world.course.delivery
        if home.heard and home.said_at is not None and judged.state is DeliveryState.INTERRUPTED:
            assert judged.since <= home.world.at(home.said_at)


@QUICK
@given(ACTS, st.booleans())
def test_a_heard_pump_that_stands_is_never_judged_delivering(acts, weighed):
    """Its own word that it stands counts at once, whatever the bag weighs."""
    for home in lived(acts, weighed=weighed):
        if home.heard and not home.flows:
            assert home.world.course.delivery.state is not DeliveryState.DELIVERING


@pytest.mark.hazard("H-05")
@QUICK
@given(ACTS)
def test_without_a_scale_a_silent_pump_is_never_judged_delivering(acts):
    """After its promise nobody knows."""
    heard_at = 0
    for home in lived(acts, weighed=False):
        heard_at = home.minute if home.heard else heard_at
        if home.minute - heard_at >= home.promise_min:
            assert home.world.course.delivery.state is not DeliveryState.DELIVERING


@QUICK
@given(ACTS)
def test_a_scale_vouches_for_no_silent_pump_that_has_stood_for_long(acts):
    """While a pump is silent its bag can be believed only as far as a standstill must show."""
    silent, stood = 0, 0
    for home in lived(acts, weighed=True):
        silent = 0 if home.heard else silent + 1
        stood = 0 if home.flows else stood + 1
        if silent > home.promise_min and stood > TOLERANCE_MIN:
            assert home.world.course.delivery.state is not DeliveryState.DELIVERING
        assert scale.proven_until(home.pump) <= home.world.at(home.minute)


@QUICK
@given(ACTS, st.integers(0, 25))
def test_the_weight_never_proves_a_flow_that_was_none(acts, first_stood):
    """What is proven ends before the standstill that it could not see: never inside a stop that lasts."""
    stood_from = None
    for home in lived([(15, "run", True), (1 + first_stood, "stop", False), *acts], weighed=True):
        stood_from = None if home.flows else (home.minute if stood_from is None else stood_from)
        if stood_from is not None:
            assert scale.proven_until(home.pump) <= home.world.at(stood_from)


@pytest.mark.hazard("H-03")
@QUICK
@given(ACTS, st.booleans())
def test_the_worst_case_is_never_less_than_the_current(acts, weighed):
    """At every minute; and both are lengths."""
    for home in lived(acts, weighed=weighed):
        now = home.world.at(home.minute)
        assert delivery.worst_ms(home.world.course, home.pump, now) >= delivery.current_ms(home.world.course, now) >= 0


@QUICK
@given(ACTS, st.booleans(), st.lists(st.sampled_from(["occlusion", "kvo", "stop"]), max_size=8))
def test_priority_never_falls_while_the_same_interruption_grows(acts, weighed, words):
    """However the pump explains its stop, and whatever it was before: one stretch, one rising priority."""
    *_, home = lived(acts, weighed=weighed)
    home.act("stop", heard=True)
    home.live(3)
    since, rank = home.world.course.delivery.since, -1
    for word in [*words, "stop"]:
        home.act(word, heard=True)
        for _ in range(9):
            home.live(1)
            judged = home.world.course.delivery
            assert judged.state is DeliveryState.INTERRUPTED
            assert judged.since <= since
            since = judged.since
            alert = home.world.course.alerts.get("delivery-interrupted")
            now = alert.priority.rank if alert is not None and alert.priority is not None else -1
            assert now >= rank
            rank = now


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 120), st.floats(100, 250)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_weights_in_any_order_never_run_ahead_of_the_clock(weights, dice):
    """Shuffled, repeated, absurd: no proof lies in the future."""
    world = World()
    world.runs(range(121))
    messages = [*weights, *weights]
    dice.shuffle(messages)
    for seq, (minute, weight_g) in enumerate(messages):
        payload = json.dumps({"observed_at": world.at(minute), "bag_weight_g": weight_g}).encode()
        world.monitor.step(Heard(10_000 + seq, "ward", "p1", "telemetry", decode("telemetry", payload)), world.at(121))
    kept = world.monitor.state.pumps["ward/p1"].scale
    assert START_AT <= kept.weighed_at <= START_AT + 121 * MINUTE_MS
    assert kept.proven_until <= kept.weighed_at
