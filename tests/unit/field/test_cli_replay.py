import asyncio
import json
from pathlib import Path

import pytest

from gateway.config.load import load_ward_file
from gateway.domain.commands import Enrol
from gateway.domain.instants import MINUTE_MS
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import Entry, Kind
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry
from rules.loader import shipped_text
from tests.support.damage import flip_byte_of
from tests.support.fake_service import AT

ROOT = Path(__file__).parents[3]
SHIPPED = shipped_text("blinatumomab_home")


def telemetry(minute: int, status: str) -> Entry:
    """A report of pump-17, so many minutes after the start."""
    at = AT + minute * MINUTE_MS
    reason = {"not_delivering_reason": "user"} if status == "not-delivering" else {}
    body = {"observed_at": at, "boot": "b1", "seq": minute, "delivery_status": status, "rate_ml_h": 0.6, **reason}
    return message_entry("dw/v1/haem-ward/pump-17/telemetry", json.dumps(body).encode(), at)


@pytest.fixture
def journal(tmp_path) -> Path:
    """Two hours of P-017: delivering for an hour, then stopped by hand, and nobody acknowledges."""
    path = tmp_path / "dripwatch.db"
    ward = load_ward_file(ROOT / "tests" / "ward.example.yaml")
    enrol = Enrol(course="P-017", pump="pump-17", protocol="blinatumomab_home", bag="7-day")
    entries = [
        config_entry(ward.text_for_journal, {"blinatumomab_home": SHIPPED}, AT, started=True),
        clock_entry(AT, "up"),
        clock_entry(AT, "drained"),
        command_entry("nurse-a", enrol, AT),
        *[telemetry(minute, "delivering" if minute < 60 else "not-delivering") for minute in range(120)],
    ]
    asyncio.run(keep(path, entries))
    return path


async def keep(path: Path, entries: list[Entry]) -> None:
    """Write a journal."""
    opened = SqliteJournal.open(path)
    await opened.append(entries)
    await opened.close()


def test_a_journal_tells_who_was_paged(run, journal):
    """When (in the ward's zone), how urgently, whom, by what, why, with which words."""
    result = run("replay", "--journal", journal)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("2 Mar 2026 15:13:00  medium nurse-a by sms (opened): P-017 MEDIUM: delivery stopped")
    assert "nurse-a by sms (raised)" in result.stdout
    assert lines[-1] == f"124 records, {len(lines) - 1} pages"


def test_other_rules_are_told_as_differences(run, journal, tmp_path):
    """What would be gone, new, earlier or later."""
    (tmp_path / "new.yaml").write_text(
        SHIPPED.replace("priority: {medium: 10m, high: 20m}", "priority: {medium: 15m, high: 90m}", 1)
    )
    result = run("replay", "--journal", journal, "--rules", "new.yaml")
    assert result.exit_code == 0
    assert "later    2 Mar 2026 15:18:00  medium nurse-a by sms (opened)" in result.stdout
    assert "[was 2 Mar 2026 15:13:00]" in result.stdout
    assert "\ngone     " in result.stdout
    assert result.stdout.splitlines()[-1].startswith("124 records, ")


def test_the_same_rules_make_no_difference(run, journal, tmp_path):
    """Told again, it is the same story."""
    (tmp_path / "same.yaml").write_text(SHIPPED)
    lines = run("replay", "--journal", journal, "--rules", "same.yaml").stdout.splitlines()
    assert len(lines) == 1
    pages = lines[0].split()[2]
    assert lines[0] == f"124 records, {pages} pages then, {pages} with same.yaml"


def test_damaged_and_unreadable_records_are_told_and_passed_over(run, journal):
    """The rest of the night is still worth reading."""
    asyncio.run(keep(journal, [Entry(AT + 121 * MINUTE_MS, Kind.COMMAND, "", "", "", b"{}")]))
    flip_byte_of(journal, b'"seq": 2,')
    result = run("replay", "--journal", journal)
    assert result.exit_code == 0
    assert "record 7 is damaged: " in result.stderr
    assert "record 125 (command): " in result.stderr
    assert "124 records, " in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--journal", "nowhere.db"), "nowhere.db: there is no such file; check the path"),
        (("--journal", "new.yaml"), "new.yaml: this is not a Dripwatch journal"),
        (("--journal", "dripwatch.db", "--rules", "nowhere.yaml"), "nowhere.yaml: there is no such file; check the path"),
        (("--journal", "dripwatch.db", "--rules", "new.yaml"), "new.yaml:1: "),
        (("--journal", "dripwatch.db", "--rules", "binary"), "binary: not UTF-8 text; save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_exit_2(run, journal, tmp_path, words, said):
    """With the mend, before anything is told."""
    (tmp_path / "new.yaml").write_text("protocol: MINE\n" + "# padding\n" * 200)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    result = run("replay", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_rules_under_a_name_that_the_journal_never_used_are_exit_2(run, journal, tmp_path):
    """They would change nothing, and that is no answer to "what would these have paged?"."""
    other = tmp_path / "other.yaml"
    other.write_text(SHIPPED.replace("protocol: blinatumomab_home", "protocol: mine", 1))
    result = run("replay", "--journal", journal, "--rules", other)
    assert result.exit_code == 2
    assert "knows no protocol 'mine'" in result.stderr
    assert "it has: blinatumomab_home" in result.stderr
