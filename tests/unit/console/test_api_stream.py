"""The stream for programs: what is told, what is told again to whom comes back, and who is told nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import httpx
import pytest

from gateway.console.changes import EVENTS_MAX, Changes
from gateway.console.problems import Trouble
from gateway.console.stream import WATCHERS_MAX, Stream
from gateway.core.board import Board, HistoryLine, IncidentLine
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState
from tests.support.fake_service import AT, FakeService, board, course, incident, interrupted


async def events(stream: Stream, last_id: str = "") -> AsyncIterator[tuple[str, str, dict]]:
    """(id, name, body) as they come."""
    async with aclosing(stream.watch(last_id)) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            fields = dict(line.split(": ", 1) for line in piece.decode().splitlines() if line)
            if "event" in fields:
                yield fields.get("id", ""), fields["event"], json.loads(fields["data"])


def noted(line: IncidentLine, text: str) -> IncidentLine:
    """The incident with one more line."""
    return replace(line, history=(*line.history, HistoryLine(AT, "note", "nurse-a", text)))


async def test_the_board_comes_first_and_then_what_changes():
    """A course, its incident's history line by line, and a course that is not watched any more."""
    service = FakeService(shown=board(course("P-017"), course("P-018")))
    async with aclosing(events(Stream(service, least_s=0.001))) as told:
        _, name, body = await anext(told)
        assert (name, [line["course"] for line in body["courses"]]) == ("board", ["P-017", "P-018"])
        service.show(board(interrupted("P-017"), course("P-018")))
        news = [await anext(told) for _ in range(3)]
        assert [(name, body.get("course", body.get("what"))) for _, name, body in news] == [
            ("course", "P-017"),
            ("incident", "opened"),
            ("incident", "note"),
        ]
        assert news[1][2]["key"] == "P-017@48213"
        service.show(board(interrupted("P-017")))
        assert (await anext(told))[1:] == ("course-gone", {"course": "P-018"})


async def test_time_alone_is_no_news():
    """Ages and forecasts move on without an event; a heartbeat says that the gateway is there."""
    service = FakeService(shown=board(interrupted("P-017", 72)))
    async with aclosing(events(Stream(service, least_s=0.001, heartbeat_s=0.01))) as told:
        await anext(told)
        grown = replace(service.shown.courses[0], current_ms=73 * MINUTE_MS, worst_ms=73 * MINUTE_MS)
        service.show(replace(service.shown, courses=(grown,), at=AT + MINUTE_MS))
        assert (await anext(told))[:2] == ("", "heartbeat")


async def test_who_comes_back_is_told_what_was_missed():
    """Also what happened while nobody watched at all; the last id says from where."""
    service = FakeService(shown=board(interrupted("P-017")))
    stream = Stream(service, least_s=0.001)
    async with aclosing(events(stream)) as told:
        (last, _, _) = await anext(told)
    line = noted(service.shown.courses[0].incidents[0], "while nobody watched")
    service.show(board(replace(service.shown.courses[0], incidents=(line,))))
    async with aclosing(events(stream, last)) as told:
        news = [await anext(told) for _ in range(2)]
    assert [(name, body.get("text")) for _, name, body in news] == [("course", None), ("incident", "while nobody watched")]
    async with aclosing(events(stream, news[0][0])) as told:
        assert await anext(told) == news[1]


@pytest.mark.parametrize("last", ["", "1-0", "nonsense", f"{AT}-99", f"{AT}--1", f"{AT}-" + "9" * 40])
async def test_an_id_that_is_none_of_ours_is_answered_with_the_board(last: str):
    """Of another start of the gateway, of the future, or no id at all."""
    async with aclosing(events(Stream(FakeService(), least_s=0.001), last)) as told:
        assert (await anext(told))[1] == "board"


async def test_an_incident_that_is_over_is_told_to_its_end():
    """It is on no board any more; its last line is told all the same."""
    service = FakeService(shown=board(interrupted("P-017")))
    over = replace(service.shown.courses[0].incidents[0], state=IncidentState.RESOLVED, closed_at=AT)
    over = replace(over, history=(*over.history, HistoryLine(AT, "resolved", "", "")))
    service.remembered = [over]
    async with aclosing(events(Stream(service, least_s=0.001))) as told:
        await anext(told)
        service.show(board(course("P-017")))
        news = [await anext(told) for _ in range(2)]
    assert [(name, body.get("what"), body.get("state")) for _, name, body in news][1] == ("incident", "resolved", "resolved")


async def test_there_is_a_limit_to_programs_that_watch_and_to_how_long():
    """One too many is told so at once; a stream ends by itself, and nothing goes on after the last."""
    stream = Stream(FakeService(), lasts_s=0.01, heartbeat_s=0.005)
    watching = [events(stream) for _ in range(WATCHERS_MAX)]
    for one in watching:
        await anext(one)
    with pytest.raises(Trouble, match="come back later"):
        stream.watch("")
    for one in watching:
        assert [name async for _, name, _ in one][-1:] in ([], ["heartbeat"])
    assert stream.watchers == 0
    await asyncio.sleep(0)
    assert not stream._is_looking()


async def test_a_board_that_cannot_be_made_ends_the_stream():
    """No program shows an old board over a living connection."""
    service = FakeService()
    async with aclosing(events(Stream(service, least_s=0.001))) as told:
        await anext(told)
        service.broken = RuntimeError("a bug")
        service.show(board())
        assert [name async for _, name, _ in told] == []


def test_who_missed_more_than_is_kept_is_told_the_whole_board():
    """The events that are kept are bounded."""
    changes = Changes(lambda _: None)
    boards: list[Board] = [board(course(f"P-{number}")) for number in range(3)]
    changes.look(boards[0])
    for number in range(EVENTS_MAX):
        changes.look(boards[1 + number % 2])
    assert changes.newest > EVENTS_MAX
    assert changes.since(0) is None
    assert len(changes.since(changes.newest - EVENTS_MAX) or ()) == EVENTS_MAX
    assert changes.since(changes.newest) == []


async def test_an_unkept_id_of_an_incident_tells_its_whole_history():
    """A history whose last told line was dropped is told from its beginning."""
    changes = Changes(lambda _: None)
    changes.look(board(course(incidents=(incident(),))))
    changes.look(board(course(incidents=(incident(history=(HistoryLine(AT, "note", "x", "y"),)),))))
    assert [change.name for change in changes.since(0) or ()] == ["course", "incident"]


async def test_the_stream_is_for_whoever_is_let_in(opened):
    """Without a token it is a 401, before anything is streamed."""
    async with opened(comes_from="192.0.2.7", url="http://gateway.example") as stranger:
        answer: httpx.Response = await stranger.get("/api/v1/stream")
    assert answer.status_code == 401
