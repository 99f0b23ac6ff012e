"""`make bench`: every number of DESIGN 11 that exists, with its goal and the ratio between them, all in one run.

Nothing here fails a build: the machine is shared and noisy. The result is also written as JSON.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.benchmarks import (
    bench_adapters,
    bench_console,
    bench_influx,
    bench_ingest,
    bench_journal,
    bench_latency,
    bench_paging,
    bench_restart,
    bench_rules,
    bench_scenario,
    bench_spool,
)

OUT = Path("build/bench.json")

BENCHMARKS: tuple[Callable[[], dict[str, float]], ...] = (
    bench_rules.run,
    bench_adapters.run,
    bench_scenario.run,
    bench_journal.run,
    bench_ingest.run,
    bench_latency.run,
    bench_paging.run,
    bench_restart.run,
    bench_influx.run,
    bench_console.run,
    bench_spool.run,
)

# number → (goal, whether more is better)
GOALS: Mapping[str, tuple[float, bool]] = {
    "durable_per_s": (10_000, True),
    "durable_of_bare": (0.5, True),
    "alarm_p50_ms": (15, False),
    "alarm_p99_ms": (100, False),
    "page_beside_hung_max_ms": (100, False),
    "next_of_10000_max_ms": (50, False),
    "rule_step_us": (25, False),
    "pump_memory_kib": (4, False),
    "decode_bcc_frames_per_s": (20_000, True),
    "decode_hl7_per_s": (10_000, True),
    "restart_s": (3, False),
    "catch_up_per_s": (20_000, True),
    "scenario_week_s": (1, False),
    "board_500_ms": (150, False),
    "board_500_kb": (200, False),
    "live_200_max_ms": (1_000, False),
}


def main() -> None:
    """Run everything, print a table, write the JSON."""
    numbers: dict[str, float] = {}
    for benchmark in BENCHMARKS:
        for name, value in benchmark().items():
            numbers[name] = value
            sys.stdout.write(f"{_row(name, value)}\n")
            sys.stdout.flush()
    OUT.parent.mkdir(exist_ok=True)
    goals = {name: {"goal": goal, "ratio": _ratio(name, numbers[name])} for name, (goal, _) in GOALS.items()}
    OUT.write_text(json.dumps({"numbers": numbers, "goals": goals}, indent=1) + "\n")
    sys.stdout.write(f"written to {OUT}; a ratio of 1 or more reaches its goal\n")


def _ratio(name: str, value: float) -> float:
    goal, more_is_better = GOALS[name]
    return value / goal if more_is_better else goal / value


def _row(name: str, value: float) -> str:
    if name not in GOALS:
        return f"{name:40} {value:14,.3f}"
    goal, more_is_better = GOALS[name]
    wanted = ">=" if more_is_better else "<="
    return f"{name:40} {value:14,.3f}   goal {wanted} {goal:,g}   ratio {_ratio(name, value):.2f}"


if __name__ == "__main__":
    main()
