"""The diary over the API."""

from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.words import DiaryKind
from gateway.runtime.ports import JournalFull
from tests.support.diary_phone import BASE_URL, PATH, phone
from tests.support.fake_service import AT, TOKEN, board, course, refuse

API = "/api/v1/courses/P-017/diary"


async def test_the_api_needs_the_token(service):
    """The home's link opens the home's page, not the API."""
    async with phone(service) as home:
        assert [(await home.get(path)).status_code for path in (API, f"{API}/link")] == [401, 401]


async def test_the_api_gives_the_link_and_the_lines(service):
    """Who has the API's token may hand out the link, and read the diary, newest first."""
    service.show(
        board(course(diary=(DiaryLine(AT - 5, AT, DiaryKind.NOTE, text="a"), DiaryLine(AT, AT, DiaryKind.NOTE, text="b"))))
    )
    async with phone(service, Authorization=f"Bearer {TOKEN}") as client:
        assert (await client.get(f"{API}/link")).json() == {"path": PATH, "url": f"{BASE_URL}{PATH}"}
        assert [line["text"] for line in (await client.get(API)).json()] == ["b", "a"]
        missing = await client.get("/api/v1/courses/P-999/diary/link")
    assert (missing.status_code, missing.json()["detail"]) == (404, "no course P-999 is running")


async def test_the_api_adds_to_the_diary(service):
    """What the home says on the phone is noted by whoever took the call, with the time that it is about."""
    body = {"temperature_c": 38.5, "from_whom": "patient", "observed_at": "2026-03-02T13:00:00+08:00"}
    async with phone(service, Authorization=f"Bearer {TOKEN}", **{"X-Dripwatch-User": "nurse-a"}) as client:
        assert (await client.post(API, json=body)).status_code == 201
        wrong = await client.post(API, json={"from_whom": "neighbour"})
    told = AddDiary(course="P-017", temperature_c=38.5, from_whom="patient", observed_at=1_772_427_600_000)
    assert service.told == [("nurse-a", told)]
    assert wrong.status_code == 422


async def test_at_is_read_as_the_time_of_observation(service):
    """Both names of the instant are understood, but not both at once; a text is no temperature."""
    when = "2026-03-02T13:00:00+08:00"
    async with phone(service, Authorization=f"Bearer {TOKEN}") as client:
        assert (await client.post(API, json={"note": "calm", "at": when})).status_code == 201
        for body in ({"note": "calm", "at": when, "observed_at": when}, {"temperature_c": "38.5"}, {"handwriting_changed": 1}):
            assert (await client.post(API, json=body)).status_code == 422
    assert service.told == [("api", AddDiary(course="P-017", note="calm", from_whom="nurse", observed_at=1_772_427_600_000))]


async def test_a_refused_entry_and_a_full_journal_are_told(service):
    """What was not noted says so, and why."""
    service.decide = refuse("41.9 °C is no body temperature")
    async with phone(service, Authorization=f"Bearer {TOKEN}") as client:
        refused = await client.post(API, json={"temperature_c": 41.9})
        service.broken = JournalFull("the disk is full")
        full = await client.post(API, json={"temperature_c": 38.5})
    assert (refused.status_code, refused.json()["detail"]) == (409, "41.9 °C is no body temperature")
    assert (full.status_code, full.json()["type"]) == (503, "urn:dripwatch:journal-full")
