"""`dripwatch export` on a journal's file: both forms, a period, and what is wrong with a call."""

import asyncio
import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from gateway.domain.care import OpenWindow, WindowKind
from gateway.domain.commands import Enrol
from gateway.field.export import _as_csv
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.export import COLUMNS
from gateway.runtime.records import command_entry, config_entry
from tests.support.histories import START_AT, protocol_texts, ward_text


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Two courses and a window."""

    async def written() -> None:
        journal = SqliteJournal.open(tmp_path / "j.db")
        entries = [config_entry(ward_text(), protocol_texts(), START_AT, started=True)]
        for number, course in enumerate(("P-017", "P-018")):
            enrol = Enrol(course=course, pump=f"pump-{number}", protocol="blinatumomab_home", bag="7-day")
            entries.append(command_entry("nurse-a", enrol, START_AT + 1_000))
        entries.append(
            command_entry("nurse-a", OpenWindow(course="P-017", kind=WindowKind.BAG_CHANGE, for_ms=60_000), START_AT + 2_000)
        )
        await journal.append(entries)
        await journal.close()

    asyncio.run(written())
    return tmp_path / "j.db"


def test_json_lines_have_instants_as_texts_and_leave_out_what_is_empty(run, journal: Path):
    """One object a line, in the journal's order."""
    told = run("export", "--journal", str(journal), "--course", "P-017")
    assert told.exit_code == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["what"] for line in lines if line["kind"] == "care"] == ["enrol", "open-window"]
    assert lines[0]["at"] == "2026-03-02T00:00:01.000Z"
    assert None not in lines[0].values()


def test_csv_has_every_column_and_no_formula(run, journal: Path, tmp_path: Path):
    """Whatever a spreadsheet might take for one is text."""
    out = tmp_path / "out.csv"
    assert run("export", "--journal", str(journal), "--format", "csv", "--out", str(out)).exit_code == 0
    rows = list(csv.DictReader(StringIO(out.read_text())))
    assert tuple(rows[0]) == COLUMNS
    assert {row["course"] for row in rows} == {"P-017", "P-018"}
    assert (rows[0]["at"], rows[0]["estimated"], rows[0]["rate_ml_h"]) == ("2026-03-02T00:00:01.000Z", "", "")
    assert _as_csv({"record": 1, "at": 0, "kind": "page", "by": "=sms", "found": True}).startswith(
        "1,1970-01-01T00:00:00.000Z,page,"
    )
    assert ",'=sms," in _as_csv({"by": "=sms"})


def test_a_period_is_of_when_records_came(run, journal: Path):
    """A date is midnight in the ward's zone; what ends before it begins is wrong."""
    told = run("export", "--journal", str(journal), "--from", "2026-03-02T00:00:02Z")
    assert {json.loads(line)["kind"] for line in told.stdout.splitlines()} == {"care"}
    assert run("export", "--journal", str(journal), "--until", "2026-03-02").stdout == ""
    wrong = run("export", "--journal", str(journal), "--from", "2026-03-02", "--until", "2026-03-01")
    assert (wrong.exit_code, "--until does not come after --from" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--journal", "nowhere.db"), "nowhere.db"),
        (("--from", "yesterday"), "--from"),
        (("--out", "/nowhere/at/all.csv"), "/nowhere/at/all.csv"),
    ],
)
def test_a_wrong_call_is_one_line_with_its_mend(run, journal: Path, words: tuple[str, ...], said: str):
    """Never a traceback."""
    given = words if "--journal" in words else ("--journal", str(journal), *words)
    wrong = run("export", *given)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert said in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1
