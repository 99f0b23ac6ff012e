"""The stories: each file beside this one is told in virtual time, and goes as it expects."""

from pathlib import Path

import pytest

from gateway.scenario.runner import tell
from tests.trace.marks import of_story

FILES = sorted(Path(__file__).parent.glob("*.yaml"))
STORIES = [pytest.param(file, id=file.stem, marks=of_story(file.stem)) for file in FILES]


@pytest.mark.parametrize("file", STORIES)
def test_the_story_goes_as_expected(file: Path):
    """Every page that is expected goes out, and no other."""
    told = tell(file)
    assert not told.failures, "\n".join([told.scenario.title, *told.failures, "", *told.timeline()])
