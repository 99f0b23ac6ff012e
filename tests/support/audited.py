"""Stories lived for the audit's tests, and what is told of their journals."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.audit import Audit
from gateway.runtime.audit_line import AuditLine
from gateway.runtime.ports import Damaged, Entry, Record
from gateway.scenario.house import House
from gateway.scenario.runner import tell

WARD = Path(__file__).parents[1] / "ward.example.yaml"

NIGHT = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 20m, record: {command: silence, course: P-017, rules: [battery-running-out], for: 2h, reason: charger is on its way}
at: 1h, pump: p1, stop: user
at: 1h16m12s, person: nurse-a, reply: "ack {code}"
at: 1h17m, person: nurse-a, reply: "on my way"
at: 1h18m, person: charge-nurse, ack: P-017
at: 1h18m30s, person: charge-nurse, ack: P-017
at: 1h19m, person: nurse-b, escalate: P-017
at: 1h20m, person: charge-nurse, close: P-404, reason: "pump exchanged"
at: 1h21m, pump: p1, run: true
at: 3h, expect: {delivery: P-017, is: delivering, within: 0s}
"""


def lived(folder: Path, steps: str, start: str = "2026-03-02T08:00:00+08:00", more: str = "") -> House:
    """The gateway of a story with these steps, one a line, after it was lived."""
    story = f"title: a story\nward: {WARD}\nstart: {start}\n{more}steps:\n"
    file = folder / "story.yaml"
    file.write_text(story + "".join(f"  - {{{line.strip()}}}\n" for line in steps.strip().splitlines()), encoding="utf-8")
    return tell(file).story.house


def told(items: Iterable[Record | Damaged]) -> list[AuditLine]:
    """Every line of these records."""
    audit = Audit()
    return [line for item in items for line in audit.hear(item)]


def texts(items: Iterable[Record | Damaged], *whats: str) -> list[str]:
    """The sentences of these records, of these kinds only where some are given."""
    return [line.text for line in told(items) if not whats or line.what in whats]


def entries(records: Sequence[Record]) -> list[Entry]:
    """The records as they were before they had a place."""
    return [Entry(r.received_at, r.kind, r.site, r.device, r.topic, r.body) for r in records]


def write_down(file: Path, records: Sequence[Record]) -> Path:
    """The records as a journal's file, closed."""

    async def write() -> None:
        made = SqliteJournal.open(file)
        await made.append(entries(records))
        await made.close()

    asyncio.run(write())
    return file
