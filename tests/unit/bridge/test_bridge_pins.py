"""Pins, on gpiozero's mock pins: edges from another thread, the buzzer and its button, a load cell that is read bit by bit."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from gateway.bridge.beside_reader import BesideReader, BesideWiring, ScalePins
from gateway.bridge.frames import Frame
from gateway.bridge.hx711 import Calibration
from gateway.bridge.intake import Intake, Served
from gateway.bridge.keeper import Keeper
from gateway.bridge.last_resort import LastResort
from gateway.bridge.local_alarm import LocalAlarm
from gateway.bridge.pins import Pin, PinFailed, inputs, output, scale
from tests.support.bridge_parts import AT, LIMITS, frame, seen
from tests.support.waiting import eventually

RELAY, BUZZER, LIGHT, BUTTON, DATA, CLOCK = 17, 22, 23, 27, 5, 6


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Mock pins instead of a Raspberry Pi's."""
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


class LoadCell:
    """An HX711 on two mock pins: it puts the next bit on `data` at each rise of `clock`, and begins anew after 25."""

    def __init__(self, factory: MockFactory, counts: list[int]) -> None:
        self._data, clock = factory.pin(DATA), factory.pin(CLOCK)
        self._counts, self._bits = counts, ""
        self._plain = clock._change_state
        clock._change_state = self._clocked
        self._ready()

    def _ready(self) -> None:
        self._bits = f"{self._counts.pop(0) & 0xFFFFFF:024b}" if self._counts else ""
        self._drive(high=not self._bits)

    def _drive(self, *, high: bool) -> None:
        (self._data.drive_high if high else self._data.drive_low)()

    def _clocked(self, value: bool) -> bool:
        if value and self._bits == "end":
            self._ready()
        elif value and self._bits:
            self._drive(high=self._bits[0] == "1")
            self._bits = self._bits[1:] or "end"
        return bool(self._plain(value))


async def test_the_reader_tells_a_short_call(pins: MockFactory, tmp_path: Path):
    """An edge of a pin becomes a frame with an alarm, without anybody looking at the pin meanwhile."""
    keeper, alarms = Keeper(tmp_path / "s.db", LIMITS), list[Frame]()

    class Stamps:
        def now(self) -> Any:
            return seen(AT)

    intake = Intake(keeper, Stamps(), alarms.append)  # type: ignore[arg-type]
    wiring = BesideWiring(wired={"relay": Pin(RELAY)})
    reader = BesideReader(Served("p", "raw/relay-and-scale"), wiring, intake, lambda: 1_000)
    pins.pin(RELAY).drive_high()
    running = asyncio.create_task(reader.run())
    await eventually(lambda: keeper.waiting == 1)
    pins.pin(RELAY).drive_low()
    pins.pin(RELAY).drive_high()
    await eventually(lambda: len(alarms) == 1)
    assert json.loads(alarms[0].body) == {"relay": "calling"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await keeper.close()


async def test_a_load_cell_is_read_bit_by_bit(pins: MockFactory, tmp_path: Path):
    """Negative counts, large ones, and the chip that has nothing to say."""
    given = [0, -1_234_567, 8_388_606, 42, 42, 42, 42, 42, 42]
    with scale(DATA, CLOCK) as counts:
        LoadCell(pins, list(given))
        assert await asyncio.to_thread(counts) == given


async def test_a_scale_that_says_nothing_is_a_finding(pins: MockFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And no weight."""
    monkeypatch.setattr("gateway.bridge.pins.READY_S", 0.001)
    pins.pin(DATA)._get_state = lambda: True
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    wiring = BesideWiring(scale=ScalePins(data=DATA, clock=CLOCK, calibration=Calibration(tare=0, counts_per_g=1.0)))
    reader = BesideReader(Served("p", "raw/relay-and-scale"), wiring, None, lambda: 0)  # type: ignore[arg-type]
    running = asyncio.create_task(reader.run())
    await eventually(lambda: "no steady weight" in reader.findings.get("scale", ""))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await keeper.close()


async def test_the_buzzer_sounds_until_the_button_and_the_light_until_the_answer(pins: MockFactory):
    """On mock pins, with the last resort's own clock."""
    now, sent = [0], list[int]()

    async def send_again(again: Frame) -> None:
        sent.append(again.seq)

    resort = LastResort(60_000)
    alarm = LocalAlarm(resort, lambda: now[0], send_again, None)
    buzzer, lamp = output(Pin(BUZZER, active_low=False)), output(Pin(LIGHT, active_low=False))
    with buzzer as sound, lamp as light, inputs({"button": Pin(BUTTON)}, alarm.pressed):
        pins.pin(BUTTON).drive_high()
        resort.began(frame(3), 0)
        now[0] = 60_000
        running = asyncio.create_task(alarm.run(sound, light))
        await eventually(lambda: pins.pin(BUZZER).state and pins.pin(LIGHT).state)
        assert sent == [3]
        pins.pin(BUTTON).drive_low()
        await eventually(lambda: not pins.pin(BUZZER).state)
        assert pins.pin(LIGHT).state
        resort.heeded("pump-01", "b1", 3)
        await eventually(lambda: not pins.pin(LIGHT).state)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert not pins.pin(BUZZER).state


async def test_a_pin_that_cannot_be_had_says_so(pins: MockFactory):
    """In one line; and an output that is not wired does nothing."""
    with output(Pin(LIGHT)), pytest.raises(PinFailed, match="GPIO23"), output(Pin(LIGHT)):
        pass
    with output(None) as nothing:
        nothing(True)  # noqa: FBT003  as a pin is switched
