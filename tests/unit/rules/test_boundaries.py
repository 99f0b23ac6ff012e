"""The instants at which an alert changes, to the millisecond: hold, rungs, milestones; what holds it back, what ends it."""

from functools import partial

import pytest

from gateway.domain.view import ActiveCondition, Facet, Judgement
from gateway.domain.words import Condition, DeliveryState, Priority
from rules.engine import Alert, ChangeKind, judge, next_due
from rules.example_view import ExampleView
from rules.loader import load_protocol, shipped_text

MINUTE_MS = 60_000
PROTOCOL = load_protocol(shipped_text("blinatumomab_home") or "", "blinatumomab_home")
RULES = {rule.name: rule for rule in PROTOCOL.rules}
View = partial(ExampleView, PROTOCOL)


def told(rule: str, alerts: dict[str, Alert], view: ExampleView, woken: int = Facet.ALL) -> list[tuple[str, str]]:
    """What this instant brings: (change, priority)."""
    changes = judge([RULES[rule]], alerts, view, woken=woken)
    return [(change.kind.value, change.alert.priority.value) for change in changes]


def stopped(since: int, evidence_at: int | None = None) -> Judgement:
    """An interruption."""
    return Judgement(DeliveryState.INTERRUPTED, since, since if evidence_at is None else evidence_at)


@pytest.mark.hazard("H-03")
def test_boundaries_are_exact_to_the_millisecond():
    """A rung, a hold and a milestone are reached at their instant, not a millisecond before."""
    alerts = {}
    moments = [
        (10, [("fired", "medium")]),
        (20, [("raised", "high")]),
        (120, [("milestone", "high")]),
        (240, [("milestone", "high")]),
    ]
    for minutes, expected in moments:
        before = View(minutes * MINUTE_MS - 1, stopped(0))
        assert told("delivery-interrupted", alerts, before) in ([], [("milestone", "high")])
        assert next_due(alerts) == minutes * MINUTE_MS
        assert told("delivery-interrupted", alerts, View(minutes * MINUTE_MS, stopped(0)), woken=0) == expected


def test_the_hold_counts_from_the_evidence_and_the_rung_from_the_onset():
    """An occlusion that is dated back an hour is high when it has been known for two minutes."""
    alerts = {}
    hour = stopped(0, evidence_at=60 * MINUTE_MS)
    assert told("delivery-interrupted", alerts, View(60 * MINUTE_MS, hour)) == []
    assert told("delivery-interrupted", alerts, View(62 * MINUTE_MS - 1, hour)) == []
    assert told("delivery-interrupted", alerts, View(62 * MINUTE_MS, hour)) == [("fired", "high")]


def test_milestones_that_passed_before_the_first_page_are_not_told_again():
    """Who is told for the first time after three hours is told once."""
    alerts = {}
    assert told("delivery-interrupted", alerts, View(181 * MINUTE_MS, stopped(0))) == [("fired", "high")]
    assert told("delivery-interrupted", alerts, View(210 * MINUTE_MS, stopped(0))) == [("milestone", "high")]


def test_what_holds_a_rule_back_holds_back_rising_too_and_ends_nothing():
    """While the gateway is deaf a silence neither starts to fire, nor rises, nor speaks again; afterwards at once."""
    alerts, deaf = {}, frozenset({"gateway-deaf"})
    silent = Judgement(DeliveryState.UNKNOWN, 0, 0)
    assert told("delivery-unknown", alerts, View(15 * MINUTE_MS, silent)) == [("fired", "low")]
    assert told("delivery-unknown", alerts, View(30 * MINUTE_MS, silent, inhibitions=deaf)) == []
    assert told("delivery-unknown", alerts, View(181 * MINUTE_MS, silent, inhibitions=deaf)) == []
    assert told("delivery-unknown", alerts, View(182 * MINUTE_MS, silent)) == [("raised", "high"), ("milestone", "high")]
    other = {}
    assert told("delivery-unknown", other, View(60 * MINUTE_MS, silent, inhibitions=deaf)) == []
    assert (
        told("delivery-unknown", other, View(61 * MINUTE_MS, Judgement(DeliveryState.DELIVERING, 0, 0), inhibitions=deaf)) == []
    )
    assert other == {}


def test_an_alert_ends_with_its_finding_and_only_a_firing_one_says_so():
    """A pending alert goes without a word."""
    alerts = {}
    told("delivery-interrupted", alerts, View(MINUTE_MS, stopped(0)))
    assert told("delivery-interrupted", alerts, View(2 * MINUTE_MS)) == []
    told("delivery-interrupted", alerts, View(30 * MINUTE_MS, stopped(0)))
    assert told("delivery-interrupted", alerts, View(31 * MINUTE_MS)) == [("resolved", "high")]
    assert alerts == {}


def test_each_condition_is_an_alert_of_its_own_and_information_is_none():
    """Two conditions hold for themselves; what is only information calls nobody, not even to the board."""

    def active(condition, started_at, priority=Priority.HIGH):
        return ActiveCondition(condition, started_at, None, priority, None, "")

    alerts = {}
    fault, door = active(Condition.SYSTEM_FAULT, 0), active(Condition.DOOR_OPEN, MINUTE_MS)
    note = active(Condition.OTHER, 0, Priority.INFORMATION)
    assert told("alarm-persistent", alerts, View(2 * MINUTE_MS, conditions=(fault, door, note))) == [("fired", "high")]
    assert told("alarm-persistent", alerts, View(3 * MINUTE_MS, conditions=(fault, door, note))) == [("fired", "high")]
    assert set(alerts) == {"alarm-persistent:system-fault", "alarm-persistent:door-open"}


def test_a_rule_sleeps_until_something_wakes_it_or_it_is_due():
    """An ordinary reading costs nothing: rules that nothing concerns are not asked."""
    alerts = {}
    assert told("delivery-interrupted", alerts, View(30 * MINUTE_MS, stopped(0)), woken=Facet.CONDITIONS) == []
    assert alerts == {}


def test_half_of_the_messages_refused_is_too_much_and_two_are_too_few():
    """At least half, and at least three messages; looked at again every minute."""
    alerts = {}
    assert told("undecodable-data", alerts, View(0, messages=(2, 2))) == []
    assert told("undecodable-data", alerts, View(0, messages=(2, 5))) == []
    assert told("undecodable-data", alerts, View(0, messages=(3, 6))) == [("fired", "medium")]
    assert next_due(alerts) == MINUTE_MS
    assert told("undecodable-data", alerts, View(MINUTE_MS, messages=(3, 7)), woken=0) == [("resolved", "medium")]


def test_only_the_gateway_itself_is_asked_whether_it_is_deaf():
    """Rules are asked of what they are about: a course is never deaf."""
    alerts = {}
    deaf = View(2 * MINUTE_MS, deaf_since=0)
    assert told("gateway-deaf", alerts, deaf) == []
    changes = judge([RULES["gateway-deaf"]], alerts, deaf, woken=Facet.ALL, scope="site")
    assert [change.kind for change in changes] == [ChangeKind.FIRED]
