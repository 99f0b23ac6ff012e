"""The running gateway's configuration follows its files: the ward file when somebody says so (HUP), calendars by themselves.

What is wrong changes nothing: the old configuration stays in force, and log and health say what is wrong until it is mended.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from gateway.config.load import load_ward_file, with_new_calendars
from gateway.config.problems import ConfigError
from gateway.config.protocols import read_protocols
from gateway.config.settings import LoadedWard
from gateway.domain.instants import DAY_MS, MINUTE_MS
from gateway.runtime.ports import Clock, JournalFull

LOOK_EVERY_MS = MINUTE_MS

_log = logging.getLogger(__name__)

Stamp = tuple[int, int, int] | None
"""(modified at in ns, size, inode) of a file; None for one that cannot be looked at."""


class Configured(Protocol):
    """What the watch needs of the gateway."""

    config_findings: tuple[str, ...]

    async def reload(self, ward: str, protocols: Mapping[str, str]) -> None:
        """Take a changed ward in. Raises `JournalFull`."""
        ...


class WardWatch:
    """Reads the files of one ward again, one reading at a time. `loaded`, `protocols`: what the gateway was started with."""

    def __init__(
        self, gateway: Configured, clock: Clock, ward_file: Path, loaded: LoadedWard, protocols: Mapping[str, str]
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._ward_file = ward_file
        self._loaded = loaded
        self._protocols = protocols
        self._seen = _stamps(loaded)
        self._wrong_file = ""
        self._wrong_calendar = ""
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Look at the calendars once a minute, for ever."""
        while True:
            await self.unfold()
            await self._clock.sleep_until(self._clock.now() + LOOK_EVERY_MS)
            await self.look()

    async def unfold(self) -> None:
        """Have the coming day's duties ready, so that no page waits for them: long-running series take seconds the first time."""
        now = self._clock.now()
        for schedule in self._loaded.ward.schedules.values():
            if schedule.calendar is not None:
                await asyncio.to_thread(schedule.calendar.shifts, now, now + DAY_MS)

    async def reload(self) -> None:
        """Take in the ward file with all that it names."""
        async with self._turn:
            try:
                loaded, protocols = await asyncio.to_thread(self._read)
            except ConfigError as error:
                _log.error("the ward file is wrong, the old one stays in force: %s", error)
                self._say(wrong_file=f"the ward file is wrong, the old one stays in force: {error.problems[0]}")
                return
            seen = _stamps(loaded)
            if await self._take(loaded, protocols, "ward file"):
                self._seen = seen
                self._say(wrong_file="", wrong_calendar="")
                _log.info("the ward file was taken in again; transports and addresses of servers change with a restart only")

    def _read(self) -> tuple[LoadedWard, Mapping[str, str]]:
        loaded = load_ward_file(self._ward_file)
        return loaded, read_protocols(loaded.protocols, loaded.rule_overrides, self._ward_file.parent)

    async def look(self) -> None:
        """Take in the calendars if one of their files is another than before; of the ward file, what was taken in last stays."""
        async with self._turn:
            seen = await asyncio.to_thread(_stamps, self._loaded)
            if seen == self._seen:
                return
            try:
                loaded = await asyncio.to_thread(with_new_calendars, self._loaded)
            except ConfigError as error:
                _log.error("a calendar is wrong, the old duties stay in force: %s", error)
                self._say(wrong_calendar=f"a calendar is wrong, the old duties stay in force: {error.problems[0]}")
                self._seen = seen
                return
            same = loaded.text_for_journal == self._loaded.text_for_journal
            if same or await self._take(loaded, self._protocols, "calendar"):
                self._seen = seen
                self._say(wrong_calendar="")
                _log.info(
                    "the calendars were read again: %s", "nobody's duties have changed" if same else "the new duties are in force"
                )

    async def _take(self, loaded: LoadedWard, protocols: Mapping[str, str], what: str) -> bool:
        try:
            await self._gateway.reload(loaded.text_for_journal, protocols)
        except JournalFull as full:
            _log.error("the %s was not taken in, the old one stays in force: %s", what, full)
            return False
        self._loaded, self._protocols = loaded, protocols
        return True

    def _say(self, *, wrong_file: str | None = None, wrong_calendar: str | None = None) -> None:
        """Tell health what is wrong now; None leaves a finding as it is, an empty text ends it."""
        self._wrong_file = self._wrong_file if wrong_file is None else wrong_file
        self._wrong_calendar = self._wrong_calendar if wrong_calendar is None else wrong_calendar
        self._gateway.config_findings = tuple(said for said in (self._wrong_file, self._wrong_calendar) if said)


def _stamps(loaded: LoadedWard) -> tuple[Stamp, ...]:
    return tuple(_stamp(file.path) for file in loaded.calendar_files)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
