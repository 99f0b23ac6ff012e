"""Commands that came with a key happen once: a repetition is answered as the first one was, and changes nothing.

The answers are part of the fold, so that they outlive a restart with the effect that they tell of.
"""

from dataclasses import dataclass

from gateway.core.events import Commanded
from gateway.domain.effects import CommandResult
from gateway.domain.instants import DAY_MS, Instant

KEPT_MS = DAY_MS
ANSWERED_MAX = 1_000  # more within a day: the oldest are forgotten first

MISUSED = "this key came with another request already; every new request needs a new key"


@dataclass(slots=True)
class Answered:
    """What became of the command in record `seq`, and a digest of the request that it came by."""

    seq: int
    at: Instant
    digest: str
    ok: bool
    message: str
    incident: str


def told_before(answered: dict[str, Answered], event: Commanded, at: Instant) -> CommandResult | None:
    """The result for a command whose key is known; None for a new one, and for one without a key."""
    known = answered.get(_key(event)) if event.once is not None else None
    if known is None or event.once is None or at >= known.at + KEPT_MS:
        return None
    if known.digest != event.once.digest:
        return CommandResult(event.seq, ok=False, message=MISUSED, first=known.seq, misused=True)
    return CommandResult(event.seq, ok=known.ok, message=known.message, incident=known.incident, first=known.seq)


def remember(answered: dict[str, Answered], event: Commanded, result: CommandResult, at: Instant) -> None:
    """Keep what became of a command with a key; what is too old or too much is forgotten."""
    if event.once is None:
        return
    answered.pop(_key(event), None)  # an expired one: the new one stands at the end
    answered[_key(event)] = Answered(result.seq, at, event.once.digest, result.ok, result.message, result.incident)
    for key, oldest in list(answered.items()):
        if at < oldest.at + KEPT_MS and len(answered) <= ANSWERED_MAX:
            break
        del answered[key]


def _key(event: Commanded) -> str:
    """Keys are each person's own: two people who use the same one do not know of each other."""
    return f"{event.who}\n{event.once.key if event.once is not None else ''}"
