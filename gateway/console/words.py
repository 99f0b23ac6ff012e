"""The console's words in the reader's language. English stands in the templates and in the code; a catalogue translates it.

    {{ _("Nobody has it") }}                         in a template
    {{ _("{who} has it until {at}", who=…, at=…) }}  the name stands in braces; what is filled in is escaped as everywhere
    say("Nobody has it")                             in a view, where `say` is the reader's `Words`
    message("Nobody has it")                         in a table of texts that are said later

The catalogues are `locale/<language>/<part>.yaml`, English text: translation. A text that no catalogue knows stays English; a
test finds each one that a template or a view says. Words that come from files of the ward (its own rules) may stay English.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from markupsafe import Markup, escape

from gateway.domain.locale import Locale

COOKIE = "dripwatch-language"

_FOLDER = Path(__file__).parent / "locale"
_LIKED = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_TONGUES = {"en": Locale.EN, "zh": Locale.ZH_HANT, "yue": Locale.ZH_HANT}  # all Chinese gets one script
_HEADER_MAX = 500  # of Accept-Language; what stands behind is not read


class Words:
    """One language. Call it with an English text and what is filled in."""

    def __init__(self, locale: Locale, catalogue: Mapping[str, str]) -> None:
        self.locale = locale
        self.catalogue = catalogue

    def __call__(self, text: str, /, **values: object) -> str:
        """`text` in this language. Markup among the values stays markup; everything else is escaped where it is shown."""
        said = self.catalogue.get(text, text)
        if not values:
            return said
        if any(isinstance(value, Markup) for value in values.values()):
            return escape(said).format(**values)
        return said.format(**values)


def message(text: str) -> str:
    """Mark a text that is translated where it is said."""
    return text


@cache
def words_in(locale: Locale) -> Words:
    """The words of a language. Where two parts translate one text differently, which a test finds, the first holds."""
    catalogue: dict[str, str] = {}
    for path in sorted((_FOLDER / locale.value).glob("*.yaml")):
        for text, said in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            catalogue.setdefault(text, said)
    return Words(locale, catalogue)


def locale_of(accept_language: str, chosen: str = "") -> Locale:
    """The language that was chosen, else the one that the browser likes best; English where it likes none of ours."""
    if chosen in tuple(Locale):
        return Locale(chosen)
    best, liking = Locale.EN, 0.0
    for part in accept_language[:_HEADER_MAX].split(","):
        match = _LIKED.fullmatch(part)
        tongue = _TONGUES.get(match[1].lower().partition("-")[0]) if match else None
        how_much = float(match[2] or 1) if match else 0.0
        if tongue is not None and how_much > liking:
            best, liking = tongue, how_much
    return best
