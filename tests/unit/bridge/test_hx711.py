"""The load cell's 24 bits, and a weight from readings of which some are nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.hx711 import Calibration, count_of, weight_g

CELL = Calibration(tare=-12_000, counts_per_g=-420.0)


@pytest.mark.parametrize(
    ("bits", "count"),
    [(0, 0), (1, 1), (0x7FFFFF, 8_388_607), (0x800000, -8_388_608), (0xFFFFFF, -1), (0xFFFFFE, -2)],
)
def test_bits_are_twos_complement(bits: int, count: int):
    """As the data sheet has it."""
    assert count_of(bits) == count


@given(st.integers(-8_388_608, 8_388_607))
def test_every_count_comes_back(count: int):
    """Whatever the chip sends."""
    assert count_of(count & 0xFFFFFF) == count


def test_the_weight_is_the_median_of_good_readings():
    """A reset chip, a full scale and one spike change nothing; a cell may be mounted upside down."""
    counts = [-12_000 - 42_000 + noise for noise in (-30, 0, 10, 40, 20)]
    assert weight_g([*counts, -1, 8_388_607, -8_388_608, 500_000], CELL) == 100.0


def test_too_few_readings_are_no_weight():
    """None, never zero."""
    assert weight_g([-54_000] * 4, CELL) is None
    assert weight_g([-1] * 9, CELL) is None
    assert weight_g([], CELL) is None
