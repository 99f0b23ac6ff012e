"""`dripwatch audit` on a journal in a file."""

import asyncio
import csv
import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.field.audit import audit
from gateway.field.audit_text import COLUMNS, clock_of
from gateway.outside.sqlite_journal import SqliteJournal
from tests.support.audited import entries, lived, write_down

STEPS = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1h, pump: p1, stop: user
at: 1h16m12s, person: nurse-a, reply: "ack {code}"
at: 1h19m, pump: p1, run: true
at: 1h30m, gateway: reload, ward_patch: {policies: {medium: {ack_lease: 1h}}}
at: 17h, record: {command: add-diary, course: P-017, temperature_c: 37.2, from_whom: nurse}
"""

TOLD = """\
haem-ward (Asia/Hong_Kong), 2026-03-02 08:00 to 2026-03-03 01:00

Monday 2026-03-02
08:00:00  the gateway started: 6 people, 1 schedule, 5 policies, 4 transports; ward file, protocol blinatumomab_home
08:00:00  scenario enrolled P-017 on pump p1 (blinatumomab_home, cycle 1, 7-day bag)
09:10:00  P-017@78 (delivery interrupted) opened, medium priority
09:10:00  nurse-a was paged by sms about P-017@78 (delivery interrupted), medium priority: the incident opened
09:10:00  sms took the page to nurse-a about P-017@78
09:10:01  the page to nurse-a about P-017@78 was delivered by sms
09:12:00  nurse-a was paged by voice about P-017@78 (delivery interrupted), medium priority: the incident opened
09:12:00  voice took the page to nurse-a about P-017@78
09:16:12  nurse-a acknowledged P-017@78 (delivery interrupted) by SMS, 6 min 12 s after the first page, until 11:16
09:21:00  P-017@78 (delivery interrupted) was over after 11 min: nothing had fired for 2 min
09:21:00  nurse-a was told by sms that P-017@78 is over
09:21:00  sms took the page to nurse-a about P-017@78
09:21:01  the page to nurse-a about P-017@78 was delivered by sms
09:30:00  the ward file was taken in again: 1 change
            ward file: policies.medium.ack_lease: 2h, now 1h

Tuesday 2026-03-03
01:00:00  ward wrote in the diary of P-017: temperature 37.2 °C, observed by the nurse

15 lines.
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    """The journal of the story, closed."""
    folder = tmp_path_factory.mktemp("audit")
    return write_down(folder / "dripwatch.db", lived(folder, STEPS).journal)


def run(*words: object) -> Result:
    """The command as people type it."""
    return CliRunner().invoke(audit, [str(word) for word in words], standalone_mode=False)


def test_the_whole_story_as_text(journal):
    """Sentences under their days, in the ward's time, whatever the computer's own zone is."""
    assert run("--journal", journal).output == TOLD


def test_the_same_in_another_process_and_time_zone(journal):
    """Nothing depends on who tells it, where: not on hashing, not on the computer's clock."""
    command = [sys.executable, "-m", "gateway", "audit", "--journal", str(journal)]
    env = {"TZ": "America/New_York", "PYTHONHASHSEED": "7", "PYTHONUTF8": "1"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert (said.stdout, said.stderr) == (TOLD, "")


def test_an_impatient_reader_is_no_error(journal):
    """`| head` has seen enough: no complaint, no traceback."""
    words = f"{sys.executable} -m gateway audit --journal {journal} --format jsonl; echo $? >&2"
    said = subprocess.run(["bash", "-c", f"({words}) | head -c 1"], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("{", "0\n")


def test_csv_and_json_lines_say_the_same(journal, tmp_path):
    """One row and one object a line, with the ward's own offset."""
    rows = list(csv.DictReader(StringIO(run("--journal", journal, "--format", "csv").output)))
    objects = [json.loads(line) for line in run("--journal", journal, "--format", "jsonl").output.splitlines()]
    assert [tuple(one) for one in (rows[0], objects[0])] == [COLUMNS, COLUMNS]
    assert len(rows) == len(objects) == 15
    for row, one in zip(rows, objects, strict=True):
        assert {**one, "details": "; ".join(one["details"])} == row
    ack = next(one for one in objects if one["what"] == "ack")
    assert (ack["at"], ack["who"], ack["incident"]) == ("2026-03-02T09:16:12.000+08:00", "nurse-a", "P-017@78")
    file = tmp_path / "march.csv"
    assert run("--journal", journal, "--format", "csv", "--out", file).output == ""
    assert len(file.read_text(encoding="utf-8").splitlines()) == 16


def test_the_page_stands_alone(journal, tmp_path):
    """One file to print: the ward, the period, every sentence, no script, nothing from elsewhere, and nothing unescaped."""
    file = tmp_path / "march.html"
    assert run("--journal", journal, "--format", "html", "--out", file, "--until", "2026-03-03").exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|https?://|@import|url\(", page)
    for text in ("Audit: haem-ward", "2026-03-02 08:00 to 2026-03-03 00:00 (Asia/Hong_Kong)", "@media print", "14 lines."):
        assert text in page
    assert '<td class="time">09:16:12</td>' in page
    assert "<li>ward file: policies.medium.ack_lease: 2h, now 1h</li>" in page
    assert "Tuesday" not in page


def test_nobodys_words_break_the_page_the_table_or_the_terminal(tmp_path):
    """What people type is told as they typed it, and steers nothing."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1m, record: {command: end-course, course: P-017, reason: "<script>alert(1)</script>"}
at: 2m, person: "=cmd()", ack: P-017
"""
    file = write_down(tmp_path / "odd.db", lived(tmp_path, steps).journal)
    assert "&lt;script&gt;" in run("--journal", file, "--format", "html").output
    rows = list(csv.DictReader(StringIO(run("--journal", file, "--format", "csv").output)))
    assert rows[-1]["who"] == "'=cmd()"
    assert "\x1b" not in run("--journal", file).output


def test_lines_can_be_chosen(journal):
    """By course, person, kind and number of lines; and paged backwards."""
    assert run("--journal", journal, "--what", "ack", "--what", "diary").output.count("\n0") == 2
    assert "1 line." in run("--journal", journal, "--who", "nurse-a", "--what", "ack").output
    assert "0 lines." in run("--journal", journal, "--course", "P-404").output
    last = [json.loads(line) for line in run("--journal", journal, "--format", "jsonl", "--last", 2).output.splitlines()]
    before = run("--journal", journal, "--format", "jsonl", "--last", 1, "--before", last[0]["id"]).output
    assert [one["what"] for one in last] == ["config", "diary"]
    assert json.loads(before)["why"] == "delivered"


def test_it_reads_beside_a_gateway_that_writes(journal, tmp_path):
    """The journal is open for writing, and grows: what is there is told, and the file is left alone."""

    async def beside() -> tuple[str, str]:
        live = SqliteJournal.open(tmp_path / "live.db")
        records = lived(tmp_path, STEPS).journal
        await live.append(entries(records[:79]))
        first = await asyncio.to_thread(run, "--journal", tmp_path / "live.db")
        await live.append(entries(records[79:]))
        second = await asyncio.to_thread(run, "--journal", tmp_path / "live.db")
        await live.close()
        return first.output, second.output

    first, second = asyncio.run(beside())
    assert "5 lines." in first
    assert second == TOLD


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--from", "March"), "write it like 2026-03-01"),
        (("--from", "2026-03-03", "--until", "2026-03-02"), "--until does not come after --from"),
        (("--before", "7"), "it looks like 48213.2"),
        (("--out", "/no/such/folder/x.csv"), "give another file"),
        (("--journal", "/no/such.db"), "there is no such file"),
    ],
)
def test_a_wrong_call_is_one_line_with_the_mend(journal, words, mend):
    """The exit code is 2, and the words say what to do."""
    said = run("--journal", journal, *words)
    assert said.exception is not None
    assert mend in said.exception.format_message()
    assert said.exception.exit_code == 2


def test_an_empty_journal_has_nothing_to_tell(tmp_path):
    """No record, no line, no error."""
    assert "0 lines." in run("--journal", write_down(tmp_path / "empty.db", [])).output


BERLIN = ZoneInfo("Europe/Berlin")
TWICE_AT = 1_792_890_000_000  # 2026-10-25T01:00:00Z: 02:00 in Berlin for the second time


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (TWICE_AT - HOUR_MS - MINUTE_MS, "01:59:00"),
        (TWICE_AT - HOUR_MS, "02:00:00+02:00"),
        (TWICE_AT - MINUTE_MS, "02:59:00+02:00"),
        (TWICE_AT, "02:00:00+01:00"),
        (TWICE_AT + HOUR_MS - MINUTE_MS, "02:59:00+01:00"),
        (TWICE_AT + HOUR_MS, "03:00:00"),
    ],
)
def test_the_hour_that_comes_twice_is_told_apart(at, shown):
    """In the night in which the clocks go back, 02:30 alone would say nothing."""
    assert clock_of(at, BERLIN) == shown


def test_a_night_in_which_the_clocks_go_back(tmp_path):
    """Lines stay in the order of time, under one day, and a lease's end is the ward's own."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1h20m, pump: p1, stop: user
at: 1h45m, person: nurse-a, ack: P-017
at: 2h10m, person: nurse-a, ack: P-017
at: 2h12m, pump: p1, run: true
"""
    more = "ward_patch: {timezone: Europe/Berlin}\n"
    records = lived(tmp_path, steps, start="2026-10-25T01:00:00+02:00", more=more).journal
    said = run("--journal", write_down(tmp_path / "night.db", records), "--what", "ack").output
    assert "Sunday 2026-10-25\n02:45:00+02:00  nurse-a acknowledged P-017@" in said
    assert ", until 02:15+01:00\n02:10:00+01:00  nurse-a renewed the acknowledgement of P-017@" in said
    assert said.count("Sunday") == 1
