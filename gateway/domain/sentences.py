"""What the gateway says to people who gave it a command: a text, and apart from it what is filled in.

`str()` of a sentence is its English. That is what the journal's audit, the API, the command line and texts by SMS have. A page in
another language looks up the text and fills in the same (`gateway.console.sentences`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.instants import Instant


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and the same as an English sentence says it in the ward's zone."""

    at: Instant
    english: str

    def __str__(self) -> str:
        return self.english


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time in ms, and the same as an English sentence says it."""

    ms: int
    english: str

    def __str__(self) -> str:
        return self.english


@dataclass(frozen=True, slots=True)
class Name:
    """A word of the domain that pages know: a rule, a kind of window. English sentences have it as it is written in files."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is English, with names in braces as `str.format` reads them; `values` is what stands there."""

    text: str
    values: Mapping[str, "Value"] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.text.format(**{name: _english(value) for name, value in self.values.items()})


Value = str | int | float | Moment | Length | Name | Sentence | tuple["Value", ...]
"""A tuple is a list for people, told with commas."""


def sentence(text: str, /, **values: Value) -> Sentence:
    """The sentence. `text` is always written out where this is called: a test looks there for what must be translated."""
    return Sentence(text, values)


def _english(value: Value) -> str | int | float:
    if isinstance(value, tuple):
        return ", ".join(str(_english(each)) for each in value)
    return value if isinstance(value, int | float) else str(value)
