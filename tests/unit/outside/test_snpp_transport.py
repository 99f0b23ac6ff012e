"""What a paging terminal's answers mean, at which step. On the real one: tests/conformance."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.outside import snpp_transport
from gateway.outside.snpp_transport import TEXT_MAX, SnppTransport, shown
from gateway.runtime.ports import Accepted, Rejected, SendResult, Unknown
from tests.support.fake_transport import message
from tests.support.process import free_port
from tests.support.transport_subjects import snpp_settings
from tests.support.waiting import eventually

GOOD = ("220 ready", "250 pager", "250 message", "250 sent")


@contextlib.asynccontextmanager
async def terminal(*answers: str | None, heard: list[str] | None = None) -> AsyncIterator[SnppTransport]:
    """A terminal that gives these answers, the greeting first; None ends the connection, an empty one never comes."""
    stuck = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                if answer is None:
                    return
                if not answer:
                    await stuck.wait()
                writer.write(answer.encode() + b"\r\n")
                line = await reader.readline()
                if heard is not None and line:
                    heard.append(line.decode().strip())
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield SnppTransport(snpp_settings(server.sockets[0].getsockname()[1]), deadline_s=0.2)
        stuck.set()


@pytest.mark.parametrize(
    ("answers", "result"),
    [
        (GOOD, Accepted()),
        (("220 ready", "214 help\r\n250-more\r\n250 pager", "250 message", "960 queued"), Accepted()),
        (("421 busy",), Rejected("the paging terminal takes nothing at the moment (SNPP 421)", temporary=True)),
        (("220 ready", "550 no such pager"), Rejected("the paging terminal refused the page (SNPP 550)")),
        (("220 ready", "421 too many"), Rejected("the paging terminal takes nothing at the moment (SNPP 421)", temporary=True)),
        (("220 ready", "250 pager", "550 too long"), Rejected("the paging terminal refused the page (SNPP 550)")),
        (("220 ready", "250 pager", "552 full"), Rejected("the paging terminal refused the page (SNPP 552)")),
        ((*GOOD[:3], "554 failed"), Rejected("the paging terminal takes nothing at the moment (SNPP 554)", temporary=True)),
        ((*GOOD[:3], "550 no"), Rejected("the paging terminal refused the page (SNPP 550)")),
        ((None,), Rejected("the paging terminal cannot be reached (EOFError)", temporary=True)),
        (("220 ready", None), Rejected("the paging terminal cannot be reached (EOFError)", temporary=True)),
        (("HTTP/1.1 400 Bad Request",), Rejected("the paging terminal cannot be reached (ValueError)", temporary=True)),
        (("2" * 5_000,), Rejected("the paging terminal cannot be reached (ValueError)", temporary=True)),
        ((*GOOD[:3], None), Unknown("the connection failed after SEND (EOFError)")),
        ((*GOOD[:3], "what?"), Unknown("the connection failed after SEND (ValueError)")),
        ((*GOOD[:3], ""), Unknown("no answer within 0.2 s")),
    ],
)
async def test_what_an_answer_means(answers: tuple[str | None, ...], result: SendResult) -> None:
    """Before SEND nothing left; from SEND on only an answer tells. "No" to this pager or text is for good."""
    async with terminal(*answers) as transport:
        assert await transport.send(message("7001")) == result


async def test_a_terminal_that_hangs_before_send_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step has its own deadline; this page is tried again."""
    monkeypatch.setattr(snpp_transport, "STEP_S", 0.2)
    async with terminal("220 ready", "") as transport:
        words = "the paging terminal gave no answer within 0.2 s, before SEND"
        assert await transport.send(message("7001")) == Rejected(words, temporary=True)


async def test_a_text_cannot_give_commands() -> None:
    """Whatever ends a line is a space on the pager, and a pager's id is one word."""
    heard: list[str] = []
    async with terminal(*GOOD, "221 bye", heard=heard) as transport:
        assert await transport.send(message("7001", "stop\r\nPAGE 7002\nSEND\x85QUIT\u2028x")) == Accepted()
        for address in ("7001\r\nSEND", "7001 1234", "", "\uff17001", "7" * 65):
            assert await transport.send(message(address)) == Rejected("the address is not one pager")
    assert heard[:3] == ["PAGE 7001", "MESS stop PAGE 7002 SEND QUIT x", "SEND"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("P-017 HIGH:\n  since 08:15", "P-017 HIGH: since 08:15"),
        ("fièvre à 38.4 °C \u2013 «3 µg» ≥ 2\u00d7", "fievre a 38.4 deg C - ?3 ug? >= 2x"),
        ("Größe ⚠ 5 €", "Grosse ! 5 EUR"),
        ("P-017:輸液泵 08:15", "P-017:??? 08:15"),
        ("\x07\x1b[2Jx", "??[2Jx"),
        ("A" * 240, "A" * 240),
        ("A" * 241, "A" * 237 + "..."),
    ],
)
def test_what_a_pager_shows(text: str, line: str) -> None:
    """One line of ASCII, at most 240 characters; pseudonyms, times and codes survive every alphabet."""
    assert shown(text) == line
    assert len(shown(text)) <= TEXT_MAX


async def test_a_text_of_nothing_is_refused() -> None:
    """A terminal would refuse it too, in words that say less."""
    async with terminal(*GOOD) as transport:
        assert await transport.send(message("7001", " \n ")) == Rejected("nothing of the text can be shown on a pager")


async def test_a_probe_pages_nobody() -> None:
    """It listens to the greeting and says goodbye."""
    heard: list[str] = []
    async with terminal("220 ready", "221 bye", heard=heard) as transport:
        assert await transport.probe() is None
        await eventually(lambda: heard == ["QUIT"])
    async with terminal("421 closed for the night") as transport:
        assert str(await transport.probe()).endswith(
            "lets nobody page now: the paging terminal takes nothing at the moment (SNPP 421)"
        )
    port = free_port()
    said = str(await SnppTransport(snpp_settings(port)).probe())
    assert said.startswith(f"127.0.0.1:{port} does not answer as a paging terminal (ConnectionRefusedError); is it running")
