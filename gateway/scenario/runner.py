"""Runs scenario files and reports on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.instants import Instant
from gateway.scenario.checks import offset_words
from gateway.scenario.grammar import Scenario, ScenarioError, read_scenario
from gateway.scenario.story import Story

FINE, FAILED, WRONG = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Told:
    """One story as it went: its failures in words, its timeline."""

    scenario: Scenario
    failures: tuple[str, ...]
    lines: tuple[tuple[Instant, str], ...]
    story: Story

    def timeline(self) -> list[str]:
        """The timeline, one line an effect."""
        start = self.scenario.start_at
        return [f"{offset_words(at - start):>12}  {words}" for at, words in self.lines]


def tell(file: Path) -> Told:
    """Run one file. Raises `ScenarioError` when it is not a scenario."""
    scenario = read_scenario(file)
    story = Story(scenario)
    failures = story.run()
    return Told(scenario, tuple(failures), tuple(story.lines), story)


def run_files(files: Sequence[Path], write: Callable[[str], None], *, verbose: bool = True) -> int:
    """Run all files; returns the exit code: 0 all pass, 1 one failed, 2 one is not a scenario."""
    code = FINE
    for file in files:
        try:
            told = tell(file)
        except ScenarioError as error:
            write(str(error))
            code = WRONG
            continue
        verdict = "fails" if told.failures else "passes"
        write(f"{file}: {verdict}: {told.scenario.title}")
        if verbose or told.failures:
            for line in told.timeline():
                write(line)
        for failure in told.failures:
            write(failure)
        if told.failures:
            code = max(code, FAILED)
    return code
