"""What the gateway says of the ward every 5 min, and of its transports every minute."""

from gateway.core.state import Interruption
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Page, Point
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.words import Priority, WhyPaged
from gateway.runtime.points import line_of
from gateway.runtime.standings import EVERY_MS, SLICE, TOLD_AFTER_END_MS, Standings
from tests.support.forwarding import ScriptedSink, settle
from tests.support.runtime_world import World
from tests.unit.core.world import World as Core
from tests.unit.core.world import minutes


def page(course: str, why: WhyPaged = WhyPaged.OPENED) -> Page:
    """One page about a course."""
    return Page(
        key=f"{course}@1/r1/nurse-a/0",
        incident=f"{course}@1",
        course=course,
        person="nurse-a",
        transport="sms",
        address="1",
        priority=Priority.HIGH,
        why=why,
        about=("fever",),
        text="",
        code="4711",
        decided_at=minutes(1),
    )


async def said(standings: Standings, world: Core, at: float) -> list[Point]:
    """All points of one time."""
    return [point async for slice_ in standings.points(world.monitor.state, minutes(at)) for point in slice_]


def courses(points: list[Point]) -> dict[str, dict]:
    """The fields of `course` points, by course."""
    return {dict(one.tags)["course"]: dict(one.fields) for one in points if one.measurement == "course"}


async def test_it_is_said_every_five_minutes():
    """Not sooner; and each time stands for what passed since the last one."""
    world, standings = Core(), Standings()
    world.enrol(0)
    assert courses(await said(standings, world, 2))["P-017"]["watched_s"] == 120
    assert await said(standings, world, 6.9) == []
    assert courses(await said(standings, world, 7.5))["P-017"]["watched_s"] == 5.5 * 60


async def test_a_gateway_that_starts_claims_no_more_than_its_own_time():
    """A course that has long been enrolled is not watched for all that time at once."""
    world, standings = Core(), Standings()
    world.enrol(0)
    assert courses(await said(standings, world, 600))["P-017"]["watched_s"] * 1_000 == EVERY_MS


async def test_pages_are_counted_once():
    """Those about the course, and none that says that all is well again."""
    world, standings = Core(), Standings()
    world.enrol(0)
    standings.note_effects([page("P-017"), page("P-017", WhyPaged.RESOLVED), page("")])
    assert courses(await said(standings, world, 5))["P-017"]["pages"] == 1
    assert courses(await said(standings, world, 10))["P-017"]["pages"] == 0


async def test_what_did_not_change_is_not_said_again():
    """An interruption that is over is told once; after a restart once more, which changes nothing in the store."""
    world, standings = Core(), Standings()
    world.enrol(0)
    world.runs(0, 3)
    world.course().delivery.interruptions = []
    first = await said(standings, world, 5)
    assert not [one for one in first if one.measurement == "interruption"]
    world.course().delivery.interruptions = [Interruption(minutes(1), minutes(2), "user", estimated=False)]
    for at, count in ((10, 1), (15, 0)):
        assert len([one for one in await said(standings, world, at) if one.measurement == "interruption"]) == count
    assert len([one for one in await said(Standings(), world, 15) if one.measurement == "interruption"]) == 1


async def test_a_course_that_ended_is_left_alone_and_forgotten():
    """For an hour late words may change its interruptions; then nothing is said or kept of it."""
    world, standings = Core(), Standings()
    world.enrol(0)
    await said(standings, world, 5)
    world.course().ended_at = minutes(6)
    assert courses(await said(standings, world, 11)) == {}
    assert await said(standings, world, 7 + TOLD_AFTER_END_MS / MINUTE_MS) == []
    del world.monitor.state.courses["P-017"]
    await said(standings, world, 200)
    assert (standings._written, standings._course_said_at, standings._pages) == ({}, {}, {})


async def test_the_gateways_own_test_is_nobodys_course():
    """Nothing is said of it."""
    world, standings = Core(), Standings()
    world.enrol(0)
    world.monitor.state.courses[SYNTHETIC] = world.monitor.state.courses.pop("P-017")
    assert [one for one in await said(standings, world, 5) if ("course", SYNTHETIC) in one.tags] == []


async def test_thousands_come_in_slices():
    """Others get their turn between them."""
    world, standings = Core(), Standings()
    world.enrol(0)
    for number in range(3 * SLICE):
        world.monitor.state.courses[f"P-{number}"] = world.course()
    slices = [points async for points in standings.points(world.monitor.state, minutes(5))]
    assert len(slices) == 4
    assert max(map(len, slices)) <= 4 * SLICE


def test_transports_say_what_was_added():
    """By outcome; one that was not used since says nothing."""
    standings = Standings()
    (point,) = standings.transports("ward", {("sms", "accepted"): 2, ("sms", "no-receipt"): 1}, 1)
    assert dict(point.tags) == {"site": "ward", "by": "sms"}
    assert (dict(point.fields)["accepted"], dict(point.fields)["no_receipt"]) == (2, 1)
    assert standings.transports("ward", {("sms", "accepted"): 2, ("sms", "no-receipt"): 1}, 2) == []
    (point,) = standings.transports("ward", {("sms", "accepted"): 5, ("sms", "no-receipt"): 1}, 3)
    assert dict(point.fields)["accepted"] == 3
    assert line_of(point)


async def test_a_whole_gateway_says_it_to_its_store():
    """Through the outbox, in lines that the schema knows; nothing is set aside, and nothing stays behind."""
    sink = ScriptedSink()
    world = World(sink=sink)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1", "P-2")
        await world.clock.move(2 * MINUTE_MS)
        await settle()
        for measurement in ("course", "delivery", "gateway"):
            assert [line for line in sink.stored if line.startswith(f"{measurement},".encode())], measurement
        await world.clock.move(HOUR_MS)
        lines = [line for line in sink.stored if line.startswith(b"course,")]
        assert 2 * 12 <= len(lines) <= 2 * 14


async def test_a_full_journal_costs_one_turn():
    """What could not be kept is said five minutes later; the gateway goes on."""
    sink = ScriptedSink()
    world = World(sink=sink)
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        world.journal.refusing = "no space left on the device"
        await world.clock.move(3 * MINUTE_MS)
        world.journal.refusing = ""
        await world.clock.move(10 * MINUTE_MS)
        assert [line for line in sink.stored if line.startswith(b"course,")]
