"""The Raspberry Pi's pins: the only owner of gpiozero, which is loaded where pins are wired and nowhere else.

gpiozero calls back in threads of its own; everything is handed to the loop before anybody looks at it. What a pin does wrong ends
as `PinFailed`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.bridge.hx711 import PULSES, READINGS, count_of

LOOK_S = 0.005
READY_S = 0.5  # the HX711 has a reading every 0.1 s; one that has none by then is not there


class PinFailed(Exception):
    """A pin cannot be used; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """`gpio` is the BCM number; an input that is `active_low` is pulled up and on when it is connected to ground."""

    gpio: int
    active_low: bool = True


@contextlib.contextmanager
def inputs(wired: Mapping[str, Pin], on_edge: Callable[[str, bool], None]) -> Iterator[None]:
    """Tell every edge of these inputs, and first how each of them is. `on_edge` runs in the loop. Raises `PinFailed`."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as opened, _told():
        for name, pin in wired.items():
            device = opened.enter_context(_input(pin))

            def tell(on: bool, name: str = name) -> None:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(on_edge, name, on)

            device.when_activated, device.when_deactivated = partial(tell, True), partial(tell, False)  # noqa: FBT003
            tell(bool(device.value))
        yield


@contextlib.contextmanager
def output(pin: Pin | None) -> Iterator[Callable[[bool], None]]:
    """A pin that is switched on and off; without a pin nothing happens. Off at the end. Raises `PinFailed`."""
    if pin is None:
        yield lambda _on: None
        return
    from gpiozero import DigitalOutputDevice  # type: ignore[import-untyped]  # noqa: PLC0415  only where pins are wired

    with _told(), DigitalOutputDevice(pin.gpio, active_high=not pin.active_low, initial_value=False) as device:

        def switch(on: bool) -> None:
            with _told():
                device.value = int(on)

        yield switch


@contextlib.contextmanager
def scale(data: int, clock: int) -> Iterator[Callable[[], list[int]]]:
    """An HX711 on two pins (BCM): a function that gives several counts, in about a second; call it in a thread."""
    from gpiozero import DigitalInputDevice, DigitalOutputDevice  # noqa: PLC0415  only where pins are wired

    with _told(), DigitalInputDevice(data) as ready, DigitalOutputDevice(clock) as pulse:

        def counts() -> list[int]:
            with _told():
                return [count for _ in range(READINGS) if (count := _read(ready, pulse)) is not None]

        yield counts


def _read(ready: Any, pulse: Any) -> int | None:
    end_s = time.monotonic() + READY_S
    while ready.value:
        if time.monotonic() > end_s:
            return None
        time.sleep(LOOK_S)
    bits = 0
    for _ in range(PULSES):
        pulse.on()
        pulse.off()
        bits = bits << 1 | ready.value  # the bit stands until the next pulse
    return count_of(bits >> 1)


def _input(pin: Pin) -> Any:
    from gpiozero import DigitalInputDevice  # noqa: PLC0415  only where pins are wired

    return DigitalInputDevice(pin.gpio, pull_up=pin.active_low)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ImportError as missing:
        raise PinFailed("gpiozero is not installed; on a Raspberry Pi: pip install 'dripwatch[pi]'") from missing
    except (PinFailed, asyncio.CancelledError, GeneratorExit):
        raise
    except Exception as error:
        from gpiozero import GPIOZeroError  # noqa: PLC0415  only where pins are wired

        if isinstance(error, GPIOZeroError | OSError):
            raise PinFailed(str(error) or type(error).__name__) from error
        raise
