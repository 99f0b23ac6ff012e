"""The pages of pumps: what a technician sees, what is recorded, and what stays hidden."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.console.frames import BYTES_SHOWN, frame_lines, hex_rows
from gateway.domain.commands import AccessChanged, ClearCondition
from gateway.domain.readings import Decoded
from gateway.runtime.access import Role
from gateway.runtime.history import Message
from gateway.runtime.ports import Damaged, Kind, Record
from tests.support.core_world import PUMP, SITE
from tests.support.sheet_ward import NAME, LivedWard, lived_ward

PAGE = f"/pumps/{PUMP}"


@pytest.fixture
def ward() -> LivedWard:
    """Two days of p1."""
    return lived_ward()


@pytest.fixture
async def technician(ward: LivedWard) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of a technician."""
    async with ward.client(Role.TECHNICIAN) as client:
        yield client


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form with the mark of a page that has one."""
    found = re.search(r'name="csrf" value="(\w+)"', (await client.get("/courses/P-017")).text)
    return await client.post(path, data={"csrf": found[1] if found else "", **fields})


async def test_the_page_tells_all_of_the_pump(technician: httpx.AsyncClient) -> None:
    """Measures with their age, numbering, refusals with their reason and place, the course, a chart."""
    text = (await technician.get(PAGE)).text
    for said in (
        "10 mL/h",
        "480.00 mL",
        "occlusion downstream",
        "missing-field",
        "<code>observed_at</code>",
        "2 missing",
        "P-017",
    ):
        assert said in text, said
    assert "<svg" in text
    assert NAME not in text


async def test_refusals_are_shown_without_their_bytes(ward: LivedWard, technician: httpx.AsyncClient) -> None:
    """Reason, place and mend are enough for most, and need no audit; the bytes may hold names."""
    await technician.get(PAGE)
    assert ward.told == []


@pytest.mark.hazard("H-71")
async def test_raw_messages_are_for_those_who_may_and_each_look_is_recorded(ward: LivedWard) -> None:
    """Technician, triage and admin see the bytes; that they looked stands in the journal first. Others are refused."""
    for role, status in ((Role.READ, 403), (Role.KIOSK, 403), (Role.TECHNICIAN, 200), (Role.TRIAGE, 200), (Role.ADMIN, 200)):
        before = len(ward.told)
        async with ward.client(role) as client:
            answer = await client.get(f"{PAGE}/messages")
        assert answer.status_code == status
        assert (NAME in answer.text) is (status == 200)
        looks = [command for _, command in ward.told[before:]]
        assert looks == ([AccessChanged(what="raw-messages", about=PUMP, detail="the newest")] if status == 200 else [])


async def test_older_messages_are_a_page_away(technician: httpx.AsyncClient) -> None:
    """Each page leads to the one before, down to the first message."""
    path, numbers = f"{PAGE}/messages", []
    while path:
        text = (await technician.get(path)).text
        numbers += [int(number) for number in re.findall(r'<h2 class="key">#(\d+)</h2>', text)]
        older = re.search(r'href="([^"]+before=\d+)"', text)
        path = older[1] if older else ""
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == 100


async def test_a_number_that_is_none_is_refused(ward: LivedWard, technician: httpx.AsyncClient) -> None:
    """Rubbish is no record's number."""
    for before in ("x", "-1", "²", "9" * 40, "1.5"):
        assert (await technician.get(f"{PAGE}/messages", params={"before": before})).status_code == 404
    assert ward.told == []


async def test_a_past_that_cannot_be_read_is_said(ward: LivedWard, technician: httpx.AsyncClient) -> None:
    """The pump's last words stand there all the same."""
    ward.past.broken = "too many ask at once; come again in a moment"
    text = (await technician.get(PAGE)).text
    assert "too many ask at once" in text
    assert "480.00 mL" in text
    assert "too many ask at once" in (await technician.get(f"{PAGE}/messages")).text


async def test_a_condition_is_recorded_as_over(ward: LivedWard, technician: httpx.AsyncClient) -> None:
    """A lost end need not stay for ever: the button says what it does; a second press is refused in words."""
    ward.pump_says(ward.minute + 1, "alarm", boot="b1", seq=500, alarm="door-open", phase="start", priority="high")
    assert f'action="{PAGE}/clear"' in (await technician.get(PAGE)).text
    answer = await post(technician, f"{PAGE}/clear", condition="door-open")
    assert answer.status_code == 303
    assert ward.told == [("visitor", ClearCondition(pump=PUMP, condition="door-open"))]
    assert 'class="done"' in (await technician.get(answer.headers["location"])).text
    again = await post(technician, f"{PAGE}/clear", condition="door-open")
    assert again.status_code == 409
    assert 'role="alert"' in again.text
    assert (await post(technician, f"{PAGE}/clear")).status_code == 422
    async with ward.client(Role.READ) as reader:
        assert (await post(reader, f"{PAGE}/clear", condition="door-open")).status_code == 403


async def test_the_list_has_what_wants_a_technician_first(ward: LivedWard, technician: httpx.AsyncClient) -> None:
    """Refused, missing or wrongly timed before the others."""
    ward.pump_says(ward.minute + 1, pump="a-good-one", delivery_status="delivering")
    text = (await technician.get("/pumps")).text
    assert re.findall(r'<th scope="row"><a class="tap" href="/pumps/([^"]+)"', text) == [PUMP, "a-good-one"]
    assert (await technician.get("/pumps/a-good-one")).status_code == 200


async def test_unknown_pumps_and_spans_do_no_harm(technician: httpx.AsyncClient) -> None:
    """404 in words; a span that there is not is the usual one."""
    for path in ("/pumps/p0", "/pumps/p0/messages"):
        answer = await technician.get(path)
        assert answer.status_code == 404
        assert "No pump of this name" in answer.text
    assert (await technician.get(PAGE, params={"span": "99y"})).status_code == 200


def test_bytes_are_shown_in_rows_of_sixteen() -> None:
    """Offset, hex, and what of it can be printed."""
    assert list(hex_rows(bytes(range(0x41, 0x53)))) == [
        "0000  41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP",
        "0010  51 52                                            QR",
    ]
    assert list(hex_rows(b"\x00\xff")) == ["0000  00 ff                                            .."]


def test_a_large_or_damaged_message_does_no_harm() -> None:
    """Of a large one the first bytes; of one that the disk has damaged the reason."""
    record = Record(7, 1, Kind.MESSAGE, SITE, PUMP, "dw/v1/ward/p1/raw/x", b"\xff" * 100_000)
    large, damaged = frame_lines([Message(record, Decoded()), Damaged(8, "checksum")])
    assert large.size == 100_000
    assert large.hex.count("\n") + 1 == BYTES_SHOWN // 16
    assert (damaged.seq, damaged.damaged, damaged.hex) == (8, "checksum", "")
