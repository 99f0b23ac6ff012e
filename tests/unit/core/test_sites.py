"""A site that falls silent, pumps that serve nobody, and what a restart must not forget of them."""

import pytest

from device_adapters.simulated_pump import SimulatedPump
from gateway.core import sites
from gateway.core.board import build_board
from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.store import State
from gateway.domain.commands import Acknowledge, EndCourse, Enrol
from gateway.domain.effects import Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.ward import Ward
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry
from gateway.runtime.snapshots import dump, restore
from rules.loader import shipped_text

START = 1_772_409_600_000
WARD = """
site: w
timezone: UTC
transports: {sms: {kind: apprise, url: "json://127.0.0.1:9/{address}"}}
people: {nurse: {contacts: [{sms: "1"}]}}
policies:
  high: {steps: [{page: ["person:nurse"], wait: 5m}], repeat: {from_step: 1, every: 10m}}
  medium: {steps: [{page: ["person:nurse"], wait: 5m}], repeat: {from_step: 1, every: 10m}}
  fallback: ["person:nurse"]
"""


class Homes:
    """A gateway with homes whose pumps report every minute while their link is up."""

    def __init__(self, count: int) -> None:
        self.fold, self.seq, self.pages = Fold(), 0, list[Page]()
        protocols = {"blinatumomab_home": shipped_text("blinatumomab_home") or ""}
        self.take(config_entry(WARD, protocols, START, started=True))
        self.take(clock_entry(START, "up"))
        self.take(clock_entry(START, "drained"))
        self.pumps = []
        for number in range(count):
            device = f"p{number}"
            command = Enrol(course=f"C-{number}", pump=device, protocol="blinatumomab_home", bag="7-day")
            self.take(command_entry("ward", command, START))
            self.pumps.append(SimulatedPump(device, rate_ml_h=0.6, bag_ml=110, started_at=START))

    def take(self, entry: Entry) -> None:
        """Fold one entry as the next record."""
        self.seq += 1
        record = Record(self.seq, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
        self.pages += [effect for effect in self.fold.apply(record) if isinstance(effect, Page)]

    def live(self, minutes: range, silent: frozenset[int] = frozenset()) -> None:
        """Minute by minute; who is silent says nothing."""
        for minute in minutes:
            at = START + minute * MINUTE_MS
            self.take(clock_entry(at))
            for number, pump in enumerate(self.pumps):
                if number not in silent:
                    for out in pump.report(at):
                        self.take(message_entry(f"dw/v1/w/{pump.device}/{out.channel}", out.payload(), at))


def about(pages: list[Page]) -> list[tuple[str, str]]:
    """Which incident, about what."""
    return [(page.course, page.about[0]) for page in pages]


def test_a_site_of_many_falls_silent_with_one_page():
    """Ten homes, one incident, and no course has one of its own after three quarters of an hour."""
    homes = Homes(10)
    homes.live(range(1, 30))
    homes.live(range(30, 75), frozenset(range(10)))
    assert {name for name, _ in about(homes.pages)} == {""}
    assert about(homes.pages)[0] == ("", "site-silent")
    assert all(not course.open for course in homes.fold.monitor.state.courses.values())


def test_a_silence_that_reaches_high_joins_the_sites_incident():
    """Ten homes reach their hour together: the site's incident carries ten notes more, and the one page names the limit."""
    homes = Homes(10)
    homes.live(range(1, 30))
    homes.live(range(30, 60), frozenset(range(10)))
    homes.take(command_entry("nurse", Acknowledge(incident="w", for_ms=4 * HOUR_MS), START + 60 * MINUTE_MS))
    before = len(homes.pages)
    homes.live(range(61, 95), frozenset(range(10)))
    told = homes.pages[before:]
    assert [(page.course, page.why.value) for page in told] == [("", "new-alert")]
    assert "4 h limit at " in told[0].text
    incident = homes.fold.monitor.state.sites["w"].open[""]
    assert sum(note.rule == "delivery-unknown" for note in incident.alerts.values()) == 10


def test_what_a_restart_restores_is_what_was_saved():
    """Every cell with its history goes through a snapshot unchanged."""
    homes = Homes(4)
    homes.pumps[0].unplug(START, 30)
    homes.live(range(1, 150))
    unlocked = b'{"observed_at": 1772418600000, "event": "unlocked"}'
    homes.take(message_entry("dw/v1/w/p1/event", unlocked, START + 150 * MINUTE_MS))
    homes.live(range(151, 170), frozenset({1, 2, 3}))
    state = homes.fold.monitor.state
    names = [*(f"pump:{key}" for key in state.pumps), *(f"course:{key}" for key in state.courses), "site:w", "desk:"]
    saved = {name: body for name in names if (body := dump(state, name)) is not None}
    again = restore(saved)
    assert again.pumps == state.pumps
    assert again.courses == state.courses
    assert again.sites == state.sites
    assert again.desk == state.desk
    assert state.pumps["w/p0"].battery_points
    assert state.pumps["w/p1"].settings
    assert state.courses["C-0"].volume is not None
    assert state.sites["w"].inhibits


def test_the_board_says_what_is_left_and_on_what_that_rests():
    """A bag as an interval, a battery by its own fall, a share of volume; on mains no time at all."""
    homes = Homes(2)
    homes.pumps[0].unplug(START, 30)
    homes.live(range(1, 130))
    board = build_board(homes.fold.monitor.state, START + 130 * MINUTE_MS)
    first, second = sorted(board.courses, key=lambda line: line.course)
    assert first.supplies.bag_early_at is not None
    assert first.supplies.bag_late_at is not None
    assert first.supplies.bag_early_at < (first.supplies.bag_central_at or 0) < first.supplies.bag_late_at
    assert first.supplies.battery_learnt
    assert first.supplies.battery_left_ms is not None
    assert abs(first.supplies.battery_left_ms - (100 - 30 * 130 / 60) / 30 * HOUR_MS) < 3 * MINUTE_MS
    assert second.supplies.battery_left_ms is None
    assert second.supplies.delivered_percent == 100


@pytest.mark.hazard("H-21")
def test_a_pump_whose_course_ended_is_the_sites_business_after_ten_minutes():
    """Not at once: somebody may be about to stop it."""
    homes = Homes(1)
    homes.live(range(1, 10))
    homes.take(command_entry("ward", EndCourse(course="C-0"), START + 10 * MINUTE_MS))
    homes.live(range(11, 20))
    assert homes.pages == []
    homes.live(range(20, 22))
    assert about(homes.pages) == [("", "pump-unassigned")]


def test_a_site_is_looked_at_once_a_second():
    """However many pumps fall silent within it."""
    state = State(ward=Ward("w", "UTC"))
    state.index_rules()
    for at, look_at in ((START, START), (START + 1, START + SECOND_MS), (START + 999, START + SECOND_MS)):
        assert sites.plan_look(state, Context(state.ward, {}, {}, Desk(), at, 1)) == look_at


def test_a_thousand_strangers_cost_what_they_newly_say_and_no_more(monkeypatch):
    """Each is judged when it is first heard, and when time is up for it; not again for every word of every other."""
    homes, looked_at = Homes(0), []
    judge_one = sites._judge_stranger
    monkeypatch.setattr(sites, "_judge_stranger", lambda state, key, *rest: looked_at.append(key) or judge_one(state, key, *rest))
    pumps = [SimulatedPump(f"q{number}", rate_ml_h=0.6, bag_ml=110, started_at=START) for number in range(300)]
    for minute in range(1, 10):
        at = START + minute * MINUTE_MS
        for pump in pumps:
            for out in pump.report(at):
                homes.take(message_entry(f"dw/v1/w/{pump.device}/{out.channel}", out.payload(), at))
        if minute == 1:
            assert len(looked_at) <= 2 * len(pumps)
            looked_at.clear()
    assert looked_at == []
    homes.take(clock_entry(START + 12 * MINUTE_MS))
    assert len(looked_at) <= 2 * len(pumps)
    assert len(homes.pages) == 1
    state = homes.fold.monitor.state
    assert len(state.stray_dues) <= sites.STALE_MAX + 2 * len(state.alerting)
