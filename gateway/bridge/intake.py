"""Where the frames of all readers come together: stamped, looked at, kept."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.bridge.attention import Attention, News
from gateway.bridge.frames import Frame
from gateway.bridge.keeper import Keeper
from gateway.bridge.stamps import Stamper
from gateway.domain.instants import SECOND_MS


@dataclass(frozen=True, slots=True)
class Served:
    """A device whose frames a reader brings. Of `slot` in the bytes, where they speak of several.

    Frames without news are kept once in `report_ms`; 0 keeps all: what comes unasked is never thinned out.
    """

    device: str
    channel: str
    slot: str | None = None
    report_ms: int = 0


class Intake:
    """Takes frames. `on_alarm` is told of a frame in which an alarm began."""

    def __init__(self, keeper: Keeper, stamper: Stamper, on_alarm: Callable[[Frame], None]) -> None:
        self._keeper, self._stamper, self._on_alarm = keeper, stamper, on_alarm
        self._attention = Attention()
        self._kept_ms: dict[Served, int] = {}
        self.heard_ms: dict[str, int] = {}

    def take(self, served: Served, body: bytes) -> None:
        """Keep a frame, unless it says nothing new and the device's last report is young."""
        seen, device = self._stamper.now(), served.device
        self.heard_ms[device] = seen.uptime_ms
        news = self._attention.news(device, served.channel, body, seen, served.slot)
        kept_ms = self._kept_ms.get(served)
        # Polls come a little early or late: a report that is due within the next second is due.
        is_due = kept_ms is None or seen.uptime_ms - kept_ms >= served.report_ms - SECOND_MS
        if news is News.NONE and served.report_ms and not is_due:
            return
        if is_due or not served.report_ms:
            self._kept_ms[served] = seen.uptime_ms
        urgent = news in (News.URGENT, News.ALARM)
        frame = self._keeper.put(device, served.channel, body, seen, slot=served.slot, urgent=urgent)
        if news is News.ALARM:
            self._on_alarm(frame)
