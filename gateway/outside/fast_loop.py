"""Settings of the interpreter that a busy event loop beside a writer thread wants."""

import sys

SWITCH_S = 0.0005


def quick_switches() -> None:
    """Let the journal's thread have the interpreter sooner: at the default of 5 ms a busy loop made it wait for each commit."""
    sys.setswitchinterval(SWITCH_S)
