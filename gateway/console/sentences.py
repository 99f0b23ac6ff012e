"""What the gateway said, in the reader's language: the sentence is looked up, and what is filled in is told as pages tell it."""

from collections.abc import Callable
from functools import partial

from gateway.console import times
from gateway.console.pages import Frame
from gateway.console.words import Words, words_in
from gateway.domain.effects import CommandResult
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.sentences import Length, Moment, Name, Sentence, Value

Clock = Callable[[Instant], str]

_COMMAS = {Locale.EN: ", ", Locale.ZH_HANT: "、"}


def in_words(said: Sentence | str, say: Words, clock: Clock) -> str:
    """The sentence. One that no catalogue knows stays English as a whole; so does a text that came with its figures in it."""
    if isinstance(said, str):
        return say(said)
    if said.text not in say.catalogue:
        return str(said)
    return say(said.text, **{name: _told(value, say, clock) for name, value in said.values.items()})


def shown(said: Sentence | str, frame: Frame) -> str:
    """The same for a page."""
    clock = partial(times.clock, now=frame.at, zone=frame.zone, locale=frame.locale)
    return in_words(said, words_in(frame.locale), clock)


def said_by(result: CommandResult) -> Sentence | str:
    """What came of a command; finished English where the gateway kept no more."""
    return result.said or result.message


def _told(value: Value, say: Words, clock: Clock) -> str | int | float:
    match value:
        case tuple():
            return _COMMAS[say.locale].join(str(_told(each, say, clock)) for each in value)
        case Sentence():
            return in_words(value, say, clock)
        case Moment():
            return clock(value.at)
        case Length():
            return times.length(value.ms, say.locale)
        case Name():
            return _name(value.name, say)
        case _:
            return value


def _name(name: str, say: Words) -> str:
    """As pages have it, which write rules with a capital letter; a name of the ward's own stays as it is."""
    plain = name.replace("-", " ")
    return say.catalogue.get(plain) or say.catalogue.get(plain.capitalize()) or name
