"""The concrete things that a gateway is made of, as the composition root hands them over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.core.turns import Item
from gateway.runtime.listener import Listener
from gateway.runtime.point_sink import PointSink, Poison
from gateway.runtime.ports import Clock, Journal, Source, Transport
from gateway.runtime.prober import Ping, Publish
from gateway.runtime.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The concrete things of one gateway, chosen by the composition root."""

    journal: Journal
    source: Source
    clock: Clock
    transports: Mapping[str, Transport]
    receipt_deadlines_ms: Mapping[str, int]
    sink: PointSink | None
    set_aside: Callable[[Poison], None]
    keep_ms: int
    max_bytes: int
    finding: Callable[[], str | None]
    listeners: tuple[Listener, ...] = ()  # where messages come from beside the broker
    publish: Publish | None = None  # as a pump does
    ping: Ping | None = None  # the outside dead man's switch
    audits: bool = True  # whether this clock can tell what hangs; a demo's cannot
    wording: Wording | None = None  # private links and the keys of calls; None: pages are sent as the core wrote them
    alive: Callable[[], None] = lambda: None  # told at each audit that found the gateway at work
    noted: dict[str, str] = field(default_factory=dict)  # findings of front ends, by what they are about: a handful of names

    def text_of(self, item: Item) -> str:
        """The whole text of a page or an answer, as its transport is given it."""
        return item.text if self.wording is None else self.wording.text(item)
