"""A pump on the bench over HTTP, on a real core behind the service: announced, looked at, rehearsed, recorded."""

import httpx
import pytest

from gateway.console.app import create_api
from gateway.core.sheets import Sheets
from gateway.domain.bench import Commissioned, EndBench, StartBench, Verdict
from gateway.domain.instants import HOUR_MS
from tests.support.core_world import PUMP, World
from tests.support.fake_service import TOKEN, FakeService

DIGEST = "0f" * 32


class OnCore(FakeService):
    """A service whose sheets are a real monitor's."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def sheets(self) -> Sheets:
        """As of the fifth minute."""
        return Sheets(self.world.monitor.state, self.world.at(5))


@pytest.fixture
def service() -> OnCore:
    """A pump on the bench that shows air in its line."""
    world = World(enrol=False)
    world.does(0, StartBench(pump=PUMP, for_ms=HOUR_MS), "tech")
    world.hears(1, "alarm", alarm="air-in-line", phase="start")
    world.does(2, Commissioned(pump=PUMP, digest=DIGEST, verdict=Verdict.FAILED), "tech")
    return OnCore(world)


@pytest.fixture
def client(service: OnCore) -> httpx.AsyncClient:
    """A technician's program."""
    transport = httpx.ASGITransport(create_api(service, token=TOKEN), client=("192.0.2.7", 50_000))
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Dripwatch-User": "tech"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080/api/v1", headers=headers)


async def test_a_pump_is_told_in_full(client: httpx.AsyncClient):
    """Its active conditions, who has it on the bench until when, its commissionings."""
    async with client:
        told = (await client.get(f"/pumps/{PUMP}/full")).json()
    assert [(one["condition"], one["active"]) for one in told["conditions"]] == [("air-in-line", True)]
    assert (told["bench_who"], told["bench_until"]) == ("tech", "2026-03-02T01:00:00.000Z")
    assert told["commissioned"] == [{"at": "2026-03-02T00:02:00.000Z", "who": "tech", "verdict": "failed", "digest": DIGEST}]


async def test_a_rehearsal_names_people_and_pages_nobody(client: httpx.AsyncClient, service: OnCore):
    """What is not a condition is refused."""
    async with client:
        told = (await client.get(f"/pumps/{PUMP}/rehearsal", params={"condition": "air-in-line"})).json()
        wrong = await client.get(f"/pumps/{PUMP}/rehearsal", params={"condition": "no-such"})
    assert (told["after_ms"], told["people"]) == (600_000, [{"person": "nurse", "transport": "sms"}])
    assert wrong.status_code == 422
    assert service.world.pages == []


async def test_the_commands_are_what_was_asked(client: httpx.AsyncClient, service: OnCore):
    """Announce, record, end: each in the name of who asks."""
    async with client:
        answers = [
            await client.post(f"/pumps/{PUMP}/bench", json={"for": "30m"}),
            await client.post(f"/pumps/{PUMP}/commissionings", json={"verdict": "passed", "digest": DIGEST}),
            await client.delete(f"/pumps/{PUMP}/bench"),
        ]
    assert [answer.status_code for answer in answers] == [200, 201, 200]
    assert [(who, command) for who, command in service.told] == [
        ("tech", StartBench(pump=PUMP, for_ms=HOUR_MS // 2)),
        ("tech", Commissioned(pump=PUMP, digest=DIGEST, verdict=Verdict.PASSED)),
        ("tech", EndBench(pump=PUMP)),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("bench", {}),
        ("bench", {"for": "later"}),
        ("commissionings", {"verdict": "fine", "digest": DIGEST}),
        ("commissionings", {"verdict": "passed", "digest": "ab"}),
        ("commissionings", {"verdict": "passed", "digest": DIGEST + "\n"}),
    ],
)
async def test_bad_bodies_are_refused(client: httpx.AsyncClient, service: OnCore, path: str, body: dict[str, str]):
    """Nothing reaches the journal."""
    async with client:
        assert (await client.post(f"/pumps/{PUMP}/{path}", json=body)).status_code == 422
    assert service.told == []


async def test_a_pump_that_nobody_knows_is_not_found(client: httpx.AsyncClient):
    """In words."""
    async with client:
        assert (await client.get("/pumps/nobody/full")).status_code == 404
