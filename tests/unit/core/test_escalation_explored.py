"""No silence at the end of any road: all states that an incident can reach, in every order of what can happen to it."""

from functools import cache

import pytest

from gateway.config.load import load_ward_mapping
from gateway.config.merge import merge_patch
from gateway.core import escalation
from gateway.core.incident_state import Incident
from gateway.domain.instants import MINUTE_MS
from gateway.domain.ward import Ward
from gateway.domain.words import IncidentState, Priority
from rules.loader import load_protocol, shipped_text
from rules.model import Protocol
from tests.unit.core.explorer import HANDS_OVER, Explored, Life, Node, Scope, explore, pages_of
from tests.unit.core.world import example_ward

STEPS = {
    "high": {
        "steps": [
            {"page": ["person:nurse-a"], "wait": "2m"},
            {"page": ["person:nurse-b"], "wait": "2m"},
            {"page": ["person:nurse-a", "person:nurse-b"], "wait": "2m"},
        ],
        "repeat": {"from_step": 2, "every": "4m"},
        "ack_lease": "3m",
    },
    "medium": {
        "steps": [{"page": ["person:nurse-a"], "wait": "2m"}],
        "repeat": {"from_step": 1, "every": "10m"},
        "ack_lease": "3m",
    },
}
PEOPLE = {
    "nurse-a": {"contacts": [{"sms": "85290000001"}, {"voice": "85290000001", "after": "1m"}]},
    "nurse-b": {"contacts": [{"sms": "85290000002"}]},
}
LONGEST_WAIT_MS = 4 * MINUTE_MS  # between two rounds of the high policy
LEASE_MS = 3 * MINUTE_MS
SOMEBODY_HEARS_MS = 10 * MINUTE_MS  # the longest wait, or a lease with its grace
STATES_MAX = 50_000  # a search that needs more does not end: something in a state counts up
SCOPES = {
    "minute by minute": Scope(by_the_minute=True),
    "priorities that rise, and silences": Scope(rises=True, silences=True),
    "from hand to hand": Scope(hand_overs=True),
}


@cache
def small_ward() -> tuple[Ward, Protocol]:
    """Two people, three steps, one rule: an alarm that lasts."""
    ward = load_ward_mapping(merge_patch(example_ward(), {"people": PEOPLE, "policies": STEPS}), "ward").ward
    text = shipped_text("blinatumomab_home")
    rules = [rule.name for rule in load_protocol(text, "x").rules]
    return ward, load_protocol(text, "x", {name: {"enabled": False} for name in rules if name != "alarm-persistent"})


def fires(life: Life) -> bool:
    """Whether an incident of high priority has an alert that fires."""
    incident = life.incident
    return incident is not None and incident.quiet_at is None and incident.peak is Priority.HIGH


def something_is_due(life: Life, node: Node) -> None:
    """While it fires a decision is due in good time; and when nobody does anything, somebody is paged."""
    incident = life.incident
    if incident is None or not fires(life):
        return
    due_at = escalation.next_due(incident)
    if not incident.muted:
        climbs = incident.state is IncidentState.TRIGGERED and not any(HANDS_OVER in step for step in node.path)
        longest_ms = LONGEST_WAIT_MS if climbs else max(LEASE_MS, escalation.GRACE_MS)
        assert due_at is not None, f"nothing is due after: {', '.join(node.path)}"
        assert due_at - life.at <= longest_ms, f"due too late after: {', '.join(node.path)}"
    before = len(pages_of(life.effects))
    life.wait(life.at + SOMEBODY_HEARS_MS)
    assert len(pages_of(life.effects)) > before, f"nobody is paged after: {', '.join(node.path)}"


def search(scope: Scope) -> Explored:
    """The whole search of one scope."""
    return explore(*small_ward(), scope, something_is_due, STATES_MAX)


@pytest.mark.hazard("H-55")
@pytest.mark.parametrize("name", SCOPES)
def test_nobody_is_ever_forgotten(name):
    """In every reachable state a firing high incident has something due, and leads to a page if everybody is idle."""
    found = search(SCOPES[name])
    assert found.complete, f"{len(found.nodes)} states and no end"
    assert len(found.nodes) > 1_000


def lets_go(_subject: object, incident: Incident, _context: object) -> None:
    """A machine that takes the incident from whoever had it, and starts nothing."""
    incident.state, incident.ack = IncidentState.TRIGGERED, None
    incident.restart_at = incident.next_step_at = None


def forgets_the_last_step(*_: object) -> None:
    """A machine that has no instant for what follows a step."""


@pytest.mark.parametrize(("part", "broken"), [("_restart", lets_go), ("_after_step", forgets_the_last_step)])
def test_the_search_finds_a_machine_that_falls_silent(monkeypatch, part, broken):
    """The check can fail: with a part taken out, the search names the road to the silence."""
    monkeypatch.setattr(escalation, part, broken)
    with pytest.raises(AssertionError, match="after: "):
        search(SCOPES["minute by minute"])
