"""Records and back: what people did, what transports said, what was loaded."""

import json

import pytest

from gateway.core.events import BrokerDropped, Commanded, Heard, Linked, Loaded, Replied, Sent, Ticked
from gateway.domain.bench import Commissioned, EndBench, StartBench, Verdict
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
    SilenceRules,
    StartBreak,
    SwapPump,
    WindowKind,
)
from gateway.domain.commands import (
    AccessChanged,
    Acknowledge,
    AddDiary,
    ClearCondition,
    Close,
    Command,
    EndCourse,
    Enrol,
    Escalate,
    HandOver,
    HangBag,
    Note,
    SendTestPage,
)
from gateway.domain.readings import Refusal
from gateway.domain.ward import Contact
from gateway.domain.words import Outcome
from gateway.runtime.fold import FINDINGS_MAX, Fold
from gateway.runtime.ports import Entry, Kind, Record
from gateway.runtime.records import (
    VERBS,
    Unreadable,
    clock_entry,
    command_entry,
    command_from,
    config_entry,
    dropped_entry,
    event_of,
    message_entry,
    outcome_entry,
    provider_id_of,
    reply_entry,
)
from tests.support.histories import PROTOCOL, SITE, START_AT, protocol_texts, ward_text

COMMANDS: tuple[Command, ...] = (
    Enrol(course="P-1", pump="pump-1", protocol=PROTOCOL, bag="7-day", primed_ml=9.5, planned_change_ms=1, hung_at=START_AT),
    Enrol(course="P-1", pump="pump-1", protocol=PROTOCOL, bag="7-day", checklist_complete=False, override_reason="nachts, 急"),
    HangBag(course="P-1", bag="48-hour", primed_ml=1.0),
    EndCourse(course="P-1", reason="done"),
    StartBench(pump="pump-1", for_ms=7_200_000),
    EndBench(pump="pump-1"),
    Commissioned(pump="pump-1", digest="ab" * 32, verdict=Verdict.INCOMPLETE),
    AccessChanged(what="add-user", about="nurse-a", detail="triage"),
    Acknowledge(incident="P-1@7", for_ms=60_000),
    Acknowledge(incident="P-1"),
    Escalate(incident="P-1"),
    HandOver(incident="P-1", to="nurse-b"),
    Close(incident="P-1", reason="seen"),
    SendTestPage(person="nurse-a"),
    Note(incident="P-1", text='quotes " and \\ and\nlines'),
    ClearCondition(pump="pump-1", condition="air-in-line"),
    AddDiary(
        course="P-1", from_whom="caregiver", temperature_c=38.4, handwriting_changed=False, symptom="頭痛", observed_at=START_AT
    ),
    AddDiary(course="P-1", from_whom="nurse", note="slept well"),
    ChangeContacts(course="P-1", caregiver=(Contact("sms", "85290000009", 120_000),), ward_contact="1234", travel_minutes=45),
    ChangeContacts(course="P-1", caregiver=()),
    ChangeContacts(course="P-1"),
    OrderBag(course="P-1", bag="7-day", ready_at=START_AT),
    OpenWindow(course="P-1", kind=WindowKind.BAG_CHANGE, for_ms=1_800_000),
    OpenWindow(course="P-1", kind=WindowKind.HOSPITAL_STAY, until_at=START_AT),
    CloseWindow(course="P-1"),
    ChangeDose(course="P-1", mcg_per_day=28.0, override_reason="the doctor's order"),
    SwapPump(course="P-1", pump="pump-2", reason="battery fault"),
    StartBreak(course="P-1"),
    NextCycle(
        course="P-1", bag="48-hour", pump="pump-2", primed_ml=4.5, planned_change_ms=1, hung_at=2, prepared_at=3, rate_ml_h=5.0
    ),
    LogCall(course="P-1", called="the caregiver", advice="open the clamp", seen=Seen.RUNNING, for_ms=1),
    LogCall(course="P-1", called="the patient"),
    SilenceRules(course="P-1", reason="the battery is being changed", rules=("battery-running-out",), for_ms=1),
    SilenceRules(course="P-1", reason="seen", until_at=START_AT),
    EndSilence(silence="P-1/1"),
)


def record_of(entry: Entry, seq: int = 7) -> Record:
    """The entry at its place."""
    return Record(seq, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_comes_back_as_it_was_given(command: Command):
    """Who said it, and every argument."""
    assert event_of(record_of(command_entry("nurse-a", command, START_AT))) == Commanded(7, "nurse-a", command)


def test_every_command_has_a_verb():
    """None is left out of the round trip above."""
    assert {type(command) for command in COMMANDS} == set(VERBS.values())


def test_a_reply_an_outcome_and_the_session_come_back():
    """What arrives from outside, and what became of a page."""
    assert event_of(record_of(reply_entry("sms", "8521", "4711 收到", START_AT))) == Replied(7, "sms", "8521", "4711 收到")
    entry = outcome_entry("P-1@7/r1/nurse-a/0", Outcome.REJECTED, START_AT, attempt=2, reason="no such number", provider_id="x")
    assert event_of(record_of(entry)) == Sent(7, "P-1@7/r1/nurse-a/0", Outcome.REJECTED, "no such number")
    assert provider_id_of(record_of(entry)) == ("P-1@7/r1/nurse-a/0", "x")
    assert event_of(record_of(clock_entry(START_AT, "drained"))) == Linked(7, "drained")
    assert event_of(record_of(dropped_entry(START_AT, 12))) == BrokerDropped(7, 12)
    assert event_of(record_of(clock_entry(START_AT))) == Ticked(7)


def test_a_configuration_comes_back_as_it_was_loaded():
    """The ward and its protocols are whole in the record: no file is needed to tell the story again."""
    loaded = event_of(record_of(config_entry(ward_text(), protocol_texts(), START_AT, started=True)))
    assert isinstance(loaded, Loaded)
    assert (loaded.started, loaded.ward.site, list(loaded.protocols)) == (True, SITE, [PROTOCOL])


def test_a_message_is_kept_whatever_it_is():
    """Where it came from stands beside the bytes; a topic that is not ours has no place."""
    entry = message_entry("dw/v1/ward/pump-1/telemetry", b"\xff", START_AT)
    assert (entry.site, entry.device, entry.body) == ("ward", "pump-1", b"\xff")
    foreign = message_entry("somewhere/else", b"{}", START_AT)
    assert (foreign.site, foreign.device, foreign.topic) == ("", "", "somewhere/else")
    heard = event_of(record_of(foreign))
    assert isinstance(heard, Heard)
    assert [refused.reason for refused in heard.decoded.refused] == [Refusal.BAD_TOPIC]


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"who":"x","verb":"dance","args":{}}',
        b'{"who":"x","verb":"close","args":{"incident":"P-1"}}',
        b'{"who":"x","verb":"acknowledge","args":{"incident":"P-1","for_ms":"soon"}}',
    ],
)
def test_a_record_that_cannot_be_read_says_so(body: bytes):
    """Its number and its kind are in the words; the fold goes on."""
    record = Record(7, START_AT, Kind.COMMAND, "", "", "", body)
    with pytest.raises(Unreadable, match=r"record 7 \(command\)"):
        event_of(record)
    fold = Fold()
    assert fold.read(record) == Ticked(7)
    assert len(fold.findings) == 1


def test_findings_are_bounded():
    """The newest are kept."""
    fold = Fold()
    for seq in range(FINDINGS_MAX + 50):
        fold.read(Record(seq, START_AT, Kind.REPLY, "", "", "", b"no"))
    assert len(fold.findings) == FINDINGS_MAX
    assert fold.findings[-1].startswith(f"record {FINDINGS_MAX + 49} ")


@pytest.mark.parametrize("text", ["\ud800", "half \udcff a pair"])
def test_half_a_surrogate_pair_stops_nothing(text: str):
    """A telephone or a browser may send one; UTF-8 cannot hold it, so it is replaced before it is kept."""
    for entry in (
        reply_entry("sms", "8521", text, START_AT),
        command_entry(text, Note(incident="P-1", text=text), START_AT),
        outcome_entry("k", Outcome.UNKNOWN, START_AT, attempt=1, reason=text),
    ):
        assert "?" in entry.body.decode()
        event_of(record_of(entry))


def test_commands_are_refused_in_words():
    """What a front end shows to who typed it."""
    with pytest.raises(ValueError, match="unknown command 'dance'"):
        command_from("dance", {})
    with pytest.raises(ValueError, match="close: reason"):
        command_from("close", {"incident": "P-1"})


@pytest.mark.parametrize("record", [b"[]", b"no", b"{}", json.dumps({"key": "k"}).encode()])
def test_no_provider_id(record: bytes):
    """An outcome of another version has none."""
    assert provider_id_of(Record(7, START_AT, Kind.OUTCOME, "", "", "", record)) == ("", "")


@pytest.mark.parametrize("channel", ["telemetry", "alarm", "event", "diary", "raw/bbraun-bcc"])
def test_what_the_broker_kept_and_tells_again_is_no_news(channel: str):
    """A retained alarm may be months old: it is kept under a name that shows it, counted by name, and judged by nobody."""
    topic, body = f"dw/v1/ward/p1/{channel}", b'{"observed_at": 1, "delivery_status": "delivering"}'
    entry = message_entry(topic, body, START_AT, retained=True)
    assert (entry.site, entry.device, entry.topic, entry.body) == ("ward", "p1", f"retained:{topic}", body)
    heard = event_of(record_of(entry))
    assert isinstance(heard, Heard)
    assert [one.reason for one in heard.decoded.refused] == [Refusal.RETAINED]
    assert heard.decoded.readings == ()


def test_a_status_may_be_kept():
    """It is the one channel that the contract retains; a topic that is nobody's stays what it was."""
    status = message_entry("dw/v1/ward/p1/status", b'{"online": true}', START_AT, retained=True)
    assert status == message_entry("dw/v1/ward/p1/status", b'{"online": true}', START_AT)
    assert message_entry("dw/v1/x", b"", START_AT, retained=True).topic == "dw/v1/x"
