"""The HL7 port on real sockets: what is answered, when, and what a bad sender costs."""

import asyncio
import re
import socket
import ssl

import pytest
import trustme

from device_adapters.ihe_pcd_identity import normal
from gateway.config.settings import TlsSettings
from gateway.outside import mllp_source
from tests.support.mllp import SITE, accepts, listening, sender, wrapped
from tests.support.waiting import eventually
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import alarm_message, obx, status_message, wire

EUI = "0012210000000001"
DEVICES = {normal(EUI): "pump-01", normal("P6013"): "pump-01", normal("P6014"): "pump-02", normal("RACK"): "pump-03"}
ALARM = alarm_message(equipment=f"P6013^^{EUI}^EUI-64")
NAMELESS = alarm_message()
TOPIC = f"dw/v1/{SITE}/pump-01/raw/ihe-pcd"


async def test_kept_then_answered():
    """AA with the sender's control id, when the journal has the bytes as they came; no name of a patient in it."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        await pump.send(ALARM)
        header, answer = await pump.answer()
        assert answer == ["MSA", "AA", "id1"]
        assert header[2:6] == ["DRIPWATCH", SITE, "GW^0011^EUI-64", ""]
        assert (header[8], header[10:]) == ("ACK^R40^ACK", ["P", "2.6"])
        assert [(item.topic, item.payload) for item in port.kept] == [(TOPIC, ALARM)]


async def test_nothing_is_answered_before_it_is_kept(monkeypatch: pytest.MonkeyPatch):
    """While the journal takes nothing there is no AA; after a while AR, and when it takes again the same message has AA."""
    monkeypatch.setattr(mllp_source, "KEEP_S", 0.2)
    async with listening(DEVICES) as port, sender(port.number) as pump:
        port.keeps.clear()
        assert await pump.ask(ALARM) == ("AR", "id1", "not kept yet; send it again")
        assert port.kept == []
        port.keeps.set()
        assert await pump.ask(ALARM) == ("AA", "id1")


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
async def test_pieces_of_any_size(piece: int):
    """A byte at a time or three messages at once: each has its answer, in order."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        await pump.send(ALARM, status_message(obx(hl7.SYS_ID, EUI)), NAMELESS, piece=piece)
        assert [(await pump.answer())[1][1] for _ in range(3)] == ["AA", "AA", "AE"]
        assert len(port.kept) == 2


@pytest.mark.parametrize(
    ("message", "code", "why"),
    [
        (NAMELESS, "AE", "names that are no pump's: gw, 0011; add them to mllp.devices"),
        (alarm_message(equipment="P9999^^0012219999999999^EUI-64"), "AE", "names that are no pump's: p9999, 0012219999999999"),
        (status_message(hl7.device(equipment="P6013"), hl7.device(equipment="P6014")), "AE", "several pumps: pump-01, pump-02"),
        (wire(hl7.msh("ADT^A01"), hl7.pid()), "AR", "ORU is read"),
        (ALARM + ALARM, "AR", "several messages in one frame"),
        (b"GET / HTTP/1.1", "AR", "unknown-message: an HL7 message begins with MSH"),
    ],
)
async def test_what_is_refused_says_why(message: bytes, code: str, why: str):
    """By name to the sender, once among the findings however often it comes, and never into the journal."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        for _ in range(3):
            answer = await pump.ask(message)
            assert answer[0] == code
            assert why in answer[2]
        assert len(port.noted) == 1
        assert why in str(port.noted)
        assert port.kept == []
        assert not re.search("Testperson|Nobody", f"{answer}{port.noted}")


async def test_findings_are_bounded():
    """A sender that invents a name each time does not fill the findings."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        for number in range(40):
            await pump.ask(alarm_message(equipment=f"X{number:04}"))
        assert len(port.noted) == mllp_source.TOLD_MAX + 1
        assert "more senders than are told" in str(port.noted)


async def test_an_answer_is_not_answered():
    """Two that answer everything would never end; and bytes outside of frames are nobody's message."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        pump.writer.write(b"noise" + wrapped(wire(hl7.msh("ACK^R40^ACK"), "MSA|AA|1")) + wrapped(b""))
        assert await pump.ask(ALARM) == ("AA", "id1")


async def test_a_message_too_large_is_refused_and_the_next_is_read():
    """Its rest is passed over."""
    async with listening(DEVICES) as port, sender(port.number) as pump:
        await pump.send(b"MSH|" + b"x" * 300_000, ALARM)
        assert [(await pump.answer())[1][1] for _ in range(2)] == ["AR", "AA"]


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """The first are served, the rest are closed at once, and who was served goes on being served."""
    monkeypatch.setattr(mllp_source, "CONNECTIONS_MAX", 20)
    async with listening(DEVICES) as port, sender(port.number) as pump:
        assert await pump.ask(ALARM) == ("AA", "id1")
        opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port.number) for _ in range(200)))
        await eventually(lambda: sum(ended(reader) for reader, _ in opened) == 200 - 19)
        assert port.source.connections == 20
        assert await pump.ask(ALARM) == ("AA", "id1")
        assert "turned away" in str(port.noted)
        for _, writer in opened:
            writer.transport.abort()


def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed it."""
    return reader.at_eof() or reader.exception() is not None


@pytest.mark.parametrize("dribble", [b"x", b"\x0b", b"\x0b\x1c", b""])
async def test_who_never_comes_to_an_end_is_closed(dribble: bytes, monkeypatch: pytest.MonkeyPatch):
    """A byte now and then, or nothing at all, holds a connection no longer than a message may take."""
    monkeypatch.setattr(mllp_source, "MESSAGE_S", 0.5)
    async with listening(DEVICES) as port, sender(port.number) as pump:

        async def drip() -> None:
            while dribble:
                pump.writer.write(dribble)
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        await pump.closed()
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        async with sender(port.number) as other:
            assert await other.ask(ALARM) == ("AA", "id1")


async def test_too_much_in_hand_is_refused(monkeypatch: pytest.MonkeyPatch):
    """While the journal hangs, what does not fit any more is sent back at once; nothing is forgotten of what fitted."""
    monkeypatch.setattr(mllp_source, "IN_HAND_BYTES_MAX", len(ALARM) + 10)
    async with listening(DEVICES) as port, sender(port.number) as pump, sender(port.number) as other:
        port.keeps.clear()
        await pump.send(ALARM)
        while await other.ask(ALARM) != ("AR", "id1", "no room now; send it again"):
            pytest.fail("there was room")
        port.keeps.set()
        assert (await pump.answer())[1][1] == "AA"
        assert await other.ask(ALARM) == ("AA", "id1")


async def test_a_sender_that_takes_no_answers_is_left(monkeypatch: pytest.MonkeyPatch):
    """It sends on and reads nothing: its connection ends, the others' go on."""
    monkeypatch.setattr(mllp_source, "SEND_S", 0.3)
    async with listening(DEVICES) as port, sender(port.number) as other:
        assert await other.ask(ALARM) == ("AA", "id1")
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port.number))
            deaf.setblocking(False)  # noqa: FBT003  the library's own
            await eventually(lambda: port.source.connections == 2)
            with pytest.raises(ConnectionError):
                await flood(deaf)
        await eventually(lambda: port.source.connections == 1)
        assert await other.ask(ALARM) == ("AA", "id1")


async def flood(deaf: socket.socket) -> None:
    """Messages without end, and never a look at the answers."""
    while True:
        await asyncio.get_running_loop().sock_sendall(deaf, wrapped(b"MSH|") * 100)


async def test_tls_with_certificates_on_both_sides(tmp_path):
    """With `ca` only a sender with a certificate of that authority is heard."""
    authority, other = trustme.CA(), trustme.CA()
    paths = [tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")]
    server = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(paths[0])
    server.cert_chain_pems[0].write_to_path(paths[1])
    server.private_key_pem.write_to_path(paths[2])

    def client(issuer: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        issuer.issue_cert("rack").configure_cert(context)
        return context

    async with listening(DEVICES, tls=TlsSettings(*paths)) as port:
        async with sender(port.number, client(authority)) as rack:
            assert await rack.ask(ALARM) == ("AA", "id1")
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            async with sender(port.number, client(other)) as stranger:
                await stranger.ask(ALARM)
        async with sender(port.number) as plain:
            plain.writer.write(wrapped(ALARM))
            assert b"MSA|AA" not in await plain.closed()
        assert len(port.kept) == 1


async def test_a_port_that_is_taken_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    """It says so, tries again, and the finding ends when it listens."""
    monkeypatch.setattr(mllp_source, "LISTEN_AGAIN_S", 0.05)
    async with listening(DEVICES) as port:
        second = mllp_source.MllpSource(port.source._settings, SITE, port.source._clock, noted := {})
        running = asyncio.create_task(second.run())
        async with asyncio.timeout(20):
            while mllp_source.PORT not in noted:
                await asyncio.sleep(0.01)
        assert f"no HL7 is heard on 127.0.0.1:{port.number}: " in noted[mllp_source.PORT]
    async with asyncio.timeout(20):
        while mllp_source.PORT in noted:
            await asyncio.sleep(0.01)
    await accepts(port.number)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
