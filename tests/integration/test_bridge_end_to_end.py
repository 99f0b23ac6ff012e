"""From a pump's cable to a nurse's phone: virtual rack on a pty, bridge, mosquitto, gateway, Kannel; cuts and kills between."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from device_adapters.envelope import opened
from gateway.runtime.ports import Kind, Record
from gateway.scenario.serial_pumps.bcc import SpacePump
from tests.support.bridge_process import BridgeProcess, bridge_file
from tests.support.brokers import mosquitto
from tests.support.gateway_process import GatewayProcess, gateway, records_of, until, ward
from tests.support.kannel import SENDER, kannel
from tests.support.virtual_rack import RackOnPty, rack_on_pty

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

NURSE, ENGINEER = "85290000001", "85290000002"
AIR, PUMP = 15, "pump-017"
CUT_POLLS = 40  # twenty minutes without the network, at a poll a second instead of one in 30 s


@pytest.mark.hazard("H-35")
async def test_an_alarm_on_a_cable_pages_once_through_a_cut_and_a_kill(tmp_path: Path):
    """The network is away for forty polls; amid them the pump alarms and the bridge is killed: one page, nothing lost."""
    with mosquitto(tmp_path / "broker") as broker, kannel(tmp_path / "kannel") as centre, rack_on_pty(slot_11=pump()) as rack:
        file = ward(broker.port, {}, {"sms": NURSE})
        file["transports"] = {"sms": sms(centre.url)}
        file["people"]["engineer"]["contacts"] = [{"sms": ENGINEER}]
        bridge = BridgeProcess(tmp_path / "bridge", bridge_of(broker.port, rack.port))
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", PUMP)
            try:
                bridge.start()
                until(lambda: delivering(running), "the gateway sees the pump deliver")
                broker.stop()
                gone_at = now()
                polled(rack, CUT_POLLS // 2 - 4)
                rack.raise_alarm("11", AIR)
                polled(rack, 4)
                bridge.kill()
                bridge.start()
                polled(rack, CUT_POLLS // 2)
                back_at = now()
                broker.start()
                pages = until(lambda: centre.arrived, "the page is at the centre")
                assert pages[0][0] == NURSE
                assert re.match(r"P-017 HIGH: .*air in line since", pages[0][1])
                rack.clear("11")
                until(lambda: delivering(running), "the gateway sees it deliver again")
            finally:
                bridge.stop()
            assert [to for to, _ in centre.arrived].count(NURSE) == 1
            sent = [stamp(record) for record in await records_of(running.journal, [Kind.MESSAGE]) if "/raw/" in record.topic]
    numbers = sorted({number for number, _, _ in sent})
    assert numbers == list(range(1, len(numbers) + 1)), "a number is missing"
    assert len({boot for _, boot, _ in sent}) == 1, "one numbering, also after the kill"
    seen = dict(sorted((number, observed) for number, _, (observed, _) in sent))
    assert [*seen.values()] == sorted(seen.values()), "the clock runs on, also through the kill"
    assert all(observed <= received for _, _, (observed, received) in sent)
    missed = [observed for observed in seen.values() if gone_at < observed < back_at]
    assert len(missed) >= CUT_POLLS // 4, "what was seen without the network has the time at which it was seen"


def pump() -> SpacePump:
    """A bag that runs."""
    return SpacePump(rate_ml_h=0.6, infused_ml=12.0)


def bridge_of(broker: int, port: str) -> dict[str, Any]:
    """A bridge with this one cable; it asks every second and reports every two."""
    line = {"adapter": "bbraun-bcc", "serial": {"port": port}, "slots": {"11": PUMP}, "poll": "1s", "report": "2s"}
    return bridge_file(broker, lines=[line])


def sms(url: str) -> dict[str, Any]:
    """The ward's transport for this Kannel."""
    return {"kind": "kannel", "url": url, "username": "gw", "password": "secret", "sender": SENDER}


def now() -> int:
    """The machine's clock, in ms, by which the bridge stamps."""
    return time.time_ns() // 1_000_000


def delivering(running: GatewayProcess) -> bool:
    """Whether the gateway judges the course so."""
    return any(course["state"] == "delivering" for course in running.ask("/courses"))


def polled(rack: RackOnPty, times: int) -> None:
    """Wait until the bridge has asked so many times more: what it heard before that is durable."""
    enough = rack.questions + times
    until(lambda: rack.questions >= enough, "the bridge asks the pump")


def stamp(record: Record) -> tuple[int, str, tuple[int, int]]:
    """(number, numbering, (seen, received)) of a raw frame in the journal; times in ms."""
    found = opened(record.body)
    assert isinstance(found, tuple)
    sent = found[0]
    assert sent is not None
    assert sent.seq is not None
    assert sent.boot is not None
    return sent.seq, sent.boot, (sent.observed_at, record.received_at)
