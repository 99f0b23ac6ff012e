"""`make check-security`: what Dripwatch is made of, and which known vulnerabilities that has.

Writes a bill of materials of everything that runs (CycloneDX, build/dripwatch.cdx.json), then asks OSV, or a service of your
own that speaks like it, about every locked package (build/vulnerabilities.json). Exit codes: 0 none is known; 1 some are; 2 it
could not ask, which is no good news: nothing is known then.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
OSV = "https://api.osv.dev/v1/query"
NONE, FOUND, NOT_ASKED = 0, 1, 2
WHY_CHARS_MAX = 300


class NotAsked(Exception):
    """There is no answer; the words say why."""


def main(words: Sequence[str] | None = None) -> int:
    """What the command line says; its exit code."""
    parser = argparse.ArgumentParser(prog="make check-security", description="bill of materials, known vulnerabilities")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements-run.lock", help="the locked packages")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="the folder for both reports")
    parser.add_argument("--osv-url", default=OSV, help="the vulnerability service")
    parser.add_argument("--timeout", type=int, default=15, help="seconds to wait for each answer")
    asked = parser.parse_args(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        bill = write_bill(asked.lock, asked.out / "dripwatch.cdx.json")
        say(f"bill of materials: {asked.out / 'dripwatch.cdx.json'}, {bill} packages")
        found = ask(asked.lock, asked.out / "vulnerabilities.json", asked.osv_url, asked.timeout)
    except NotAsked as why:
        sys.stderr.write(
            f"could not ask for known vulnerabilities: {why}\nNothing is known. Ask again where {asked.osv_url} answers.\n"
        )
        return NOT_ASKED
    for line in found:
        say(line)
    say(f"{len(found)} known vulnerabilities" if found else "no known vulnerability")
    return FOUND if found else NONE


def say(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(f"{line}\n")


def write_bill(lock: Path, out: Path) -> int:
    """Write the bill of materials; returns how many packages it has. Raises `NotAsked` where the lock cannot be read."""
    pyproject = ["--pyproject", str(ROOT / "pyproject.toml")]
    done = run("cyclonedx-py", "requirements", str(lock), *pyproject, "--output-reproducible", "--of", "JSON", "-o", str(out))
    if done.returncode != 0:
        raise NotAsked(f"no bill of materials: {last_line(done.stderr)}")
    return len(json.loads(out.read_text(encoding="utf-8")).get("components", []))


def ask(lock: Path, out: Path, url: str, timeout_s: int) -> list[str]:
    """One line for each known vulnerability. Raises `NotAsked` when the service did not answer for every package."""
    out.unlink(missing_ok=True)
    exact = ["--require-hashes", "--disable-pip", "--strict"]
    service = ["--vulnerability-service", "osv", "--osv-url", url, "--timeout", str(timeout_s)]
    told = ["--progress-spinner", "off", "--format", "json", "--output", str(out)]
    done = run("pip-audit", "--requirement", str(lock), *exact, *service, *told)
    try:
        packages: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError, KeyError) as error:
        raise NotAsked(last_line(done.stderr)) from error
    passed_over = [package for package in packages if "skip_reason" in package]
    if passed_over:
        raise NotAsked(f"{passed_over[0]['name']}: {passed_over[0]['skip_reason']}")
    return [line_of(package, known) for package in packages for known in package["vulns"]]


def line_of(package: dict[str, Any], known: dict[str, Any]) -> str:
    """Package, what is known, and the mend."""
    names = ", ".join([known["id"], *known.get("aliases", [])])
    mend = f"mended in {', '.join(known['fix_versions'])}" if known["fix_versions"] else "not mended yet"
    return f"{package['name']} {package['version']}: {names}; {mend}"


def run(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """A program of the same environment, to its end."""
    try:
        return subprocess.run([BIN / program, *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    except FileNotFoundError as error:
        raise NotAsked(f"{program} is not installed; make setup") from error


def last_line(text: str) -> str:
    """The last thing that a program said, which says what was wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:WHY_CHARS_MAX] if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())
