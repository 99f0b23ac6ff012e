"""HL7 into a real gateway: an alarm pages once however often it is sent, kill -9 loses none, no name gets beyond the journal."""

import asyncio
import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.runtime.ports import Kind
from tests.support.brokers import Broker, mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, post_to, records_of, ward
from tests.support.mllp import sender
from tests.support.process import free_port
from tests.support.waiting import eventually
from tests.support.web_hook import WebHook, web_hook
from tests.unit.device_adapters import hl7_encoder as hl7

pytestmark = pytest.mark.servers

EUI = "0012210000000001"
NAME = "Zxqjkv"  # stands wherever a name could stand


@dataclass(frozen=True, slots=True)
class House:
    """A gateway with an HL7 port; P-017 is on pump-01, which calls itself LVP-P6013 and, in alarms, P6013."""

    gateway: GatewayProcess
    hook: WebHook
    port: int

    def pages(self) -> list[str]:
        """What was paged about the course."""
        return [text for text in map(str, self.hook.calls) if "P-017" in text]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """All of it for one test."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        port = free_port()
        file = with_port(broker, hook, port)
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            yield House(running, hook, port)


def with_port(broker: Broker, hook: WebHook, port: int) -> dict:
    """A ward file with `mllp`."""
    file = ward(broker.port, {"hook": post_to(hook.port)}, {"hook": "nurse-a"})
    return file | {"mllp": {"listen": f"127.0.0.1:{port}", "devices": {"pump-01": ["LVP-P6013", "P6013", EUI]}}}


def moment() -> str:
    """Now, as HL7 writes it."""
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())


def occlusion(at: str, *, phase: str = "start") -> bytes:
    """An alarm with a name in every segment and field that may hold one."""
    person = f"{NAME}^{NAME}^^^^^L"
    text = f"{hl7.OCCLUSION}^^^^^^Call {NAME}"
    return hl7.wire(
        hl7.msh("ORU^R40^ORU_R40", time=at),
        f"PID|||{NAME}7^^^H^PI||{person}|{person}|19610301|F|||{NAME} Road 1||555^{NAME}",
        f"NK1|1|{person}|SPO|{NAME} Road 1",
        f"PV1||I|{NAME} Ward^1||||77^{person}",
        f"OBR|1||77^GW|{hl7.ALARM}|||{at}|||{person}||||||8^{person}",
        *hl7.alarm(text, [(hl7.PHASE, phase), (hl7.STATE, "active"), (hl7.PRIORITY, "PH")], equipment=f"P6013^^{EUI}^EUI-64"),
        hl7.obx(hl7.DRUG, NAME),
        f"NTE|1||{NAME} is asleep",
        f"PRT|1|UC||RO|{person}",
    )


async def sent_until_kept(port: int, message: bytes) -> None:
    """What every sender does: send again until AA."""
    while True:
        try:
            async with sender(port) as pump, asyncio.timeout(5):
                if (await pump.ask(message))[0] == "AA":
                    return
        except (OSError, EOFError):
            await asyncio.sleep(0.05)


async def test_an_alarm_pages_once_and_nobody_is_named(house: House):
    """Sent three times over two connections; the name is in the journal's raw bytes and nowhere else."""
    alarm = occlusion(moment())
    for _ in range(2):
        async with sender(house.port) as pump:
            assert (await pump.ask(alarm))[0] == "AA"
            stranger = alarm.replace(b"P6013", b"P9999").replace(EUI.encode(), b"0012219999999999")
            code, _, why = await pump.ask(stranger)
            assert (code, "p9999" in why) == ("AE", True)
    await sent_until_kept(house.port, alarm)
    await eventually(lambda: bool(house.pages()))
    await eventually(lambda: house.gateway.health()["numbers"]["lag_records"] == 0)
    assert len(house.pages()) == 1
    records = [record for record in await records_of(house.gateway.journal, [Kind.MESSAGE]) if record.device == "pump-01"]
    assert [record.topic for record in records] == [f"dw/v1/{SITE}/pump-01/raw/ihe-pcd"] * 3
    assert NAME.encode() in records[0].body
    assert any("p9999" in finding for finding in house.gateway.health()["findings"])
    for said in outputs(house):
        assert NAME.lower() not in said.lower()


def outputs(house: House) -> Iterator[str]:
    """Everything that a person or a machine can get out of the gateway, and all that it wrote but the journal's messages."""
    running = house.gateway
    yield running.log
    yield json.dumps(house.hook.calls, default=str)
    yield json.dumps(running.health())
    yield running.client.get("/metrics").text
    for path in ("/board", "/pumps", "/pumps/pump-01", "/courses", "/courses/P-017", "/incidents", "/pages"):
        yield json.dumps(running.ask(path))
    with contextlib.closing(sqlite3.connect(f"file:{running.journal}?mode=ro", uri=True)) as journal:
        tables = [name for (name,) in journal.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in journal.execute(f"select * from {table}"):  # noqa: S608  its own tables' names
                if "message" not in row:
                    yield str(row)


async def test_kill_between_frame_and_answer_loses_nothing(house: House):
    """Killed at once after the frame was sent, at many moments: the sender repeats, and there is one incident and one page."""
    alarm = occlusion(moment())
    for wait_s in (0.0, 0.001, 0.004):
        async with sender(house.port) as pump:
            await pump.send(alarm)
            await asyncio.sleep(wait_s)
            house.gateway.kill()
        house.gateway.start()
    await sent_until_kept(house.port, alarm)
    await eventually(lambda: bool(house.pages()))
    assert len(house.gateway.ask("/incidents")) == 1


async def test_a_thousand_connections_leave_room_for_an_alarm(house: House):
    """A sender that was there goes on, memory stays bounded, and nothing of the rest of the gateway waits."""
    before_kib = house.gateway.resident_kib()
    async with sender(house.port) as pump:
        assert (await pump.ask(occlusion(moment())))[0] == "AA"
        with contextlib.ExitStack() as crowd:
            for _ in range(900):
                one = crowd.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=10))
                with contextlib.suppress(ConnectionError):  # turned away already
                    one.sendall(b"\x0bMSH|")
            assert (await pump.ask(occlusion(moment(), phase="continue")))[0] == "AA"
            assert await asyncio.to_thread(house.gateway.is_ready)
            await eventually(lambda: bool(house.pages()))
            assert house.gateway.resident_kib() - before_kib < 64 * 1024
