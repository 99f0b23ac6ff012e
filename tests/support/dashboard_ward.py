"""Hours of a ward in trouble, lived by a whole gateway in virtual time, and what it wrote for the time-series store."""

from collections.abc import Callable
from dataclasses import dataclass

from device_adapters.simulated_parts import Outgoing
from gateway.core.store import State
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Condition, WhyPaged
from gateway.outside.influx_sink import InfluxV1Sink
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import Incoming, Record, Rejected
from gateway.runtime.replay import replay
from gateway.scenario.day import Day
from tests.support.forwarding import ScriptedSink, settle
from tests.support.grafana import View
from tests.support.histories import SITE, START_AT
from tests.support.lived_day import begin, live_on, new_day
from tests.support.runtime_world import World, message
from tests.support.stores import Influxd

DATABASE = "dripwatch"
MORE = {"watchdog": {"device": "watchdog", "silent_after": "2m"}, "rules": {}}  # and the shipped holds
SLICE = 5_000
HOURS = 3.3  # then P-106's incident is somebody's, P-101's nobody's, and all others are over
OCCLUDED_MINUTES = (30, 109)  # somebody lies on P-102's line
ANSWER_AFTER_MS = 7 * MINUTE_MS
BESIDE_MS = 2_000  # what pump-2's neighbours say comes at its own second of the minute


@dataclass(frozen=True)
class LivedWard:
    """`state` is how the gateway saw it at the end; `effects` what a replay of its journal decides; `lines` for the store."""

    state: State
    effects: list[Effect]
    records: list[Record]
    lines: list[bytes]
    until_at: Instant

    @property
    def view(self) -> View:
        """All of it."""
        return View(START_AT - MINUTE_MS, self.until_at)

    @property
    def pages_and_ends(self) -> list[Page]:
        """Everything that was sent."""
        return [one for one in self.effects if isinstance(one, Page)]

    @property
    def pages(self) -> list[Page]:
        """What people were asked; not that all is well again."""
        return [one for one in self.pages_and_ends if one.why is not WhyPaged.RESOLVED]

    def last_said_at(self, measurement: str) -> Instant:
        """When the newest point of a measurement was written."""
        return max(int(line.rsplit(b" ", 1)[1]) for line in self.lines if line.startswith(f"{measurement},".encode()))


async def live(hours: float = HOURS) -> LivedWard:
    """The demo's day for so many hours, with a scale and a pressure at P-102, a watchdog, and a number that takes no text.

    Whoever is paged takes the incident by answering the page, 7 min after it.
    """
    sink = ScriptedSink()
    world = World(MemoryJournal(), sink=sink, ward=MORE)
    world.transports["sms"].script["8523"] = Rejected("no such number")
    day = new_day()
    async with world.running() as gateway:
        await begin(world, gateway, day)
        more, taken = _more(day), set()
        while (at := day.next_at()) < START_AT + hours * HOUR_MS:
            await world.clock.move(max(0, at - world.clock.now()))
            now = world.clock.now()
            await live_on(world, gateway, day, now)
            while more and at >= START_AT + more[0][0] * MINUTE_MS:
                _, device, act = more.pop(0)
                for one in act(now):
                    world.source.say(Incoming(f"dw/v1/{SITE}/{device}/{one.channel}", one.payload(), ticket=None))
            if now % MINUTE_MS == BESIDE_MS:
                _say_more(world, now)
            for one in gateway.pages():
                if one.outcome is not None and one.page.incident not in taken and now - one.page.decided_at >= ANSWER_AFTER_MS:
                    taken.add(one.page.incident)
                    await gateway.reply(one.page.transport, one.page.address, one.page.code)
            await settle(60)
        await world.clock.move(SECOND_MS)  # nothing waits in a ring
        told = await replay(world.journal)
        records = [record for record in await world.records() if isinstance(record, Record)]
        effects = [effect for _, effect in told.effects]
        return LivedWard(gateway._fold.monitor.state, effects, records, list(sink.stored), world.clock.now())


def _say_more(world: World, now: Instant) -> None:
    """The watchdog is awake; at P-102 the line's pressure, and the bag's weight from a scale."""
    minutes = (now - START_AT) / MINUTE_MS
    occluded = OCCLUDED_MINUTES[0] < minutes < OCCLUDED_MINUTES[1]
    weight_g = 310.0 - 0.01 * (minutes - max(0.0, min(minutes, OCCLUDED_MINUTES[1]) - OCCLUDED_MINUTES[0]))
    pressure = 40.0 + (min(400.0, 6.0 * (minutes - OCCLUDED_MINUTES[0])) if occluded else 0.0)
    said = {"observed_at": now, "bag_weight_g": round(weight_g, 2), "pressure_mmhg": pressure}
    world.source.say(message("pump-2", "telemetry", **said))
    world.source.say(message("watchdog", "status", observed_at=now, online=True))


def _more(day: Day) -> list[tuple[int, str, Callable[[Instant], list[Outgoing]]]]:
    """(minute, pump, what happens to it): what the demo's day lacks. It starts P-102's pump; its alarm is cleared here."""
    pumps = day.pumps
    return [
        (20, "pump-5", lambda at: pumps["pump-5"].unplug(at, 20)),
        (109, "pump-2", lambda at: pumps["pump-2"].clear(at, Condition.OCCLUSION_DOWNSTREAM)),
        (193, "pump-1", lambda at: pumps["pump-1"].alarm(at, Condition.DOOR_OPEN)),
    ]


async def fill(store: Influxd, lines: list[bytes]) -> None:
    """Write the lines through the sink that the gateway writes through."""
    sink = InfluxV1Sink(store.url, DATABASE)
    try:
        for start in range(0, len(lines), SLICE):
            refused = await sink.write(lines[start : start + SLICE])
            assert not refused, refused[:3]
    finally:
        await sink.close()
