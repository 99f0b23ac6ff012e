"""The order of things: deadlines before, the record, deadlines of its instant; deafness; strangers; time that never runs back."""

import pytest

from gateway.core.events import Ticked
from gateway.domain.commands import EndCourse, HangBag
from gateway.domain.effects import CommandResult, Heeded, Point
from gateway.domain.words import AlarmPhase, Condition, DeliveryState
from tests.unit.core.world import World, alarm, in_trouble, lives, minutes, observation, paged, stopped


def stopped_at_one() -> World:
    """Stopped by hand at minute 1: medium at minute 11."""
    world = World()
    world.enrol()
    world.report(0)
    world.hear(1, stopped(1))
    return world


def test_a_record_comes_before_the_deadlines_of_its_instant():
    """Running again at the very millisecond of the tenth minute: nobody is paged. A millisecond later: somebody is."""
    world = stopped_at_one()
    assert paged(world.report(11)) == []
    world = stopped_at_one()
    assert paged(world.report(11 + 1 / 60_000)) == [("nurse-a", "sms", "opened")]
    assert world.incident().quiet_at == minutes(11) + 1


def test_deadlines_before_a_record_fire_at_their_own_time():
    """Whatever wakes the gateway, the page was decided when it was due."""
    world = stopped_at_one()
    effects = world.step(11.5, Ticked)
    assert [page.decided_at for page in effects if hasattr(page, "decided_at")] == [minutes(11)]
    assert world.course().delivery.state is DeliveryState.INTERRUPTED


def test_how_often_time_is_told_changes_nothing():
    """A clock record a second gives the same pages as one when something is due."""
    often, seldom = stopped_at_one(), stopped_at_one()
    for second in range(61, 12 * 60, 1):
        often.step(second / 60, Ticked)
    seldom.tick(11.99)
    assert [(page.decided_at, page.person, page.why) for page in often.pages] == [
        (page.decided_at, page.person, page.why) for page in seldom.pages
    ]
    assert len(often.pages) == 1


@pytest.mark.hazard("H-45")
def test_time_never_runs_back():
    """A record with an earlier time is taken at the time that has been reached."""
    world = stopped_at_one()
    world.tick(12)
    world.hear(5, observation(5))
    assert world.monitor.state.desk.now_at == minutes(12)


def test_all_rules_are_judged_before_any_page_is_decided():
    """An alarm and the interruption that it causes open one incident with one page that names both."""
    world = World()
    world.enrol()
    world.runs(0, 120)
    world.hear(120, alarm(120, Condition.OCCLUSION, stops_delivery=True))
    world.tick(121.9)
    effects = world.tick(122)
    (page,) = [effect for effect in effects if effect in world.pages]
    assert page.about == ("delivery-interrupted", "alarm-persistent")


@pytest.mark.hazard("H-36")
def test_every_alarm_message_is_heeded_even_a_repeated_one():
    """Its bridge waits for that word, and may ask again."""
    world = World()
    for _ in range(2):
        effects = world.hear(1, alarm(1, boot="b1", seq=7))
        assert [e for e in effects if isinstance(e, Heeded)] == [Heeded("haem-ward", "p1", "b1", 7)]


def test_judgements_are_told_as_points():
    """Delivery, alert and incident, each when it changes and not otherwise; each page when it is decided."""
    world = stopped_at_one()
    told = [effect.measurement for effect in world.tick(11) if isinstance(effect, Point)]
    assert told == ["alert", "incident", "page"]
    assert [effect for effect in world.tick(11.5) if isinstance(effect, Point)] == []


# ---- deafness ------------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-46")
def test_a_gateway_that_finds_no_broker_at_its_start_says_so_after_a_minute():
    """The first minute of every start is deaf."""
    world = World(linked=False)
    assert paged(world.tick(0.99)) == []
    assert paged(world.tick(1)) == [("nurse-a", "sms", "opened")]
    assert world.incident("haem-ward").alerts.keys() == {"gateway-deaf"}


def test_losing_a_session_that_is_lost_already_changes_nothing():
    """Every failed attempt to connect says so; deafness counts from the first."""
    world = World()
    for seconds in range(0, 60, 10):
        world.link(10 + seconds / 60, "lost")
    assert paged(world.tick(10.99)) == []
    assert paged(world.tick(11)) == [("nurse-a", "sms", "opened")]


def test_silence_is_not_told_until_the_backlog_is_read_but_no_longer_than_five_minutes():
    """The clocks run on meanwhile."""
    world = World()
    world.enrol()
    world.runs(0, 10)
    world.link(10.5, "lost")
    world.tick(50)
    assert world.incident_or_none() is None
    world.link(50, "up")
    assert paged(world.tick(54.9)) == []
    found = paged(world.tick(55))
    assert found == [("nurse-a", "sms", "opened")]
    assert world.incident().alerts["delivery-unknown"].since == minutes(10)


def test_a_backlog_that_is_read_ends_the_deafness_at_once():
    """What it held is judged; what is still silent is told."""
    world = World()
    world.enrol()
    world.enrol(0, "P-018", "p2")
    world.runs(0, 10)
    world.runs(10, 10, "p2")
    world.link(10.5, "lost")
    world.tick(50)
    world.link(50, "up")
    world.report(50.1, pump="p2", observed=49)
    world.link(50.2, "drained")
    world.report(50.3, pump="p2")
    assert world.incident().alerts.keys() == {"delivery-unknown"}
    assert world.incident_or_none("P-018") is None
    assert world.course("P-018").delivery.state is DeliveryState.DELIVERING


def test_deafness_ends_when_the_session_is_back_and_starts_anew_with_the_next():
    """Two short ones do not add up."""
    world = World()
    for at in (10, 20):
        world.link(at, "lost")
        world.link(at + 0.9, "up")
        world.link(at + 0.95, "drained")
    world.tick(40)
    assert world.pages == []


# ---- strangers and enrolments --------------------------------------------------------------------------------------


@pytest.mark.hazard("H-21")
def test_a_pump_without_a_course_calls_for_what_matters_whoever_has_it():
    """A small trouble is nobody's, data that cannot be read is the ward's; with a course the ward's incident ends."""
    world = World()
    world.hear(1, stopped(1), alarm(1, Condition.BATTERY_LOW))
    world.tick(60)
    assert world.pages == []
    world.hear(61, refused=3, pump="p9")
    assert world.incident("haem-ward").alerts.keys() == {"undecodable-data:p9"}
    world.enrol(61.5, pump="p9")
    world.tick(63)
    assert world.incident("haem-ward").quiet_at is not None


@pytest.mark.hazard("H-20")
def test_an_enrolment_is_refused_in_words():
    """Each with its mend."""
    world = World()
    assert world.enrol(checklist_complete=False).message.startswith("the checklist is not complete")
    assert world.enrol(checklist_complete=False, override_reason="the signature follows").ok
    assert "is enrolled already, on pump p1" in world.enrol().message
    assert "pump p1 serves P-017" in world.enrol(course="P-018").message
    refusals = [
        world.enrol(course="Mrs Chan", pump="p2"),
        world.enrol(course="haem-ward", pump="p2"),
        world.enrol(course="P-018", pump="P 2"),
        world.enrol(course="P-018", pump="p2", bag="9-day"),
        world.enrol(course="P-018", pump="p2", primed_ml=110),
        world.enrol(course="P-018", pump="p2", cycle=0),
        world.enrol(course="P-018", pump="p2", hung_at=minutes(3)),
        world.enrol(course="P-018", pump="p2", hung_at=minutes(-15 * 24 * 60)),
        world.enrol(course="P-018", pump="p2", planned_change_ms=0),
    ]
    assert not any(result.ok for result in refusals)
    assert len({result.message for result in refusals}) == len(refusals)
    assert "P-018" not in world.monitor.state.courses


def test_a_bag_of_a_protocol_that_is_gone_is_refused_not_a_crash():
    """A ward file may lose a protocol while a course is under it."""
    world = World()
    world.enrol()
    world.monitor.state.protocols = {}
    assert "is not loaded any more" in world.do(1, HangBag(course="P-017", bag="7-day")).message
    assert "no course 'P-099'" in world.do(1, HangBag(course="P-099", bag="7-day")).message
    assert "no course 'P-099'" in world.do(1, EndCourse(course="P-099")).message


def test_a_pump_that_was_heard_before_is_missed_when_its_new_course_never_hears_it():
    """And found again at its first word, however patient its reporting interval makes us."""
    world = World()
    for at in range(0, 400, 20):
        world.report(at)
    world.enrol(400)
    assert [why for *_, why in paged(world.tick(410))] == ["opened"]
    assert world.incident().alerts.keys() == {"pump-never-heard"}
    world.report(411)
    assert world.incident().quiet_at == minutes(411)


def test_a_rule_that_leaves_the_protocol_takes_its_alerts_along():
    """A reload that switches a rule off ends what it said; nothing else is told anew."""
    world = in_trouble()
    lives(world, 3)
    world.rules = {"alarm-persistent": {"enabled": False}}
    assert paged(world.load(3)) == []
    assert world.incident().quiet_at == minutes(3)
    assert not [alert for alert in world.course().alerts.values() if alert.rule == "alarm-persistent"]


def test_every_command_is_answered_with_its_record_s_number():
    """So that whoever waits for it knows."""
    world = World()
    result = world.enrol()
    assert (result.seq, result.ok) == (world.seq, True)
    assert isinstance(result, CommandResult)


def test_two_alarms_that_end_at_once_resolve_once():
    """The quiet two minutes begin with the last."""
    world = in_trouble()
    world.hear(0.5, alarm(0.5, Condition.FREE_FLOW))
    lives(world, 3)
    world.hear(3, alarm(3, phase=AlarmPhase.END))
    assert world.incident().quiet_at is None
    world.hear(3.5, alarm(3.5, Condition.FREE_FLOW, AlarmPhase.END))
    assert world.incident().quiet_at == minutes(3.5)
