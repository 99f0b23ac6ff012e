"""A real paging terminal on loopback: Debian's Net::SNPP::Server."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import binary, free_port, running

NOBODY, LATER, HANG, DROP = "7404", "7503", "7999", "7888"


@dataclass(frozen=True, slots=True)
class Terminal:
    """`journal` has a line for each page that it took; `HANG` waits at SEND until `release`, `DROP` loses the line there."""

    port: int
    journal: Path
    released: Path

    @property
    def pages(self) -> list[tuple[str, str]]:
        """(pager, text) in order."""
        lines = self.journal.read_text(encoding="latin-1").splitlines() if self.journal.exists() else []
        return [(pager, text) for pager, _, text in (line.partition("\t") for line in lines)]

    def release(self) -> None:
        """Let hanging pages go on, those that are still to come too."""
        self.released.touch()


@contextlib.contextmanager
def snpp_terminal(folder: Path) -> Iterator[Terminal]:
    """It runs for the length of a with-block."""
    folder.mkdir(parents=True, exist_ok=True)
    terminal = Terminal(free_port(), folder / "pages.txt", folder / "released")
    script = Path(__file__).with_name("snpp_server.pl")
    command = [binary("perl"), str(script), str(terminal.port), str(terminal.journal), str(terminal.released)]
    with running(command, terminal.port, folder / "snpp.log"):
        try:
            yield terminal
        finally:
            terminal.release()
