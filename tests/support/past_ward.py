"""A ward with a past: the journal of the demo's day up to now, as a killed gateway left it, for a real one to go on with."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.config.load import load_ward_mapping
from gateway.domain.care import LogCall, OpenWindow, OrderBag, Seen, SilenceRules, WindowKind
from gateway.domain.commands import Acknowledge, AddDiary, Command, Enrol, Note
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from gateway.domain.ward import Contact
from gateway.domain.words import Condition
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Entry
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry
from gateway.scenario.day import WARD, Day, Said, Told
from rules.loader import load_protocol, shipped_text
from tests.support.process import free_port

SITE, PROTOCOL = "haem-ward", "blinatumomab_home"
MINUTES = 75  # of the day: P-102's line is shut, P-101's battery runs, P-104 has no internet, P-103 is over
STEP_MS = 30_000
HOME = "85290000102"  # of P-102's caregiver

_COURSE = "P-102"
# minute → who does what, beside what the demo's people do
_DEEDS: dict[int, tuple[str, Command]] = {
    3: ("pharmacist", OrderBag(course=_COURSE, bag="7-day", ready_at=0)),
    8: ("nurse-ada", AddDiary(course=_COURSE, temperature_c=37.2, handwriting_changed=False, from_whom="caregiver")),
    60: ("nurse-ada", OpenWindow(course="P-101", kind=WindowKind.BAG_CHANGE, for_ms=30 * MINUTE_MS)),
    50: ("nurse-ada", LogCall(course=_COURSE, called="caregiver", seen=Seen.RUNNING, advice="look at the line again in 5 min")),
    52: (
        "nurse-ada",
        SilenceRules(course=_COURSE, reason="has a power bank", rules=("battery-running-out",), for_ms=HOUR_MS),
    ),
    70: ("nurse-ada", Note(incident="P-104", text="the caregiver is on the bus; back in 20 minutes")),
    72: ("nurse-ada", Acknowledge(incident="P-104")),
}
_TROUBLES: dict[int, tuple[str, Callable[[SimulatedPump, Instant], list[Outgoing]]]] = {
    20: ("pump-1", lambda pump, at: pump.unplug(at, 80)),
    60: ("pump-2", lambda pump, at: pump.alarm(at, Condition.OCCLUSION_DOWNSTREAM)),
}


def past_ward(broker_port: int, sms_url: str) -> dict[str, Any]:
    """The demo's ward file on this broker; pages are posted to `sms_url`. The calls of "voice" end in the same place."""
    address = f"127.0.0.1:{free_port()}"
    return {
        **WARD,
        "site": SITE,
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "client_id": "dripwatch-under-test"},
        "journal": {"path": "data/dripwatch.db"},
        "console": {"listen": address, "base_url": f"http://{address}"},
        "transports": {name: {"kind": "apprise", "url": sms_url} for name in WARD["transports"]},
    }


def write_past(journal: Path, file: dict[str, Any], now: Instant) -> None:
    """Make the journal. In a thread of its own, because Playwright's loop may run in this one."""
    journal.parent.mkdir(parents=True)
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, _append(journal, list(_entries(file, now - MINUTES * MINUTE_MS)))).result()


async def _append(journal: Path, entries: list[Entry]) -> None:
    written = SqliteJournal.open(journal)
    await written.append(entries)
    await written.close()


def _entries(file: dict[str, Any], start: Instant) -> Iterator[Entry]:
    text = shipped_text(PROTOCOL) or ""
    yield config_entry(load_ward_mapping(file, "ward").text_for_journal, {PROTOCOL: text}, start, started=True)
    yield from (clock_entry(start, session) for session in ("up", "drained"))
    day = Day(start, load_protocol(text, PROTOCOL), SITE)
    yield from (command_entry(told.who, _enrolment(told.command, start), start) for told in day.enrolments())
    for at in range(start, start + MINUTES * MINUTE_MS, STEP_MS):
        for deed in day.due(at):
            if isinstance(deed, Said):
                yield message_entry(deed.topic, deed.payload, at)
            elif isinstance(deed, Told):
                yield command_entry(deed.who, deed.command, at)
        minute, rest = divmod(at - start, MINUTE_MS)
        yield from _more(day, minute, at) if not rest else ()
        yield clock_entry(at)


def _more(day: Day, minute: int, at: Instant) -> Iterator[Entry]:
    """What happens in this minute beside the demo's plan."""
    if minute in _DEEDS:
        who, command = _DEEDS[minute]
        yield command_entry(who, replace(command, ready_at=at + 3 * DAY_MS) if isinstance(command, OrderBag) else command, at)
    if minute in _TROUBLES:
        device, act = _TROUBLES[minute]
        for message in act(day.pumps[device], at):
            yield message_entry(f"dw/v1/{SITE}/{device}/{message.channel}", message.payload(), at)
    if minute == 61:
        yield message_entry(f"dw/v1/{SITE}/pump-2/telemetry", b'{"observed_at": "soon", "rate_ml_h": "fast"}', at)


def _enrolment(command: Command, at: Instant) -> Command:
    """One home is known as well as a home can be."""
    if not isinstance(command, Enrol) or command.course != _COURSE:
        return command
    return replace(command, caregiver=(Contact("sms", HOME, 0),), ward_contact="2345 6789", travel_minutes=40)
