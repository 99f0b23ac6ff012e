import asyncio
import json
import logging
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest
import uvicorn

from gateway.console.app import create_api
from gateway.console.live import WATCHERS_MAX, Live, TooManyWatchers, as_event
from tests.support.fake_service import TOKEN, FakeService, board, interrupted
from tests.support.process import free_port

SOON_S = 10.0


def counting():
    """A render that numbers its fragments."""
    count = 0

    async def render() -> str:
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
    async with aclosing(live.watch()) as events:
        assert b"<p>1</p>" in await first(events)
        service.show(service.shown)
        assert b"<p>2</p>" in await first(events)


async def test_a_quiet_board_is_sent_again_so_that_the_browser_knows_we_are_there():
    """The heartbeat is the board with its ages moved on."""
    live = Live(FakeService(version=0), counting(), least_s=0, heartbeat_s=0.001)
    async with aclosing(live.watch()) as events:
        assert [b"<p>%d</p>" % number in await first(events) for number in (1, 2, 3)] == [True] * 3


async def test_changes_in_quick_succession_are_rendered_once():
    """However many pumps report, the page is rendered at the pace of people."""
    service, rendered = FakeService(version=0), []
    at_rest, go_on = asyncio.Event(), asyncio.Event()

    async def render() -> str:
        rendered.append(service.version)
        if len(rendered) == 2:
            at_rest.set()
            await go_on.wait()
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch()) as events:
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

    async def render() -> str:
        nonlocal rendered
        rendered += 1
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch()) as one, aclosing(live.watch()) as two:
        assert await first(one) == await first(two)
        assert (rendered, live.watchers) == (1, 2)


async def test_the_feed_ends_with_its_last_watcher_and_the_next_sees_nothing_old():
    """Nobody watching costs nothing; who comes later gets a fresh board."""
    live = Live(FakeService(version=0), counting(), least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch()) as events:
        assert b"<p>1</p>" in await first(events)
    assert live.watchers == 0
    async with aclosing(live.watch()) as events:
        assert b"<p>2</p>" in await first(events)


async def test_a_rendering_that_fails_ends_every_stream(caplog):
    """An old board over a living connection would lie; the next watcher tries anew."""
    service, broken = FakeService(version=0), False

    async def render() -> str:
        if broken:
            raise RuntimeError("a template is wrong")
        return "x"

    live = Live(service, render, least_s=0, heartbeat_s=SOON_S * 10)
    async with aclosing(live.watch()) as events:
        await first(events)
        broken = True
        with caplog.at_level(logging.ERROR):
            service.show(service.shown)
            with pytest.raises(StopAsyncIteration):
                await first(events)
        broken = False
        async with aclosing(live.watch()) as again:
            assert b"data: x" in await first(again)
    assert "the status page cannot be rendered" in caplog.text


async def test_there_is_a_limit_to_watchers():
    """More screens than a hospital has walls are a mistake somewhere."""
    live = Live(FakeService(), counting())
    live.watchers = WATCHERS_MAX
    with pytest.raises(TooManyWatchers, match="100 screens watch already; close one"):
        live.watch()


async def test_one_screen_too_many_is_a_503(opened):
    """The browser is told, and comes again by itself."""
    async with opened() as client:
        client._transport.app.state.live.watchers = WATCHERS_MAX
        answer = await client.get("/live")
    assert (answer.status_code, answer.json()["detail"]) == (503, "100 screens watch already; close one")


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
