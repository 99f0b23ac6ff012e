"""The fields of a form as values: what cannot be read is refused in words that name the field and the mend."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.config.durations import parse_duration
from gateway.console.words import Words
from gateway.domain.instants import SECOND_MS, Instant

TEXT_MAX = 1_000
NAME_MAX = 64


class BadField(Exception):
    """A field that cannot be read; the text is for the person who filled it in."""


class Fields:
    """One form, its times in `zone`. `label` is the field's name as it stands on the page. All methods raise `BadField`.

    A field that is empty, or not in the form, is None (or an empty text): whether it must be there is the caller's to say.
    """

    def __init__(self, given: Mapping[str, str], zone: ZoneInfo, say: Words) -> None:
        self.given, self._zone, self._say = given, zone, say

    def text(self, name: str, label: str, most: int = TEXT_MAX) -> str:
        """Free words."""
        text = self.given.get(name, "")
        if len(text) > most:
            raise BadField(self._say("{field}: at most {n} characters", field=self._say(label), n=most))
        return text

    def needed(self, name: str, label: str, most: int = NAME_MAX) -> str:
        """Words that must be there."""
        text = self.text(name, label, most)
        if not text:
            raise BadField(self._say("{field}: is missing", field=self._say(label)))
        return text

    def one_of(self, name: str, label: str, known: Sequence[str]) -> str:
        """One of these texts."""
        text = self.text(name, label, NAME_MAX)
        if text not in known:
            raise BadField(self._say("{field}: choose one of those that are offered", field=self._say(label)))
        return text

    def number(self, name: str, label: str, most: float) -> float | None:
        """A number from 0 to `most`; `0,6` is read as 0.6."""
        text = self.text(name, label, NAME_MAX).replace(",", ".")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most:
            raise BadField(
                self._say("{field}: {text} is no number from 0 to {most}", field=self._say(label), text=text, most=f"{most:g}")
            )
        return value

    def whole(self, name: str, label: str, most: int) -> int | None:
        """A whole number from 0 to `most`."""
        value = self.number(name, label, most)
        if value is not None and value != int(value):
            raise BadField(self._say("{field}: only a whole number", field=self._say(label)))
        return None if value is None else int(value)

    def length_ms(self, name: str, label: str) -> int | None:
        """A length of time, like 30m or 7d."""
        text = self.text(name, label, NAME_MAX)
        if not text:
            return None
        try:
            return parse_duration(text)
        except ValueError:
            words = self._say(
                "{field}: {text} is no length of time; write it like 30m, 12h, 7d", field=self._say(label), text=text
            )
            raise BadField(words) from None

    def moment(self, name: str, label: str) -> Instant | None:
        """A wall time of the ward, as browsers send it (`2026-03-02T08:00`)."""
        text = self.text(name, label, NAME_MAX)
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            wall = datetime.min  # noqa: DTZ901  a year that is refused below, never used
        if wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
            words = self._say("{field}: {text} is no time; write it like 2026-03-02T08:00", field=self._say(label), text=text)
            raise BadField(words)
        return round(wall.replace(tzinfo=self._zone).timestamp() * SECOND_MS)
