"""The board as different people read it: by role, and by language."""

import re
from contextlib import aclosing

import pytest

from gateway.console.board_page import live_of
from gateway.console.live import Sight
from gateway.console.roles import Role
from gateway.domain.instants import MINUTE_MS
from gateway.domain.locale import Locale
from gateway.domain.words import IncidentState
from tests.support.fake_service import AT, board, incident, interrupted


def live(service, role, *, view="board", locale=Locale.EN):
    """The part of the board that changes, as somebody with this role sees it."""

    async def fragment() -> str:
        async with aclosing(live_of(service).watch(Sight(view, locale, role))) as events:
            return (await anext(events)).decode()

    return fragment()


@pytest.mark.parametrize("role", Role)
async def test_only_who_may_take_it_sees_the_button(service, role):
    """One tap for a triager, and the button says for how long; what somebody has is taken over on its own page."""
    held = {"state": IncidentState.ACKNOWLEDGED, "holder": "nurse-b", "held_until": AT + 24 * MINUTE_MS, "next_step_at": None}
    mine = incident("P-022", 7, **held)
    service.shown = board(interrupted(incidents=(incident(lease_ms=30 * MINUTE_MS),)), interrupted("P-022", incidents=(mine,)))
    html = await live(service, role)
    acts = role in (Role.TRIAGE, Role.ADMIN)
    assert re.findall(r'<form class="act" method="post" action="([^"]*)"', html) == ["/incidents/P-017@48213/ack"] * acts
    assert ("<button>Take P-017: I have it for 30 min</button>" in html) is acts
    assert "<form" not in await live(service, role, view="wall")


async def test_the_live_part_carries_nobody_s_mark(service):
    """It is made once for many readers: live.js puts each reader's own mark into the forms."""
    service.shown = board(interrupted())
    assert re.findall(r'name="csrf" value="([^"]*)"', await live(service, Role.TRIAGE)) == [""]


async def test_the_board_speaks_the_reader_s_language(client, service):
    """By the browser's wish, and by the reader's own choice against it."""
    service.shown = board(interrupted())
    chinese = await client.get("/", headers={"Accept-Language": "zh-HK"})
    assert (chinese.headers["content-language"], chinese.headers["vary"]) == ("zh-Hant", "Accept-Language, Cookie")
    assert '<html lang="zh-Hant">' in chinese.text
    assert "已中斷 1小時12分鐘（上限 4小時）" in chinese.text  # noqa: RUF001  Chinese brackets
    assert "無人接手" in chinese.text
    chosen = await client.get("/", headers={"Accept-Language": "zh-HK", "Cookie": "dripwatch-language=en"})
    assert "Nobody has it" in chosen.text


@pytest.mark.parametrize(
    ("back", "place"),
    [
        ("/incidents?part=2", "/incidents?part=2"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
        ("", "/"),
    ],
)
async def test_the_choice_of_language_leads_back_to_our_own_pages_only(client, back, place):
    """A link at the foot of the page; it cannot be bent to lead elsewhere."""
    answer = await client.get("/language/zh-Hant", params={"back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert answer.headers["set-cookie"].startswith("dripwatch-language=zh-Hant; ")
    assert (await client.get("/language/fr")).status_code == 422
