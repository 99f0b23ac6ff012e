"""What the gateway said to a change, shown once more on the page that the browser is sent back to."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request

from gateway.console.pages import Frame
from gateway.console.sentences import said_by, shown
from gateway.domain.effects import CommandResult
from gateway.domain.sentences import Sentence

KEPT_MAX = 200  # the oldest are forgotten: then the page shows what is, without the words

QUERY = "done"  # the number of the journal's record: a page's address carries no words


@dataclass(frozen=True, slots=True)
class Came:
    """What came of an action, for the page that is shown after it: done in these words, or refused with a status.

    A refused form (`open` is its name) comes again with what was `given`.
    """

    status: int = 200
    done: str = ""
    trouble: str = ""
    open: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


class Said:
    """The last answers, by the number of their record and who asked: nobody is shown what another one did."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], Sentence | str] = OrderedDict()

    def keep(self, who: str, result: CommandResult) -> str:
        """Keep the words; returns the query that brings them back."""
        self._kept[result.seq, who] = said_by(result)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return f"?{QUERY}={result.seq}"

    def find(self, who: str, text: str, frame: Frame) -> str:
        """The words that belong to this query, as the page says them; empty where there are none."""
        is_number = text.isascii() and text.isdigit() and len(text) < len("9" * 19)
        return shown(self._kept.get((int(text), who), ""), frame) if is_number else ""


def said_of(request: Request) -> Said:
    """The application's own."""
    state = request.app.state
    if not hasattr(state, "said"):
        state.said = Said()
    said: Said = state.said
    return said
