"""The form that enrols a course: what it asks for, what it refuses, and how a refusal comes back."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.domain.commands import Enrol
from gateway.runtime.access import Role
from tests.support.core_world import COURSE, PROTOCOL, START_AT
from tests.support.sheet_ward import DRUG, LivedWard, lived_ward, post


@pytest.fixture
def ward() -> LivedWard:
    """Two days of P-017."""
    return lived_ward()


@pytest.fixture
async def nurse(ward: LivedWard) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that may triage."""
    async with ward.client(Role.TRIAGE) as client:
        yield client


NEW = {"protocol": "0", "course": "P-099", "pump": "p99", "bag": "7-day", "primed_ml": "9", "cycle": "1"}


def signed(by: str = "nurse-b") -> dict[str, str]:
    """The whole checklist."""
    return {f"signed_by{number}": by for number in range(len(PROTOCOL.checklist))}


async def test_a_course_is_enrolled_with_its_checklist(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """Who signed what when, contacts, bag: the new course's page says it."""
    contact = {"transport0": "sms", "address0": "85290000099", "ward_contact": "2345 6789", "travel_minutes": "30"}
    answer = await post(nurse, "/enrol", **NEW, **signed(), signed_at0="2026-03-01T10:00", **contact)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/courses/P-099?")
    command = ward.told[-1][1]
    assert isinstance(command, Enrol)
    assert [item.item for item in command.checklist] == list(PROTOCOL.checklist)
    assert command.checklist[0].at == START_AT - 14 * 3_600_000
    page = (await nurse.get(answer.headers["location"])).text
    assert "P-099 is watched" in page
    assert "85290000099" in page


@pytest.mark.hazard("H-23")
async def test_an_unsigned_checklist_is_refused_and_may_be_overridden(nurse: httpx.AsyncClient) -> None:
    """A form without a signature is no word that the list is complete; a reason is."""
    answer = await post(nurse, "/enrol", **NEW)
    assert answer.status_code == 409
    assert "the checklist is not complete" in answer.text
    assert 'value="P-099"' in answer.text
    some = await post(nurse, "/enrol", **NEW, signed_by0="nurse-b")
    assert "not signed" in some.text
    assert (await post(nurse, "/enrol", **NEW, reason="signed on paper")).status_code == 303


NOT_NEW = [
    ({"course": "Chan Tai Man"}, 409),
    ({"course": "P-017"}, 409),
    ({"course": ""}, 422),
    ({"pump": "p1"}, 409),
    ({"cycle": "-1"}, 422),
    ({"protocol": "7"}, 404),
    ({"protocol": "²"}, 404),
    ({"signed_at0": "tomorrow"}, 422),
    ({"bag": "blue"}, 409),
]


async def test_what_cannot_be_enrolled_is_refused(nurse: httpx.AsyncClient) -> None:
    """In words, with the form as it was; never with the protocol's name."""
    for changed, status in NOT_NEW:
        answer = await post(nurse, "/enrol", **{**NEW, **signed(), **changed})
        assert answer.status_code == status, changed
        assert not DRUG.search(answer.text), changed


async def test_the_list_has_ended_courses_last(ward: LivedWard, nurse: httpx.AsyncClient) -> None:
    """Those that run first; each leads to its page."""
    await post(nurse, "/enrol", **NEW, **signed())
    await post(nurse, f"/courses/{COURSE}/end", reason="done")
    text = (await nurse.get("/courses")).text
    assert re.findall(r'<th scope="row"><a class="tap" href="/courses/([^"]+)"', text) == ["P-099", COURSE]
    assert "Ended" in text
