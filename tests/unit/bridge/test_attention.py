"""What the bridge notices in frames: that an alarm or delivery began or ended, and nothing more."""

import json
from typing import Any

import pytest

from gateway.bridge.attention import Attention, News
from gateway.bridge.frames import Frame
from gateway.bridge.intake import Intake, Served
from gateway.bridge.keeper import Keeper
from gateway.scenario.serial_pumps.bcc import Rack, SpacePump
from tests.support.bridge_parts import AT, LIMITS, seen

JSON = "raw/generic-json"


def body(**content: Any) -> bytes:
    """One object of a pump that speaks our JSON."""
    return json.dumps({"observed_at": AT} | content).encode()


def answer(rack: Rack, at: int) -> bytes:
    """What a rack answers to MEM:GET."""
    plain = b"\x0100022\x021/1/1>MEM:GET\x03"
    question = plain + b"%05d\x04" % (sum(plain) % 256)
    return rack.receive(question.replace(b"E", b"EE"), at)


def test_alarms_and_delivery_are_news_once():
    """Beginning, going on, ending; a lost beginning is caught by what goes on."""
    attention = Attention()
    told = [
        attention.news("p", JSON, content, seen(), None)
        for content in (
            body(delivery_status="delivering"),
            body(delivery_status="delivering"),
            body(alarm="occlusion", phase="continue"),
            body(alarm="occlusion", phase="continue"),
            body(alarm="occlusion", phase="start"),
            body(alarm="occlusion", phase="end"),
            body(alarm="occlusion", phase="end"),
            body(delivery_status="not-delivering"),
            body(power="battery"),
            body(power="battery", locked=True),
            body(event="bag-changed"),
            b"rubbish",
        )
    ]
    u, c, n, a = News.URGENT, News.CHANGED, News.NONE, News.ALARM
    assert told == [u, n, a, n, a, u, n, u, c, c, u, c]


def test_two_sources_beside_one_pump_do_not_contradict_each_other():
    """The scale's frames say nothing of the pump's own alarms."""
    attention = Attention()
    assert attention.news("p", JSON, body(alarm="other", phase="start"), seen(), None) is News.ALARM
    assert attention.news("p", "raw/relay-and-scale", b'{"relay":"idle"}', seen(), None) is News.NONE
    assert attention.news("p", JSON, body(alarm="other", phase="continue"), seen(), None) is News.NONE


async def test_polls_without_news_are_thinned_out_and_none_with_news_is(tmp_path: Any):
    """One frame a report, and one more at each change, at once."""
    now = [0]
    keeper, alarms = Keeper(tmp_path / "s.db", LIMITS), list[Frame]()
    rack = Rack({"11": SpacePump()}, started_at=0)

    class Stamps:
        def now(self) -> Any:
            return seen(AT + now[0], uptime_ms=now[0])

    intake = Intake(keeper, Stamps(), alarms.append)  # type: ignore[arg-type]
    served = Served("p", "raw/bbraun-bcc", "11", 30_000)
    for second in range(100):
        now[0] = second * 1_000
        if second in (45, 47):  # an alarm that shows for 2 s
            rack.pumps["11"].alarms ^= {12}
        intake.take(served, answer(rack, now[0]))
    await keeper.commit()
    kept = sorted(await keeper.take(100), key=lambda one: one.id)
    assert [one.seen.uptime_ms // 1_000 for one in kept] == [0, 29, 45, 47, 58, 87]
    assert [one.urgent for one in kept] == [True, False, True, True, False, False]
    assert [one.seen.uptime_ms for one in alarms] == [45_000]
    await keeper.close()


@pytest.mark.parametrize("noise", [b"", b"\x00\xff" * 50, b"\x01" * 300])
def test_the_virtual_rack_survives_noise_before_a_question(noise: bytes):
    """It answers the question and nothing else."""
    rack = Rack({"11": SpacePump()}, started_at=0)
    rack.receive(noise, 0)
    rack.receive(b"\x04", 0)
    assert answer(rack, 1_000).startswith(b"\x01")
