"""A pump's past over HTTP."""

from base64 import b64decode

import pytest

from gateway.runtime.access import Role
from tests.support.core_world import PUMP
from tests.support.sheet_ward import NAME, LivedWard, lived_ward

PATH = f"/api/v1/pumps/{PUMP}"


@pytest.fixture
def ward() -> LivedWard:
    """P-017 in its third day."""
    return lived_ward()


async def ask(ward: LivedWard, path: str, role: Role | None = None):
    """An answer for a program."""
    async with ward.client(role, Accept="application/json") as client:
        return await client.get(path)


async def test_the_series_of_a_day_has_measures_and_happenings(ward):
    """Without a time: the last day; instants are texts, the alarm is named in the contract's words."""
    told = (await ask(ward, f"{PATH}/series")).json()
    assert len(told["points"]) > 20
    assert told["points"][0]["at"].endswith("Z")
    assert {one["what"] for one in told["happened"]} == {"occlusion-downstream"}
    assert {one["phase"] for one in told["happened"]} == {"start", "end"}
    assert NAME not in str(told)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", 422),
        ("since=2025-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", 422),
        ("since=2026-03-02T00:00:00", 422),
        ("since=yesterday", 422),
        ("at_most=100000", 422),
        ("since=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00Z&at_most=20", 200),
    ],
)
async def test_times_that_make_no_sense_are_refused_in_words(ward, query, status):
    """A problem (RFC 9457) says which."""
    answer = await ask(ward, f"{PATH}/series?{query}")
    assert answer.status_code == status, answer.text
    assert len(answer.json().get("points", [])) <= 20


async def test_a_pump_that_nobody_knows_is_not_found(ward):
    """Neither its series nor its messages; and nobody is said to have looked."""
    for what in ("series", "messages"):
        assert (await ask(ward, f"/api/v1/pumps/nobody/{what}")).status_code == 404
    assert ward.told == []


async def test_messages_come_whole_to_those_who_may(ward):
    """Byte for byte, with what the decoder makes of them; each look is journalled; without a token nobody sees any."""
    assert (await ask(ward, f"{PATH}/messages", Role.READ)).status_code == 401
    assert ward.told == []
    told = (await ask(ward, f"{PATH}/messages?limit=200")).json()
    bodies = [b64decode(one["body"]) for one in told["messages"]]
    assert any(NAME.encode() in body for body in bodies)
    assert any(one["refused"] for one in told["messages"])
    assert ward.told[-1][1].what == "raw-messages"


async def test_a_past_that_cannot_be_read_is_a_503(ward):
    """With the reason."""
    ward.past.broken = "the disk is slow today"
    for what in ("series", "messages"):
        answer = await ask(ward, f"{PATH}/{what}")
        assert (answer.status_code, answer.json()["detail"]) == (503, "the disk is slow today")
