"""The demo's day on a real broker and a running gateway: pumps publish, people act, time runs fast."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.domain.instants import Instant
from gateway.runtime.gateway import Gateway
from gateway.scenario.day import Day, Line, Said
from rules.loader import load_protocol, shipped_text

Publish = Callable[[str, bytes], Awaitable[None]]


async def live_day(gateway: Gateway, site: str, publish: Publish, write: Callable[[str], None]) -> None:
    """Play the day until cancelled; `publish` takes a topic and a payload, `write` is told what happens at the homes."""
    day = Day(gateway.now(), load_protocol(shipped_text("blinatumomab_home") or "", "blinatumomab_home"), site)
    for told in day.enrolments():
        await gateway.command(told.who, told.command)
    while True:
        for deed in day.due(gateway.now()):
            if isinstance(deed, Said):
                await publish(deed.topic, deed.payload)
            elif isinstance(deed, Line):
                write(f"      at home: {deed.text}")
            else:
                await gateway.command(deed.who, deed.command)
        await gateway.sleep_until(day.next_at())


def this_morning(timezone: str, now: Instant) -> Instant:
    """08:00 of the day of `now` in that zone."""
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(timezone))
    return round(today.replace(hour=8, minute=0, second=0, microsecond=0).timestamp() * 1000)
