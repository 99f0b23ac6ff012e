"""What an audit consists of: lines that read like sentences, and which of them somebody wants to see."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.instants import Instant


class What(StrEnum):
    """What a line is about."""

    PAGE = "page"
    OUTCOME = "page-outcome"
    ACK = "ack"
    HAND_OVER = "hand-over"
    CLOSE = "close"
    NOTE = "note"
    INCIDENT = "incident"
    SILENCE = "silence"
    WINDOW = "window"
    CALL = "call"
    ENROLMENT = "enrolment"
    COURSE = "course"
    BAG = "bag"
    PUMP = "pump"
    DIARY = "diary"
    REPLY = "reply"
    ACCESS = "access"
    CONFIG = "config"
    TEST = "test"
    RECORD = "record"


class Result(StrEnum):
    """What became of what a person asked for. `NOT_KNOWN`: what it depended on is not in the journal any more."""

    DONE = "done"
    REFUSED = "refused"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One thing that happened, told from the journal alone.

    `seq` is the record that tells it, `number` counts the lines of one record from 1; together they name the line for ever. `at`
    is when the gateway had the record. `who` acted, or was paged; empty where the gateway itself did. `page` is the key of the
    page that the line is about, `why` the reason in the person's or the core's own words, `details` what else belongs to it.
    Until the audit has placed a line, `seq`, `number` and `at` are 0.
    """

    what: What
    text: str
    seq: int = 0
    number: int = 0
    at: Instant = 0
    who: str = ""
    course: str = ""
    incident: str = ""
    result: Result = Result.DONE
    why: str = ""
    page: str = ""
    details: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`48213.2`: the line's name."""
        return f"{self.seq}.{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines: all that fit every part that is given. Without `what` all but those of the gateway's own test.

    `incident` is a key, or its beginning up to the `@`. The period is [from_at, until_at). `before` is a line's (seq, number):
    only lines that stand before it.
    """

    course: str = ""
    incident: str = ""
    who: str = ""
    what: frozenset[What] = field(default_factory=frozenset)
    from_at: Instant | None = None
    until_at: Instant | None = None
    before: tuple[int, int] | None = None

    def fits(self, line: AuditLine) -> bool:
        """Whether this line is wanted."""
        what = line.what in self.what if self.what else line.what is not What.TEST or bool(self.course or self.incident)
        return what and self._fits_otherwise(line)

    def leaves_out(self, line: AuditLine) -> bool:
        """Whether it would be wanted, were it not of the gateway's own test."""
        return line.what is What.TEST and not self.what and not self.fits(line) and self._fits_otherwise(line)

    def _fits_otherwise(self, line: AuditLine) -> bool:
        return (
            self.course in ("", line.course)
            and self.incident in ("", line.incident, line.incident.partition("@")[0])
            and self.who in ("", line.who)
            and (self.from_at is None or line.at >= self.from_at)
            and (self.until_at is None or line.at < self.until_at)
            and (self.before is None or (line.seq, line.number) < self.before)
        )

    def is_over(self, seq: int, at: Instant) -> bool:
        """Whether a record of this number and time, and all that follow it, have nothing more to say."""
        return (self.until_at is not None and at >= self.until_at) or (self.before is not None and seq > self.before[0])


def line_id(text: str) -> tuple[int, int]:
    """(seq, number) of a line's name. Raises ValueError in words."""
    seq, _, number = text.partition(".")
    if not (seq.isascii() and seq.isdigit() and number.isascii() and number.isdigit()) or len(text) > 40:
        raise ValueError(f"{text[:40]!r} is no line's name; it looks like 48213.2")
    return int(seq), int(number)


class AuditBusy(Exception):
    """Somebody else's audit is being told; try again later."""


class AuditFailed(Exception):
    """The journal could not be told; the text says why."""
