"""One simulated patient-week in virtual time, and the board of 500 courses."""

import tempfile
import time
from pathlib import Path

from gateway.core.board import build_board
from gateway.scenario.runner import tell
from tests.benchmarks.bench_rules import START_AT, world

WEEK = """
title: A quiet week
ward: {ward}
steps:
  - {{at: 0m, enrol: {{course: P-017, pump: p1}}}}
  - {{at: 1h, record: {{command: order-bag, course: P-017, bag: 7-day, ready_at: 6d}}}}
  - {{at: 7d, expect: {{delivery: P-017, is: delivering}}}}
"""


def run() -> dict[str, float]:
    """Seconds a week, milliseconds a board."""
    ward = Path(__file__).parent.parent / "ward.example.yaml"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "week.yaml"
        file.write_text(WEEK.format(ward=ward))
        began = time.perf_counter()
        told = tell(file)
        week_s = time.perf_counter() - began
    if told.failures:
        raise RuntimeError(str(told.failures))
    state = world(500)[0].monitor.state
    began = time.perf_counter()
    build_board(state, START_AT)
    return {"scenario_week_s": week_s, "board_built_500_ms": (time.perf_counter() - began) * 1000}
