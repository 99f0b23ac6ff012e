"""The diary as it is saved and read back, and as the journal keeps it."""

from gateway.core.state import Course
from gateway.core.store import State
from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.words import DiaryKind
from gateway.runtime.ports import Record
from gateway.runtime.records import command_entry, event_of
from gateway.runtime.snapshots import dump, restore


def test_a_saved_course_has_its_diary():
    """A restart forgets no entry, no reminder and no enrolment number."""
    state = State()
    lines = (
        DiaryLine(5, 6, DiaryKind.TEMPERATURE, temperature_c=38.4, who="patient"),
        DiaryLine(7, 9, DiaryKind.HANDWRITING, changed=True, who="pump", late=True),
    )
    course = Course(id="P-017", site="ward", enrolment=3, diary=lines, diary_due_at=11, diary_reminded_at=10)
    state.add_course(course)
    body = dump(state, "course:P-017")
    assert body is not None
    assert restore({"course:P-017": body}).courses["P-017"] == course


def test_an_entry_by_command_reads_back_from_the_journal():
    """The record holds the whole command, with who gave it."""
    command = AddDiary(course="P-017", temperature_c=38.4, handwriting_changed=False, symptom="tired", from_whom="caregiver")
    entry = command_entry("diary-page", command, 5)
    event = event_of(Record(1, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body))
    assert (event.who, event.command) == ("diary-page", command)
