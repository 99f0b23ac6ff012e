"""Who is paged when, and why: steps, leases, gaps; never a terminal silence."""

from itertools import pairwise

import pytest

from gateway.core import escalation
from gateway.domain.care import SilenceRules
from gateway.domain.commands import Acknowledge, ClearCondition, Close, EndCourse, Escalate, Note
from gateway.domain.words import AlarmPhase, Condition, IncidentState, Outcome, Priority, PumpEventKind
from tests.unit.core.world import World, alarm, event, in_trouble, lives, minutes, paged, pages, stopped


@pytest.mark.hazard("H-01", "H-55")
def test_the_policy_climbs_and_starts_again_for_ever():
    """Steps at 2, 7 and 12 minutes, then the second step again every ten minutes: nobody is forgotten in a day."""
    world = in_trouble()
    first = [(page.person, page.transport, (page.decided_at - minutes(0)) // 60_000) for page in pages(lives(world, 23))]
    assert first == [
        ("nurse-a", "sms", 2),
        ("nurse-a", "voice", 4),
        ("nurse-a", "sms", 7),
        ("charge-nurse", "pager", 7),
        ("charge-nurse", "sms", 8),
        ("nurse-a", "voice", 9),
        ("charge-nurse", "pager", 12),
        ("haematologist", "sms", 12),
        ("charge-nurse", "sms", 13),
        ("haematologist", "voice", 13),
        ("nurse-a", "sms", 22),
        ("charge-nurse", "pager", 22),
        ("charge-nurse", "sms", 23),
    ]
    day = pages(lives(world, 24 * 60))
    moments = sorted({page.decided_at for page in day})
    assert max(after - before for before, after in pairwise(moments)) <= 10 * 60_000
    assert len({page.key for page in world.pages}) == len(world.pages)


@pytest.mark.hazard("H-56")
def test_an_ack_stops_steps_and_contacts_and_is_a_lease():
    """Nothing until its end; then who has it is asked; five minutes later the policy starts again at step 1."""
    world = in_trouble()
    lives(world, 3)
    assert world.do(3, Acknowledge(incident="P-017")).message.startswith("P-017: yours until 08:33")
    assert paged(lives(world, 32.9)) == []
    assert paged(lives(world, 33)) == [("nurse-a", "sms", "lease-ended")]
    assert world.incident().state is IncidentState.ACKNOWLEDGED
    assert paged(lives(world, 38)) == [("nurse-a", "voice", "lease-ended"), ("nurse-a", "sms", "unacknowledged")]
    assert world.incident().state is IncidentState.TRIGGERED


def test_a_lease_can_be_renewed_before_the_policy_starts_again():
    """An ack within the five minutes is a new lease."""
    world = in_trouble()
    lives(world, 3)
    world.do(3, Acknowledge(incident="P-017"))
    lives(world, 34)
    world.do(34, Acknowledge(incident="P-017", for_ms=60 * 60_000))
    assert paged(lives(world, 93.9)) == []
    assert paged(lives(world, 94)) == [("nurse-a", "sms", "lease-ended")]


def test_a_lease_of_somebody_who_is_no_person_of_the_ward_ends_in_the_policy():
    """Taken on the console by a guest: there is nobody to ask first."""
    world = in_trouble()
    lives(world, 3)
    world.do(3, Acknowledge(incident="P-017"), who="a visitor")
    assert paged(lives(world, 33)) == [("nurse-a", "sms", "unacknowledged")]


def test_what_is_acknowledged_is_named_to_the_next_who_takes_it():
    """Two nurses hear of each other."""
    world = in_trouble()
    lives(world, 3)
    world.do(3, Acknowledge(incident="P-017"))
    said = world.do(5, Acknowledge(incident="P-017"), who="charge-nurse").message
    assert said == "P-017: yours until 08:35 (nurse-a had it until 08:33). The pump's alarm is cleared at the pump only."
    assert not world.do(6, Acknowledge(incident="P-017", for_ms=0)).ok


def test_a_rise_starts_the_higher_policy_at_once_and_a_fall_switches_nothing_back():
    """From medium to high and back: the high policy stays until the end."""
    world = World()
    world.enrol()
    world.report(0)
    world.hear(0, alarm(0, Condition.UNDER_INFUSION))
    assert paged(lives(world, 10)) == [("nurse-a", "sms", "opened")]
    world.hear(10, alarm(10, stops_delivery=False))
    assert paged(lives(world, 12)) == [("nurse-a", "sms", "raised")]
    world.hear(13, alarm(13, phase=AlarmPhase.END))
    assert world.incident().peak is Priority.HIGH
    assert ("charge-nurse", "pager", "unacknowledged") in paged(lives(world, 17))


def test_an_acknowledged_incident_is_opened_again_by_a_new_kind_only():
    """Of its priority or higher; what is lower, or the same trouble, stays covered."""
    world = in_trouble()
    lives(world, 3)
    world.do(3, Acknowledge(incident="P-017"))
    world.hear(4, alarm(4, Condition.UNDER_INFUSION), alarm(4, Condition.BATTERY_LOW))
    assert paged(lives(world, 20)) == []
    world.hear(20, alarm(20, Condition.FREE_FLOW))
    assert paged(lives(world, 22)) == [("nurse-a", "sms", "new-alert")]


def test_nothing_is_sent_while_nothing_fires_and_who_was_paged_is_told_the_end():
    """Two minutes of quiet, then one message a person by a contact that took a page and is not voice."""
    world = in_trouble()
    page, call = pages(lives(world, 4))
    world.sent(4, page, Outcome.ACCEPTED)
    world.hear(4.5, alarm(4.5, phase=AlarmPhase.END))
    assert world.monitor.wanted(call) is None
    assert paged(lives(world, 6.4)) == []
    assert paged(lives(world, 6.5)) == [("nurse-a", "sms", "resolved")]
    assert world.monitor.wanted(call) is False
    assert world.incident_or_none() is None


def test_an_alert_within_the_quiet_two_minutes_goes_on_where_it_was():
    """The same incident, and what was due meanwhile is done at once."""
    world = in_trouble()
    lives(world, 2)
    world.hear(3, alarm(3, phase=AlarmPhase.END), alarm(2.5, Condition.FREE_FLOW))
    key = world.incident().key
    assert paged(lives(world, 4.4)) == []
    assert paged(lives(world, 4.5)) == [("nurse-a", "voice", "opened")]
    assert world.incident().key == key


def test_a_milestone_has_its_own_people_and_no_step_pages_them_twice():
    """The third milestone at three and a half hours; each of the three people once."""
    world = World({"policies": {"high": {"ack_lease": "10h"}}})
    world.enrol()
    world.report(0)
    world.hear(0.5, stopped(0.5))
    world.tick(21)
    world.do(21, Acknowledge(incident="P-017"))
    for at in (120.5, 180.5, 210.5, 240.5):
        assert paged(world.tick(at - 0.1)) == []
        found = paged(world.tick(at))
        assert found == [
            ("nurse-a", "sms", "milestone"),
            ("charge-nurse", "pager", "milestone"),
            ("haematologist", "sms", "milestone"),
        ]
        world.do(at + 0.1, Acknowledge(incident="P-017"))


def test_a_milestone_that_falls_on_a_step_pages_nobody_twice():
    """Two hours without delivery, and a hundred minutes after the high policy began."""
    alone = {"steps": [{"page": ["schedule:ward-nurse"], "wait": "100m"}], "repeat": {"from_step": 1, "every": "100m"}}
    world = World({"policies": {"high": alone | {"milestones_page": ["schedule:ward-nurse"]}}})
    world.enrol()
    world.report(0)
    world.hear(1, stopped(1))
    world.tick(120.9)
    assert paged(world.tick(121)) == [("nurse-a", "sms", "unacknowledged")]


def test_nobody_on_call_pages_the_fallback_once_and_the_next_step_at_once():
    """And where no step finds anybody, the fallback is all there is; the incident is looked at again every minute."""
    nobody = {
        "ward-nurse": {
            "rotation": None,
            "overrides": [{"from": "2027-01-01T00:00", "until": "2027-01-02T00:00", "person": "nurse-a"}],
        }
    }
    world = in_trouble({"schedules": nobody})
    assert paged(lives(world, 2)) == [
        ("ward-manager", "sms", "staffing-gap"),
        ("ward-manager", "email", "staffing-gap"),
        ("charge-nurse", "pager", "opened"),
    ]
    alone = {"steps": [{"page": ["schedule:ward-nurse"], "wait": "5m"}], "repeat": {"from_step": 1, "every": "5m"}}
    world = in_trouble({"schedules": nobody, "policies": {"high": alone}})
    assert paged(lives(world, 3)) == [("ward-manager", "sms", "staffing-gap"), ("ward-manager", "email", "staffing-gap")]
    assert paged(lives(world, 8)) == [("ward-manager", "sms", "unacknowledged"), ("ward-manager", "email", "unacknowledged")]
    assert len(lives(world, 60)) >= 20
    assert escalation.next_due(world.incident()) is not None


def test_a_policy_that_comes_to_nobody_but_an_absent_caregiver_asks_the_fallback():
    """The steps that repeat find nobody at all: the fallback is asked as often as they would be."""
    steps = [{"page": ["person:charge-nurse"], "wait": "5m"}, {"page": ["caregiver"], "wait": "5m"}]
    world = in_trouble({"policies": {"high": {"steps": steps, "repeat": {"from_step": 2, "every": "10m"}}}})
    lives(world, 6)
    assert paged(lives(world, 7)) == [("ward-manager", "sms", "unacknowledged"), ("ward-manager", "email", "unacknowledged")]
    assert paged(lives(world, 16.9)) == []
    assert paged(lives(world, 17)) == [("ward-manager", "sms", "unacknowledged"), ("ward-manager", "email", "unacknowledged")]


def test_a_fallback_that_was_refused_is_asked_again():
    """The page that said that nobody is on call reached nobody: it is not the last."""
    alone = {"steps": [{"page": ["caregiver"], "wait": "5m"}], "repeat": {"from_step": 1, "every": "5m"}}
    world = in_trouble({"policies": {"high": alone}})
    for page in pages(lives(world, 3)):
        world.sent(3, page, Outcome.REJECTED)
    assert paged(lives(world, 8)) == [("ward-manager", "sms", "unacknowledged"), ("ward-manager", "email", "unacknowledged")]


def test_an_absent_caregiver_is_skipped_without_a_word():
    """There is no staffing gap at home."""
    steps = [{"page": ["caregiver"], "wait": "5m"}, {"page": ["person:charge-nurse"], "wait": "5m"}]
    world = in_trouble({"policies": {"high": {"steps": steps, "repeat": {"from_step": 2, "every": "10m"}}}})
    assert paged(lives(world, 2)) == [("charge-nurse", "pager", "opened")]


def test_escalating_pages_the_next_step_and_says_so():
    """Where there is no next step, or not yet, that is said instead."""
    world = in_trouble()
    lives(world, 2)
    world.do(2.5, Acknowledge(incident="P-017"))
    assert world.do(3, Escalate(incident="P-017")).message == "P-017: the next step is paged"
    assert paged(world.effects)[-2:] == [("nurse-a", "sms", "escalated"), ("charge-nurse", "pager", "escalated")]
    world.do(3.1, Escalate(incident="P-017"))
    late = world.do(3.2, Escalate(incident="P-017"))
    assert late.message == "P-017: everybody was paged lately; the policy starts again at 08:13"
    board_only = World()
    board_only.enrol()
    board_only.report(0)
    board_only.hear(0, alarm(0, Condition.BATTERY_LOW))
    lives(board_only, 60)
    assert board_only.do(60, Escalate(incident="P-017")).message == "its policy pages nobody; there is no next step"


def test_closing_needs_a_reason_and_nothing_high():
    """And a note is only a line of history."""
    world = in_trouble()
    lives(world, 2)
    assert world.do(3, Close(incident="P-017", reason=" ")).message == "closing needs a reason"
    refused = world.do(3, Close(incident="P-017", reason="false alarm"))
    assert (refused.ok, refused.message) == (False, "an alert of high priority still fires: it can be acknowledged, not closed")
    assert world.do(3, Note(incident="P-017", text="called the home")).message == "noted"
    assert [line.text for line in world.incident().history if line.what == "note"] == ["called the home"]
    assert world.do(3, Note(incident="P-099", text="x")).message.startswith("no open incident 'P-099'")


def test_a_condition_that_is_recorded_as_cleared_ends_its_alert():
    """The lost end of an alarm, seen by a person at the pump."""
    world = in_trouble()
    lives(world, 3)
    assert not world.do(3, ClearCondition(pump="p1", condition="door-open")).ok
    assert world.do(3, ClearCondition(pump="p1", condition="system-fault")).ok
    assert world.incident().quiet_at == minutes(3)


def test_a_course_that_ends_takes_its_alerts_along_and_its_next_life_keeps_its_open_incident():
    """Ended and enrolled again within two minutes, on another pump: who was paged still hears of the end."""
    world = in_trouble()
    (page,) = pages(lives(world, 2))
    world.sent(2.1, page, Outcome.ACCEPTED)
    world.do(3, EndCourse(course="P-017"))
    assert world.enrol(3.5, pump="p2").ok
    world.report(3.6, pump="p2")
    assert paged(lives(world, 5, pump="p2")) == [("nurse-a", "sms", "resolved")]


def test_a_bag_change_event_alone_pages_nobody():
    """Routine work."""
    world = World()
    world.enrol()
    world.runs(0, 10)
    world.hear(11, event(11, PumpEventKind.BAG_CHANGED, bag_ml=110.0))
    world.report(11)
    assert world.pages == []


def test_a_lease_for_one_thing_does_not_swallow_another_whose_silence_ends():
    """Whoever took the fault did not take the interruption: the policy begins for it."""
    world = in_trouble()
    lives(world, 3)
    quiet = SilenceRules(course="P-017", reason="known", rules=("delivery-interrupted",), for_ms=37 * 60_000)
    assert world.do(3, quiet).ok
    assert world.do(4, Acknowledge(incident="P-017", for_ms=8 * 3_600_000)).ok
    for minute in range(5, 40):
        world.tick(minute)
        world.hear(minute, stopped(minute))
    assert ("nurse-a", "sms", "silence-ended") in paged(world.tick(40))
    assert world.incident().state is IncidentState.TRIGGERED
    assert ("charge-nurse", "pager", "unacknowledged") in paged(world.tick(45))


def test_a_lease_for_medium_does_not_hold_what_became_high_while_it_was_mute():
    """An acknowledgement is bound to its priority."""
    world = World()
    world.enrol(0)
    world.report(0)
    for minute in range(1, 14):
        world.tick(minute)
        world.hear(minute, stopped(minute))
    assert world.incident().peak is Priority.MEDIUM
    assert world.do(13, Acknowledge(incident="P-017")).ok
    assert world.do(14, SilenceRules(course="P-017", reason="known", for_ms=20 * 60_000)).ok
    for minute in range(15, 34):
        world.tick(minute)
        world.hear(minute, stopped(minute))
    assert ("nurse-a", "sms", "silence-ended") in paged(world.tick(34))
    assert world.incident().state is IncidentState.TRIGGERED
    assert ("charge-nurse", "pager", "unacknowledged") in paged(world.tick(39))
