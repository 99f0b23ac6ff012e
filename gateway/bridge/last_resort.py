"""When nobody answers for an alarm: what the bridge does by itself. Pure: it is told the time, and says what should be on.

An alarm is heeded when the gateway has told so (`dwack`), by the number of its frame or of a later one. Until then:

    at once ── 20 s ──► its frame is sent again, and every 20 s after that
            ── after ─► buzzer and light on, the second path is told, until it is heeded; the button ends the sound only
"""

from dataclasses import dataclass, field

from gateway.bridge.frames import Frame
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant

AGAIN_MS = 20 * SECOND_MS  # an answer that was lost on its way costs no buzzer
TELL_AGAIN_MS = 5 * MINUTE_MS  # the second path, where it did not take what it was told


@dataclass(slots=True)
class Unheeded:
    """The newest frame of a device with an alarm for which nobody answered; `since` and `first_seq` are of the oldest such."""

    frame: Frame
    began_at: Instant
    since: Instant
    first_seq: int
    again_at: Instant
    tell_at: Instant
    quiet: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class ToDo:
    """What should be so now: frames to be sent again, devices to tell of by the second path, light and buzzer."""

    again: list[Frame] = field(default_factory=list)
    tell: list[str] = field(default_factory=list)
    light: bool = False
    sound: bool = False


class LastResort:
    """The alarms that wait for an answer, by device. Times in ms of a clock that never runs backwards."""

    def __init__(self, after_ms: int) -> None:
        self._after_ms = after_ms
        self._waiting: dict[str, Unheeded] = {}

    def began(self, frame: Frame, at: Instant) -> None:
        """A frame with an alarm that began was read. A second alarm sounds again, also after the button."""
        before = self._waiting.get(frame.device)
        new = Unheeded(frame, at, at, frame.seq, at + AGAIN_MS, at + self._after_ms)
        if before is not None:
            new.since, new.first_seq, new.tell_at, new.told = before.since, before.first_seq, before.tell_at, before.told
        self._waiting[frame.device] = new

    def heeded(self, device: str, boot: str, seq: int) -> None:
        """The gateway has the device's frame of this number; what came before it in this numbering, it has or will have.

        A number of another numbering (a card before this one, somebody else who publishes for the device) says nothing.
        """
        waiting = self._waiting.get(device)
        if waiting is None or boot != waiting.frame.boot or seq < waiting.first_seq:
            return
        if seq >= waiting.frame.seq:
            del self._waiting[device]
        else:  # an earlier alarm's: the newest has its own time from when it began
            waiting.since, waiting.first_seq, waiting.told = waiting.began_at, waiting.frame.seq, False
            waiting.tell_at = waiting.began_at + self._after_ms

    def button(self, at: Instant) -> None:
        """Somebody is there: the sound ends. Light and second path go on until the gateway answers."""
        for waiting in self._raised(at):
            waiting.quiet = True

    def was_told(self, device: str) -> None:
        """The second path took it."""
        if device in self._waiting:
            self._waiting[device].told = True

    def look(self, at: Instant) -> ToDo:
        """What is due; what it names is taken as begun."""
        again, tell = [], []
        for device, waiting in self._waiting.items():
            if at >= waiting.again_at:
                waiting.again_at = at + AGAIN_MS
                again.append(waiting.frame)
            if at >= waiting.tell_at and not waiting.told:
                waiting.tell_at = at + TELL_AGAIN_MS
                tell.append(device)
        raised = self._raised(at)
        return ToDo(again, tell, light=bool(raised), sound=any(not waiting.quiet for waiting in raised))

    def _raised(self, at: Instant) -> list[Unheeded]:
        return [waiting for waiting in self._waiting.values() if at >= waiting.since + self._after_ms]
