"""Pumps that are asked, and what stands beside a pump: as frames, through the adapters, into the monitor."""

import json
import random

import pytest

from device_adapters.envelope import Sent, enveloped
from device_adapters.registry import decode
from gateway.bridge.attention import Attention, News
from gateway.bridge.frames import Seen
from gateway.core.events import Heard, Loaded
from gateway.core.monitor import Monitor
from gateway.domain.effects import Effect, Heeded
from gateway.domain.words import ClockQuality, Condition, DeliveryState
from gateway.runtime.snapshots import dump, restore
from tests.support.bcc_encoder import ALARM_BITS, answer, pump_items
from tests.unit.core.world import World, minutes

BCC, BESIDE = "raw/bbraun-bcc", "raw/relay-and-scale"
MAINS = b'{"mains": true}'


class House(World):
    """A course with a bridge that numbers its frames."""

    def __init__(self) -> None:
        super().__init__()
        self.enrol()
        self.number = 0

    def frame(self, at: float, body: bytes, channel: str = BCC, *, number: int | None = None) -> list[Effect]:
        """A frame of the bridge arrives, its newest unless `number` says which."""
        if number is None:
            number = self.number = self.number + 1
        found = decode(channel, enveloped(Sent(minutes(at), "b1", number), body), received_at=minutes(at))
        return self.step(at, Heard, "haem-ward", "p1", channel, found)

    def is_unknown(self) -> bool:
        """Nobody knows whether it delivers."""
        return self.course().delivery.state is DeliveryState.UNKNOWN


def test_a_sensor_beside_a_pump_does_not_make_its_reports_look_overdue():
    """A pump that reports every ten minutes may do so, also with a mains sensor beside it that reports every minute."""
    house = House()
    for minute in range(61):
        house.tick(minute)
        if minute > 30:
            assert not house.is_unknown()
        house.frame(minute, answer(pump_items())) if minute % 10 == 0 else house.frame(minute, MAINS, BESIDE)
    assert house.pump().interval_ms == pytest.approx(10 * 60_000, rel=0.2)


def test_a_sensor_that_was_away_excuses_no_silent_pump():
    """Bridge and pump were away together: that the sensor is back does not make the pump's silence any shorter."""
    house = House()
    for minute in range(1, 11):
        house.frame(minute, answer(pump_items()))
        house.frame(minute + 0.5, MAINS, BESIDE)
    house.tick(15)
    assert house.is_unknown()
    house.frame(15.2, MAINS, BESIDE)
    house.load(15.3)  # everything is looked at anew
    assert house.is_unknown()
    house.frame(15.5, answer(pump_items()))
    assert not house.is_unknown()


def test_two_values_that_nobody_can_read_do_not_make_the_pumps_data_unreadable():
    """All the rest is read: its measures, and a dozen alarms that are clear."""
    house = House()
    for minute in range(1, 6):
        house.frame(minute, answer(pump_items(INM2="?", INRT="--")))
    assert all(alert.rule != "undecodable-data" for alert in house.course().alerts.values())


def test_an_answer_of_which_no_more_than_a_piece_can_be_read_still_counts():
    """Without a whole answer nothing is clear: what was read is one part, and what was refused is as many."""
    house = House()
    for minute in range(1, 6):
        house.frame(minute, answer(pump_items()) + b"noise")
    assert any(alert.rule == "undecodable-data" for alert in house.course().alerts.values())


@pytest.mark.parametrize("seed", range(8))
def test_every_frame_for_which_a_bridge_would_sound_is_answered(seed):
    """However often it comes, and whatever came before it: an end, a newer alarm, or its own first copy."""
    dice, attention, house = random.Random(seed), Attention(), House()
    bodies, loud = [], set()
    for number in range(1, 25):
        bodies.append(answer(pump_items(alarms=dice.sample(ALARM_BITS, dice.choice((0, 0, 1, 2))))))
        if attention.news("p1", BCC, bodies[-1], Seen(minutes(number), ClockQuality.SYNCED, "k1", number), None) is News.ALARM:
            loud.add(number)
    arrivals = [dice.randrange(1, 25) for _ in range(30)] + sorted(loud)
    answered: list[Effect] = []
    for number in arrivals:
        answered += house.frame(number, bodies[number - 1], number=number)
    assert loud
    assert loud <= {effect.seq for effect in answered if isinstance(effect, Heeded)}


@pytest.mark.parametrize("seed", range(8))
def test_what_returned_is_counted_although_the_backlog_comes_last(seed):
    """A bridge that was cut off sends what began or ended first, then all the rest: each return has begun once."""
    dice, attention, house, returns = random.Random(seed), Attention(), House(), 0
    urgent, backlog, before = [], [], False
    for number in range(1, 40):
        is_set = dice.random() < 0.5
        returns, before = returns + (is_set and not before), is_set
        body = answer(pump_items(alarms=[15] if is_set else []))
        news = attention.news("p1", BCC, body, Seen(minutes(number), ClockQuality.SYNCED, "k1", number), None)
        (urgent if news in (News.URGENT, News.ALARM) else backlog).append((number, body))
    for number, body in (*urgent, *backlog, *dice.sample(urgent, 3)):
        found = decode(BCC, enveloped(Sent(minutes(number), "b1", number), body), received_at=minutes(41))
        house.step(41, Heard, "haem-ward", "p1", BCC, found)
    assert sum(condition == "air-in-line" for condition, _ in house.pump().starts) == returns
    assert house.pump().conditions[Condition.AIR_IN_LINE].active is before


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_left_unjudged(seed):
    """After every frame, looking at everything anew changes neither judgement nor alerts: no wake is lost."""
    dice, house, at = random.Random(seed), House(), 1.0
    for _ in range(40):
        at += dice.choice((0.1, 0.5, 1, 1, 2, 7))
        house.tick(at)
        pump = pump_items(alarms=dice.choice(((), (), (15,), (3, 11))), INM3=dice.choice("110"))
        lamps = {"relay": dice.choice(("idle", "idle", "calling")), "light": dice.choice(("green", "green", "dark", "red"))}
        body, channel = dice.choice(((answer(pump), BCC), (MAINS, BESIDE), (json.dumps(lamps).encode(), BESIDE)))
        house.frame(at, body, channel)
        anew = restarted(house)
        anew.step(Loaded(house.seq + 1, anew.state.ward, anew.state.protocols, started=False), minutes(at))
        assert said(anew) == said(house.monitor)


def said(monitor: Monitor) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What is judged of each course, and its alerts."""
    return [
        (course.delivery.state, course.delivery.cause, sorted((key, alert.phase) for key, alert in course.alerts.items()))
        for course in monitor.state.courses.values()
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_snapshot_remembers_what_was_clear(seed):
    """Restored at any moment, a monitor goes on as if it had never stopped, also in counting alarms that return."""
    dice, whole, parted = random.Random(seed), House(), House()
    cut = dice.randrange(1, 30)
    for minute in range(1, 31):
        body = answer(pump_items(alarms=dice.choice(((), (15,), (3, 14), (4,)))))
        for house in (whole, parted):
            house.tick(minute)
            house.frame(minute, body)
        if minute == cut:
            parted.monitor = restarted(parted)
    assert cells(parted.monitor) == cells(whole.monitor)
    assert len(whole.pump().starts) > 4


def restarted(house: House) -> Monitor:
    """The monitor as a snapshot would bring it back."""
    saved = {key: cell for key in keys(house.monitor) if (cell := dump(house.monitor.state, key)) is not None}
    state = restore(saved)
    state.ward, state.protocols = house.monitor.state.ward, house.monitor.state.protocols
    state.index_rules()
    return Monitor(state)


def keys(monitor: Monitor) -> list[str]:
    """The names of all cells."""
    state = monitor.state
    named = {"pump": state.pumps, "course": state.courses, "site": state.sites}
    return ["desk:", *(f"{kind}:{name}" for kind, cells_of_kind in named.items() for name in cells_of_kind)]


def cells(monitor: Monitor) -> dict[str, bytes | None]:
    """All that a monitor knows."""
    return {key: dump(monitor.state, key) for key in keys(monitor)}
