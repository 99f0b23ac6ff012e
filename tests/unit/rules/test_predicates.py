"""Every question at its boundaries: one step before, at, after."""

from collections.abc import Mapping

import pytest

from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.outlook import BagOutlook, BatteryOutlook, FoundInterruption, Rates, SettingChange, SilentPumps
from gateway.domain.view import ActiveCondition
from gateway.domain.words import Condition, Priority
from rules.example_view import ExampleView
from rules.loader import load_protocol, shipped_text
from rules.model import Finding
from rules.predicates import PREDICATES

PROTOCOL = load_protocol(shipped_text("blinatumomab_home") or "", "blinatumomab_home")
AT = 1_000 * HOUR_MS
HIGH, MEDIUM = Priority.HIGH, Priority.MEDIUM


def ask(name: str, params: Mapping[str, float] | None = None, **told: object) -> tuple[Finding, ...]:
    """What the predicate finds in a view that says this, at AT."""
    view = ExampleView(PROTOCOL, at=AT)
    for key, value in told.items():
        setattr(view, key, value)
    return PREDICATES[name].ask(view, {**PREDICATES[name].params, **(params or {})})


def priorities(findings: tuple[Finding, ...]) -> list[Priority | None]:
    """Their priorities, of those that are true now."""
    return [finding.priority for finding in findings if finding.since <= AT]


@pytest.mark.hazard("H-14")
@pytest.mark.parametrize(
    ("percent", "left_ms", "expected"),
    [
        (90, 10 * HOUR_MS, []),
        (20, 10 * HOUR_MS, [None]),
        (19.9, 10 * HOUR_MS, [MEDIUM]),
        (10, 10 * HOUR_MS, [MEDIUM]),
        (9.9, 10 * HOUR_MS, [HIGH]),
        (90, 2 * HOUR_MS + SECOND_MS, [None]),
        (90, 2 * HOUR_MS, [MEDIUM]),
        (90, 30 * MINUTE_MS + SECOND_MS, [MEDIUM]),
        (90, 30 * MINUTE_MS, [HIGH]),
        (90, -HOUR_MS, [HIGH]),
    ],
)
def test_battery_running_out(percent: float, left_ms: int, expected: list[Priority | None]):
    """By time and by percent; just above a threshold nothing starts, and nothing ends."""
    assert priorities(ask("battery_running_out", battery=BatteryOutlook(percent, AT + left_ms, learnt=True))) == expected


def test_a_battery_that_will_do_is_asked_about_again_in_time():
    """Also a pump that says no more may run out: the question comes back two hours before the end."""
    (finding,) = ask("battery_running_out", battery=BatteryOutlook(90, AT + 10 * HOUR_MS, learnt=False))
    assert finding.since == finding.recheck_at == AT + 8 * HOUR_MS
    assert ask("battery_running_out") == ()


@pytest.mark.hazard("H-11")
@pytest.mark.parametrize(
    ("central_h", "spread_h", "change_h", "expected"),
    [
        (20.2, 0, 21, []),
        (20, 0, 21, [None]),
        (19.999, 0, 21, [MEDIUM]),
        (20, 5, 20, []),
        (16, 10, 17, [MEDIUM]),
        (16.001, 10, 17, [None]),
        (2, 0, 2.5, [HIGH]),
        (2.001, 0, 2.5, []),
        (2, 0, 2, []),
        (-1, 0, 1, [HIGH]),
        (13.1, 5, 14, [None]),
        (12.4, 5, 12.5, [None]),
        (13.601, 5, 14, []),
        (30, 11, 19.9, []),
        (30, 11, 19, []),
    ],
)
def test_bag_ending_early(central_h: float, spread_h: float, change_h: float, expected: list[Priority | None]):
    """The likely end more than an hour early, the earliest within six hours, the likely one within two."""
    central_at, spread_ms = AT + round(central_h * HOUR_MS), round(spread_h * HOUR_MS)
    bag = BagOutlook(AT + round(change_h * HOUR_MS), central_at - spread_ms, central_at, central_at + spread_ms)
    assert priorities(ask("bag_ending_early", bag=bag)) == expected


def test_a_bag_without_a_forecast_ends_at_no_known_time():
    """A pump set to nothing empties no bag."""
    assert ask("bag_ending_early", bag=BagOutlook(AT)) == ()
    assert ask("bag_ending_early") == ()


@pytest.mark.parametrize(
    ("late_ms", "expires_ms", "expected"),
    [
        (-SECOND_MS, None, []),
        (30 * MINUTE_MS - 1, None, [None]),
        (30 * MINUTE_MS, None, [MEDIUM]),
        (2 * HOUR_MS - 1, None, [MEDIUM]),
        (2 * HOUR_MS, None, [HIGH]),
        (-HOUR_MS, 1, []),
        (-HOUR_MS, 0, [HIGH]),
    ],
)
def test_bag_change_overdue(late_ms: int, expires_ms: int | None, expected: list[Priority | None]):
    """Half an hour, two hours, and an expiry whatever was planned."""
    expires_at = None if expires_ms is None else AT + expires_ms
    assert priorities(ask("bag_change_overdue", bag=BagOutlook(AT - late_ms, expires_at=expires_at))) == expected


@pytest.mark.hazard("H-13")
@pytest.mark.parametrize(
    ("needed_h", "ordered", "due"),
    [(24.001, False, False), (24, False, True), (1, False, True), (1, True, False), (None, False, False)],
)
def test_bag_order_due(needed_h: float | None, ordered: bool, due: bool):
    """Within the lead time, unless it is ordered or never needed."""
    needed_at = None if needed_h is None else AT + round(needed_h * HOUR_MS)
    found = ask("bag_order_due", bag=BagOutlook(AT, needed_at=needed_at, ordered=ordered))
    assert any(finding.since <= AT for finding in found) is due


@pytest.mark.hazard("H-16")
@pytest.mark.parametrize(
    ("set_ml_h", "current_ml_h", "wrong"),
    [
        (0.6, 0.6, False),
        (0.606, 0.6, False),
        (0.6061, 0.6, True),
        (0.594, None, False),
        (0.5939, None, True),
        (0.6, 0.63, False),
        (0.6, 0.6301, True),
        (0.6, 0.57, False),
        (0.6, 0.5699, True),
        (None, None, False),
        (None, 0.0, True),
    ],
)
def test_rate_mismatch(set_ml_h: float | None, current_ml_h: float | None, wrong: bool):
    """One percent of the set rate, five of the current one; what is not told is not wrong."""
    assert bool(ask("rate_mismatch", rates=Rates(0.6, set_ml_h, current_ml_h))) is wrong


@pytest.mark.hazard("H-07")
@pytest.mark.parametrize(
    ("percent", "expected"),
    [(None, []), (85, []), (84, [None]), (80, [None]), (79, [MEDIUM]), (50, [MEDIUM]), (49, [HIGH]), (0, [HIGH])],
)
def test_under_delivery(percent: int | None, expected: list[Priority | None]):
    """Below 80 and below 50; just above 80 nothing starts, and nothing ends."""
    assert priorities(ask("under_delivery", delivered_percent=percent)) == expected


@pytest.mark.hazard("H-10")
@pytest.mark.parametrize(("first_ms", "count"), [(HOUR_MS, 3), (HOUR_MS + 1, 2)])
def test_alarm_recurrent(first_ms: int, count: int):
    """Three starts of one condition, the first of them not more than 60 minutes back."""
    starts = {Condition.AIR_IN_LINE: [AT - first_ms, AT - HOUR_MS // 2, AT], Condition.DOOR_OPEN: [AT, AT]}
    found = ask("alarm_recurrent", starts=starts)
    assert [(finding.kind, finding.family) for finding in found] == ([("air-in-line", "air-in-line")] if count == 3 else [])


@pytest.mark.parametrize(("minutes", "expected"), [(19.99, []), (20, [MEDIUM]), (239.9, [MEDIUM]), (240, [HIGH])])
def test_interruption_found(minutes: float, expected: list[Priority | None]):
    """Twenty minutes, and the limit of four hours."""
    found = [FoundInterruption(AT - round(minutes * MINUTE_MS), AT, AT)]
    assert priorities(ask("interruption_found", found=found)) == expected


@pytest.mark.hazard("H-19")
@pytest.mark.parametrize(
    ("kind", "shift_s", "told"), [("unlocked", None, 1), ("time-changed", 120, 0), ("time-changed", -120.5, 1)]
)
def test_settings_changed(kind: str, shift_s: float | None, told: int):
    """A clock may be set by two minutes either way; everything else counts at once."""
    assert len(ask("settings_changed", settings=[SettingChange(kind, AT, AT, shift_s=shift_s)])) == told


@pytest.mark.parametrize(("since_min", "expected"), [(0, [None]), (9.99, [None]), (10, [MEDIUM])])
def test_pump_unassigned_that_delivers(since_min: float, expected: list[Priority | None]):
    """Ten minutes, in which somebody may enrol it."""
    told = ask("pump_unassigned", unassigned="p9", flows_unassigned_since=AT - round(since_min * MINUTE_MS))
    assert priorities(told) == expected


def test_pump_unassigned_with_a_condition():
    """High ones count at once, others not; a pump with a course is none of this rule's."""
    high = ActiveCondition(Condition.FREE_FLOW, AT, None, HIGH, None, "")
    low = ActiveCondition(Condition.NEAR_END, AT, None, Priority.LOW, None, "")
    assert priorities(ask("pump_unassigned", unassigned="p9", conditions=[low])) == []
    assert priorities(ask("pump_unassigned", unassigned="p9", conditions=[low, high])) == [MEDIUM]
    assert ask("pump_unassigned", conditions=[high]) == ()


@pytest.mark.parametrize(
    ("since_min", "watched", "silent"),
    [
        ((0, 0), 2, False),
        ((0, 0, 0), 6, True),
        ((0, 0, 0), 7, False),
        ((0, 5, 5), 6, True),
        ((0, 5, 5.001), 6, False),
        ((0, 20, 22, 24), 6, True),
        ((), 0, False),
    ],
)
def test_site_silent(since_min: tuple[float, ...], watched: int, silent: bool):
    """Three pumps, half of the site, within five minutes of one another."""
    since = tuple(AT - HOUR_MS + round(minute * MINUTE_MS) for minute in since_min)
    assert bool(ask("site_silent", silent_pumps=SilentPumps(since, watched))) is silent


@pytest.mark.hazard("H-30")
@pytest.mark.parametrize(
    ("refused", "total", "mostly"), [(2, 2, False), (3, 6, True), (2, 5, False), (3, 3, True), (0, 0, False)]
)
def test_mostly_refused(refused: int, total: int, mostly: bool):
    """Half of at least three messages."""
    assert bool(ask("mostly_refused", messages=(refused, total))) is mostly


def test_every_predicate_can_be_said():
    """Its sentence takes its own parameters, and so does the rest of it."""
    for predicate in PREDICATES.values():
        assert "{" not in predicate.sentence.format(**predicate.params)
        assert "{" not in predicate.priorities.format(**predicate.params)
