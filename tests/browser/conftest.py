"""One browser for each file: its tests are not asynchronous, because Playwright's own loop runs as long as it does."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import chromium


@pytest.fixture(scope="module", name="chromium")
def running_chromium() -> Iterator[Browser]:
    """Debian's own."""
    with chromium() as browser:
        yield browser
