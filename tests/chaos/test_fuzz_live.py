"""Ten thousand broken payloads on every channel, through a real broker into the real gateway."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_adapters.bounds import MESSAGES_MAX, PAYLOAD_BYTES_MAX
from gateway.core.events import Heard
from gateway.domain.readings import Refusal
from gateway.runtime.ports import Kind, Record
from gateway.runtime.records import event_of
from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, GatewayProcess, gateway, post_to, records_of, until, ward
from tests.support.pouring import pour
from tests.support.web_hook import web_hook
from tests.unit.device_adapters.test_adapter_fuzz import VALID, mutated

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

A_CHANNEL = int(os.environ.get("DRIPWATCH_FUZZ_PAYLOADS", "10000"))
CHANNELS = (*sorted(VALID), "raw/unheard-of", "gossip")
DEVICES = 8
GROWTH_MAX_KIB = 16 * 1024  # of the resident memory, between two floods of 45,000 payloads that fill the same queues
DRAIN_S = 120.0


def flood(dice: random.Random, a_channel: int) -> Iterator[tuple[str, bytes]]:
    """So many payloads on every channel, mixed: mostly accidents of good ones, some noise, some hostile sizes."""
    for _ in range(a_channel):
        for channel in CHANNELS:
            yield f"dw/v1/{SITE}/pump-{dice.randrange(DEVICES):02d}/{channel}", payload(channel, dice)


def payload(channel: str, dice: random.Random) -> bytes:
    """One broken payload for this channel."""
    kind = dice.random()
    if kind < 0.75:
        return mutated(dice.choice(VALID.get(channel, VALID["telemetry"])), dice)
    if kind < 0.97:
        return dice.randbytes(dice.randrange(300))
    if kind < 0.999:
        return b"[" * dice.randrange(5_000)
    return dice.choice([b"[" + b"{}," * (MESSAGES_MAX + 1) + b"{}]", b" " * (PAYLOAD_BYTES_MAX + 1)])


def settled(running: GatewayProcess, published: int) -> int:
    """Return when so many messages have been judged, with the gateway's resident memory in KiB."""

    def judged() -> bool:
        numbers = running.health()["numbers"]
        return bool(numbers["judged_seq"] >= published and numbers["lag_records"] == 0)

    until(judged, f"{published} messages are judged", DRAIN_S)
    return running.resident_kib()


def outcomes(records: list[Record]) -> tuple[Counter[str], int]:
    """What becomes of these messages, decoded again: refusals by name, and how many messages gave a reading."""
    refusals: Counter[str] = Counter()
    read = 0
    for record in records:
        event = event_of(record)
        assert isinstance(event, Heard)
        assert event.decoded.readings or event.decoded.refused, f"record {record.seq} came to nothing"
        assert all((refused.reason, refused.where) != (Refusal.MALFORMED, "") for refused in event.decoded.refused), record.body
        refusals.update(refused.reason.value for refused in event.decoded.refused)
        read += bool(event.decoded.readings)
    return refusals, read


@pytest.mark.hazard("H-32")
async def test_a_flood_of_broken_payloads(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The gateway stays up, names the fate of every payload, keeps its memory, and hears the next alarm as ever."""
    dice = random.Random(20_261_122)
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"})
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "good-pump")
            first, pid = pour(broker.port, flood(dice, A_CHANNEL // 2)), running.pid
            after_first_kib = settled(running, first)
            second = pour(broker.port, flood(dice, A_CHANNEL - A_CHANNEL // 2))
            after_second_kib = settled(running, first + second)

            alarm = {"observed_at": time.time_ns() // 1_000_000, "alarm": "air-in-line", "phase": "start"}
            pour(broker.port, [(f"dw/v1/{SITE}/good-pump/alarm", json.dumps(alarm).encode())])
            until(lambda: any("P-017 HIGH" in body["message"] for _, body in hook.calls), "the page of a good alarm")
            assert running.health()["ready"]
            told: Counter[str] = Counter()
            for pump in running.ask("/pumps"):
                told.update(pump["refusals"])
            assert (running.pid, running.stop()) == (pid, 0)
        messages = await records_of(running.journal, [Kind.MESSAGE])

    assert len(messages) == first + second + 1 == A_CHANNEL * len(CHANNELS) + 1
    refusals, read = outcomes(messages)
    assert told.pop("diary-without-course") > 0  # decoding cannot know whose pump it was
    assert told == refusals
    with capsys.disabled():
        print(f"\n{len(messages)} payloads, {read} with a reading, refused: {dict(refusals.most_common())}")
        print(f"resident memory after the first half {after_first_kib} KiB, after the second {after_second_kib} KiB")
    assert after_second_kib - after_first_kib < GROWTH_MAX_KIB
