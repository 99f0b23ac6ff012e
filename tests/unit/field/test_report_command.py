"""`dripwatch report` on a journal in a file."""

import asyncio
import csv
import re
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.field.report import report
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Entry
from gateway.scenario.runner import tell

WARD = Path(__file__).parents[2] / "ward.example.yaml"
STORY = f"""
title: One course for nineteen hours
ward: {WARD}
steps:
  - {{at: 0m, enrol: {{course: P-017, pump: p1}}}}
  - {{at: 1h, pump: p1, stop: user}}
  - {{at: 1h12m, person: nurse-a, ack: P-017}}
  - {{at: 1h15m, pump: p1, run: true}}
  - {{at: 19h, expect: {{delivery: P-017, is: delivering, within: 0s}}}}
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    """The journal of the story, closed."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "story.yaml").write_text(STORY, encoding="utf-8")
    records = tell(folder / "story.yaml").story.house.journal

    async def write() -> None:
        made = SqliteJournal.open(folder / "dripwatch.db")
        await made.append([Entry(r.received_at, r.kind, r.site, r.device, r.topic, r.body) for r in records])
        await made.close()

    asyncio.run(write())
    return folder / "dripwatch.db"


def run(*words: object) -> Result:
    """The command as people type it."""
    return CliRunner().invoke(report, [str(word) for word in words], standalone_mode=False)


def test_the_text_has_every_figure(journal):
    """A nurse manager reads it in the terminal."""
    said = run("--journal", journal)
    assert said.exit_code == 0
    words = re.sub(r" +", " ", said.output)
    for line in ("haem-ward (Asia/Hong_Kong)", "courses 1", "without delivery 15 min", "user, length 15 min", "days missed 1"):
        assert line in words
    assert "events per bag change –" in words  # noqa: RUF001 - the dash of a figure without a base


def test_the_csv_says_the_same(journal, tmp_path):
    """Four columns, the names of the text, an empty value where there is no base."""
    file = tmp_path / "march.csv"
    assert run("--journal", journal, "--csv", file).exit_code == 0
    table = list(csv.reader(StringIO(file.read_text(encoding="utf-8"))))
    assert table[0] == ["section", "name", "value", "unit"]
    values = {(row[0], row[1]): row[2] for row in table[1:]}
    assert values["interruptions", "without delivery"] == "15"
    assert values["events", "events per bag change"] == ""
    assert values["course P-017", "interruptions"] == "1"
    assert values["interruption of P-017", "since"] == "2026-03-02T01:00:00.000Z"


def test_the_page_stands_alone(journal, tmp_path):
    """One file to print: no script, nothing from elsewhere, and the safety words."""
    file = tmp_path / "march.html"
    assert run("--journal", journal, "--html", file).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|https?://|@import|url\(", page)
    assert "@media print" in page
    assert "the pump's own alarm stays primary" in page
    assert "2026-03-02 08:00 to 2026-03-03 03:00" in page


def test_dates_are_local_midnights(journal):
    """The ward's midnight is not Greenwich's."""
    said = run("--journal", journal, "--from", "2026-03-03", "--until", "2026-03-03T02:00:00+08:00")
    assert "2026-03-03 00:00" in said.output
    assert "2026-03-03 02:00" in said.output


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--from", "March"), "write it like 2026-03-01"),
        (("--until", "2026-03-03T06:00:00"), "write it like 2026-03-01"),
        (("--from", "2026-03-03", "--until", "2026-03-02"), "--until does not come after --from"),
        (("--from", "2027-03-03"), "nothing was recorded in that period; the journal begins at 2026-03-02T00:00:00.000Z"),
        (("--csv", "/no/such/folder/x.csv"), "give another file"),
    ],
)
def test_a_wrong_call_is_one_line_with_the_mend(journal, words, mend):
    """The exit code is 2, and the words say what to do."""
    said = run("--journal", journal, *words)
    assert said.exception is not None
    assert mend in said.exception.format_message()
    assert said.exception.exit_code == 2


def test_a_journal_that_is_not_there(tmp_path):
    """The path is named."""
    said = run("--journal", tmp_path / "none.db")
    assert "there is no such file" in said.exception.format_message()
