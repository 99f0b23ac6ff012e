"""An HX711 between a load cell and two pins: what its 24 bits mean. No I/O.

    data  ──────┐ ready (low)   bit 23, the sign … bit 0   ┌────
                └───────────────────────────────────────────┘
    clock ____________┌─┐_┌─┐_ 24 pulses, and one more: channel A, gain 128, for the next time _┌─┐____

A pulse that is high for 60 µs or longer resets the chip, and the reading is nonsense: that happens to a program that the kernel
interrupts. A weight is therefore the median of several readings, and readings at the end of the scale are left out.
Source: HX711 data sheet (Avia Semiconductor)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

BITS: Final = 24
PULSES: Final = BITS + 1
READINGS: Final = 9  # for one weight: at the chip's 10 a second, about a second
READINGS_NEEDED: Final = 5
_SIGN: Final = 1 << (BITS - 1)
_ENDS: Final = (_SIGN - 1, -_SIGN, -1)  # beyond the scale either way, and what an interrupted reading looks like


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`tare` is the count with an empty hook; `counts_per_g` is signed: a load cell may be mounted either way round."""

    tare: int
    counts_per_g: float


def count_of(bits: int) -> int:
    """24 bits in two's complement, the first bit the highest: -8,388,608 to 8,388,607."""
    return bits - (1 << BITS) if bits & _SIGN else bits


def weight_g(counts: Sequence[int], calibration: Calibration) -> float | None:
    """The weight in grams, to a tenth; None where too few readings are of use."""
    good = [count for count in counts if count not in _ENDS]
    if len(good) < READINGS_NEEDED:
        return None
    return round((median(good) - calibration.tare) / calibration.counts_per_g, 1)
