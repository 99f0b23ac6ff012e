"""What the core decides and the shell does. Values only; every effect that leaves the house has a key that never changes."""

from dataclasses import dataclass

from gateway.domain.instants import Instant
from gateway.domain.sentences import Sentence
from gateway.domain.words import Priority, WhyPaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One message to one person by one contact.

    `key` is `{course}@{seq}/r{round}/{person}/{contact}`: the incident (by course and the record that opened it), its round of
    paging decision, the person, the index of the contact. `about` names the rules of the alerts that it announces
    (`resolved` for a resolution). `course` is empty for a site's incident. `text` is the whole message.
    """

    key: str
    incident: str
    course: str
    person: str
    transport: str
    address: str
    priority: Priority
    why: WhyPaged
    about: tuple[str, ...]
    text: str
    code: str
    decided_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply to a person's message (never escalated, never repeated by rules)."""

    key: str
    person: str
    transport: str
    address: str
    text: str
    decided_at: Instant


@dataclass(frozen=True, slots=True)
class Point:
    """One judgement of ours for the time series.

    Tags and fields as (name, value) pairs in schema order; `at` in ms; measurement and names as in `points.py`'s schema.
    """

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float | int | str], ...]
    at: Instant


@dataclass(frozen=True, slots=True)
class Heeded:
    """An `alarm` message is durable and has been judged: tell its sender on `dwack/{site}/{device}`."""

    site: str
    device: str
    boot: str | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a person's command: accepted, or refused with the reason in words. `seq` is the command's record.

    `said` is `message` apart from what is filled in, for pages in other languages; None where only the message was kept.
    `first` is the record that did it, where this one only repeats it by its key; 0 otherwise. `misused`: the key was another's.
    """

    seq: int
    ok: bool
    message: str
    incident: str = ""
    first: int = 0
    misused: bool = False
    said: Sentence | None = None


Effect = Page | Answer | Point | Heeded | CommandResult
