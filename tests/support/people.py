"""Users of the console for tests: real argon2 with the least work, real pages, a cookie in the hand."""

import re

import httpx
from argon2 import PasswordHasher

from gateway.console.accounts import Accounts
from gateway.console.app import Entrance, create_api
from gateway.console.door import Callers
from gateway.console.passwords import Passwords
from gateway.runtime.access import AccessStore, Role
from tests.support.fake_service import TOKEN, FakeService

PASSWORD = "three quiet words"
BASE = "http://127.0.0.1:8080"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
FROM_OURS = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


def accounts_of(service: FakeService, store: AccessStore | None = None, **more) -> Accounts:
    """Accounts whose passwords cost next to nothing."""
    return Accounts(service, store, hashing=Passwords(QUICK), **more)


async def one_of_each_role(accounts: Accounts) -> None:
    """A user named after each role, all with `PASSWORD`."""
    for role in Role:
        await accounts.add_user("tester", f"the-{role}", role, PASSWORD)


def browser(
    service: FakeService,
    accounts: Accounts,
    *,
    callers: Callers | None = None,
    comes_from: str = "192.0.2.7",
    url: str = BASE,
    base_url: str = "",
    **headers: str,
) -> httpx.AsyncClient:
    """A browser of its own console, on another machine unless told otherwise."""
    entrance = Entrance(accounts=accounts, callers=callers or Callers(), base_url=base_url)
    api = create_api(service, token=TOKEN, entrance=entrance)
    transport = httpx.ASGITransport(api, client=(comes_from, 50_000))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(transport=transport, base_url=url, headers=FROM_OURS | named)


def mark_in(html: str) -> str:
    """The hidden field of the page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', html)
    assert found, html[:2_000]
    return found[1]


async def mark(client: httpx.AsyncClient, path: str = "/login") -> str:
    """The hidden field of the forms of a page."""
    return mark_in((await client.get(path)).text)


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Fill in the form of /login and press its button. The cookie stays with the client, encrypted connection or not."""
    told = {"csrf": await mark(client), "name": name, "password": password, **fields}
    answer = await client.post("/login", data=told)
    for line in answer.headers.get_list("set-cookie"):
        named, _, value = line.partition(";")[0].partition("=")
        client.headers["Cookie"] = f"{named}={value}"
    return answer
