"""Write requirements.lock (everything) and requirements-run.lock (what `dripwatch` needs to run), with hashes.

Input is pyproject.toml alone: the project's dependencies, what builds it, and the `dev` group. Versions that are locked
already stay as they are; arguments are handed to pip-compile (`--upgrade`, `--upgrade-package httpx`). The oldest supported
Python must run this: what only an older Python needs is then in the lock, and the newer ones ignore it.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
ALWAYS = [
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
]


def wanted() -> tuple[list[str], list[str]]:
    """Requirement lines (to run, to develop). An editable install needs `editables` besides the build backend."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = [*project["project"]["dependencies"], *project["build-system"]["requires"], "editables"]
    return run, [*run, *project["dependency-groups"]["dev"]]


def compile_lock(lines: list[str], lock: str, arguments: list[str]) -> None:
    """Resolve `lines` into the file `lock`."""
    command = [sys.executable, "-m", "piptools", "compile", *ALWAYS, *arguments, "--output-file", lock, "-"]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}
    subprocess.run(command, cwd=ROOT, input="\n".join(lines), text=True, check=True, env=environment)  # noqa: S603 - our own words


def main() -> int:
    """Exit code 0, or 2 with one line that says what to do."""
    if sys.version_info[:2] != OLDEST:
        sys.stderr.write(f"make lock: run it with Python {OLDEST[0]}.{OLDEST[1]}, the oldest that is supported\n")
        return 2
    run, everything = wanted()
    compile_lock(everything, "requirements.lock", ["--annotation-style=line", *sys.argv[1:]])
    compile_lock(run, "requirements-run.lock", ["--no-annotate", "--constraint", "requirements.lock"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
