"""Every statement of every dashboard on a real InfluxDB 1.6.7 that a simulated ward filled, against what the gateway knows."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.incident_state import Incident
from gateway.core.state import Course
from gateway.core.supplies import supply_line
from gateway.domain.instants import DAY_MS, MINUTE_MS, SECOND_MS
from gateway.domain.readings import AlarmChange
from gateway.domain.words import AlarmPhase, DeliveryState, IncidentState
from gateway.runtime.ports import Kind
from gateway.runtime.records import event_of
from gateway.runtime.standings import EVERY_MS
from tests.support.dashboard_ward import DATABASE, LivedWard, fill, live
from tests.support.grafana import Asked, Curve, answer, boards, everything, rows_of
from tests.support.histories import START_AT
from tests.support.stores import Influxd

pytestmark = pytest.mark.servers

ONE = "P-102"  # whose page is looked at


class Shown:
    """The dashboards, in front of the store and of the truth."""

    def __init__(self, store: Influxd, ward: LivedWard) -> None:
        self.store, self.ward = store, ward
        self._asked = {(one.dashboard, one.by, one.name): one for one in everything()}

    def curves(self, dashboard: str, panel: str, name: str = "A", *, course: str = "") -> list[Curve]:
        """What a panel shows; of one course where the dashboard is about one."""
        asked = self._asked[dashboard, panel, name]
        return answer(self.store, DATABASE, asked, self.view_of(asked, course))

    def rows(self, dashboard: str, panel: str, name: str = "A", *, course: str = "") -> list[dict[str, Any]]:
        """The same as one table."""
        return [row for curve in self.curves(dashboard, panel, name, course=course) for row in curve.rows]

    def value(self, dashboard: str, panel: str, column: str, *, course: str = "") -> Any:
        """The one value of a large number."""
        (row,) = self.rows(dashboard, panel, course=course)
        return row[column]

    def view_of(self, asked: Asked, course: str = ""):
        """All that was lived, of the course that somebody chose."""
        return replace(self.ward.view, course=course or (ONE if asked.dashboard == "patient" else ".*"))

    @property
    def courses(self) -> list[Course]:
        """The patients' courses."""
        return list(self.ward.state.courses.values())

    @property
    def incidents(self) -> list[Incident]:
        """All that ever were."""
        subjects = [*self.courses, *self.ward.state.sites.values()]
        return [one for subject in subjects for one in (*subject.open.values(), *subject.closed)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """One ward and one store for all tests of this file: they only read."""
    ward = asyncio.run(live())
    store = Influxd(tmp_path_factory.mktemp("influxd"))
    store.start()
    try:
        asyncio.run(fill(store, ward.lines))
        yield Shown(store, ward)
    finally:
        store.stop()


def test_every_statement_has_an_answer(shown):
    """No panel, annotation or variable is refused by the store, or stays empty on a ward that has everything."""
    empty = [one for one in everything() if not rows_of(shown.store, DATABASE, one, shown.view_of(one))]
    assert not empty, empty


def test_variables_offer_what_there_is(shown):
    """The site, and every course."""
    for name, board in boards().items():
        asked = {one["name"]: one for one in board["templating"]["list"] if one["type"] == "query"}
        for variable, known in {"site": {"ward"}, "course": {course.id for course in shown.courses}}.items():
            if variable in asked:
                assert {row["value"] for row in shown.rows(name, variable, "variable")} == known


def test_all_of_them_and_one_of_them(shown):
    """A variable's "all" shows every course and the site itself; one course shows itself alone."""
    stripes = shown.curves("ward-overview", "Delivery")
    assert {curve.tags["course"] for curve in stripes} == {course.id for course in shown.courses}
    assert [curve.tags["course"] for curve in shown.curves("ward-overview", "Delivery", course=ONE)] == [ONE]


def test_the_delivery_of_each_course(shown):
    """The last stripe is how the gateway judges now; it is never older than it promises."""
    for curve in shown.curves("ward-overview", "Delivery"):
        course = shown.ward.state.courses[curve.tags["course"]]
        assert curve.rows[-1]["code"] == course.delivery.state.code
        assert shown.ward.until_at - curve.rows[-1]["time"] <= EVERY_MS + MINUTE_MS
    silent = shown.rows("ward-overview", "Delivery", course="P-104")
    assert DeliveryState.UNKNOWN.code in {row["code"] for row in silent}


def test_interruptions_to_the_second(shown):
    """Beginning, length, cause of every interruption are those of the journal; the same as regions in the plots."""
    for course in shown.courses:
        known = [(one.since, (one.until - one.since) / SECOND_MS, one.cause, one.until) for one in course.delivery.interruptions]
        if course.delivery.state is DeliveryState.INTERRUPTED:
            continue  # its length is that of the last tick
        for panel, name in (("Interruptions", "A"), ("Interruptions", "annotation")):
            rows = shown.rows("patient", panel, name, course=course.id)
            assert sorted((row["time"], row["length_s"], row["cause"], row["until"]) for row in rows) == sorted(known)
    assert shown.rows("patient", "Interruptions")[0]["length_s"] == 78 * 60  # from 30 min, back-dated, to 108 min


def test_an_interruption_that_goes_on(shown):
    """It is told as far as it got at the last tick, and says that it goes on."""
    (course,) = [one for one in shown.courses if one.delivery.state is DeliveryState.INTERRUPTED and one.id == "P-106"]
    row = max(shown.rows("patient", "Interruptions", course=course.id), key=lambda row: row["time"])
    assert (row["time"], row["cause"], row["open"]) == (course.delivery.since, course.delivery.cause, 1)
    assert row["until"] == shown.ward.last_said_at("course")
    said = shown.value("patient", "Interrupted for", "interruption_s", course=course.id)
    assert said == row["length_s"] == (row["until"] - course.delivery.since) / SECOND_MS


def test_causes_add_up(shown):
    """Times and length together by cause."""
    last = shown.ward.last_said_at("course")
    times: Counter[str] = Counter()
    length_s: Counter[str] = Counter()
    for course in shown.courses:
        stretches = [(one.since, one.until, one.cause) for one in course.delivery.interruptions]
        if course.delivery.state is DeliveryState.INTERRUPTED and course.delivery.since <= last:
            stretches.append((course.delivery.since, last, course.delivery.cause))
        for since, until, cause in stretches:
            times[cause] += 1
            length_s[cause] += (until - since) / SECOND_MS
    rows = shown.rows("alerting-performance", "Interruptions by cause")
    assert {row["cause"]: (row["times"], row["length_s"]) for row in rows} == {key: (times[key], length_s[key]) for key in times}


def test_open_incidents_and_who_has_them(shown):
    """Exactly the board's, with their keys for the console: one that somebody has, one that nobody has."""
    rows = shown.rows("ward-overview", "Open incidents")
    known = [one for one in shown.incidents if one.state is not IncidentState.RESOLVED]
    told = {(row["incident"], row["state"], row["priority"], row["holder"], row["course"]) for row in rows}
    assert told == {(one.key, one.state.value, one.peak.value, one.ack.who if one.ack else "", one.subject) for one in known}
    assert {row["holder"] for row in rows} == {"nurse-ada", ""}
    causes = {row["course"]: row["cause"] for row in rows}
    assert causes == {"P-101": "alarm-persistent door-open", "P-106": "alarm-persistent system-fault"}


def test_counts_of_incidents(shown):
    """Incidents, those taken and those over."""
    value = shown.value
    assert value("alerting-performance", "Incidents", "incidents") == len(shown.incidents)
    assert value("alerting-performance", "Incidents taken", "taken") == len(_acked_ms(shown))
    assert value("alerting-performance", "Incidents over", "over") == sum(one.closed_at is not None for one in shown.incidents)


def test_percentiles_of_answers(shown):
    """Half and 95 % of the times until somebody first had it, and until it was over, by nearest rank."""
    acked, over = _acked_ms(shown), [one.closed_at - one.opened_at for one in shown.incidents if one.closed_at is not None]
    for title, lengths in (("Taken", acked), ("Over", over)):
        assert shown.value("alerting-performance", f"{title}: half within", "half") == _ranked(lengths, 50)
        assert shown.value("alerting-performance", f"{title}: 95 % within", "most") == _ranked(lengths, 95)
    assert any(7 * MINUTE_MS <= length_ms < 8 * MINUTE_MS for length_ms in acked)  # answered 7 min after the page


def test_pages_are_the_journals(shown):
    """The number of pages, by rule, reason and person, is what a replay of the journal decides; all on a Monday by day."""
    pages = shown.ward.pages
    assert shown.value("alerting-performance", "Off hours", "share") == 0
    assert shown.value("alerting-performance", "This one: pages", "pages") == len(pages)
    for title, tag, of in (
        ("Pages by rule", "rule", lambda page: page.about[0]),
        ("Pages by reason", "why", lambda page: page.why.value),
        ("Pages by person", "to", lambda page: page.person),
    ):
        rows = shown.rows("alerting-performance", title)
        assert {row[tag]: row["pages"] for row in rows} == Counter(of(page) for page in pages), title
    over_time = Counter()
    for row in shown.rows("alerting-performance", "Pages over time"):
        over_time[row["why"]] += row["pages"]
    assert over_time == Counter(page.why.value for page in pages)


def test_pages_per_patient_week(shown):
    """Pages of the watched time over the watched time."""
    last = shown.ward.last_said_at("course")
    pages = sum(bool(page.course) and page.decided_at <= last for page in shown.ward.pages)
    watched_ms = sum(last - course.enrolled_at for course in shown.courses)
    rate = shown.value("alerting-performance", "Pages per patient-week", "rate")
    assert rate == pytest.approx(pages / (watched_ms / (7 * DAY_MS)), rel=1e-6)


def test_the_naive_gateway(shown):
    """It would have paged for each alarm that began, however often it was repeated."""
    began = sum(
        isinstance(reading, AlarmChange) and reading.phase is AlarmPhase.START
        for record in shown.ward.records
        if record.kind is Kind.MESSAGE
        for reading in event_of(record).decoded.readings
    )
    assert shown.value("alerting-performance", "A naive gateway: pages", "alarms") == began
    marks = shown.rows("patient", "Alarms of the pump", "annotation")
    assert [(row["alarm"], row["began"]) for row in marks] == [("occlusion-downstream", 1)]


def test_transports(shown):
    """What providers said, attempt by attempt, as far as it was told by the last minute; and how soon they had it."""
    last = shown.ward.last_said_at("gateway")
    pages = {page.key: page.transport for page in shown.ward.pages_and_ends}
    said: Counter[tuple[str, str]] = Counter()
    for record in shown.ward.records:
        if record.kind is Kind.OUTCOME and record.received_at < last:
            event = event_of(record)
            if event.key in pages:
                said[pages[event.key], event.outcome.value] += 1
    for row in shown.rows("gateway-health", "Transports"):
        for column in ("accepted", "delivered", "rejected", "temporary", "unknown"):
            assert row[column] == said[row["by"], column], (row, said)
    assert said["sms", "rejected"] > 0
    latency = {row["by"]: row for row in shown.rows("gateway-health", "From the decision to the provider")}
    assert latency["sms"]["half"] <= latency["sms"]["most"] <= latency["sms"]["longest"] < SECOND_MS


def test_the_gateway_itself(shown):
    """Its state, the count of its records, its pumps, its watchdog."""
    last = shown.ward.last_said_at("gateway")
    assert shown.value("gateway-health", "Newest data", "time") == last
    assert shown.ward.until_at - last <= MINUTE_MS
    assert (shown.value("gateway-health", "Ready", "ready"), shown.value("ward-overview", "Gateway ready", "ready")) == (1, 1)
    assert shown.value("gateway-health", "Watchdog heard", "watchdog_s") <= 60
    assert shown.value("ward-overview", "Pumps", "pumps") == len(shown.courses)
    first = min(row["time"] for row in shown.rows("gateway-health", "Lag"))
    judged = sum(first < record.received_at <= last for record in shown.ward.records)
    added = sum(row["records"] for row in shown.rows("gateway-health", "Ingest, a minute"))
    assert added == pytest.approx(judged, abs=10)  # what comes at the very instant of a tick counts on one side of it
    assert {row["lag_records"] for row in shown.rows("gateway-health", "Lag")} == {0}


def test_what_runs_out(shown):
    """The forecasts of each course are the board's, as of the last tick."""
    last = shown.ward.last_said_at("course")
    rows = {row["course"]: row for row in shown.rows("ward-overview", "Courses: what runs out, and when")}
    assert set(rows) == {course.id for course in shown.courses}
    for course in shown.courses:
        row, bag = rows[course.id], course.bag
        assert (row["time"], row["bag"], row["bag_change_at"]) == (last, bag.kind, bag.planned_change_at)
        protocol, pump = shown.ward.state.protocols[course.protocol], shown.ward.state.pumps[f"ward/{course.pump}"]
        now = supply_line(course, pump, protocol, shown.ward.until_at)  # a tick later, so not to the second
        told = (row["bag_empty_early_at"], row["bag_empty_at"], row["bag_empty_late_at"])
        for at, known_at in zip(told, (now.bag_early_at, now.bag_central_at, now.bag_late_at), strict=True):
            assert abs(at - known_at) <= EVERY_MS + MINUTE_MS
        assert last - row["heard_at"] <= MINUTE_MS + SECOND_MS
    assert last < rows["P-105"]["battery_empty_at"] < last + 6 * 60 * MINUTE_MS
    (hung,) = shown.rows("patient", "Bags of this period")
    assert hung["bag_hung_at"] == shown.ward.state.courses[ONE].bag.hung_at


def test_the_pumps_own_numbers(shown):
    """Rate, volume, pressure, weight and battery are those that the pump sent."""
    pump = shown.ward.state.pumps["ward/pump-2"]
    rates = {row["rate_ml_h"] for row in shown.rows("patient", "Rate")}
    assert rates <= {0.0, 0.6}
    assert shown.rows("patient", "Volume and weight", "B")[-1]["remaining_ml"] == pytest.approx(pump.remaining_ml, abs=0.02)
    assert max(row["pressure_mmhg"] for row in shown.rows("patient", "Pressure")) == 440
    weights = [row["bag_weight_g"] for row in shown.rows("patient", "Volume and weight", "C")]
    assert weights == sorted(weights, reverse=True)
    unplugged = [row for row in shown.rows("patient", "Battery", "B", course="P-105") if row["on_battery"]]
    assert unplugged[0]["time"] == START_AT + 20 * MINUTE_MS
    assert {row["on_battery"] for row in unplugged} == {100}


def test_what_the_rules_said(shown):
    """The course's alerts in the order of time: each firing is one that its incidents tell of."""
    rows = shown.rows("patient", "Alerts")
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    fired = {(row["rule"], row["alarm"]) for row in rows if row["state"] == "firing"}
    assert {("alarm-persistent", "occlusion-downstream"), ("delivery-interrupted", None)} <= fired


def _acked_ms(shown: Shown) -> list[int]:
    first = [next((line.at for line in one.history if line.what == "acknowledged"), None) for one in shown.incidents]
    return [at - one.opened_at for at, one in zip(first, shown.incidents, strict=True) if at is not None]


def _ranked(lengths: list[int], percent: int) -> int:
    """As the store ranks: the nearest of n·p/100, rounded half up."""
    place = int(len(lengths) * percent / 100 + 0.5) - 1
    return sorted(lengths)[place]
