"""The bridge at work: readers in, spool, broker out; its own status; and the last resort. Built by the composition root."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.bridge.health import LAST_WILL, clock_findings, machine_findings, status_body
from gateway.bridge.intake import Intake
from gateway.bridge.keeper import Keeper
from gateway.bridge.last_resort import LastResort
from gateway.bridge.machine import look_at_machine
from gateway.bridge.sender import Sender
from gateway.bridge.stamps import Stamper
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.outside.mqtt_source import MqttSource
from gateway.runtime.ports import Incoming, Session

LOOK_EVERY_S = 5.0
STATUS_EVERY_MS = MINUTE_MS
SILENT_MS = MINUTE_MS  # a device that was not heard on its line for so long is named in the status
REMEMBERED_CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeParts:
    """What a bridge is made of. `readers` bring frames until cancelled; `line_findings` says what keeps them from it."""

    site: str
    name: str
    source: MqttSource
    keeper: Keeper
    stamper: Stamper
    sender: Sender
    intake: Intake
    resort: LastResort | None
    uptime: Callable[[], int]
    folder: Path
    devices: Sequence[str]
    jobs: Sequence[Coroutine[Any, Any, None]]
    line_findings: Callable[[], Sequence[str]]
    line_facts: Callable[[], Mapping[str, Any]] = field(default=dict)
    alive: Callable[[], None] = field(default=lambda: None)


class Bridge:
    """Runs until cancelled."""

    def __init__(self, parts: BridgeParts) -> None:
        self._parts = parts
        self._told: tuple[str, ...] | None = None
        self._told_ms = 0
        self._is_up = False

    async def run(self) -> None:
        """Everything at once; at the end what is in memory goes to the disk."""
        parts = self._parts
        try:
            async with asyncio.TaskGroup() as group:
                for job in (
                    parts.source.run(),
                    parts.keeper.run(),
                    parts.sender.run(),
                    self._listen(),
                    self._look(),
                    *parts.jobs,
                ):
                    group.create_task(job)
        finally:
            await parts.keeper.close()

    def say_goodbye(self) -> None:
        """Take the `online` back: a broker publishes the Last Will only of those who leave without a word."""
        self._is_up = False
        self._parts.source.tell(self._status_topic, LAST_WILL, retain=True)

    @property
    def _status_topic(self) -> str:
        return f"dw/v1/{self._parts.site}/{self._parts.name}/status"

    async def _listen(self) -> None:
        """What the gateway says under `dwack/`, and whether there is a session."""
        while True:
            items = await self._parts.source.take()
            for item in items:
                if isinstance(item, Incoming):
                    self._heeded(item)
                elif item is Session.UP:
                    self._is_up, self._told = True, None
                    self._tell_status()
                    self._parts.sender.link_is_up()
                elif item is Session.LOST:
                    self._is_up = False
            self._parts.source.acknowledge([item for item in items if isinstance(item, Incoming)])

    def _heeded(self, message: Incoming) -> None:
        resort, number = self._parts.resort, heeded_number(message.payload)
        if resort is not None and number is not None:
            resort.heeded(message.topic.rpartition("/")[2], *number)

    async def _look(self) -> None:
        """Look at clock and machine every few seconds; tell the status when it is due or its findings have changed."""
        parts = self._parts
        while True:
            remember = parts.stamper.look()
            if remember is not None:
                parts.keeper.remember(REMEMBERED_CLOCK, remember)
            self._tell_status()
            parts.alive()
            await asyncio.sleep(LOOK_EVERY_S)

    def _tell_status(self) -> None:
        parts, now_ms = self._parts, self._parts.uptime()
        machine = look_at_machine(parts.folder)
        seen = parts.stamper.now()
        found = [
            *clock_findings(seen.clock, parts.stamper.holdover_ms),
            *(f"{name}: {words}" for name, words in parts.keeper.findings.items()),
            *parts.line_findings(),
            *machine_findings(machine),
            *self._refused(),
        ]
        names = tuple(item.partition(":")[0] for item in found)  # counts in the words change every time
        if not self._is_up or (names == self._told and now_ms - self._told_ms < STATUS_EVERY_MS):
            return
        self._told, self._told_ms = names, now_ms
        body = status_body(seen, self._facts(now_ms), machine, found)
        parts.source.tell(self._status_topic, body, retain=True)

    def _refused(self) -> list[str]:
        count = self._parts.source.refused_at_broker
        return [f"broker-refuses: {count} messages; may this user write under all pumps' names?"] if count else []

    def _facts(self, now_ms: int) -> dict[str, Any]:
        parts = self._parts
        heard, holdover_ms = parts.intake.heard_ms, parts.stamper.holdover_ms
        silent = [name for name in parts.devices if now_ms - heard.get(name, -SILENT_MS) >= SILENT_MS]
        return {
            "waiting": parts.keeper.waiting,
            "spool_percent": parts.keeper.full_percent,
            "dropped": parts.keeper.dropped,
            "holdover_s": None if holdover_ms is None else holdover_ms // SECOND_MS,
            "silent": silent or None,
            **parts.line_facts(),
        }


def heeded_number(payload: bytes) -> tuple[str, int] | None:
    """What the gateway says it has, by (boot, seq); None for what is no such word (the broker may carry anything)."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    boot, seq = (told.get("boot"), told.get("seq")) if isinstance(told, dict) else (None, None)
    return (boot, seq) if isinstance(boot, str) and isinstance(seq, int) and not isinstance(seq, bool) else None
