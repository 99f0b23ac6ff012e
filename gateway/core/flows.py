"""What a pump said about its flow, kept so that the order in which it arrives does not matter.

Words are kept as stretches: words of one kind between which no message is missing. A late word belongs between two stretches,
because it was missing there; so whatever the order of arrival, the stretches come out the same, and what is judged of them.
"""

from typing import NamedTuple

from gateway.core.state import Flow, Numbering, Pump, Stretch
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.view import Facet

STRETCHES_MAX = 64  # full: the two neighbours of one kind that stand closest count as one
SETTLED_MAX = 4  # of those that ended so long before the newest word that nobody waits for a late one
SETTLED_MS = 120 * MINUTE_MS
UNNUMBERED_MS = 5 * MINUTE_MS  # a pump that numbers nothing: words so close together count as neighbours
ALONE_MS = 60 * SECOND_MS  # a stop inside a stretch of delivery: no longer than to the pump's next report


class Stop(NamedTuple):
    """A stop that is over: from its first word to the next one of delivery. `before_at`: the last word of delivery before it."""

    since: Instant
    until: Instant
    reason: str
    before_at: Instant


def note(pump: Pump, at: Instant, seq: int, boot: str, *, delivering: bool, reason: str = "") -> int:
    """Take one word in; returns the facets that it changes. Of the same instant the higher number, then the later arrival wins.

    `seq` is 0 where the word has no number.
    """
    flow = pump.flow
    if is_late(flow, at, seq):
        return _note_late(pump, Stretch(delivering, at, at, seq, seq, boot, reason))
    changed = flow.delivering is not delivering
    if not changed and _is_whole(pump, flow.boot, flow.seq, flow.at, boot, seq, at):
        flow.at, flow.seq = at, seq
        return 0
    if flow.delivering is not None:
        flow.past = _settled((*flow.past, _newest(flow)), at)
    if changed:
        flow.before_at, flow.since, flow.reason = flow.at, at, reason
    flow.delivering, flow.from_at, flow.from_reason, flow.at = delivering, at, reason, at
    flow.first_seq, flow.seq, flow.boot = seq, seq, boot
    return Facet.DELIVERY if changed else 0


def is_late(flow: Flow, at: Instant, seq: int) -> bool:
    """Whether a word comes after a newer one."""
    return at < flow.at or (at == flow.at and seq != 0 and seq < flow.seq)


def stops(flow: Flow) -> list[Stop]:
    """The stops that are over, as far as the stretches reach back, oldest first."""
    found: list[Stop] = []
    first: Stretch | None = None
    before_at = 0
    for stretch in (*flow.past, *([_newest(flow)] if flow.delivering is not None else [])):
        if not stretch.delivering:
            first = first or stretch
            continue
        if first is not None:
            found.append(Stop(first.from_at, stretch.from_at, first.reason, before_at))
        first, before_at = None, stretch.at
    return found


def _note_late(pump: Pump, word: Stretch) -> int:
    flow = pump.flow
    before = (flow.since, flow.before_at, stops(flow))
    stretches = _with([*flow.past, _newest(flow)], word)
    _join(pump, stretches)
    _show(flow, stretches)
    return 0 if (flow.since, flow.before_at, stops(flow)) == before else Facet.DELIVERY


def _with(stretches: list[Stretch], word: Stretch) -> list[Stretch]:
    """The word in its place; a stretch of the other kind around it is parted."""
    index = next((i for i, known in enumerate(stretches) if (known.at, known.seq) > (word.at, word.seq)), len(stretches))
    if index == len(stretches):
        return [*stretches, word]
    around = stretches[index]
    if (word.at, word.seq) < (around.from_at, around.first_seq):
        return [*stretches[:index], word, *stretches[index:]]
    if around.delivering is word.delivering or not around.delivering:
        return stretches  # said already; or a running pump within one long stop: nobody knows for how long it ran
    left = Stretch(around.delivering, around.from_at, around.from_at, around.first_seq, around.first_seq, around.boot)
    resumed_at = min(around.at, word.at + ALONE_MS)
    right = Stretch(around.delivering, resumed_at, around.at, around.seq, around.seq, around.boot)
    return [*stretches[:index], left, word, right, *stretches[index + 1 :]]


def _join(pump: Pump, stretches: list[Stretch]) -> None:
    """Neighbours of one kind between which nothing is missing any more are one; too many are made fewer."""
    index = 1
    while index < len(stretches):
        left, right = stretches[index - 1], stretches[index]
        whole = _is_whole(pump, left.boot, left.seq, left.at, right.boot, right.first_seq, right.from_at)
        if left.delivering is right.delivering and whole:
            _merge(stretches, index)
        else:
            index += 1
    while len(stretches) > STRETCHES_MAX:
        pairs = [i for i in range(1, len(stretches)) if stretches[i - 1].delivering is stretches[i].delivering]
        closest = min(pairs, key=lambda i: stretches[i].from_at - stretches[i - 1].at, default=0)
        if closest:
            _merge(stretches, closest)
        else:
            del stretches[0]


def _merge(stretches: list[Stretch], index: int) -> None:
    left, right = stretches[index - 1], stretches[index]
    stretches[index - 1 : index + 1] = [
        Stretch(left.delivering, left.from_at, right.at, left.first_seq, right.seq, right.boot, left.reason)
    ]


def _show(flow: Flow, stretches: list[Stretch]) -> None:
    """The flow as the stretches tell it; what reaches back beyond them stays as it was."""
    newest = stretches[-1]
    first = len(stretches) - 1
    while first > 0 and stretches[first - 1].delivering is newest.delivering:
        first -= 1
    flow.delivering, flow.at, flow.seq = newest.delivering, newest.at, newest.seq
    flow.from_at, flow.from_reason = newest.from_at, newest.reason
    flow.first_seq, flow.boot = newest.first_seq, newest.boot
    flow.past = tuple(stretches[:-1])
    if first:
        flow.before_at = stretches[first - 1].at
    if first or stretches[0].from_at <= flow.since:
        flow.since, flow.reason = stretches[first].from_at, stretches[first].reason


def _settled(past: tuple[Stretch, ...], at: Instant) -> tuple[Stretch, ...]:
    """Of what is long over only the newest few are kept."""
    old = sum(stretch.at < at - SETTLED_MS for stretch in past)
    return past[max(0, old - SETTLED_MAX, len(past) - STRETCHES_MAX + 1) :]


def _newest(flow: Flow) -> Stretch:
    return Stretch(flow.delivering is True, flow.from_at, flow.at, flow.first_seq, flow.seq, flow.boot, flow.from_reason)


def _is_whole(pump: Pump, boot: str, seq: int, at: Instant, next_boot: str, next_seq: int, next_at: Instant) -> bool:
    """Whether no message is missing between a word and the next one."""
    if not seq or not next_seq:
        return next_at - at < UNNUMBERED_MS
    if next_seq == seq + 1:
        return boot == next_boot
    numbering = pump.boots.get(boot)
    return boot == next_boot and numbering is not None and not _is_hole_between(numbering, seq, next_seq)


def _is_hole_between(numbering: Numbering, low: int, high: int) -> bool:
    holes = numbering.holes
    if not holes or holes[-1][1] < low:
        return low < numbering.floor
    return low < numbering.floor or any(first < high and last > low for first, last in holes)
