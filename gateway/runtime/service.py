"""The running gateway as console, API and terminal see it: frozen views out, people's commands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.board import Board, IncidentLine
from gateway.core.sheets import Sheets
from gateway.domain.commands import Command, Once
from gateway.domain.effects import CommandResult, Page
from gateway.domain.instants import Instant
from gateway.domain.words import IncidentState, Outcome
from gateway.runtime.figures import Figures
from gateway.runtime.links import LinkedPage
from gateway.runtime.probing import ProbeReport


@dataclass(frozen=True, slots=True)
class PageLine:
    """A page and what became of it last. Newest first wherever a list of them is given."""

    page: Page
    outcome: Outcome | None
    reason: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Health:
    """The gateway's own state. `ready` means: it hears, it stores, it judges, it can page. `findings` say what is not well."""

    ready: bool
    findings: tuple[str, ...]
    numbers: tuple[tuple[str, float], ...]


class Service(Protocol):
    """What a front end may ask of the running gateway."""

    def now(self) -> Instant:
        """The gateway's time."""
        ...

    def timezone(self) -> str:
        """The ward's, by its IANA name."""
        ...

    def board(self) -> Board:
        """The board now."""
        ...

    def incidents(
        self, wanted: IncidentState | None = None, *, about: str = "", first: int = 0, most: int | None = None
    ) -> Sequence[IncidentLine]:
        """Remembered incidents, newest first: of a state, about a course or site (name or key); `most` from `first` on."""
        ...

    def pages(self) -> Sequence[PageLine]:
        """The latest pages (at most 200), newest first."""
        ...

    def protocols(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        """(protocol, its bags) as loaded now."""
        ...

    def sheets(self) -> Sheets:
        """Courses and pumps in full, as of now; to be asked at once."""
        ...

    async def command(self, who: str, command: Command, *, by: str = "", once: Once | None = None) -> CommandResult:
        """Journal a person's command, carry it out, and say what became of it. Raises `JournalFull`.

        `by`: how the person reached us, `link` or `call`; empty for API and command line. `once`: a repetition with the same key
        is answered as the first was, and changes nothing.
        """
        ...

    async def reply(self, transport: str, address: str, text: str) -> None:
        """Journal a message that a person sent to the gateway."""
        ...

    def linked(self, token: str) -> LinkedPage | None:
        """What the private link with this token is about now; None: it was never given, or has ended."""
        ...

    def note_finding(self, about: str, words: str) -> None:
        """Show this among the gateway's findings, in the place of what was said `about` the same thing before."""
        ...

    async def changed(self, seen: int) -> int:
        """Wait until something changed after version `seen` (0 at first); returns the new version."""
        ...

    def probe(self) -> int:
        """Have the gateway's own test begin; returns the number of the run. Raises `NoSynthetic`."""
        ...

    def probe_report(self) -> ProbeReport | None:
        """The run under way as far as it has come, else the last one; None before the first."""
        ...

    def figures(self) -> Figures:
        """The gateway's own numbers."""
        ...

    def health(self) -> Health:
        """How the gateway itself is."""
        ...
