"""A payload explained byte by byte, for a technician: adjacent spans from the first byte to the last.

An adapter may have an `explain`; its spans, one behind the other, are all of what it was given, whatever that was. What may hold
the name of a patient or a drug is `hidden`: its bytes are not shown, and `meaning` does not repeat them.
"""

from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

from device_adapters.contract import Adapter
from device_adapters.envelope import MAGIC, opened
from device_adapters.json_spans import json_spans
from device_adapters.span import Span
from gateway.domain.readings import Refused

_HEADER: Final = {
    "observed_at": "when the bridge had the last of the bytes",
    "boot": "the bridge's start",
    "seq": "number of the message within it",
    "clock": "the bridge's clock",
    "slot": "which pump of the bytes is meant",
}


@runtime_checkable
class Explains(Protocol):
    """An adapter that can explain its frames."""

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """Adjacent spans of all of `payload`, which is without its envelope; never raises, never repeats a name."""
        ...


def explained(adapter: Adapter, payload: bytes) -> tuple[Span, ...]:
    """All of `payload`, its envelope included. What the adapter does not explain is one hidden span."""
    found = opened(payload)
    if isinstance(found, Refused):
        return (Span(0, len(payload), "envelope", f"not read: {found.detail}", hidden=True),)
    body_at = len(payload) - len(found[1])
    return (*_envelope(payload[:body_at]), *(span.moved(body_at) for span in _body(adapter, found[1])))


def _envelope(head: bytes) -> Iterator[Span]:
    if head:
        yield Span(0, len(MAGIC), "envelope", "what follows is a bridge's header")
        yield from (span.moved(len(MAGIC)) for span in json_spans(head[len(MAGIC) :], _HEADER))


def _body(adapter: Adapter, body: bytes) -> tuple[Span, ...]:
    if isinstance(adapter, Explains):
        return adapter.explain(body)
    return (Span(0, len(body), "frame", "its adapter does not explain it", hidden=True),) if body else ()
