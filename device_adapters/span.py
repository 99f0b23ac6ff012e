"""One stretch of bytes and what it means: the word that explanations are made of."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (not included). `field` names them; `meaning` is plain English, with the value if it may be shown.

    `unit` is that of the value, as in `mL/h`. `hidden`: the bytes may hold a name, and are shown nowhere.
    """

    start: int
    end: int
    field: str
    meaning: str
    unit: str = ""
    hidden: bool = False

    def moved(self, by: int) -> "Span":
        """The same, so many bytes further on."""
        return replace(self, start=self.start + by, end=self.end + by)
