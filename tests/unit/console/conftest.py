"""The API around a scripted gateway, spoken to as a program on this machine would."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from gateway.console.accounts import Accounts
from gateway.console.app import create_api
from tests.support.fake_service import TOKEN, FakeService
from tests.support.people import accounts_of, one_of_each_role

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def service() -> FakeService:
    """A gateway that carries out whatever it is told."""
    return FakeService()


@pytest.fixture
def opened(service: FakeService) -> Callable[..., httpx.AsyncClient]:
    """Makes clients: from which address, addressed how, with which headers."""

    def client(*, comes_from: str = "127.0.0.1", url: str = "http://127.0.0.1:8080", **headers: str) -> httpx.AsyncClient:
        api = create_api(service, token=TOKEN)
        transport = httpx.ASGITransport(api, client=(comes_from, 50_000))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=transport, base_url=url, headers=named)

    return client


@pytest.fixture
async def client(opened: Callable[..., httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    """With the token, as nurse-a."""
    async with opened(**BEARER, X_Dripwatch_User="nurse-a") as made:
        yield made


@pytest.fixture
async def accounts(service: FakeService) -> Accounts:
    """A user of each role: the-kiosk … the-admin."""
    made = accounts_of(service)
    await one_of_each_role(made)
    service.told.clear()
    return made
