"""From findings to alerts: holds, rungs, what is held back, what ends when somebody takes it, and what never falls."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.outlook import BatteryOutlook, FoundInterruption, SettingChange
from gateway.domain.view import Facet, Judgement
from gateway.domain.words import AlertPhase, DeliveryState, Priority
from rules.engine import Alert, Change, ChangeKind, judge, next_due
from rules.example_view import ExampleView
from rules.loader import load_protocol, shipped_text

PROTOCOL = load_protocol(shipped_text("blinatumomab_home") or "", "blinatumomab_home")
RULES = {rule.name: rule for rule in PROTOCOL.rules}


def look(name: str, alerts: dict[str, Alert], view: ExampleView, at: int, settled: dict[str, int] | None = None) -> list[Change]:
    """Judge one rule at an instant."""
    view.at = at
    return judge([RULES[name]], alerts, view, woken=Facet.ALL, settled=settled)


def kinds(changes: Sequence[Change]) -> list[ChangeKind]:
    """What happened, in a word each."""
    return [change.kind for change in changes]


def interrupted(since: int) -> Judgement:
    """An interruption of which the pump told at once."""
    return Judgement(DeliveryState.INTERRUPTED, since, since, "user")


def test_what_was_taken_note_of_is_over_and_what_comes_later_is_new():
    """An alert that only an acknowledgement ends: older evidence is settled, newer is not."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL, settings=[SettingChange("unlocked", 10, 20)])
    assert kinds(look("settings-changed", alerts, view, 30)) == [ChangeKind.FIRED]
    assert kinds(look("settings-changed", alerts, view, 40, {"settings-changed:unlocked": 40})) == [ChangeKind.RESOLVED]
    assert look("settings-changed", alerts, view, 50, {"settings-changed:unlocked": 40}) == []
    view.settings = [SettingChange("unlocked", 35, 45)]  # it happened before the acknowledgement, and was told after it
    assert kinds(look("settings-changed", alerts, view, 60, {"settings-changed:unlocked": 40})) == [ChangeKind.FIRED]


def test_of_several_findings_with_one_key_the_first_that_is_not_settled_counts():
    """The longest was taken note of; the next longest is news."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL, found=[FoundInterruption(0, 5 * HOUR_MS, 10), FoundInterruption(0, HOUR_MS, 90)])
    look("interruption-found", alerts, view, 6 * HOUR_MS, {"interruption-found": 50})
    assert alerts["interruption-found"].priority is Priority.MEDIUM


def test_a_silent_site_holds_back_what_is_not_high_yet():
    """Low and medium wait; high does not."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL, judgement=Judgement(DeliveryState.UNKNOWN, 0, 0), inhibitions=frozenset({"site-silent"}))
    assert look("delivery-unknown", alerts, view, 30 * MINUTE_MS) == []
    assert kinds(look("delivery-unknown", alerts, view, 60 * MINUTE_MS)) == [ChangeKind.FIRED]
    assert alerts["delivery-unknown"].priority is Priority.HIGH


def test_a_deaf_gateway_holds_back_everything():
    """Also what is high, and also when the site is silent too."""
    alerts: dict[str, Alert] = {}
    inhibitions = frozenset({"site-silent", "gateway-deaf"})
    view = ExampleView(PROTOCOL, judgement=Judgement(DeliveryState.UNKNOWN, 0, 0), inhibitions=inhibitions)
    assert look("delivery-unknown", alerts, view, 90 * MINUTE_MS) == []


def test_what_lies_ahead_waits_without_being_wrong():
    """An idle alert only keeps the time at which to ask again."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL, battery=BatteryOutlook(90, 10 * HOUR_MS, learnt=False))
    assert look("battery-running-out", alerts, view, 0) == []
    assert alerts["battery-running-out"].idle
    assert next_due(alerts) == 8 * HOUR_MS
    assert kinds(look("battery-running-out", alerts, view, 8 * HOUR_MS)) == [ChangeKind.FIRED]
    assert not alerts["battery-running-out"].idle


@pytest.mark.hazard("H-11")
def test_a_forecast_that_wavers_around_its_threshold_calls_once():
    """Just above it the alert neither ends nor starts anew; well above it is over."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL)
    told = []
    for minute, left_min in enumerate((119, 121, 119, 125, 149, 118, 151)):
        view.battery = BatteryOutlook(80, minute * MINUTE_MS + left_min * MINUTE_MS, learnt=True)
        told += kinds(look("battery-running-out", alerts, view, minute * MINUTE_MS))
    assert told == [ChangeKind.FIRED, ChangeKind.RESOLVED]


def test_an_alert_that_began_with_a_forecast_counts_from_when_it_came_true():
    """The hours in which nothing was wrong do not belong to it."""
    alerts: dict[str, Alert] = {}
    view = ExampleView(PROTOCOL, battery=BatteryOutlook(90, 10 * HOUR_MS, learnt=False))
    look("battery-running-out", alerts, view, 0)
    view.battery = BatteryOutlook(15, 10 * HOUR_MS, learnt=False)
    look("battery-running-out", alerts, view, HOUR_MS)
    assert alerts["battery-running-out"].since == HOUR_MS


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-30, 60)), min_size=1, max_size=40))
def test_the_priority_never_falls_while_the_same_interruption_grows(steps_min: list[tuple[int, int]]) -> None:
    """However it is looked at, and however the onset is dated back, or forward again, on the way; milestones only add up."""
    alerts: dict[str, Alert] = {}
    view, told_at = ExampleView(PROTOCOL), 100 * HOUR_MS
    at = since = told_at
    ranks, milestones = [], []
    for step_min, back_min in steps_min:
        at += step_min * MINUTE_MS
        since = min(told_at, since - back_min * MINUTE_MS)
        view.judgement = replace(interrupted(since), evidence_at=told_at)
        look("delivery-interrupted", alerts, view, at)
        alert = alerts["delivery-interrupted"]
        ranks.append(alert.priority.rank if alert.priority is not None else -1)
        milestones.append(alert.milestones)
    assert ranks == sorted(ranks)
    assert milestones == sorted(milestones)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_the_priority_of_a_forecast_never_falls_while_it_fires(percents: list[float]) -> None:
    """A battery that recovers a little stays as urgent as it was, until it is over."""
    alerts: dict[str, Alert] = {}
    view, before = ExampleView(PROTOCOL), -1
    for minute, percent in enumerate(percents):
        view.battery = BatteryOutlook(percent, minute * MINUTE_MS + round(percent / 5 * HOUR_MS), learnt=False)
        look("battery-running-out", alerts, view, minute * MINUTE_MS)
        alert = alerts["battery-running-out"]
        rank = alert.priority.rank if alert.priority is not None and alert.phase is AlertPhase.FIRING else -1
        assert rank >= before or rank == -1
        before = rank
