"""A phone, and a program, in front of the console with the diary in it."""

import httpx

from gateway.console.app import create_api
from gateway.console.diary_links import DiaryLinks
from gateway.console.diary_page import mount_diary
from tests.support.fake_service import TOKEN, FakeService

BASE_URL = "https://ward.example"
SECRET = "a secret beside the journal"
LINKS = DiaryLinks(SECRET)
PATH = f"/d/{LINKS.token('P-017', 1)}"


def phone(service: FakeService, **headers: str) -> httpx.AsyncClient:
    """A phone somewhere on the internet, without a token."""
    api = create_api(service, token=TOKEN)
    mount_diary(api, service, SECRET, BASE_URL)
    transport = httpx.ASGITransport(api, client=("203.0.113.9", 50_000))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)
