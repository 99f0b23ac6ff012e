"""The audit's sentences, on stories whose every event is known."""

from dataclasses import replace

import pytest

from gateway.core.events import Commanded
from gateway.domain.commands import Acknowledge
from gateway.domain.effects import Page
from gateway.runtime.audit_line import Result, What
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Kind, Record
from gateway.runtime.records import command_entry, event_of
from gateway.scenario.house import House
from tests.support.audited import NIGHT, lived, texts, told

REFUSAL = "no open incident 'P-404': it is over, or never was; nothing was changed"


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> House:
    """A stopped pump, taken, taken over, passed on, and running again."""
    return lived(tmp_path_factory.mktemp("night"), NIGHT)


def test_the_night_reads_like_a_story(night):
    """Who took it, by what, how long after the first page, who took over, renewed, passed on, and what was refused."""
    assert texts(night.journal, "ack", "hand-over", "close", "reply", "silence", "incident", "enrolment") == [
        "scenario enrolled P-017 on pump p1 (blinatumomab_home, cycle 1, 7-day bag)",
        "ward silenced battery-running-out of P-017 for 2 h: charger is on its way",
        "P-017@79 (delivery interrupted) opened, medium priority",
        "nurse-a acknowledged P-017@79 (delivery interrupted) by SMS, 6 min 12 s after the first page, until 11:16",
        "nurse-a wrote “on my way” by SMS; answered: “Not understood. Reply with the code of the page to take it.”",
        "charge-nurse took P-017@79 (delivery interrupted) over from nurse-a, 8 min after the first page, until 11:18",
        "charge-nurse renewed the acknowledgement of P-017@79 (delivery interrupted), until 11:18",
        "nurse-b passed P-017@79 (delivery interrupted) on to the next step; charge-nurse had it",
        f"charge-nurse asked to close P-404: pump exchanged; refused: {REFUSAL}",
        "P-017@79 (delivery interrupted) was over after 13 min: nothing had fired for 2 min",
    ]


def test_every_page_says_whom_how_about_what_and_why(night):
    """A page and what became of it are lines of their own, with the page's key; a resolution is told as one."""
    pages = [line for line in told(night.journal) if line.what is What.PAGE]
    assert [(line.who, line.why, line.text) for line in pages[:2]] == [
        (
            "nurse-a",
            "opened",
            "nurse-a was paged by sms about P-017@79 (delivery interrupted), medium priority: the incident opened",
        ),
        (
            "nurse-a",
            "opened",
            "nurse-a was paged by voice about P-017@79 (delivery interrupted), medium priority: the incident opened",
        ),
    ]
    assert ("nurse-a was told by sms that P-017@79 is over", "resolved") in [(line.text, line.why) for line in pages]
    outcomes = [line for line in told(night.journal) if line.page == pages[0].page and line.what is What.OUTCOME]
    assert [(line.why, line.text) for line in outcomes] == [
        ("accepted", "sms took the page to nurse-a about P-017@79"),
        ("delivered", "the page to nurse-a about P-017@79 was delivered by sms"),
    ]


@pytest.mark.hazard("H-51")
def test_the_audit_tells_exactly_the_pages_that_a_replay_decides(night):
    """Each page once, at the record that decided it; every act, answer, outcome and configuration has its line."""
    fold, decided = Fold(), []
    for record in night.journal:
        decided += [(effect.key, record.seq) for effect in fold.apply(record) if isinstance(effect, Page)]
    lines = told(night.journal)
    assert sorted((line.page, line.seq) for line in lines if line.what is What.PAGE) == sorted(decided)
    told_of = {line.seq for line in lines}
    human = {record.seq for record in night.journal if record.kind not in (Kind.MESSAGE, Kind.CLOCK)}
    assert human <= told_of
    assert lines == told(night.journal)


def test_a_restart_and_what_was_due_meanwhile(tmp_path):
    """A start after an outage says how long nothing was recorded, and a page that comes late says by how much."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 60m, pump: p1, alarm: system-fault
at: 63m, gateway: crash, restart_after: 2h
at: 4h, expect: {delivery: P-017, is: interrupted, within: 0s}
"""
    said = texts(lived(tmp_path, steps).journal, "config", "page")
    assert "the gateway started, after 2 h without a record: nothing changed" in said
    late = "nurse-a was paged by sms about P-017@70 (alarm persistent, delivery interrupted), high priority: a milestone was"
    assert any(text.startswith(late) and text.endswith("it was due 3 min before") for text in said), said


def test_calls_windows_and_the_end_of_a_silence(tmp_path):
    """A call that finds the pump running gives its caller the incident; a silence that ends over a firing alert is told."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1m, silence: {course: P-017, rules: [delivery-interrupted], for: 1h, reason: "line is being changed"}
at: 30m, pump: p1, stop: user
at: 2h, pump: p1, run: true
at: 2h1m, window: {course: P-017, kind: bag-change, for: 30m}
at: 2h2m, record: {command: close-window, course: P-017}
at: 3h, pump: p1, mute: true
at: 3h40m, record: {command: log-call, course: P-017, called: caregiver, seen: running, advice: "plug it in"}
at: 4h, expect: {delivery: P-017, is: unknown, within: 0s}
"""
    said = texts(lived(tmp_path, steps).journal, "silence", "window", "call", "ack", "incident")
    for text in (
        "ward silenced delivery-interrupted of P-017 for 1 h: line is being changed",
        "ward opened a bag-change window for P-017 for 30 min",
        "ward closed the window of P-017",
        "ward called caregiver about P-017, pump seen running, said “plug it in”",
    ):
        assert text in said
    assert any(text.endswith("is not mute any more: the silence ended") for text in said)
    assert any(text.startswith("ward acknowledged P-017@") and "because the pump was seen running" in text for text in said)


def test_links_calls_and_hand_overs_say_how(tmp_path):
    """Who took an incident by the link of a page, or by a key on the phone, did so by that; a hand-over names both."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1h, pump: p1, alarm: system-fault, stops: false
at: 1h2m30s, person: nurse-a, link: take
at: 1h3m, record: {command: hand-over, incident: P-017, to: nurse-b}, by: charge-nurse
at: 1h4m, record: {command: hand-over, incident: P-017, to: nobody}, by: charge-nurse
"""
    records = lived(tmp_path, steps).journal
    named = "P-017@69 (alarm persistent: system-fault)"
    refused = "nobody, who has it once they take it; refused: the ward has no 'nobody'; it has: charge-nurse, haematologist"
    taken, handed, no = texts(records, "ack", "hand-over")
    assert taken == f"nurse-a acknowledged {named} by a page's link, 30 s after the first page, until 09:32"
    assert handed == f"charge-nurse handed {named} over to nurse-b; nurse-a had it"
    assert no.startswith(f"charge-nurse asked to hand over P-017 to {refused}")
    called = [replace(r, body=r.body.replace(b'"by":"link"', b'"by":"call"')) for r in records]
    assert "nurse-a acknowledged P-017@69 (alarm persistent: system-fault) by a key on the phone" in texts(called, "ack")[0]


def test_the_diary_tells_who_wrote_and_not_what_the_patient_feels(tmp_path):
    """An entry by staff names them, one by the private link says so; free text stays in the diary."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 1h, record: {command: add-diary, course: P-017, temperature_c: 37.2, symptom: dizzy and afraid, from_whom: caregiver}
"""
    records = lived(tmp_path, steps).journal
    assert texts(records, "diary") == [
        "ward wrote in the diary of P-017: temperature 37.2 °C, a symptom, observed by the caregiver"
    ]
    linked = [replace(r, body=r.body.replace(b'"who":"ward"', b'"who":"diary-page"')) for r in records]
    assert texts(linked, "diary")[0].startswith("the home, by its private link, wrote in the diary of P-017")


def test_an_unknown_number_is_named_by_its_end_only(tmp_path):
    """What strangers write is told without their words."""
    records = lived(tmp_path, "at: 0m, enrol: {course: P-017, pump: p1}").journal
    body = b'{"transport":"sms","address":"85299998888","text":"secret of a stranger"}'
    reply = Record(len(records) + 1, records[-1].received_at, Kind.REPLY, "", "", "", body)
    (line,) = [line for line in told([*records, reply]) if line.what is What.REPLY]
    assert line.text == "a number that nobody here has, ending in 8888, wrote by SMS; it was ignored"
    assert (line.who, line.result) == ("", Result.REFUSED)


def test_how_a_person_came_is_a_part_of_the_record_only():
    """The core acts alike on a command, by whatever way it came; without a way nothing is written."""
    command = Acknowledge(incident="P-017")
    plain, linked = (command_entry("nurse-a", command, 5, by=by) for by in ("", "link"))
    assert b'"by"' not in plain.body
    seen = [event_of(Record(7, 5, Kind.COMMAND, "", "", "", entry.body)) for entry in (plain, linked)]
    assert seen == [Commanded(7, "nurse-a", command)] * 2


def test_damaged_and_unreadable_records_are_named_and_passed_over(night):
    """Everything else is told as if nothing had happened."""
    reply = next(record for record in night.journal if record.kind is Kind.REPLY)
    broken: list[Record | Damaged] = [
        Damaged(record.seq, "its bytes do not match their checksum")
        if record.seq == 30
        else replace(record, body=b'{"transport": 7')
        if record.seq == reply.seq
        else record
        for record in night.journal
    ]
    said = texts(broken, "record")
    damage = "record 30 is damaged (its bytes do not match their checksum) and was passed over"
    assert said[0] == f"{damage}; from here on only what records prove is told"
    assert said[1].startswith(f"record {reply.seq} (reply): ")
    assert said[1].endswith("it was passed over")
    assert any("charge-nurse acknowledged P-017@79" in text for text in texts(broken, "ack"))


def test_pages_that_a_missing_record_would_have_prevented_are_not_told(night):
    """Without what people did the core would have paged on. Nobody was paged, so nobody is said to have been."""
    lost = {record.seq for record in night.journal[80:] if record.kind in (Kind.REPLY, Kind.COMMAND)}
    fold = Fold()
    left = [effect for record in night.journal if record.seq not in lost for effect in fold.apply(record)]
    proven = {record.body.split(b'"')[3].decode() for record in night.journal if record.kind is Kind.OUTCOME}
    assert {effect.key for effect in left if isinstance(effect, Page)} - proven
    lines = told(Damaged(record.seq, "bad") if record.seq in lost else record for record in night.journal)
    assert {line.page for line in lines if line.what is What.PAGE} == proven
    first, *others = [line.text for line in lines if line.what is What.RECORD]
    assert first == f"record {min(lost)} is damaged (bad) and was passed over; from here on only what records prove is told"
    assert others[-1] == f"record {max(lost)} is damaged (bad) and was passed over"


def cut(records: list[Record], up_to: int) -> list[Record]:
    """What retention leaves: people's commands and the configuration for ever, the rest only behind `up_to`."""
    return [record for record in records if record.seq > up_to or record.kind in (Kind.COMMAND, Kind.CONFIG)]


@pytest.mark.hazard("H-51")
def test_where_old_messages_were_removed_nothing_is_invented(night):
    """Pages are told when an outcome proves them; what depends on what is gone is said to be unknown, never refused."""
    first_page = next(line for line in told(night.journal) if line.what is What.PAGE)
    lines = told(cut(night.journal, first_page.seq))
    assert lines[1].text == "records 2 to 3 are not kept any more; from here on only what records prove is told"
    proven = {record.body.split(b'"')[3].decode() for record in night.journal if record.kind is Kind.OUTCOME}
    assert {line.page for line in lines if line.what is What.PAGE} == proven
    assert not [line for line in lines if line.result is Result.REFUSED]
    taken = [line for line in lines if line.what is What.ACK and line.who == "charge-nurse"]
    assert taken[0].text.endswith("; whether it was taken cannot be told any more")
    assert taken[0].result is Result.NOT_KNOWN


def test_a_page_that_only_its_key_tells_of(night):
    """The person and the incident stand in the key; how the page was sent does not."""
    outcome = next(record for record in night.journal if record.kind is Kind.OUTCOME)
    kept = [record for record in night.journal if record.kind is Kind.CONFIG]
    assert texts([*kept, outcome], "page", "page-outcome") == [
        "nurse-a was paged by contact 1 about P-017@79",
        "contact 1 took the page to nurse-a about P-017@79",
    ]
