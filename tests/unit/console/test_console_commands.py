import pytest

from gateway.domain.commands import Acknowledge, ClearCondition, Close, EndCourse, Enrol, Escalate, HandOver, HangBag, Note
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.fake_service import refuse

BAG = {"bag": "7-day"}
ENROL = {"course": "P-017", "pump": "pump-17", **BAG}
FIRST = Enrol(course="P-017", pump="pump-17", protocol="blinatumomab_home", bag="7-day")
HUNG_AT = 1_772_410_500_000

COMMANDS = [
    ("courses", ENROL, 201, FIRST),
    (
        "courses",
        {
            **ENROL,
            "protocol": "other",
            "primed_ml": 9,
            "planned_change": "6d12h",
            "cycle": 2,
            "hung_at": "2026-03-02T08:15:00+08:00",
            "checklist_complete": False,
            "override_reason": "transfer by night",
        },
        201,
        Enrol(
            course="P-017",
            pump="pump-17",
            protocol="other",
            bag="7-day",
            primed_ml=9.0,
            planned_change_ms=6 * DAY_MS + 12 * HOUR_MS,
            cycle=2,
            hung_at=HUNG_AT,
            checklist_complete=False,
            override_reason="transfer by night",
        ),
    ),
    ("courses/P-017/bags", BAG, 201, HangBag(course="P-017", bag="7-day")),
    (
        "courses/P-017/bags",
        {**BAG, "primed_ml": 2.5, "planned_change": "7d", "hung_at": "2026-03-02T00:15:00Z"},
        201,
        HangBag(course="P-017", bag="7-day", primed_ml=2.5, planned_change_ms=7 * DAY_MS, hung_at=HUNG_AT),
    ),
    ("courses/P-017/end", None, 200, EndCourse(course="P-017")),
    ("courses/P-017/end", {"reason": "to hospital"}, 200, EndCourse(course="P-017", reason="to hospital")),
    ("incidents/P-017@5/ack", None, 200, Acknowledge(incident="P-017@5")),
    ("incidents/P-017/ack", {"for": "30m"}, 200, Acknowledge(incident="P-017", for_ms=30 * MINUTE_MS)),
    ("incidents/P-017@5/escalate", None, 200, Escalate(incident="P-017@5")),
    ("incidents/P-017@5/hand-over", {"to": "nurse-b"}, 200, HandOver(incident="P-017@5", to="nurse-b")),
    ("incidents/P-017@5/close", {"reason": "a test"}, 200, Close(incident="P-017@5", reason="a test")),
    ("incidents/P-017@5/note", {"text": "no answer"}, 200, Note(incident="P-017@5", text="no answer")),
    ("pumps/pump-17/clear", {"condition": "air-in-line"}, 200, ClearCondition(pump="pump-17", condition="air-in-line")),
]


@pytest.mark.parametrize(("path", "body", "status", "command"), COMMANDS)
async def test_a_change_becomes_one_command_with_who_asked(client, service, path, body, status, command):
    """What the gateway journals is what was asked, by the person of the header."""
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == status
    assert service.told == [("nurse-a", command)]
    assert (answer.json()["seq"], answer.json()["message"]) == (1, "done for nurse-a")


@pytest.mark.parametrize("path", [path for path, _, _, _ in COMMANDS])
async def test_a_refused_command_is_a_409_with_the_reason(client, service, path):
    """The gateway's own words reach the person, whatever was asked."""
    service.decide = refuse("no open incident 'P-017': it is over, or never was; nothing was changed")
    body = next(body for known, body, _, _ in COMMANDS if known == path)
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json() == {
        "type": "urn:dripwatch:refused",
        "title": "Conflict",
        "status": 409,
        "detail": "no open incident 'P-017': it is over, or never was; nothing was changed",
    }


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("courses", {**ENROL, "planned_change": "7 days"}, "body.planned_change: not a length of time: '7 days'; write it like"),
        ("courses", {"course": "P-017", "pump": "p"}, "body.bag: is missing"),
        ("courses", {**ENROL, "who": "somebody-else"}, "body.who: is not a key here"),
        ("courses", {**ENROL, "primed_ml": -1}, "body.primed_ml: Input should be greater than or equal to 0"),
        ("courses", {**ENROL, "hung_at": "2026-03-02T08:00:00"}, "body.hung_at: Input should have timezone info"),
        ("courses", {**ENROL, "hung_at": "1926-03-02T08:00:00Z"}, "body.hung_at: the year 1926 is no ward's"),
        ("courses", {**ENROL, "cycle": 0}, "body.cycle: "),
        ("courses", {**ENROL, "course": "P" * 65}, "body.course: "),
        ("incidents/P-017/ack", {"for_": "30m"}, "body.for_: is not a key here"),
        ("incidents/P-017/ack", {"for": 30}, "body.for: not a length of time: 30"),
        ("incidents/P-017/close", {"reason": "  "}, "body.reason: "),
        ("incidents/P-017/close", {}, "body.reason: is missing"),
        ("incidents/P-017/note", {"text": ""}, "body.text: "),
        ("pumps/pump-17/clear", None, "body: "),
    ],
)
async def test_a_wrong_body_is_a_422_that_names_the_part(client, service, path, body, detail):
    """Nothing is journalled of a call that is wrong, and the mend stands in the answer."""
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["type"] == "urn:dripwatch:invalid"
    assert detail in answer.json()["detail"]
    assert answer.json()["errors"][0]["where"].startswith("body")
    assert service.told == []


@pytest.mark.parametrize(("known", "words"), [((), "none"), ((("b", ()), ("a", ())), "a, b")])
async def test_the_protocol_may_be_left_out_only_where_there_is_one(client, service, known, words):
    """Nobody guesses which treatment a patient has."""
    service.known = known
    answer = await client.post("/api/v1/courses", json=ENROL)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"body.protocol: is missing; this ward has: {words}"
    assert service.told == []


async def test_who_asks_is_api_unless_the_header_says_more(opened, service):
    """A program that does not say who it is is written down as one; names may have any letters."""
    async with opened(Authorization="Bearer a-token-of-tests-0123456789") as client:
        await client.post("/api/v1/incidents/P-017/ack")
        await client.post("/api/v1/incidents/P-017/ack", headers={"X-Dripwatch-User": "護士甲".encode()})
    assert [who for who, _ in service.told] == ["api", "護士甲"]


@pytest.mark.parametrize("who", ["", "   ", "x" * 65, "nurse\x1b[2J", "a\tb"])
async def test_a_name_that_cannot_stand_in_the_journal_is_refused(client, service, who):
    """Names are short, and steer no terminal."""
    answer = await client.post("/api/v1/incidents/P-017/ack", headers={"X-Dripwatch-User": who})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "X-Dripwatch-User: a name of 1 to 64 printable characters"
    assert service.told == []
