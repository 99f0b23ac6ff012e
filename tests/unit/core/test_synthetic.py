"""The gateway's own test in the core: judged and paged like a patient's alarm, and counted nowhere."""

import json
from typing import Any

from gateway.core.board import build_board, incident_lines
from gateway.core.events import Event
from gateway.core.synthetic import PROTOCOL, SYNTHETIC
from gateway.domain.commands import Acknowledge, Close, Command, EndCourse, Enrol
from gateway.domain.effects import CommandResult, Effect, Page, Point
from gateway.domain.instants import MINUTE_MS
from gateway.runtime.fold import Fold
from gateway.runtime.page_log import PageLog
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry
from gateway.runtime.report import Telling
from rules.loader import shipped_text
from tests.support.histories import SITE, START_AT, WARD, ward_text

PEOPLE = {**WARD["people"], "tester": {"contacts": [{"sms": "8529"}]}}
TEST = {"pump": "test-pump", "page": "tester", "within": "2m"}
PROTOCOLS = {name: shipped_text(name) or "" for name in ("blinatumomab_home", PROTOCOL)}


class House:
    """A fold that is fed records; keeps them, and all effects."""

    def __init__(self, **ward: Any) -> None:
        self.fold, self.at = Fold(), START_AT
        self.records: list[Record] = []
        self.effects: list[Effect] = []
        self.load(**{"people": PEOPLE, "synthetic": TEST, **ward}, started=True)
        for session in ("up", "drained"):
            self.take(clock_entry(self.at, session))

    def load(self, *, started: bool = False, **ward: Any) -> None:
        """The ward file as it is from now on."""
        self.take(config_entry(ward_text(**ward), PROTOCOLS, self.at, started=started))

    def take(self, entry: Entry) -> list[Effect]:
        """Fold one record."""
        record = Record(len(self.records) + 1, self.at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
        self.records.append(record)
        effects = list(self.fold.apply(record))
        self.effects += effects
        return effects

    def event(self) -> Event:
        """The newest record's event."""
        return self.fold.read(self.records[-1])

    def alarm(self, phase: str = "start", device: str = "test-pump", name: str = "other") -> list[Effect]:
        """The synthetic pump says something."""
        body = {"observed_at": self.at, "boot": f"b{self.at}", "seq": 1, "alarm": name, "phase": phase}
        return self.take(message_entry(f"dw/v1/{SITE}/{device}/alarm", json.dumps(body).encode(), self.at))

    def do(self, command: Command) -> CommandResult:
        """A person's command."""
        return next(e for e in self.take(command_entry("tester", command, self.at)) if isinstance(e, CommandResult))

    def pages(self) -> list[Page]:
        """All pages so far."""
        return [effect for effect in self.effects if isinstance(effect, Page)]

    def course(self) -> Any:
        """The test's course, where there is one."""
        return self.fold.monitor.state.courses.get(SYNTHETIC)


def test_an_alarm_of_the_synthetic_pump_pages_the_test_recipient_at_once_and_nobody_else():
    """By a low page, so that it never goes before a patient's; nobody is paged again, however long it lasts."""
    house = House()
    house.alarm()
    (page,) = house.pages()
    assert (page.person, page.course, page.priority.value) == ("tester", SYNTHETIC, "low")
    assert page.text.startswith("SYNTHETIC LOW: a test of Dripwatch itself, no patient.")
    house.at += 60 * MINUTE_MS
    house.take(clock_entry(house.at))
    assert {one.person for one in house.pages()} == {"tester"}


def test_taken_ended_and_closed_the_next_alarm_pages_anew():
    """As the prober does it."""
    house = House()
    for number in (1, 2):
        house.alarm()
        house.at += 1_000
        assert house.do(Acknowledge(incident=SYNTHETIC)).ok
        house.alarm("end")
        assert house.do(Close(incident=SYNTHETIC, reason="the test is over")).ok
        assert sum(page.why == "opened" for page in house.pages()) == number
        house.at += MINUTE_MS


def test_nothing_of_it_is_on_the_board_in_the_lists_or_in_the_statistics():
    """Neither course, pump, incident, page nor point; a report of the journal knows no patient and no page."""
    house, log = House(), PageLog()
    house.alarm()
    house.do(Acknowledge(incident=SYNTHETIC))
    house.at += 30 * MINUTE_MS
    house.take(clock_entry(house.at))
    log.add(house.effects)
    state = house.fold.monitor.state
    board = build_board(state, house.at)
    assert (board.courses, board.pumps, board.site_incidents) == ((), (), ())
    assert incident_lines(state) == []
    assert log.newest_first() == ()
    assert [effect for effect in house.effects if isinstance(effect, Point)] == []
    telling = Telling(None, None)
    assert all(telling.hear(record) for record in house.records)
    report = telling.report()
    assert (report.courses, report.pages, report.ward_pages, report.events) == ((), 0, 0, 0)


def test_a_patient_beside_it_is_counted_as_ever():
    """The points of a patient's alarm in the same journal stay."""
    house = House(rules={"alarm-persistent": {"hold": "0s"}})
    house.do(Enrol(course="P-1", pump="pump-1", protocol="blinatumomab_home", bag="7-day"))
    house.alarm()
    house.alarm(device="pump-1", name="system-fault")
    courses = {dict(effect.tags).get("course") for effect in house.effects if isinstance(effect, Point)}
    assert courses == {"P-1"}
    assert [line.course for line in build_board(house.fold.monitor.state, house.at).courses] == ["P-1"]


def test_nobody_enrols_it_ends_it_or_puts_a_patient_into_its_place():
    """The ward file alone sets it up."""
    house = House()
    refused = [
        EndCourse(course=SYNTHETIC),
        Enrol(course=SYNTHETIC, pump="pump-1", protocol="blinatumomab_home", bag="7-day"),
        Enrol(course="P-1", pump="pump-1", protocol=PROTOCOL, bag="none"),
        Enrol(course="P-1", pump="test-pump", protocol="blinatumomab_home", bag="7-day"),
    ]
    for command in refused:
        result = house.do(command)
        assert not result.ok
        assert "SYNTHETIC" in result.message or "gateway's own test" in result.message


def test_it_comes_and_goes_with_the_ward_file():
    """Another pump takes the place of the first; without the section the pump is an ordinary stranger again."""
    house = House()
    house.load(people=PEOPLE, synthetic={**TEST, "pump": "other-pump"})
    assert house.course().pump == "other-pump"
    assert house.fold.monitor.state.pumps[f"{SITE}/test-pump"].course == ""
    house.load(people=PEOPLE)
    assert house.course() is None
    assert house.fold.monitor.state.pumps[f"{SITE}/other-pump"].course == ""


def test_a_patients_pump_is_never_taken_for_it():
    """A ward file that names one gets no test; the patient stays watched."""
    house = House(synthetic=None)
    house.do(Enrol(course="P-1", pump="pump-1", protocol="blinatumomab_home", bag="7-day"))
    house.load(people=PEOPLE, synthetic={**TEST, "pump": "pump-1"})
    assert house.course() is None
    assert house.fold.monitor.state.pumps[f"{SITE}/pump-1"].course == "P-1"
