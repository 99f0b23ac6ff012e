import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from device_adapters.simulated_pump import SimulatedPump
from gateway.config.load import load_ward_file
from gateway.config.protocols import read_protocols
from gateway.core.forecast import BagForecast
from gateway.domain.care import LogCall, Seen
from gateway.domain.commands import Acknowledge, ClearCondition
from gateway.domain.effects import Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.words import Condition, Power, Priority, WhyPaged
from gateway.scenario.assumptions import Assumptions, table
from gateway.scenario.bag_life import plan_by_forecast
from gateway.scenario.local_time import LocalTime
from gateway.scenario.patients import patient
from gateway.scenario.study import run_study
from gateway.scenario.study_report import report
from gateway.scenario.study_ward import plan_of, shipped_plan
from gateway.scenario.team import Desk, Team, calls_for_action
from gateway.scenario.verdicts import MATTERS_MS, baseline_pages
from tests.unit.scenario.study_worlds import BEGAN, NOTHING_HAPPENS, place

ROOT = Path(__file__).parents[3]

DIGEST = """
from gateway.scenario.study import run_study
from gateway.scenario.study_ward import shipped_plan
print(run_study(shipped_plan(3, 5).lasting(days=3, report_s=300)).digest)
"""


@pytest.fixture(scope="module")
def week():
    """Five patients for seven days."""
    return run_study(shipped_plan(5, 3).lasting(days=7, report_s=300))


def test_the_table_is_a_count_of_what_happened(week):
    """Pages, interruptions and alarms of five patients in a week, counted here in another way."""
    counts = report(week, LocalTime("Asia/Hong_Kong", Assumptions()))
    sent = [item for one in week.patients for item in one.sent]
    acts = [item for item in sent if item.why != WhyPaged.RESOLVED and item.priority.rank >= Priority.MEDIUM.rank]
    long = [item for one in week.patients for item in one.interruptions if item.until - item.since >= MATTERS_MS]
    alarms = sum(len(one.alarms_at) for one in week.patients)
    losses = sum(until - since > 5 * MINUTE_MS for one in week.patients for since, until in one.losses)
    ours, theirs = counts.ours, counts.theirs
    assert counts.patient_weeks == 5
    assert (ours.pages, ours.messages) == (len({item.page for item in acts}), len(sent))
    assert theirs.pages == alarms + losses == sum(len(baseline_pages(one)) for one in week.patients)
    assert ours.interruptions == theirs.interruptions == len(long) > 0
    assert ours.in_time + ours.late + ours.over + ours.missed == len(long)
    assert len(counts.shortfalls) == ours.late + ours.over + ours.missed
    assert ours.pages > 0


def test_no_command_of_the_simulated_people_is_refused(week):
    """Enrolments, bags, acknowledgements and ends are all in order, as the real core sees it."""
    assert week.refused == ()


def test_every_alarm_that_stops_the_pump_for_long_is_found(week):
    """Nothing that the pump itself shows for an hour stays unpaged, whatever the rules' holds."""
    for one in week.patients:
        for item in one.interruptions:
            if item.first_sign_at is not None and item.until - item.first_sign_at > HOUR_MS:
                assert any(item.since <= sent.at <= item.until for sent in one.sent if sent.acts), (one.course, item)


def test_hash_seeds_do_not_change_a_study():
    """The same seed gives the same journal and the same pages under two PYTHONHASHSEEDs."""
    digests = set()
    for hash_seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        told = subprocess.run([sys.executable, "-c", DIGEST], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        digests.add(told.stdout)
    assert len(digests) == 1


def test_the_number_of_processes_does_not_change_a_study():
    """Twelve patients are two wards, in one process or in two."""
    plan = shipped_plan(12, 1).lasting(days=1, report_s=3_600)
    done: list[int] = []
    alone, shared = run_study(plan), run_study(plan, workers=2, progress=done.append)
    assert (alone.digest, alone.patients) == (shared.digest, shared.patients)
    assert done == [10, 12]
    assert run_study(replace(plan, seed=2)).digest != alone.digest


def test_a_ward_of_ones_own_can_be_studied():
    """The example's ward file: its people, policies, transports with receipts."""
    loaded = load_ward_file(ROOT / "tests" / "ward.example.yaml")
    protocols = read_protocols(loaded.protocols, loaded.rule_overrides, None)
    study = run_study(plan_of(loaded, protocols, 2, 3).lasting(days=4, report_s=600))
    assert study.refused == ()
    assert {sent.person for one in study.patients for sent in one.sent} <= set(loaded.ward.people)


def test_a_protocol_without_the_bag_of_the_homes_is_refused_in_words():
    """The homes live on seven-day bags."""
    loaded = load_ward_file(ROOT / "tests" / "ward.example.yaml")
    [(name, text)] = read_protocols(loaded.protocols, loaded.rule_overrides, None).items()
    with pytest.raises(ValueError, match="no protocol of the ward has a 7-day bag"):
        plan_of(loaded, {name: text.replace("7-day", "weekly")}, 2, 3)


# ---- the people -----------------------------------------------------------------------------------------------------


def a_page(why=WhyPaged.OPENED, priority=Priority.HIGH, person="nurse-a", about=("alarm-persistent",)):
    """A page about S-001."""
    return Page(
        key="S-001@5/r1/nurse-a/0",
        incident="S-001@5",
        course="S-001",
        person=person,
        transport="sms",
        address="1",
        priority=priority,
        why=why,
        about=about,
        text="",
        code="1",
        decided_at=BEGAN,
    )


def a_team(told, *, missed=0.0, shown=()):
    """A team that notices what it is paged for, and a home with a stop that nobody mends by itself."""
    assumed = replace(NOTHING_HAPPENS, page_missed=missed, call_unanswered=0.0)
    home = patient(place(assumed), 1, BEGAN)
    home.due(BEGAN)
    desk = Desk(lambda who, command, at: told.append((who, command, at)), lambda _: True, lambda _: shown)
    return Team(1, assumed, [home], desk), home


def lived_on(team, home, until):
    """Let people and home act until then."""
    while (at := min(team.next_at or until, home.next_at or until)) < until:
        home.due(at)
        team.act(at)


def test_a_nurse_takes_the_incident_and_rings_the_home_once():
    """Two messages about one incident are one taking and one call."""
    told = []
    team, home = a_team(told)
    team.paged(a_page(), BEGAN)
    team.paged(a_page(), BEGAN + 1_000)
    lived_on(team, home, BEGAN + 4 * HOUR_MS)
    assert [(who, command) for who, command, _ in told] == [("nurse-a", Acknowledge(incident="S-001@5"))]


def test_what_the_pump_no_longer_shows_is_recorded_as_cleared():
    """After the call somebody looks again: the gateway still shows an alarm whose end was lost."""
    told = []
    team, home = a_team(told, shown=(Condition.BATTERY_LOW.value,))
    team.paged(a_page(), BEGAN)
    lived_on(team, home, BEGAN + 4 * HOUR_MS)
    assert ClearCondition(pump="sim-001", condition="battery-low") in [command for _, command, _ in told]


def test_a_page_that_nobody_notices_is_not_taken():
    """Nor one that only tells the end."""
    told = []
    team, _ = a_team(told, missed=1.0)
    team.paged(a_page(), BEGAN)
    noticing, _ = a_team(told)
    noticing.paged(a_page(why=WhyPaged.RESOLVED), BEGAN)
    noticing.paged(a_page(priority=Priority.LOW), BEGAN)
    assert (team.next_at, noticing.next_at, told) == (None, None, [])


def test_a_pump_that_cannot_be_heard_is_left_in_peace_once_seen_running():
    """The home says that the pump runs: that is written down, and the silence is the nurse's for four hours."""
    told = []
    team, home = a_team(told)
    home.lose_link(BEGAN + 1, 24 * HOUR_MS)
    team.paged(a_page(), BEGAN + 2)
    lived_on(team, home, BEGAN + HOUR_MS)
    assert told[-1][1] == LogCall(course="S-001", called="caregiver", seen=Seen.RUNNING)


def test_a_pump_that_stands_unheard_is_written_down_as_standing():
    """The caregiver looks at the pump: what is seen counts at once, whatever the gateway could not hear."""
    told = []
    team, home = a_team(told)
    home.act(BEGAN + 1, SimulatedPump.stop)
    home.lose_link(BEGAN + 2, 24 * HOUR_MS)
    team.paged(a_page(), BEGAN + 3)
    lived_on(team, home, BEGAN + HOUR_MS)
    assert LogCall(course="S-001", called="caregiver", seen=Seen.STANDING) in [command for _, command, _ in told]


def test_who_has_arranged_a_bag_change_keeps_the_incident_until_then():
    """No lease lapses while the nurse is on the way, and nobody is paged for what is arranged."""
    told = []
    team, home = a_team(told)
    team.paged(a_page(about=("bag-ending-early",)), BEGAN)
    lived_on(team, home, BEGAN + HOUR_MS)
    (first, _), (last, at) = [(command, at) for _, command, at in told]
    assert first == Acknowledge(incident="S-001@5")
    assert last.for_ms == home.truth.bags[-1].change_at + HOUR_MS - at


def test_a_text_to_the_caregiver_is_no_page_of_the_ward():
    """Who reads it plugs the pump in; nobody of the ward takes anything."""
    told = []
    team, home = a_team(told)
    home.act(BEGAN + 1, SimulatedPump.unplug)
    text = a_page(person="caregiver:S-001", about=("battery-running-out",), priority=Priority.MEDIUM)
    assert not calls_for_action(text)
    team.paged(text, BEGAN + 2)
    lived_on(team, home, BEGAN + 4 * HOUR_MS)
    assert (told, home.pump.works.power) == ([], Power.MAINS)


def test_a_change_is_planned_before_the_earliest_end_of_the_bag():
    """By day, and what is planned is silenced until it should be over; a bag that lasts stays with its plan."""
    home = patient(place(replace(NOTHING_HAPPENS, planned_by_forecast=1.0)), 1, BEGAN)
    home.due(BEGAN)
    bag, planned_at = home.truth.bags[-1], home.truth.bags[-1].change_at
    lasting = BagForecast(planned_at + 2 * HOUR_MS, planned_at + 3 * HOUR_MS, planned_at + 4 * HOUR_MS)
    plan_by_forecast(home, lasting, BEGAN)
    assert (bag.change_at, home.deeds) == (planned_at, [])
    short = BagForecast(planned_at - 10 * HOUR_MS, planned_at, planned_at + 10 * HOUR_MS)
    plan_by_forecast(home, short, BEGAN)
    [deed] = home.deeds
    assert bag.change_at <= short.early_at - HOUR_MS
    assert not home.place.local.is_night(bag.change_at)
    assert deed.command.until_at == bag.change_at + 2 * HOUR_MS


# ---- the document ---------------------------------------------------------------------------------------------------


def test_the_document_shows_every_assumption_with_its_source():
    """`docs/simulation.md` holds the table that the code holds."""
    text = (ROOT / "docs" / "simulation.md").read_text()
    missing = [name for name, value, source in table() if f"| `{name}` | {value} | {source} |" not in text]
    assert not missing, missing


def test_every_assumption_says_where_it_comes_from():
    """Read, computed or judged: each source carries its mark."""
    assert all(any(mark in source for mark in ("[V]", "[C]", "[J]")) for _, _, source in table())
