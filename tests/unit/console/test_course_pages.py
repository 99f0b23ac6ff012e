"""The pages of courses: what they show to whom, what their forms do, and how a refusal comes back."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.console.course_forms import FORMS
from gateway.domain.care import LogCall, Seen, SwapPump
from gateway.domain.ward import Contact
from gateway.runtime.access import Role
from tests.support.core_world import COURSE
from tests.support.sheet_ward import ADDRESS, DRUG, LivedWard, lived_ward, post

PAGE = f"/courses/{COURSE}"


@pytest.fixture
def ward() -> LivedWard:
    """Two days of P-017."""
    return lived_ward()


@pytest.fixture
async def nurse(ward: LivedWard) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that may triage."""
    async with ward.client(Role.TRIAGE) as client:
        yield client


async def test_the_page_tells_all_of_the_course(nurse: httpx.AsyncClient) -> None:
    """Bags, order, interruption with its evidence, diary, call, silence, contacts, checklist: everything stands there."""
    text = (await nurse.get(PAGE)).text
    for said in (
        "Cycle",
        "Bags before",
        "ordered by pharmacist-p",
        "occlusion downstream",
        "its beginning is estimated, because an occlusion alarm comes late",
        "37.2 °C",
        "handwriting the same",
        "watch the pump",
        "battery on its way",
        ADDRESS,
        "2345 6789",
        "emergency plan given",
        "signed by nurse-b",
        "interruption limit 4 h",
        "Dose step: 28 mcg a day",
    ):
        assert said in text, said


@pytest.mark.hazard("H-71")
async def test_no_page_names_the_drug(nurse: httpx.AsyncClient) -> None:
    """A protocol's name may name a drug, and with it the illness: no page says it, nor does a form carry it."""
    for path in ("/courses", PAGE, f"{PAGE}/print", "/enrol", "/pumps", "/pumps/p1"):
        for language in ("en", "zh-Hant"):
            answer = await nurse.get(path, headers={"Accept-Language": language})
            assert answer.status_code == 200
            assert not DRUG.search(answer.text), (path, language)


@pytest.mark.parametrize("role", [Role.READ, Role.TECHNICIAN])
async def test_addresses_and_forms_are_for_those_who_triage(ward: LivedWard, role: Role) -> None:
    """Others see that there is a caregiver and by what, but neither number nor button; a technician may swap the pump."""
    async with ward.client(role) as client:
        for path in (PAGE, f"{PAGE}/print"):
            text = (await client.get(path)).text
            assert ADDRESS not in text
            assert "sms" in text
        forms = re.findall(r'method="post" action="/courses/P-017/([\w-]+)"', (await client.get(PAGE)).text)
        assert forms == (["pump"] if role is Role.TECHNICIAN else [])
        assert (await client.get("/enrol")).status_code == 403


async def test_a_kiosk_sees_no_course(ward: LivedWard) -> None:
    """A screen on a wall shows the board only."""
    async with ward.client(Role.KIOSK) as client:
        assert (await client.get(PAGE)).status_code == 403


async def test_readers_change_nothing(ward: LivedWard) -> None:
    """Whoever may only read is refused by every form, in words, whatever it holds."""
    async with ward.client(Role.READ) as client:
        found = re.search(r'name="csrf" value="(\w+)"', (await client.get(PAGE)).text)
        for form in FORMS:
            answer = await client.post(f"{PAGE}/{form}", data={"csrf": found[1] if found else ""})
            assert answer.status_code == 403, form
    assert ward.told == []


async def test_a_form_from_elsewhere_changes_nothing(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """Without the mark of our own page nothing happens."""
    answer = await nurse.post(f"{PAGE}/call", data={"called": "patient"})
    assert answer.status_code == 403
    assert ward.told == []


async def test_a_call_is_three_taps(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """Who, what was seen, what was advised; the page comes back with the gateway's words and the call on top."""
    advised = "Plug the pump in, or change its battery"
    answer = await post(nurse, f"{PAGE}/call", called="patient", seen="running", advice=advised, words="")
    assert answer.status_code == 303
    assert ward.told == [("visitor", LogCall(course=COURSE, called="patient", seen=Seen.RUNNING, advice=advised))]
    page = await nurse.get(answer.headers["location"])
    assert "call noted" in page.text
    newest, before = page.text.split('<ol class="timeline">')[1].split("</li>")[:2]
    assert advised in newest
    assert "watch the pump" in before


async def test_words_of_one_s_own_go_with_the_call(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """Lines become one line; nothing is lost."""
    await post(nurse, f"{PAGE}/call", called="caregiver", seen="", words="opened\r\nthe clamp", **{"for": "2h"})
    assert ward.told[0][1].advice == "opened the clamp"
    assert ward.told[0][1].for_ms == 2 * 3_600_000


REFUSED = [
    ("bag", {"bag": "24-hour", "primed_ml": "9", "rate_ml_h": "1.8"}, "not at 1.8"),
    ("order", {"bag": "7-day", "ready_at": "2026-03-01T08:00"}, "cannot be ready in the past"),
    ("window", {"kind": "bag-change", "for": "7d"}, "lasts at most 1 h"),
    ("close-window", {}, "no window is open"),
    ("diary", {"temperature_c": "99"}, "is not a body temperature"),
    ("silence", {"rule": "", "for": "1h", "reason": ""}, "a silence needs a reason"),
    ("end-silence", {"silence": "P-017.7"}, "nothing was changed"),
    ("dose", {"mcg_per_day": "28"}, "is for day 8 and after"),
    ("pump", {"pump": "p1"}, "is on pump p1 already"),
    ("break", {}, "go on, or give the reason"),
    ("cycle", {"bag": "7-day"}, "start its break first"),
    ("contacts", {"transport0": "pigeon", "address0": "loft 3"}, "the ward has no transport"),
    ("call", {"called": "patient", "for": "9h", "seen": "running"}, "trusted for at most 4 h"),
]


async def test_a_refusal_comes_back_in_the_gateway_s_words(nurse: httpx.AsyncClient) -> None:
    """409, the words on top, the form as it was filled in; and no word of the protocol's name."""
    for form, fields, words in REFUSED:
        answer = await post(nurse, f"{PAGE}/{form}", **fields)
        alert = re.search(r'role="alert"><p>(.*?)</p>', answer.text)
        assert answer.status_code == 409, form
        assert alert, form
        assert words in alert[1].replace("&#39;", "'")
        assert not DRUG.search(answer.text), form
        for name, value in fields.items():
            assert name == "for" or value in answer.text


UNREADABLE = [
    ("bag", {"bag": "24-hour", "primed_ml": "a lot"}, "Primed volume (mL): a lot is no number from 0 to 20000"),
    ("bag", {"bag": "24-hour", "primed_ml": "nan"}, "is no number"),
    ("bag", {}, "Bag: is missing"),
    ("bag", {"bag": "24-hour", "planned_change": "soon"}, "is no length of time; write it like 30m, 12h, 7d"),
    ("bag", {"bag": "24-hour", "hung_at": "yesterday"}, "is no time; write it like 2026-03-02T08:00"),
    ("bag", {"bag": "24-hour", "hung_at": "2026-03-02T08:00+05:00"}, "is no time"),
    ("order", {"bag": "7-day"}, "Ready at: is missing"),
    ("dose", {}, "Dose (mcg a day): is missing"),
    ("window", {"kind": "holiday", "for": "1h"}, "Kind of window: choose one of those that are offered"),
    ("contacts", {"travel_minutes": "1.5"}, "Minutes to the hospital: only a whole number"),
    ("call", {"called": ""}, "Spoken to: is missing"),
    ("call", {"called": "x" * 65}, "Spoken to: at most 64 characters"),
]


async def test_a_field_that_cannot_be_read_is_named(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """422, which field, what stands in it, and the mend; nothing reached the gateway."""
    for form, fields, words in UNREADABLE:
        answer = await post(nurse, f"{PAGE}/{form}", **fields)
        assert answer.status_code == 422, (form, fields)
        assert words in answer.text
    assert ward.told == []


async def test_a_refused_form_stands_open_as_it_was_filled_in(nurse: httpx.AsyncClient) -> None:
    """Nobody types a bag's label twice: the form that was refused is open, the others are as before."""
    answer = await post(nurse, f"{PAGE}/bag", bag="48-hour", primed_ml="4,5", rate_ml_h="1.8", planned_change="2d")
    text = answer.text
    assert text.count("<details open") == 1
    assert 'value="4,5"' in text
    assert '<option value="48-hour" selected>' in text


async def test_every_form_of_the_page_is_done_once_it_is_right(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """One after the other through the life of a course: each is carried out and leads back to the course."""
    for form, fields in [
        ("bag", {"bag": "48-hour", "primed_ml": "5", "prepared_at": "2026-03-03T08:00", "rate_ml_h": "5"}),
        ("order", {"bag": "7-day", "ready_at": "2026-03-05T08:00"}),
        ("window", {"kind": "hospital-visit", "for": "1h", "until": "2026-03-04T06:00"}),
        ("close-window", {}),
        ("diary", {"temperature_c": "36,8", "handwriting": "same", "note": "slept well", "from_whom": "patient"}),
        ("silence", {"rule": "diary-missing", "for": "1d", "reason": "in the hospital"}),
        ("dose", {"mcg_per_day": "28", "reason": "doctor's order"}),
        ("contacts", {"transport0": "sms", "address0": "85290000018", "after0": "2m", "travel_minutes": "25"}),
        ("pump", {"pump": "p2", "reason": "battery"}),
        ("break", {"reason": "fever"}),
        ("cycle", {"bag": "7-day", "pump": "p1", "reason": "well again"}),
        ("end", {"reason": "moved away"}),
    ]:
        answer = await post(nurse, f"{PAGE}/{form}", **fields)
        assert answer.status_code == 303, (form, answer.text)
        page = await nurse.get(answer.headers["location"])
        assert 'class="done"' in page.text, form
    course = ward.world.course
    assert course.care.caregiver == (Contact("sms", "85290000018", 120_000),)
    assert course.ended_at is not None
    assert "This course has ended" in (await nurse.get(PAGE)).text
    assert ("visitor", SwapPump(course=COURSE, pump="p2", reason="battery")) in ward.told


async def test_a_silence_is_ended_by_its_button(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """The page carries the id; nobody types it."""
    found = re.search(r'name="silence" value="([^"]+)"', (await nurse.get(PAGE)).text)
    assert found
    assert (await post(nurse, f"{PAGE}/end-silence", silence=found[1])).status_code == 303
    assert ward.world.course.care.silences == ()


async def test_the_words_of_one_s_change_are_shown_to_nobody_else(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """An address with a number brings words back only for who made the change; rubbish brings none."""
    answer = await post(nurse, f"{PAGE}/call", called="patient", advice="all is well")
    assert 'class="done"' in (await nurse.get(answer.headers["location"])).text
    for query in ("?done=99999999999999999999999", "?done=-1", "?done=²", "?done=x"):
        assert 'class="done"' not in (await nurse.get(PAGE + query)).text
    async with ward.client() as other:
        assert 'class="done"' not in (await other.get(answer.headers["location"])).text


async def test_an_unknown_course_and_an_unknown_form_are_a_page_in_words(nurse: httpx.AsyncClient) -> None:
    """404 with the mend, and nothing of what was asked is said back."""
    for answer in (
        await nurse.get("/courses/P-000"),
        await nurse.get("/courses/P-000/print"),
        await post(nurse, "/courses/P-000/call", called="patient"),
        await post(nurse, f"{PAGE}/prescribe"),
    ):
        assert answer.status_code == 404
        assert "is known here" in answer.text


async def test_rubbish_in_the_ward_s_texts_is_escaped(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """What people write is shown as they wrote it, and is never HTML."""
    await post(nurse, f"{PAGE}/call", called="<img src=x>", words="<script>alert(1)</script>{{ 7*7 }}{n}")
    text = (await nurse.get(PAGE)).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}{n}" in text
