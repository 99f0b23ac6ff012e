import asyncio
import json
import logging
import zlib
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest
import uvicorn

from gateway.console import board_page
from gateway.console.app import create_api
from gateway.console.live import WATCHERS_MAX, Live, Sight, TooManyWatchers, as_event
from gateway.console.roles import Role
from gateway.domain.locale import Locale
from tests.support.fake_service import TOKEN, FakeService, board, course, interrupted
from tests.support.process import free_port

SOON_S = 10.0
SIGHT = Sight("board", Locale.EN, Role.TRIAGE)


def counting():
    """A render that numbers its fragments."""
    count = 0

    async def render(_: Sight) -> str:
        nonlocal count
        count += 1
        return f"<p>{count}</p>\n\n<p>two</p>"

    return render


async def first(events) -> bytes:
    """The next event."""
    async with asyncio.timeout(SOON_S):
        return await anext(events)


async def test_a_fragment_is_one_event_without_empty_lines():
    """An empty line would end the event half-way."""
    assert as_event("<p>1</p>\n\n<p>2</p>\n") == b"event: board\ndata: <p>1</p>\ndata: <p>2</p>\n\n"


async def test_a_watcher_gets_the_board_at_once_and_at_each_change():
    """Nobody looks at an empty page until something happens."""
    service = FakeService(version=0)
    live = Live(service, counting(), least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as events:
        assert b"<p>1</p>" in await first(events)
        service.show(service.shown)
        assert b"<p>2</p>" in await first(events)


async def test_a_quiet_board_is_sent_again_so_that_the_browser_knows_we_are_there():
    """The heartbeat is the board with its ages moved on."""
    live = Live(FakeService(version=0), counting(), least_s=0, heartbeat_s=0.001)
    async with aclosing(live.watch(SIGHT)) as events:
        assert [b"<p>%d</p>" % number in await first(events) for number in (1, 2, 3)] == [True] * 3


async def test_changes_in_quick_succession_are_rendered_once():
    """However many pumps report, the page is rendered at the pace of people."""
    service, rendered = FakeService(version=0), []
    at_rest, go_on = asyncio.Event(), asyncio.Event()

    async def render(_: Sight) -> str:
        rendered.append(service.version)
        if len(rendered) == 2:
            at_rest.set()
            await go_on.wait()
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as events:
        await first(events)
        service.show(service.shown)
        await asyncio.wait_for(at_rest.wait(), SOON_S)
        for _ in range(50):
            service.show(service.shown)
        go_on.set()
        await first(events)
        await first(events)
    assert rendered == [0, 1, 51]


async def test_all_watchers_share_one_rendering():
    """A hundred screens cost what one costs."""
    service, rendered = FakeService(version=0), 0

    async def render(_: Sight) -> str:
        nonlocal rendered
        rendered += 1
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as one, aclosing(live.watch(SIGHT)) as two:
        assert await first(one) == await first(two)
        assert (rendered, live.watchers) == (1, 2)


async def test_the_feed_ends_with_its_last_watcher_and_the_next_sees_nothing_old():
    """Nobody watching costs nothing; who comes later gets a fresh board."""
    live = Live(FakeService(version=0), counting(), least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as events:
        assert b"<p>1</p>" in await first(events)
    assert live.watchers == 0
    async with aclosing(live.watch(SIGHT)) as events:
        assert b"<p>2</p>" in await first(events)


@pytest.mark.hazard("H-66")
async def test_a_rendering_that_fails_ends_every_stream(caplog):
    """An old board over a living connection would lie; the next watcher tries anew."""
    service, broken = FakeService(version=0), False

    async def render(_: Sight) -> str:
        if broken:
            raise RuntimeError("a template is wrong")
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as events:
        await first(events)
        broken = True
        with caplog.at_level(logging.ERROR):
            service.show(service.shown)
            with pytest.raises(StopAsyncIteration):
                await first(events)
        broken = False
        async with aclosing(live.watch(SIGHT)) as again:
            assert b"data: x" in await first(again)
    assert "the board cannot be rendered" in caplog.text


async def test_who_sees_something_else_is_fed_by_another_feed():
    """A wall gets no buttons, a Chinese reader no English."""
    wall = Sight("wall", Locale.ZH_HANT, Role.KIOSK)

    async def render(sight: Sight) -> str:
        return f"{sight.view} {sight.locale}"

    live = Live(FakeService(version=0), render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT)) as one, aclosing(live.watch(wall)) as two:
        assert b"data: board en\n" in await first(one)
        assert b"data: wall zh-Hant\n" in await first(two)
        assert live.watchers == 2
    assert live._feeds == {}


async def test_packed_events_are_one_gzip_stream_wherever_it_begins():
    """Each event is compressed once for everybody; whoever comes late reads it as well as the first."""
    service = FakeService(version=0)
    live = Live(service, counting(), least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch(SIGHT, packed=True)) as early:
        unpack = zlib.decompressobj(wbits=31)
        assert unpack.decompress(await first(early)) == b""
        assert unpack.decompress(await first(early)) == b"event: board\ndata: <p>1</p>\ndata: <p>two</p>\n\n"
        service.show(service.shown)
        assert b"<p>2</p>" in unpack.decompress(await first(early))
        async with aclosing(live.watch(SIGHT, packed=True)) as late:
            unpack = zlib.decompressobj(wbits=31)
            assert b"<p>2</p>" in unpack.decompress(await first(late) + await first(late))


async def test_a_stream_ends_after_a_while_so_that_admission_is_asked_again(monkeypatch):
    """A session that was revoked does not watch for ever."""
    monkeypatch.setattr("gateway.console.live.STREAM_S", 0.0)
    live = Live(FakeService(version=0), counting(), least_s=0, heartbeat_s=0.001)
    async with aclosing(live.watch(SIGHT)) as events:
        with pytest.raises(StopAsyncIteration):
            await first(events)


async def test_there_is_a_limit_to_watchers():
    """More screens than a hospital has walls are a mistake somewhere."""
    live = Live(FakeService(), counting())
    live.watchers = WATCHERS_MAX
    with pytest.raises(TooManyWatchers, match="400 screens watch already; close one"):
        live.watch(SIGHT)


async def test_one_screen_too_many_is_a_503(opened):
    """The browser is told, and comes again by itself."""
    async with opened() as client:
        client._transport.app.state.live.watchers = WATCHERS_MAX
        answer = await client.get("/live")
    assert (answer.status_code, answer.json()["detail"]) == (503, "400 screens watch already; close one")


@asynccontextmanager
async def served(service: FakeService):
    """The API on a real socket; yields its address."""
    port = free_port()
    config = uvicorn.Config(create_api(service, token=TOKEN), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(SOON_S):
        while not server.started:
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_a_browser_hears_of_a_change_over_a_real_connection():
    """From a gateway's change to the fragment in the browser's hand."""
    service = FakeService()
    async with served(service) as url, httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client:
        async with client.stream("GET", f"{url}/live") as answer:
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            lines = answer.aiter_lines()
            assert await anext(lines) == "event: board"
            service.show(board(interrupted("P-099")))
            async with asyncio.timeout(SOON_S):
                async for line in lines:
                    if "P-099" in line:
                        break
        ready = await client.get(f"{url}/health/ready")
        assert json.loads(ready.text)["ready"] is True


async def test_all_sights_share_a_board(monkeypatch):
    """Roles, languages and views multiply; making the board keeps pages waiting, so that it is made once for all of them."""
    monkeypatch.setattr(board_page, "LOOK_S", 60.0)
    service, made = FakeService(), []
    board_of = service.board
    monkeypatch.setattr(service, "board", lambda: made.append(board_of()) or made[-1])
    look = board_page.Look(service)
    told = await asyncio.gather(*(look.now() for _ in range(12)))
    assert (len(made), {id(one) for one in told}) == (1, {id(told[0])})


async def test_a_shared_board_is_never_an_old_one(monkeypatch):
    """Whoever asks after a change is shown the change, also right after another board was made."""
    monkeypatch.setattr(board_page, "LOOK_S", 0.01)
    service = FakeService()
    look = board_page.Look(service)
    for name in ("P-1", "P-2", "P-3"):
        service.show(board(course(name)))
        told = await asyncio.gather(look.now(), look.now())
        assert {one.board.courses[0].course for one in told} == {name}


async def test_a_board_that_cannot_be_made_is_made_anew_for_the_next(monkeypatch):
    """A failure is nobody's board, and holds up nobody."""
    monkeypatch.setattr(board_page, "LOOK_S", 0.01)
    service = FakeService()
    look = board_page.Look(service)
    service.broken = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await look.now()
    service.broken = None
    assert (await look.now()).board.courses
