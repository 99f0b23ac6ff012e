"""The page of an incident: what it says, what it promises, what its forms do, and what nobody may see."""

import re

import pytest

from gateway.console.promises import promises_for
from gateway.console.words import words_in
from gateway.domain.care import LogCall, Seen, SilenceRules
from gateway.domain.commands import Acknowledge, AddDiary, Enrol, Escalate, Note
from gateway.domain.instants import HOUR_MS
from gateway.domain.locale import Locale
from gateway.domain.words import WhyPaged
from gateway.runtime.access import Role
from tests.support.core_world import COURSE, PROTOCOL, PUMP, SITE
from tests.support.sheet_ward import NAME, LivedWard

NOW = 40.0


@pytest.fixture
def ward() -> LivedWard:
    """P-017's pump has been occluded for half an hour; an hour ago it sent something that holds a name."""
    made = LivedWard()
    made.world.does(0, Enrol(course=COURSE, pump=PUMP, protocol=PROTOCOL.name, bag="7-day"))
    for minute in range(10):
        made.pump_says(minute, boot="b1", seq=minute, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6)
    made.arrives(f"dw/v1/{SITE}/{PUMP}/telemetry", b'{"patient": "' + NAME.encode() + b'"}')
    alarm = {"alarm": "occlusion-downstream", "phase": "start", "priority": "high", "stops_delivery": True}
    made.pump_says(10, "alarm", boot="b1", seq=10, **alarm)
    for minute in range(11, 40):
        made.pump_says(
            minute, boot="b1", seq=minute, delivery_status="not-delivering", rate_ml_h=0, not_delivering_reason="alarm"
        )
    made.waits_until(NOW)
    return made


def key_of(ward: LivedWard) -> str:
    """The open incident's key."""
    return next(iter(ward.world.course.open.values())).key


async def page_of(ward: LivedWard, role: Role | None = Role.TRIAGE, query: str = "", **headers: str):
    """The page as somebody with this role gets it."""
    async with ward.client(role, **headers) as client:
        return await client.get(f"/incidents/{key_of(ward)}{query}")


async def send(ward: LivedWard, form: str, role: Role | None = Role.TRIAGE, **fields: str):
    """Fill in a form of the page and send it, with the page's own mark; the answer, and the page that is shown then."""
    async with ward.client(role) as client:
        page = await client.get(f"/incidents/{key_of(ward)}")
        mark = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
        given = {"csrf": mark[1] if mark else "", **fields}
        answer = await client.post(f"/incidents/{key_of(ward)}/{form}", data=given)
        shown = await client.get(answer.headers["location"]) if answer.status_code == 303 else answer
        return answer, shown.text


async def test_the_page_says_what_since_when_how_long_is_left_and_what_to_do(ward):
    """And whom the next page will reach, and why."""
    text = (await page_of(ward)).text
    for said in (
        "P-017",
        "Delivery interrupted",
        "left in the worst case",
        "What to do first",
        "clamps",
        "If nobody takes it, nurse",
    ):
        assert said in text, said
    assert "<title>P-017" in text
    assert ward.told == []


async def test_every_button_says_what_it_will_do_and_to_whom(ward):
    """The words come from the core: what is refused is said before it is tried, in the gateway's own words."""
    text = (await page_of(ward)).text
    for said in (
        "Nobody is paged until then",
        "If anything still fires when it ends, nurse (sms) is",
        "nobody is paged at once",  # the policy's one step was paged minutes ago
        "an alert of high priority still fires",
        "What is silenced stays on the board",
        "It stands in the history under your name",
    ):
        assert said in text, said


def promised(ward: LivedWard, form: str) -> str:
    """What the page promises of a form now."""
    sheets, say = ward.sheets(), words_in(Locale.EN)
    sheet = sheets.incident(key_of(ward))
    assert sheet is not None
    return " ".join(promises_for(sheet, sheets, "nurse-b", say, str).said[form])


async def test_silencing_one_of_two_things_does_not_promise_silence(ward):
    """What is not silenced pages on as before, and long before the silence ends."""
    ward.world.does(NOW, AddDiary(course=COURSE, temperature_c=39.4))
    ward.waits_until(NOW + 1)
    told = promised(ward, "silence")
    assert "If nobody takes it, nurse (sms) is paged" in told
    assert "When it ends" not in told


async def test_an_acknowledgement_does_not_hide_that_limits_page(ward):
    """Milestones pass through a lease."""
    ward.world.does(NOW, Acknowledge(incident=key_of(ward), for_ms=4 * HOUR_MS))
    assert "or a limit, comes" in promised(ward, "ack")
    before = len(ward.world.pages)
    for minute in range(int(NOW) + 1, 160):
        ward.pump_says(minute, delivery_status="not-delivering", rate_ml_h=0, not_delivering_reason="alarm")
    assert [page.why for _, page in ward.world.pages[before:]] == [WhyPaged.MILESTONE]


async def test_a_call_promises_no_quiet_that_it_cannot_keep(ward):
    """A lease that is there already is no call's doing; a silent pump that is seen standing is an interruption, and pages."""
    ward.world.does(NOW, Acknowledge(incident=key_of(ward)))
    assert promised(ward, "call") == "The call stands in the history under your name, and by itself pages nobody."
    silent = LivedWard()
    silent.world.does(0, Enrol(course=COURSE, pump=PUMP, protocol=PROTOCOL.name, bag="7-day"))
    for minute in range(10):
        silent.pump_says(minute, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6)
    silent.waits_until(45)
    told = promised(silent, "call")
    assert "its silence is yours until" in told
    assert "seen standing, that is an interruption, and people are paged" in told
    before = len(silent.world.pages)
    silent.world.does(45, LogCall(course=COURSE, called="caregiver", seen=Seen.STANDING))
    silent.waits_until(49)
    assert len(silent.world.pages) > before


@pytest.mark.parametrize(
    ("form", "fields", "kind"),
    [
        ("ack", {"for": ""}, Acknowledge),
        ("ack", {"for": "3600s"}, Acknowledge),
        ("escalate", {}, Escalate),
        ("note", {"text": "the home does not answer"}, Note),
        ("call", {"called": "caregiver", "seen": "standing", "words": "clamps"}, LogCall),
        ("silence", {"rule": "delivery-interrupted", "for": "60m", "reason": "on the way"}, SilenceRules),
    ],
)
async def test_each_form_is_a_command_in_the_name_of_who_sent_it(ward, form, fields, kind):
    """Done, the browser is sent back, and the page shows the gateway's words."""
    answer, text = await send(ward, form, **fields)
    assert answer.status_code == 303, answer.text
    assert isinstance(ward.told[-1][1], kind)
    assert 'role="status"' in text


async def test_a_chosen_time_is_the_time(ward):
    """An hour is an hour; the usual one is the policy's."""
    await send(ward, "ack", **{"for": "3600s"})
    assert ward.told[-1][1].for_ms == HOUR_MS
    text = (await page_of(ward)).text
    assert "has it" in text
    assert "until" in text


@pytest.mark.parametrize(
    ("form", "fields", "status", "said"),
    [
        ("close", {"reason": "enough"}, 409, "an alert of high priority still fires"),
        ("close", {"reason": ""}, 422, "is missing"),
        ("note", {"text": ""}, 422, "is missing"),
        ("note", {"text": "x" * 1_001}, 422, "at most 1000"),
        ("ack", {"for": "soon"}, 422, "no length of time"),
        ("ack", {"for": "48h"}, 409, "24 hours at most"),
        ("hand-over", {"to": "nobody-here"}, 409, "the ward has no"),
        ("silence", {"rule": "*", "for": "9h", "reason": "night"}, 409, "lasts at most 4 h"),
        ("silence", {"rule": "no-such-rule", "for": "1h", "reason": "x"}, 409, "no rule no-such-rule"),
    ],
)
async def test_a_refusal_shows_the_page_again_with_the_reason_and_what_was_written(ward, form, fields, status, said):
    """Nothing is lost, nothing was changed."""
    answer, _ = await send(ward, form, **fields)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert 'role="alert"' in answer.text


async def test_what_is_no_form_is_not_found(ward):
    """Neither a wrong verb, nor an incident that nobody remembers, nor a home for the ward's own incident."""
    assert (await send(ward, "explode"))[0].status_code == 404
    async with ward.client(Role.TRIAGE) as client:
        assert (await client.get("/incidents/P-999@1")).status_code == 404
        assert (await client.get("/incidents/%00")).status_code == 404
        assert (await client.get(f"/incidents/{key_of(ward)}/messages?before=-1")).status_code == 422


async def test_a_courses_name_leads_to_its_open_incident(ward):
    """People type what they know."""
    async with ward.client(Role.READ) as client:
        answer = await client.get(f"/incidents/{COURSE}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{key_of(ward)}")


async def test_readers_see_no_form_and_nobody_else_sees_anything(ward):
    """A reader reads; a kiosk sees the board only; a reader's form is refused."""
    text = (await page_of(ward, Role.READ)).text
    assert "<form" not in text.partition("<main")[2].partition("</main>")[0]
    assert "You can read here" in text
    assert (await page_of(ward, Role.KIOSK)).status_code == 403
    assert (await send(ward, "ack", Role.READ))[0].status_code == 403
    assert ward.told == []


async def test_a_form_without_our_mark_is_refused(ward):
    """A foreign page cannot press a button."""
    async with ward.client(Role.TRIAGE) as client:
        answer = await client.post(f"/incidents/{key_of(ward)}/ack", data={"csrf": "0" * 43})
        assert answer.status_code == 403
        answer = await client.post(f"/incidents/{key_of(ward)}/ack", data={}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert ward.told == []


async def test_the_past_may_be_away_and_the_page_is_whole(ward):
    """The chart says why it is not there; everything else is."""
    ward.past.broken = "the disk is slow today"
    text = (await page_of(ward)).text
    assert "cannot be read now: the disk is slow today" in text
    assert "I have it" in text
    assert "Everything that happened" in text


async def test_raw_messages_are_for_those_who_may_and_each_look_is_noted(ward):
    """Readers get a 403; for others the look is journalled before anything is shown."""
    path = f"/incidents/{key_of(ward)}/messages"
    async with ward.client(Role.READ) as client:
        assert (await client.get(path)).status_code == 403
    assert ward.told == []
    for role in (Role.TRIAGE, Role.TECHNICIAN, Role.ADMIN):
        async with ward.client(role) as client:
            answer = await client.get(path)
        assert answer.status_code == 200
        assert ward.told.pop()[1].detail == key_of(ward)


async def test_no_name_and_no_protocol_on_the_page(ward):
    """What a raw message holds stays there; the protocol may name a drug."""
    for query in ("", "?span=24h", "?span=7d"):
        text = (await page_of(ward, query=query)).text
        assert NAME not in text
        assert "blinatumomab" not in text.lower()


async def test_an_incident_that_is_over_says_so_and_has_no_buttons(ward):
    """What it was, and until when; the chart ends a while after it."""
    key = key_of(ward)
    ward.pump_says(NOW + 1, "alarm", boot="b1", seq=902, alarm="occlusion-downstream", phase="end")
    for minute in range(12):
        ward.pump_says(
            NOW + 2 + minute, boot="b1", seq=903 + minute, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6
        )
    async with ward.client(Role.TRIAGE) as client:
        text = (await client.get(f"/incidents/{key}")).text
    assert "It is over since" in text
    assert "I have it" not in text
    assert "It is over: nothing fired for two minutes" in text


async def test_the_page_speaks_chinese(ward):
    """As a whole: no English sentence of ours is left but what the protocol and the gateway say."""
    text = (await page_of(ward, **{"Accept-Language": "zh-TW"})).text
    assert "首先要做的事" in text
    assert "Everything that happened" not in text
