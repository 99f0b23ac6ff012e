"""What people record about a treatment that runs: each endpoint good, refused in words, wrong, and while the journal is full."""

import pytest

from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
    Signed,
    SilenceRules,
    StartBreak,
    SwapPump,
    WindowKind,
)
from gateway.domain.commands import Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.ward import Contact
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import refuse

MORNING = "2026-03-02T08:15:00+08:00"
MORNING_AT = 1_772_410_500_000
CAREGIVER = [{"sms": "85290000009", "after": "2m"}, {"voice": "85290000009"}]
REACHED = (Contact("sms", "85290000009", 2 * MINUTE_MS), Contact("voice", "85290000009"))
P17 = "courses/P-017"

CHANGES = [
    (
        "POST",
        "courses",
        {
            "course": "P-017",
            "pump": "pump-17",
            "bag": "7-day",
            "prepared_at": MORNING,
            "rate_ml_h": 0.6,
            "dose_mcg_per_day": 9,
            "caregiver": CAREGIVER,
            "ward_contact": "2345 6789",
            "travel_minutes": 40,
            "checklist": [{"item": "caregiver-trained", "by": "nurse-a", "at": MORNING}],
        },
        201,
        Enrol(
            course="P-017",
            pump="pump-17",
            protocol="blinatumomab_home",
            bag="7-day",
            prepared_at=MORNING_AT,
            rate_ml_h=0.6,
            dose_mcg_per_day=9.0,
            caregiver=REACHED,
            ward_contact="2345 6789",
            travel_minutes=40,
            checklist=(Signed(item="caregiver-trained", by="nurse-a", at=MORNING_AT),),
        ),
    ),
    (
        "POST",
        f"{P17}/bags",
        {"bag": "7-day", "prepared_at": MORNING, "rate_ml_h": 0.6},
        201,
        HangBag(course="P-017", bag="7-day", prepared_at=MORNING_AT, rate_ml_h=0.6),
    ),
    (
        "POST",
        f"{P17}/orders",
        {"bag": "7-day", "ready_at": MORNING},
        201,
        OrderBag(course="P-017", bag="7-day", ready_at=MORNING_AT),
    ),
    (
        "POST",
        f"{P17}/windows",
        {"kind": "bag-change", "for": "30m"},
        201,
        OpenWindow(course="P-017", kind=WindowKind.BAG_CHANGE, for_ms=30 * MINUTE_MS),
    ),
    (
        "POST",
        f"{P17}/windows",
        {"kind": "hospital-stay", "until": MORNING},
        201,
        OpenWindow(course="P-017", kind=WindowKind.HOSPITAL_STAY, until_at=MORNING_AT),
    ),
    ("DELETE", f"{P17}/windows", None, 200, CloseWindow(course="P-017")),
    (
        "POST",
        f"{P17}/calls",
        {"called": "caregiver", "seen": "running", "advice": "call again at noon", "for": "4h"},
        201,
        LogCall(course="P-017", called="caregiver", seen=Seen.RUNNING, advice="call again at noon", for_ms=4 * HOUR_MS),
    ),
    ("POST", f"{P17}/calls", {"called": "patient", "seen": ""}, 201, LogCall(course="P-017", called="patient")),
    (
        "POST",
        f"{P17}/dose",
        {"mcg_per_day": 28, "override_reason": "as the doctor wrote"},
        200,
        ChangeDose(course="P-017", mcg_per_day=28.0, override_reason="as the doctor wrote"),
    ),
    (
        "POST",
        f"{P17}/pump",
        {"pump": "pump-18", "reason": "it fell"},
        200,
        SwapPump(course="P-017", pump="pump-18", reason="it fell"),
    ),
    ("POST", f"{P17}/break", None, 200, StartBreak(course="P-017")),
    ("POST", f"{P17}/break", {"reason": "fever"}, 200, StartBreak(course="P-017", reason="fever")),
    ("POST", f"{P17}/cycles", {"bag": "7-day"}, 201, NextCycle(course="P-017", bag="7-day")),
    (
        "POST",
        f"{P17}/cycles",
        {
            "bag": "7-day",
            "pump": "pump-18",
            "primed_ml": 4.5,
            "planned_change": "7d",
            "hung_at": MORNING,
            "prepared_at": MORNING,
            "rate_ml_h": 0.6,
            "override_reason": "as the doctor wrote",
        },
        201,
        NextCycle(
            course="P-017",
            bag="7-day",
            pump="pump-18",
            primed_ml=4.5,
            planned_change_ms=7 * DAY_MS,
            hung_at=MORNING_AT,
            prepared_at=MORNING_AT,
            rate_ml_h=0.6,
            override_reason="as the doctor wrote",
        ),
    ),
    (
        "PATCH",
        f"{P17}/contacts",
        {"caregiver": CAREGIVER, "ward_contact": "2345 6789", "travel_minutes": 25},
        200,
        ChangeContacts(course="P-017", caregiver=REACHED, ward_contact="2345 6789", travel_minutes=25),
    ),
    ("PATCH", f"{P17}/contacts", {"travel_minutes": 25}, 200, ChangeContacts(course="P-017", travel_minutes=25)),
    ("PATCH", f"{P17}/contacts", {"caregiver": []}, 200, ChangeContacts(course="P-017", caregiver=())),
    (
        "POST",
        "silences",
        {"course": "P-017", "rules": ["battery-running-out"], "for": "1h", "reason": "the charger is on its way"},
        201,
        SilenceRules(course="P-017", rules=("battery-running-out",), for_ms=HOUR_MS, reason="the charger is on its way"),
    ),
    (
        "POST",
        "silences",
        {"course": "P-017", "until": MORNING, "reason": "moved house"},
        201,
        SilenceRules(course="P-017", until_at=MORNING_AT, reason="moved house"),
    ),
    ("DELETE", "silences/P-017.s12", None, 200, EndSilence(silence="P-017.s12")),
]
WAYS = {(verb, path): body for verb, path, body, _, _ in CHANGES}
ENROL = {"course": "P-017", "pump": "pump-17", "bag": "7-day"}


@pytest.mark.parametrize(("verb", "path", "body", "status", "command"), CHANGES)
async def test_each_change_becomes_one_command_with_who_asked(client, service, verb, path, body, status, command):
    """What is journalled is what was asked, by the person of the header; lengths and instants are read as people write them."""
    answer = await client.request(verb, f"/api/v1/{path}", json=body)
    assert answer.status_code == status
    assert service.told == [("nurse-a", command)]
    assert answer.json()["message"] == "done for nurse-a"


@pytest.mark.parametrize(("verb", "path"), WAYS)
async def test_a_refusal_is_a_409_in_the_gateway_s_own_words(client, service, verb, path):
    """The person learns why not, and what to do instead, whatever was asked."""
    service.decide = refuse("there is no course 'P-017'; running: P-018")
    answer = await client.request(verb, f"/api/v1/{path}", json=WAYS[verb, path])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:dripwatch:refused")
    assert answer.json()["detail"] == "there is no course 'P-017'; running: P-018"


@pytest.mark.parametrize(("verb", "path"), WAYS)
async def test_while_the_journal_is_full_nothing_is_changed_and_the_answer_says_so(client, service, verb, path):
    """What cannot be stored is not done: 503, and when to try again."""
    service.broken = JournalFull("the disk is full")
    answer = await client.request(verb, f"/api/v1/{path}", json=WAYS[verb, path])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["detail"].startswith("nothing was changed: the journal cannot store it now (the disk is full)")


@pytest.mark.parametrize(("verb", "path"), WAYS)
async def test_nobody_changes_anything_without_the_token(opened, service, verb, path):
    """Also on the gateway's own machine, and with a wrong token."""
    for headers in ({}, {"Authorization": "Bearer a-token-of-others-012345678"}):
        async with opened(**headers) as client:
            answer = await client.request(verb, f"/api/v1/{path}", json=WAYS[verb, path])
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:dripwatch:no-token")
    assert service.told == []


@pytest.mark.parametrize(("verb", "path"), [way for way, body in WAYS.items() if body is not None])
async def test_a_key_that_nobody_knows_is_refused(client, service, verb, path):
    """A typing error in an optional key must not be taken for silence about it."""
    answer = await client.request(verb, f"/api/v1/{path}", json={**WAYS[verb, path], "nurse": "somebody"})
    assert answer.status_code == 422
    assert "body.nurse: is not a key here" in answer.json()["detail"]
    assert service.told == []


@pytest.mark.parametrize(
    ("verb", "path", "body", "detail"),
    [
        ("POST", "courses", {**ENROL, "caregiver": [{"after": "2m"}]}, "body.caregiver.0: names one transport and its address"),
        ("POST", "courses", {**ENROL, "caregiver": [{"sms": "1", "voice": "1"}]}, "body.caregiver.0: names one transport"),
        ("POST", "courses", {**ENROL, "caregiver": [{"sms": 85290000009}]}, "body.caregiver.0.sms: "),
        ("POST", "courses", {**ENROL, "caregiver": [{"sms": "1", "after": 120}]}, "body.caregiver.0.after: not a length of time"),
        ("POST", "courses", {**ENROL, "caregiver": [{"sms": "1"}] * 21}, "body.caregiver: "),
        ("POST", "courses", {**ENROL, "caregiver": "sms"}, "body.caregiver: "),
        ("POST", "courses", {**ENROL, "checklist": [{"item": "trained", "by": "n"}]}, "body.checklist.0.at: is missing"),
        ("POST", "courses", {**ENROL, "checklist": [{"item": "t", "by": "n", "at": "2026-03-02"}]}, "body.checklist.0.at: "),
        ("POST", "courses", {**ENROL, "travel_minutes": "forty"}, "body.travel_minutes: "),
        ("POST", "courses", {**ENROL, "travel_minutes": -1}, "body.travel_minutes: "),
        ("POST", "courses", {**ENROL, "dose_mcg_per_day": 0}, "body.dose_mcg_per_day: "),
        ("POST", "courses", {**ENROL, "primed_ml": True}, "body.primed_ml: "),
        ("POST", f"{P17}/bags", {"bag": "7-day", "rate_ml_h": "0.6"}, "body.rate_ml_h: "),
        ("POST", f"{P17}/bags", {"bag": "7-day", "prepared_at": "2026-03-02T08:00:00"}, "body.prepared_at: Input should have"),
        ("POST", f"{P17}/orders", {"bag": "7-day"}, "body.ready_at: is missing"),
        ("POST", f"{P17}/windows", {"kind": "holiday", "for": "1h"}, "body.kind: "),
        ("POST", f"{P17}/windows", {"kind": "bag-change", "for": 30}, "body.for: not a length of time: 30"),
        ("POST", f"{P17}/windows", {"kind": "bag-change", "until": "18:00"}, "body.until: "),
        ("POST", f"{P17}/calls", {"called": " "}, "body.called: "),
        ("POST", f"{P17}/calls", {"called": "patient", "seen": "asleep"}, "body.seen: "),
        ("POST", f"{P17}/dose", {"mcg_per_day": "28"}, "body.mcg_per_day: "),
        ("POST", f"{P17}/dose", {}, "body.mcg_per_day: is missing"),
        ("POST", f"{P17}/pump", {"pump": ""}, "body.pump: "),
        ("POST", f"{P17}/break", {"reason": 7}, "body.reason: "),
        ("POST", f"{P17}/cycles", {"pump": "pump-18"}, "body.bag: is missing"),
        ("PATCH", f"{P17}/contacts", {}, "body: changes nothing; give caregiver, ward_contact or travel_minutes"),
        ("PATCH", f"{P17}/contacts", {"ward_contact": 23456789}, "body.ward_contact: "),
        ("POST", "silences", {"course": "P-017", "for": "1h"}, "body.reason: is missing"),
        ("POST", "silences", {"course": "P-017", "for": "1h", "reason": " "}, "body.reason: "),
        ("POST", "silences", {"course": "P-017", "for": "1h", "reason": "x", "rules": "fever"}, "body.rules: "),
        ("POST", "silences", {"course": "P-017", "for": "1h", "reason": "x", "rules": ["fever"] * 101}, "body.rules: "),
    ],
)
async def test_a_wrong_body_is_a_422_that_names_the_part(client, service, verb, path, body, detail):
    """Nothing is journalled of a call that is wrong, and the answer says which part and why."""
    answer = await client.request(verb, f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:dripwatch:invalid")
    assert detail in answer.json()["detail"]
    assert service.told == []


async def test_the_answer_names_the_silence_that_was_made(client):
    """Its id ends it before its time; other commands name none."""
    body = {"course": "P-017", "for": "1h", "reason": "the charger is on its way"}
    made = (await client.post("/api/v1/silences", json=body)).json()
    assert made["silence"] == "P-017.s1"
    assert (await client.delete(f"/api/v1/silences/{made['silence']}")).json()["silence"] == ""
