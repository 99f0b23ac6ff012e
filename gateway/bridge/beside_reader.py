"""Brings what is seen beside one pump: pins by their edges, the scale once a minute."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.bridge.beside import Beside
from gateway.bridge.hx711 import Calibration, weight_g
from gateway.bridge.intake import Intake, Served
from gateway.bridge.pins import Pin, PinFailed, inputs, scale
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant

REOPEN_S = 30.0
WEIGH_EVERY_MS = MINUTE_MS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePins:
    """An HX711's pins (BCM) and what its counts mean."""

    data: int
    clock: int
    calibration: Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideWiring:
    """`wired`: inputs by name (`relay`, `mains`, colours); the scale, where there is one."""

    wired: Mapping[str, Pin] = field(default_factory=dict)
    scale: ScalePins | None = None


class BesideReader:
    """One pump's sensors. `finding` says what keeps us from reading them."""

    def __init__(self, served: Served, wiring: BesideWiring, intake: Intake, uptime: Callable[[], Instant]) -> None:
        self._served, self._wiring, self._intake, self._uptime = served, wiring, intake, uptime
        self._beside = Beside(wiring.wired)
        self._changed = asyncio.Event()
        self.findings: dict[str, str] = {}

    async def run(self) -> None:
        """Until cancelled; pins that fail are tried again every half minute, and are `unknown` meanwhile."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            group.create_task(self._watch())
            if self._wiring.scale is not None:
                group.create_task(self._weigh(self._wiring.scale))

    async def _watch(self) -> None:
        while True:
            try:
                with inputs(self._wiring.wired, self._edge):
                    self._note("pins", None)
                    await asyncio.get_running_loop().create_future()
            except PinFailed as failed:
                self._note("pins", str(failed))
            await asyncio.sleep(REOPEN_S)

    async def _weigh(self, pins: ScalePins) -> None:
        while True:
            try:
                with scale(pins.data, pins.clock) as counts:
                    while True:
                        weight = weight_g(await asyncio.to_thread(counts), pins.calibration)
                        self._beside.weight_g = weight
                        self._note("scale", None if weight is not None else "it gives no steady weight; look at its cables")
                        await asyncio.sleep(WEIGH_EVERY_MS / SECOND_MS)
            except PinFailed as failed:
                self._beside.weight_g = None
                self._note("scale", str(failed))
            await asyncio.sleep(REOPEN_S)

    async def _send(self) -> None:
        while True:
            now = self._uptime()
            body = self._beside.frame(now)
            if body is not None:
                self._intake.take(self._served, body)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0, self._beside.next_at() - now) / SECOND_MS):
                    await self._changed.wait()

    def _edge(self, name: str, on: bool) -> None:
        self._beside.edge(name, self._uptime(), on=on)
        self._changed.set()

    def _note(self, part: str, words: str | None) -> None:
        if part == "pins":
            self._beside.broken = words is not None
            self._changed.set()
        before = self.findings.pop(part, None)
        if words is not None:
            self.findings[part] = f"{self._served.device} {part}: {words}"
            if before != self.findings[part]:
                _log.warning("%s", self.findings[part])
