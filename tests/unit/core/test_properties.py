"""Laws that hold for every history: found by hypothesis, not by us."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from device_adapters.registry import decode
from device_adapters.simulated_pump import SimulatedPump
from gateway.core import delivery
from gateway.core.events import Heard, Ticked
from gateway.core.flows import STRETCHES_MAX
from gateway.core.state import BOOTS_MAX
from gateway.core.twin import missing
from gateway.domain.commands import Acknowledge
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.words import OCCLUSIONS, Condition, DeliveryState, DeliveryStatus, Outcome
from tests.unit.core.world import START, World, stopped

QUICK = settings(max_examples=40, deadline=None)

CONDITIONS = (Condition.AIR_IN_LINE, Condition.OCCLUSION_DOWNSTREAM, Condition.SYSTEM_FAULT, Condition.BATTERY_LOW)
DICE = st.randoms(use_true_random=False)
ACTS = st.tuples(
    st.integers(min_value=1, max_value=200),  # so many tenths of a minute after the last
    st.sampled_from(["alarm", "clear", "stop", "run", "report", "rate"]),
    st.sampled_from(CONDITIONS),
    st.booleans(),
)
KEPT_ACTS = st.tuples(
    st.integers(min_value=1, max_value=200),
    st.sampled_from(["alarm", "clear", "stop", "run", "run", "report", "occlude", "bag", "prime", "reboot"]),
    st.sampled_from([condition for condition in CONDITIONS if condition not in OCCLUSIONS]),
    st.booleans(),
)
ORDERLY_MS = 30 * MINUTE_MS


def history(acts) -> tuple[list, list]:
    """What a pump publishes that lives through these acts and reports every minute: its messages, and two live reports after.

    The first half hour is orderly: it is told as it happens. After it the home has no link until the end.
    """
    pump = SimulatedPump("p1", rate_ml_h=10.0, bag_ml=250, started_at=START)
    messages, at = list(pump.power_up(START)), START
    while pump.next_report_at <= START + ORDERLY_MS:
        messages += pump.report(pump.next_report_at)
    at = START + ORDERLY_MS
    for tenths, act, condition, stops in acts:
        at += tenths * 6_000
        while pump.next_report_at < at:
            messages += pump.report(pump.next_report_at)
        messages += done(pump, at, act, condition, stops=stops)
    return messages, [message for _ in range(3) for message in pump.report(pump.next_report_at)]


def done(pump: SimulatedPump, at: Instant, act: str, condition: Condition, *, stops: bool) -> list:
    """What the pump says of one act, after a report as of then."""
    told = pump.report(at)
    match act:
        case "alarm" if condition not in pump.active:
            told += pump.alarm(at, condition, stops=stops)
        case "clear":
            told += pump.clear(at, condition)
        case "stop":
            told += pump.stop(at)
        case "run":  # once what is wrong has been cleared: that an end may get lost is another test's story
            told += [message for known in sorted(pump.active) for message in pump.clear(at, known)] + pump.run(at)
        case "rate":
            told += pump.set_rate(at, 5.0)
        case "occlude" if not pump.active:
            told += pump.occlude(at)
        case "bag" if not pump.active:
            told += pump.hang_bag(at, 250)
        case "prime":
            told += pump.prime(at, 2.0)
        case "reboot":
            told += pump.power_up(at)
    return told


def take(world: World, message, at: Instant) -> None:
    """One message reaches the monitor at `at`."""
    world.seq += 1
    decoded = decode(message.channel, message.payload())
    assert not decoded.refused
    world.monitor.step(Heard(world.seq, "haem-ward", "p1", message.channel, decoded), at)


def enrolled() -> World:
    """A course on pump p1 with a 24-hour bag."""
    world = World()
    world.enrol(bag="24-hour")
    return world


def knowledge(world: World):
    """What must not depend on the order of arrival: measures, conditions, the bag, and every interruption to the millisecond."""
    pump, course = world.pump(), world.course()
    conditions = {known.condition for known in pump.conditions.values() if known.active}
    judged = course.delivery
    stopped_at = judged.since if judged.state is DeliveryState.INTERRUPTED else None
    stretches = sorted((one.since, one.until) for one in judged.interruptions)
    measures = (pump.infused_ml, pump.remaining_ml, pump.set_rate_ml_h)
    return judged.state, stopped_at, stretches, judged.interrupted_ms, conditions, measures, course.bag


@pytest.mark.hazard("H-28")
@QUICK
@given(st.lists(KEPT_ACTS, max_size=12), DICE, st.lists(st.integers(min_value=0, max_value=500), max_size=20))
def test_order_and_repetition_of_messages_change_nothing(acts, dice, repeats):
    """What a home kept while it had no link comes shuffled and some of it several times: the same judgement as in order.

    Twice as many messages as stretches are kept can lie in more pieces than that; of those, neighbours are taken for one.
    """
    messages, live = history(acts)
    kept = [message for message in messages if message.at > START + ORDERLY_MS] or messages[-1:]
    assume(len(kept) < 2 * STRETCHES_MAX)
    mixed = kept + [kept[n % len(kept)] for n in repeats]
    dice.shuffle(mixed)
    orderly, muddled = enrolled(), enrolled()
    for world, arrived in ((orderly, kept), (muddled, mixed)):
        for message in messages:
            if message.at <= START + ORDERLY_MS:
                take(world, message, message.at)
        for message in arrived:
            take(world, message, kept[-1].at)
        for message in live:
            take(world, message, message.at)
    assert knowledge(muddled) == knowledge(orderly)
    if muddled.pump().restarts < BOOTS_MAX:  # of more boots the oldest is forgotten
        assert missing(muddled.pump()) == 0


@QUICK
@given(st.lists(ACTS, max_size=15), st.lists(st.integers(min_value=0, max_value=240), min_size=1, max_size=15))
def test_what_is_judged_is_never_kinder_than_what_the_pump_says(acts, delays):
    """The judged interruption never starts after the pump's own stop; the worst case is never less than the current one."""
    messages, _ = history(acts)
    world, at, stopped_at = enrolled(), START, None
    for n, message in enumerate(messages):
        at = max(at, message.at + delays[n % len(delays)] * 1_000)
        take(world, message, at)
        status = message.body.get("delivery_status")
        if status == DeliveryStatus.DELIVERING.value:
            stopped_at = None
        elif status is not None and stopped_at is None:
            stopped_at = message.at
        course = world.course()
        if stopped_at is not None and status is not None:
            assert course.delivery.state is DeliveryState.INTERRUPTED
            assert course.delivery.since <= stopped_at
        assert delivery.worst_ms(course, world.pump(), at) >= delivery.current_ms(course, at) >= 0


@pytest.mark.hazard("H-05")
@QUICK
@given(st.lists(st.tuples(st.integers(min_value=1, max_value=900), st.booleans()), max_size=20))
def test_silence_is_never_shown_as_delivery(gaps):
    """After five minutes (its promise) without a word nothing is delivering, whatever was said before."""
    world, at = enrolled(), START
    for gap_s, looked_at in gaps:
        heard_at, at = at, at + gap_s * 1_000
        if looked_at or gap_s >= 300:
            world.seq += 1
            world.monitor.step(Ticked(world.seq), at)
            promise_ms = max(3 * world.pump().interval_ms, 5 * MINUTE_MS)
            if at - heard_at >= promise_ms:
                assert world.course().delivery.state is DeliveryState.UNKNOWN
        world.report((at - START) / MINUTE_MS)
    assert world.course().delivery.state in (DeliveryState.DELIVERING, DeliveryState.UNKNOWN)


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(min_value=0, max_value=40), st.sampled_from(["ack", "run", "stop", "tick", "fail"])), max_size=25
    )
)
def test_an_open_incident_that_nobody_has_is_never_forgotten(steps):
    """Whatever people and transports do: while a high alert fires unacknowledged, something is due."""
    world, at = enrolled(), 0.0
    world.report(0)
    for passed, act in steps:
        at += passed
        world.tick(at)
        if act == "ack" and world.incident_or_none() is not None:
            world.do(at, Acknowledge(incident="P-017"))
        elif act == "run":
            world.report(at)
        elif act == "stop":
            world.hear(at, stopped(at))
        elif act == "fail" and world.pages:
            world.sent(at, world.pages[-1], Outcome.REJECTED)
        incident = world.incident_or_none()
        if incident is not None and incident.alerts and incident.peak.rank >= 2:
            deadline = world.monitor.next_deadline()
            assert deadline is not None
            assert deadline - world.monitor.state.desk.now_at <= 2 * 60 * MINUTE_MS
