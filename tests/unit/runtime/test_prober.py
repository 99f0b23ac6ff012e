"""The gateway's own test in virtual time: every hop, every failure, and who hears of it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.core.synthetic import PROTOCOL, SYNTHETIC
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.runtime.gateway import Gateway, Parts
from gateway.runtime.ports import Incoming, Rejected
from gateway.runtime.prober import NoSynthetic
from gateway.runtime.probing import MISSED, Hop
from rules.loader import shipped_text
from tests.support.forwarding import settle
from tests.support.histories import WARD
from tests.support.runtime_world import World

TESTER = "8529"
TEST = {"pump": "test-pump", "page": "tester", "within": "2m", "every": "30m"}


@dataclass
class Range(World):
    """A ward with a synthetic pump; `published` is what it said, `pings` counts the pings outside, `broken` fails them."""

    published: list[tuple[str, bytes]] = field(default_factory=list)
    pings: int = 0
    broken: set[str] = field(default_factory=set)
    deaf: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.protocols[PROTOCOL] = shipped_text(PROTOCOL) or ""
        people = {**WARD["people"], "tester": {"contacts": [{"sms": TESTER}]}}
        self.ward = {"people": people, "synthetic": TEST, **self.ward}

    def parts(self) -> Parts:
        """With a way to publish and a switch outside."""
        return replace(super().parts(), publish=self.publish, ping=self.ping)

    async def publish(self, topic: str, payload: bytes) -> None:
        """The broker takes it, and the gateway hears it unless it is deaf."""
        if "broker" in self.broken:
            raise ConnectionError("the broker does not answer")
        self.published.append((topic, payload))
        if not self.deaf:
            self.source.say(Incoming(topic, payload, ticket=None))

    async def ping(self) -> None:
        """The switch outside."""
        if "switch" in self.broken:
            raise ConnectionError("it answers with 500")
        self.pings += 1

    @contextlib.asynccontextmanager
    async def ready(self) -> AsyncIterator[Gateway]:
        """The gateway runs, with P-1 on pump-1."""
        async with self.running() as gateway:
            await self.enrol(gateway, "P-1")
            yield gateway

    async def live(self, by_ms: int) -> None:
        """Time passes."""
        await self.clock.move(by_ms)
        await settle()

    async def take(self, gateway: Gateway) -> None:
        """The test recipient replies with the code of the newest page."""
        text = next(m.text for m in reversed(self.transports["sms"].sent) if m.address == TESTER and "Reply" in m.text)
        await gateway.reply("sms", TESTER, text.split("Reply ")[1].split(" ")[0])
        await settle()

    def told_fallback(self) -> list[str]:
        """What the emergency path said of the test."""
        return [m.text for m in self.transports["sms"].asked if m.key.startswith("emergency")]


@pytest.mark.hazard("H-39")
async def test_the_schedule_runs_it_and_only_an_answer_pings_outside():
    """Every half hour, counted from midnight UTC: a page; the switch outside hears of it after the answer, not before."""
    world = Range()
    async with world.ready() as gateway:
        assert gateway.probe_report() is None
        await world.live(30 * MINUTE_MS)  # 08:00 in Hong Kong is midnight UTC
        assert [m.address for m in world.transports["sms"].sent if SYNTHETIC in m.text] == [TESTER]
        assert world.pings == 0
        await world.take(gateway)
        await world.live(SECOND_MS)
        report = gateway.probe_report()
        assert report is not None
        assert ([line.hop for line in report.hops], report.finished, report.failed) == (list(Hop), True, None)
        assert world.pings == 1
        assert world.told_fallback() == []
        await world.live(30 * MINUTE_MS)
        assert sum("Reply" in m.text for m in world.transports["sms"].sent if m.address == TESTER) == 2


async def test_a_restart_brings_no_test_of_its_own():
    """The grid decides, not the start."""
    world = Range()
    async with world.ready():
        await world.live(10 * MINUTE_MS)
    async with world.running():
        await world.live(10 * MINUTE_MS)
    assert world.published == []


@pytest.mark.parametrize(
    ("what", "hop"),
    [
        ("broker", Hop.PUBLISHED),
        ("deaf", Hop.JOURNALLED),
        ("rule", Hop.PLANNED),
        ("hang", Hop.ACCEPTED),
        ("refused", Hop.ACCEPTED),
        ("nobody", Hop.ACKNOWLEDGED),
    ],
)
async def test_each_failure_is_named_found_and_paged_and_the_switch_hears_nothing(what: str, hop: Hop):
    """The fallback is told past all the hops; a later test that is passed says so."""
    world = Range()
    if what == "rule":
        world.ward = {**world.ward, "rules": {"synthetic-alarm": {"hold": "1h"}}}
    async with world.ready() as gateway:
        world.broken, world.deaf = {what}, what == "deaf"
        if what in ("hang", "refused"):
            world.transports["sms"].script[TESTER] = None if what == "hang" else Rejected("no such number")
        await world.live(30 * MINUTE_MS + 5 * MINUTE_MS)
        report = gateway.probe_report()
        assert report is not None
        assert (report.failed, report.finished, world.pings) == (hop, True, 0)
        assert any(MISSED[hop] in finding for finding in gateway.health().findings)
        assert gateway.health().ready
        assert len(world.told_fallback()) == 1
        assert MISSED[hop] in world.told_fallback()[0]


async def test_after_a_failure_the_next_test_starts_clean_and_says_that_it_is_passed():
    """What the failed one left behind is cleared away first."""
    world = Range()
    async with world.ready() as gateway:
        await world.live(30 * MINUTE_MS + 5 * MINUTE_MS)
        assert "nobody took it" in world.told_fallback()[0]
        await world.live(30 * MINUTE_MS - 5 * MINUTE_MS)
        await world.take(gateway)
        await world.live(SECOND_MS)
        report = gateway.probe_report()
        assert report is not None
        assert (report.number, report.failed, world.pings) == (2, None, 1)
        assert world.told_fallback()[1:] == ["Dripwatch: the gateway's own test is passed again."]
        assert not any("own test" in finding for finding in gateway.health().findings)


async def test_a_switch_that_cannot_be_told_is_a_failure_too():
    """Everything inside works, but nobody outside would know when it stops."""
    world = Range(broken={"switch"})
    async with world.ready() as gateway:
        await world.live(30 * MINUTE_MS)
        await world.take(gateway)
        await world.live(SECOND_MS)
        assert "dead man's switch could not be told: it answers with 500" in world.told_fallback()[0]


async def test_a_test_that_somebody_asks_for_pages_no_fallback():
    """Whoever asked stands there; the finding stays until one is passed. Asked twice, it runs once."""
    world = Range()
    async with world.ready() as gateway:
        number = gateway.probe()
        await settle()
        assert gateway.probe() == number
        await world.live(10 * MINUTE_MS)
        report = gateway.probe_report()
        assert report is not None
        assert (report.number, report.failed) == (number, Hop.ACKNOWLEDGED)
        assert world.told_fallback() == []
        assert any("nobody took it" in finding for finding in gateway.health().findings)
        assert len(world.published) == 2  # its alarm, and that alarm's end


async def test_patients_alarms_meanwhile_go_their_own_way():
    """The nurse is paged as ever, and the test neither delays nor answers it."""
    world = Range()
    async with world.ready() as gateway:
        gateway.probe()
        await settle()
        await world.alarm()
        await world.take(gateway)
        await world.live(SECOND_MS)
        assert world.pings == 1
        assert len(world.asked("P-1@")) == 1
        assert gateway.incidents()[0].holder == ""
        assert [line.subject for line in gateway.incidents()] == ["P-1"]
        assert SYNTHETIC in world.transports["sms"].sent[0].text


async def test_without_a_synthetic_pump_nobody_can_ask():
    """It says what to do."""
    world = World()
    async with world.running() as gateway:
        with pytest.raises(NoSynthetic, match=r"docs/watching\.md"):
            gateway.probe()


async def test_the_heartbeat_says_that_the_gateway_lives_and_how_it_is():
    """Every ten seconds, retained."""
    world: Any = World()
    async with world.running() as gateway:
        topic = "dwack/ward/gateway"
        first = world.source.kept[topic]
        assert b'"ready":false' in first
        await world.enrol(gateway)
        await world.clock.move(10 * SECOND_MS)
        await settle()
        assert b'"ready":true' in world.source.kept[topic]
