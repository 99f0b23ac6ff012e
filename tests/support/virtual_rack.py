"""A virtual rack of B. Braun pumps at the far end of a pseudo-terminal: for the bridge it is a serial port."""

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.scenario.serial_pumps.bcc import Rack, SpacePump


def now_ms() -> int:
    """The rack's own clock."""
    return time.monotonic_ns() // 1_000_000


@dataclass
class RackOnPty:
    """`port` is the device file to open; pumps are changed under `lock`. While `mute`, nothing is answered."""

    rack: Rack
    port: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    mute: bool = False
    questions: int = 0

    def raise_alarm(self, slot: str, number: int) -> None:
        """An alarm begins."""
        with self.lock:
            self.rack.pumps[slot].live(now_ms())
            self.rack.pumps[slot].alarms.add(number)

    def clear(self, slot: str) -> None:
        """Somebody clears the alarms at the pump."""
        with self.lock:
            self.rack.pumps[slot].live(now_ms())
            self.rack.pumps[slot].alarms.clear()


@contextlib.contextmanager
def rack_on_pty(**pumps: SpacePump) -> Iterator[RackOnPty]:
    """A rack with pumps by slot (`slot_11=…`), answering in a thread of its own for the length of the block."""
    controller, follower = pty.openpty()
    tty.setraw(follower)
    slots = {name.removeprefix("slot_"): pump for name, pump in pumps.items()}
    made = RackOnPty(Rack(slots, started_at=now_ms()), os.ttyname(follower))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            if not select.select([controller], [], [], 0.05)[0]:
                continue
            data = os.read(controller, 4_096)
            with made.lock:
                answer = made.rack.receive(data, now_ms())
                made.questions += 1
            if answer and not made.mute:
                os.write(controller, answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join()
        os.close(controller)
        os.close(follower)
