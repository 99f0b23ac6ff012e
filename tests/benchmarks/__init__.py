"""Ratios in one run, printed; never asserted."""
