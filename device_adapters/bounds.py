"""What is physically possible. A number outside is refused: it was misread, mistyped or sent in another unit.

Each bound is (least, greatest), both allowed. They are wide on purpose: whether a believable number is *right* is for the rules.
"""

from typing import Final

Bound = tuple[float, float]

RATE_ML_H: Final[Bound] = (0.0, 1_800.0)  # the fastest large-volume pumps reach 1,200 to 1,800
VOLUME_ML: Final[Bound] = (0.0, 20_000.0)  # a day's parenteral nutrition, several times over
PERCENT: Final[Bound] = (0.0, 100.0)
PRESSURE_MMHG: Final[Bound] = (-500.0, 5_000.0)  # line pressure; an upstream sensor may read below zero
WEIGHT_G: Final[Bound] = (-1_000.0, 25_000.0)  # the fullest bag with its hook; an empty load cell may drift below zero
TEMPERATURE_C: Final[Bound] = (25.0, 45.0)  # a living patient's; anything else is a thermometer on the table, or Fahrenheit
SHIFT_S: Final[Bound] = (-4e9, 4e9)  # a clock set from one end of the allowed years to the other

PAYLOAD_BYTES_MAX: Final = 256 * 1024  # over it: refused whole as too-large
MESSAGES_MAX: Final = 500  # readings asked for by one payload; over it: refused whole as too-many
TEXT_CHARS_MAX: Final = 500  # over it: cut; the journal keeps the whole
NAME_CHARS_MAX: Final = 64  # boot, bag, setting, code


def within(value: float, bound: Bound) -> bool:
    """True when `value` is possible; False for NaN and the infinities too."""
    return bound[0] <= value <= bound[1]


def plain_text(text: str, *, chars_max: int = TEXT_CHARS_MAX) -> str | None:
    """`text` on one line, without control characters, cut at `chars_max`; None when nothing is left."""
    if len(text) <= chars_max and text.isprintable():
        return text.strip() or None
    line = " ".join(text[: 4 * chars_max].split())
    return "".join(c for c in line if c.isprintable())[:chars_max].rstrip() or None
