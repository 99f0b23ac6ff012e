"""Is a device fit? The laws of its adapter, tried on what was heard of it. Pure: frames in, findings out."""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final

from device_adapters.bcc_framing import ACK
from device_adapters.bcc_polling import Ask
from device_adapters.bounds import PAYLOAD_BYTES_MAX
from device_adapters.envelope import opened
from device_adapters.mllp import framed
from device_adapters.registry import ADAPTERS
from device_adapters.telling import tells
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.domain.readings import AlarmChange, AlarmsClear, Decoded, LinkStatus, Observation, Refusal, Refused
from gateway.domain.words import AlarmPhase, Condition
from gateway.field.adapter_frames import Caught, decoded
from gateway.field.adapter_talks import OBJECT_A_LINE, listener
from gateway.field.adapter_text import refusal
from gateway.field.speaking import WIDTH, Wrong, printable

FRAMES_MAX: Final = 20_000  # of one check; beyond it the check ends and judges what it has
REFUSED_SHARE_MAX: Final = 0.01  # a line has some noise
AHEAD_MS: Final = 2 * MINUTE_MS  # the gateway doubts a clock that is further ahead
GAP_MS: Final = 5 * MINUTE_MS  # a pump that is quiet for longer is silent
GARBAGE: Final = b"\xff\x03\x04noise\x01\x02\n"

_QUESTIONS: Final = tuple(ask.value.encode() for ask in Ask)


@dataclass(frozen=True, slots=True)
class Finding:
    """One law of one adapter, and the words for it; `holds` is True also where it does not apply."""

    adapter: str
    law: str
    words: str
    holds: bool = True

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_Read = list[tuple[Caught, Decoded]]


def examined(frames: Sequence[Caught], written: Iterable[bytes], without: Iterable[str] = ()) -> list[Finding]:
    """What holds of the adapters that these frames are for. Raises `Wrong` for a word in `without` that is nothing to be told."""
    left_out = frozenset(without)
    for word in left_out - {*Condition, *(field.name for field in fields(Observation))}:
        raise Wrong(f"--without {word}: neither a measure (like battery_percent) nor a condition (like door-open)")
    if not frames:
        return [
            Finding("", "heard", "nothing was heard: is the device on, and are cable, line speed and topic right?", holds=False)
        ]
    by_adapter: dict[str, _Read] = {}
    for caught in frames:
        by_adapter.setdefault(caught.adapter, []).append((caught, decoded(caught)))
    asked = list(written)
    return [finding for name, read in by_adapter.items() for finding in _laws(name, read, asked, left_out)]


def report_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """For people: one finding a paragraph, then the verdict."""
    last, missing = "", 0
    for item in findings:
        if item.adapter != last:
            last = item.adapter
            yield f"{last}:"
        missing += not item.holds
        lead = f"  {'ok' if item.holds else 'MISSING':<8}{item.law:<20} "
        yield from textwrap.wrap(
            printable(item.words), WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
        )
    yield "nothing is missing" if not missing else f"{missing} missing"


def _laws(name: str, read: _Read, written: list[bytes], left_out: frozenset[str]) -> Iterator[Finding]:
    checks: tuple[tuple[str, Callable[[], tuple[bool, str]]], ...] = (
        ("read", lambda: _is_read(read)),
        ("bounds", lambda: _is_bounded(read)),
        ("chunking", lambda: _cuts_anywhere(name, read)),
        ("resync", lambda: _resynchronises(name, read)),
        ("read-only", lambda: _only_asked(written)),
        ("times", lambda: _times(read)),
    )
    if name not in ADAPTERS:
        yield Finding(name, "adapter", "there is no adapter of this name: write one (docs/adapters.md)", holds=False)
        return
    for law, check in checks:
        holds, words = check()
        yield Finding(name, law, words, holds)
    yield from _measures(name, read, left_out)
    yield from _conditions(name, read, left_out)


def _is_read(read: _Read) -> tuple[bool, str]:
    refused = Counter(refusal(item) for _, found in read for item in found.refused)
    bad = sum(bool(found.refused) for _, found in read)
    words = f"{len(read) - bad} of {len(read)} frames without a refusal"
    said = "; ".join(f"{words} ({count} times)" for words, count in refused.most_common(5))
    return bad <= len(read) * REFUSED_SHARE_MAX, f"{words}. {said}" if said else words


def _is_bounded(read: _Read) -> tuple[bool, str]:
    largest = max(len(caught.body) for caught, _ in read)
    impossible = [item.where for _, found in read for item in found.refused if item.reason is Refusal.OUT_OF_BOUNDS]
    said = f"the largest frame has {largest} of {PAYLOAD_BYTES_MAX} bytes"
    if impossible:
        return False, f"{said}; impossible: {', '.join(sorted(set(impossible)))}. Another unit, or misread?"
    return largest <= PAYLOAD_BYTES_MAX, f"{said}; every value is possible"


def _cuts_anywhere(name: str, read: _Read) -> tuple[bool, str]:
    stream = b"".join(_on_the_line(caught) for caught, _ in read if caught.topic is None)[:PAYLOAD_BYTES_MAX]
    once, slowly = listener(name), listener(name)
    if once is None or slowly is None or not stream:
        return True, "does not apply: somebody else delimits the frames"
    whole = [*once.receive(stream, 0), *once.finish()]
    pieces = [piece for at in range(len(stream)) for piece in slowly.receive(stream[at : at + 1], 0)]
    return whole == [*pieces, *slowly.finish()], f"{len(whole)} frames, a byte at a time or all at once"


def _bare(caught: Caught) -> bytes:
    """The frame without its envelope."""
    found = opened(caught.body)
    body = caught.body if isinstance(found, Refused) else found[1]
    return body.strip(b"\n") if caught.adapter in OBJECT_A_LINE else body


def _on_the_line(caught: Caught) -> bytes:
    """The frame as it came over the line: what is cut by MLLP or line by line, with its ends."""
    match caught.adapter:
        case "ihe-pcd":
            return framed(_bare(caught))
        case adapter if adapter in OBJECT_A_LINE:
            return _bare(caught) + b"\n"
        case _:
            return _bare(caught)


def _resynchronises(name: str, read: _Read) -> tuple[bool, str]:
    talk = listener(name)
    good = next((caught for caught, found in read if caught.topic is None and found.readings and not found.refused), None)
    if talk is None or good is None:
        return True, "does not apply: somebody else delimits the frames"
    behind = [*talk.receive(GARBAGE, 0), *talk.receive(_on_the_line(good), 0), *talk.finish()]
    return _bare(good) in [piece.body for piece in behind], "behind garbage the next good frame is read"


def _only_asked(written: list[bytes]) -> tuple[bool, str]:
    """What was written is walked again here, from the wire's bytes, and not taken from who wrote it."""
    if not written:
        return True, "nothing was written to the device"
    plain = [data.replace(b"EX", b"D").replace(b"EE", b"E") for data in written]
    strange = [data for data in plain if data != ACK and not any(b">" + word in data for word in _QUESTIONS)]
    return not strange, f"{len(written)} questions were written, all of them reading ones"


def _times(read: _Read) -> tuple[bool, str]:
    heard = [caught.at for caught, _ in read]
    longest = max((b - a for a, b in pairwise(sorted(heard))), default=0)
    ahead = [
        reading.observed_at - caught.at
        for caught, found in read
        for reading in found.readings
        if not isinstance(reading, LinkStatus)
    ]
    furthest = max(ahead, default=0)
    said = f"longest silence {longest / SECOND_MS:.1f} s"
    if furthest > AHEAD_MS:
        return False, f"{said}; its clock is {furthest / SECOND_MS:.0f} s ahead: set it"
    if longest > GAP_MS:
        return False, f"{said}: within {GAP_MS // MINUTE_MS} min it must say something, or it counts as silent"
    late = -min(ahead, default=0)
    return True, f"{said}; readings up to {late / SECOND_MS:.1f} s old, none from the future"


def _measures(name: str, read: _Read, left_out: frozenset[str]) -> Iterator[Finding]:
    seen = Counter(
        field.name
        for _, found in read
        for reading in found.readings
        if isinstance(reading, Observation)
        for field in fields(reading)
        if getattr(reading, field.name) is not None
    )
    for measure in sorted(tells(name).measures):
        if measure in left_out:
            yield Finding(name, measure, "left out: this pump is said not to tell it")
        else:
            words = (
                f"told {seen[measure]} times" if seen[measure] else "never told: can this pump tell it? Else --without " + measure
            )
            yield Finding(name, measure, words, seen[measure] > 0)


def _conditions(name: str, read: _Read, left_out: frozenset[str]) -> Iterator[Finding]:
    began: set[Condition] = set()
    ended: set[Condition] = set()
    for _, found in read:
        for reading in found.readings:
            if isinstance(reading, AlarmsClear):
                ended |= began.intersection(reading.conditions)
            if not isinstance(reading, AlarmChange):
                continue
            if reading.phase is AlarmPhase.END:
                ended |= {reading.condition} & began
            else:
                began.add(reading.condition)
                ended.discard(reading.condition)
    for condition in sorted(tells(name).conditions | (began - left_out)):
        if condition in left_out:
            yield Finding(name, condition, "left out: this pump is said not to raise it")
        elif condition not in began:
            yield Finding(name, condition, f"never raised: provoke it at the pump, or --without {condition}", holds=False)
        else:
            word = "raised and ended" if condition in ended else "raised, and it has not ended: clear it at the pump"
            yield Finding(name, condition, word, condition in ended)
