"""What is remembered of the ways by which people are reached: plain dataclasses, part of the desk's cell."""

from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.words import Outcome


@dataclass(slots=True)
class LastWord:
    """What a transport said last of a page by one contact; no outcome: nothing yet. `at` is when it said so."""

    outcome: Outcome | None = None
    at: Instant = 0
    reason: str = ""


@dataclass(slots=True)
class Tried:
    """One contact of a test page: the number that it has in the page's key, where it leads, and its last word."""

    contact: int
    transport: str
    address: str
    word: LastWord = field(default_factory=LastWord)


@dataclass(slots=True)
class PageTest:
    """A person's newest test page: the record `seq` asked for it at `at` in the name of `who`."""

    seq: int
    at: Instant
    who: str
    tried: list[Tried] = field(default_factory=list)


@dataclass(slots=True)
class Channels:
    """By person of the ward: the last word of each contact (by `way`), and the newest test page. No larger than the ward file."""

    words: dict[str, dict[str, LastWord]] = field(default_factory=dict)
    tests: dict[str, PageTest] = field(default_factory=dict)
