import pytest

from gateway.core.care_lines import CallLine, OrderLine, SilenceLine
from gateway.core.supplies import SupplyLine
from gateway.domain.care import Seen
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.words import DeliveryState, IncidentState, Outcome
from tests.support.fake_service import AT, board, course, incident, interrupted, page, pump


async def test_the_board_tells_instants_as_texts_and_lengths_in_milliseconds(client, service):
    """A program needs no other document to read a course's clock."""
    service.shown = board(interrupted(), course("P-020", "pump-20"))
    said = (await client.get("/api/v1/board")).json()
    assert (said["at"], said["site"], said["timezone"]) == ("2026-03-02T06:03:00.000Z", "haem-ward", "Asia/Hong_Kong")
    first = said["courses"][0]
    assert (first["state"], first["since"]) == ("interrupted", "2026-03-02T04:51:00.000Z")
    assert (first["current_ms"], first["limit_at"]) == (72 * 60_000, "2026-03-02T08:51:00.000Z")
    assert first["incidents"][0]["alerts"][0]["rule"] == "delivery-interrupted"
    assert said["courses"][1]["limit_at"] is None


async def test_courses_are_those_of_the_board_in_its_order(client, service):
    """The most urgent stands first, everywhere."""
    service.shown = board(interrupted("P-030"), course("P-001"))
    assert [line["course"] for line in (await client.get("/api/v1/courses")).json()] == ["P-030", "P-001"]


async def test_a_course_tells_what_people_recorded_and_what_is_forecast(client, service):
    """Window, silences with their ids, order, calls, dose, and the bag's end as an interval: a program needs no second call."""
    service.shown = board(
        course(
            window="bag-change",
            window_until=AT + 30 * MINUTE_MS,
            window_who="nurse-a",
            silences=(SilenceLine("P-017.s9", ("fever",), AT + HOUR_MS, "nurse-b", "known to the doctor"),),
            order=OrderLine("7-day", "nurse-a", AT, AT + DAY_MS),
            calls=(CallLine(AT, "nurse-a", "caregiver", Seen.RUNNING, "", AT + HOUR_MS),),
            dose_mcg_per_day=28.0,
            supplies=SupplyLine(AT + HOUR_MS, AT + 2 * HOUR_MS, AT + 3 * HOUR_MS, battery_left_ms=HOUR_MS, battery_learnt=True),
        )
    )
    said = (await client.get("/api/v1/courses/P-017")).json()
    assert (said["window"], said["window_until"], said["window_who"]) == ("bag-change", "2026-03-02T06:33:00.000Z", "nurse-a")
    assert (said["silences"][0]["id"], said["silences"][0]["reason"]) == ("P-017.s9", "known to the doctor")
    assert (said["order"]["ready_at"], said["calls"][0]["seen"]) == ("2026-03-03T06:03:00.000Z", "running")
    assert (said["dose_mcg_per_day"], said["caregiver"], said["break_at"]) == (28.0, [], None)
    assert said["supplies"]["bag_early_at"] < said["supplies"]["bag_central_at"] < said["supplies"]["bag_late_at"]
    assert (said["supplies"]["battery_left_ms"], said["supplies"]["battery_learnt"]) == (HOUR_MS, True)
    assert said == (await client.get("/api/v1/board")).json()["courses"][0]


async def test_a_course_that_nobody_knows_is_a_404_with_its_name(client):
    """A typing error says so."""
    answer = await client.get("/api/v1/courses/P-099")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no course 'P-099' is remembered")


async def test_pumps_tell_what_was_refused_by_name(client, service):
    """A technician sees which device sends what nobody can read."""
    service.shown = board(pumps=(pump("pump-17", refusals=(("bad-checksum", 12), ("not-json", 3)), heard_at=None),))
    said = (await client.get("/api/v1/pumps")).json()
    assert said[0]["refusals"] == {"bad-checksum": 12, "not-json": 3}
    assert said[0]["heard_at"] is None
    assert (await client.get("/api/v1/pumps/pump-17")).json() == said[0]


async def test_a_pump_that_nobody_knows_is_a_404_with_its_name(client):
    """A typing error says so."""
    answer = await client.get("/api/v1/pumps/pump-99")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no pump 'pump-99' was ever heard or enrolled here")


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["P-017@9", "P-018@8"]),
        ("?state=triggered", ["P-017@9"]),
        ("?state=resolved", ["P-018@8"]),
        ("?state=acknowledged", []),
    ],
)
async def test_incidents_can_be_asked_for_by_state(client, service, query, keys):
    """Without a state all that are remembered come."""
    service.remembered = [incident("P-017", 9), incident("P-018", 8, state=IncidentState.RESOLVED)]
    assert [line["key"] for line in (await client.get(f"/api/v1/incidents{query}")).json()] == keys


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("P-017@3", "P-017@3"),
        ("P-017.pharmacy@7", "P-017.pharmacy@7"),
        ("P-017", "P-017@5"),
        ("P-018", "P-018@2"),
    ],
)
async def test_an_incident_is_found_by_key_or_by_its_course(client, service, name, key):
    """A course's name means its open incident on the main route, or the newest when all are over."""
    service.remembered = [
        incident("P-017", 7, key="P-017.pharmacy@7", route="pharmacy"),
        incident("P-017", 5),
        incident("P-017", 3, state=IncidentState.RESOLVED),
        incident("P-018", 2, state=IncidentState.RESOLVED),
        incident("P-018", 1, state=IncidentState.RESOLVED),
    ]
    said = (await client.get(f"/api/v1/incidents/{name}")).json()
    assert said["key"] == key
    assert [line["what"] for line in said["history"]] == ["opened", "note"]


async def test_an_incident_that_nobody_remembers_is_a_404(client):
    """Gone is gone, in words."""
    answer = await client.get("/api/v1/incidents/P-404@1")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no incident 'P-404@1' is remembered")


async def test_pages_tell_who_was_reached_and_how_it_went_but_no_number(client, service):
    """Addresses and reply codes are nobody's business here."""
    service.paged = [
        page(),
        page("charge-nurse", outcome=None),
        page("nurse-b", outcome=Outcome.REJECTED, reason="no such pager"),
    ]
    answer = await client.get("/api/v1/pages")
    assert [(line["to"], line["by"], line["outcome"], line["reason"]) for line in answer.json()] == [
        ("nurse-a", "sms", "delivered", ""),
        ("charge-nurse", "sms", None, ""),
        ("nurse-b", "sms", "rejected", "no such pager"),
    ]
    assert "85290000001" not in answer.text
    assert "code" not in answer.json()[0]


async def test_what_is_not_expected_has_no_clock(client, service):
    """Between courses nothing runs out."""
    service.shown = board(course(state=DeliveryState.NOT_EXPECTED, cause="between-doses", heard_at=None, planned_change_at=None))
    line = (await client.get("/api/v1/courses")).json()[0]
    assert (line["state"], line["limit_at"], line["planned_change_at"], line["heard_at"]) == ("not-expected", None, None, None)
