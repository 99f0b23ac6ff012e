"""The diary over the API."""

from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.words import DiaryKind
from tests.support.diary_phone import PATH, phone
from tests.support.fake_service import AT, TOKEN, board, course

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
        assert (await client.get(f"{API}/link")).json() == {"path": PATH}
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
