"""`python -m tests.trace`: run the tests that show a control and print the matrix; `--from FILE`: of a run that is over.

`python -m tests.trace paper` writes docs/security/hazard-analysis.md anew. Exit codes: 0 every hazard has a passing test and no
marked test failed; 1 not so; 2 the call is wrong, or there is no report.
"""

import subprocess
import sys
from pathlib import Path

from tests.support.source_tree import ROOT
from tests.trace import matrix, paper
from tests.trace.hazards import hazards
from tests.trace.marks import shown_by

REPORT = ROOT / "build" / "trace.xml"
TOGETHER = ("-n", "4", "--dist", "loadfile")


def main(words: list[str]) -> int:
    """What the command line says."""
    match words:
        case ["paper"]:
            paper.FILE.write_text(paper.text(), encoding="utf-8")
            return 0
        case []:
            return _run() or _print(REPORT)
        case ["--from", file]:
            return _print(Path(file))
        case _:
            sys.stderr.write("python -m tests.trace [paper | --from REPORT.xml]\n")
            return 2


def _run() -> int:
    """Run the marked tests; returns 2 when pytest could not, and 0 whether they passed or not: the matrix says that."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    files = sorted({test.path for tests in shown_by().values() for test in tests})
    line = [sys.executable, "-m", "pytest", "-q", "-m", "hazard", *TOGETHER, f"--junitxml={REPORT}", *files]
    done = subprocess.run(line, cwd=ROOT, check=False)
    return 0 if done.returncode in (0, 1) else 2


def _print(report: Path) -> int:
    try:
        told = matrix.read(report)
    except matrix.NoReport as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    lines = matrix.lines(hazards(), shown_by(), told)
    for line in matrix.written(lines):
        sys.stdout.write(f"{line}\n")
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
