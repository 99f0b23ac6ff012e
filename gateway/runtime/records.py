"""Journal records to events, and back: the one place that knows how a record's body is written."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from device_adapters.registry import decode, parse_topic
from gateway.config.load import load_ward
from gateway.config.problems import ConfigError
from gateway.core.events import BrokerDropped, Commanded, Event, Heard, Linked, Loaded, Replied, Sent, Ticked
from gateway.domain.bench import Commissioned, EndBench, StartBench
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    SilenceRules,
    StartBreak,
    SwapPump,
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
    Once,
    SendTestPage,
)
from gateway.domain.instants import Instant
from gateway.domain.readings import Decoded, Refusal, Refused
from gateway.domain.words import Channel, Outcome
from gateway.runtime.ports import Entry, Kind, Record
from rules.loader import RulesError, load_protocol

TOPIC_PREFIX = "dw/v1/"
RETAINED_PREFIX = "retained:"  # before the topic of what the broker told again and had no business to keep; no topic begins so

VERBS: Mapping[str, type[Command]] = {
    "enrol": Enrol,
    "hang-bag": HangBag,
    "end-course": EndCourse,
    "acknowledge": Acknowledge,
    "escalate": Escalate,
    "hand-over": HandOver,
    "close": Close,
    "note": Note,
    "test-page": SendTestPage,
    "clear-condition": ClearCondition,
    "add-diary": AddDiary,
    "change-contacts": ChangeContacts,
    "order-bag": OrderBag,
    "open-window": OpenWindow,
    "close-window": CloseWindow,
    "change-dose": ChangeDose,
    "swap-pump": SwapPump,
    "start-break": StartBreak,
    "next-cycle": NextCycle,
    "log-call": LogCall,
    "silence": SilenceRules,
    "end-silence": EndSilence,
    "access-changed": AccessChanged,
    "start-bench": StartBench,
    "end-bench": EndBench,
    "commissioned": Commissioned,
}
_NAMES = {kind: name for name, kind in VERBS.items()}
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in VERBS.items()}


class Unreadable(Exception):
    """A record whose body this version cannot read; the message says which and why."""


def event_of(record: Record) -> Event:
    """The event that a record stands for. Raises `Unreadable`; a pump's message never does, it is decoded or refused."""
    if record.kind is Kind.MESSAGE:
        return Heard(record.seq, record.site, record.device, record.topic, _decoded(record))
    try:
        return _event_of_json(record, json.loads(record.body))
    except (ValueError, KeyError, TypeError, ConfigError, RulesError) as error:
        raise Unreadable(f"record {record.seq} ({record.kind}): {error}") from error


def _decoded(record: Record) -> Decoded:
    """Decode by the topic's last level; a topic that is not ours has neither site nor device."""
    if not record.device:
        return Decoded(refused=(Refused(Refusal.BAD_TOPIC, "topic"),))
    if record.topic.startswith(RETAINED_PREFIX):
        return Decoded(refused=(Refused(Refusal.RETAINED, "topic", "only status may be retained; clear it at the broker"),))
    channel = record.topic[len(TOPIC_PREFIX) + len(record.site) + len(record.device) + 2 :]
    return decode(channel, record.body, received_at=record.received_at)


def _event_of_json(record: Record, body: dict[str, Any]) -> Event:
    seq = record.seq
    match record.kind:
        case Kind.COMMAND:
            once = Once(*body["once"]) if "once" in body else None
            return Commanded(seq, body["who"], command_from(body["verb"], body["args"]), once)
        case Kind.REPLY:
            return Replied(seq, body["transport"], body["address"], body["text"])
        case Kind.OUTCOME:
            return Sent(seq, body["key"], Outcome(body["outcome"]), body.get("reason", ""))
        case Kind.CONFIG:
            return _loaded(seq, body)
        case _:
            return _clock_event(seq, body)


def _clock_event(seq: int, body: dict[str, Any]) -> Event:
    if "dropped" in body:
        return BrokerDropped(seq, int(body["dropped"]))
    return Linked(seq, body["session"]) if "session" in body else Ticked(seq)


def _loaded(seq: int, body: dict[str, Any]) -> Loaded:
    loaded = load_ward(body["ward"], "ward", None)
    protocols = [load_protocol(text, name, loaded.rule_overrides) for name, text in body["protocols"].items()]
    return Loaded(seq, loaded.ward, {protocol.name: protocol for protocol in protocols}, started=body["started"])


def command_from(verb: str, args: Mapping[str, Any]) -> Command:
    """A command from its name and arguments. Raises ValueError in words."""
    if verb not in VERBS:
        raise ValueError(f"unknown command {verb!r}; known: {', '.join(VERBS)}")
    try:
        command: Command = _ADAPTERS[verb].validate_python(args)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ValueError(f"{verb}: {problems}") from None
    return command


def verb_of(command: Command) -> str:
    """The name of a command in the journal."""
    return _NAMES[type(command)]


def message_entry(topic: str, payload: bytes, at: Instant, *, retained: bool = False) -> Entry:
    """A device's message as a record, whatever it holds; a topic that is not ours leaves site and device empty.

    `retained`: the broker told it again because we subscribed. It may be days old and says nothing of now: only a status may.
    """
    place = parse_topic(topic)
    if isinstance(place, Refused):
        return Entry(at, Kind.MESSAGE, "", "", topic, payload)
    kept = f"{RETAINED_PREFIX}{topic}" if retained and place.channel != Channel.STATUS else topic
    return Entry(at, Kind.MESSAGE, place.site, place.device, kept, payload)


def command_entry(who: str, command: Command, at: Instant, *, by: str = "", once: Once | None = None) -> Entry:
    """A person's command as a record. `by`: how the person reached us, `link` or `call`; empty for API and command line.

    `once`: the key that it came with, where it came with one.
    """
    verb = _NAMES[type(command)]
    args = _ADAPTERS[verb].dump_python(command, mode="json", exclude_none=True)
    more = ({"by": by} if by else {}) | ({"once": [once.key, once.digest]} if once is not None else {})
    return _entry(Kind.COMMAND, at, {"who": who, "verb": verb, "args": args, **more})


def reply_entry(transport: str, address: str, text: str, at: Instant) -> Entry:
    """A person's message to the gateway as a record."""
    return _entry(Kind.REPLY, at, {"transport": transport, "address": address, "text": text})


def outcome_entry(key: str, outcome: Outcome, at: Instant, *, attempt: int, reason: str = "", provider_id: str = "") -> Entry:
    """What became of an attempt as a record."""
    body = {"key": key, "outcome": outcome.value, "attempt": attempt, "reason": reason, "provider_id": provider_id}
    return _entry(Kind.OUTCOME, at, body)


def provider_id_of(record: Record) -> tuple[str, str]:
    """(page key, provider's id) of an outcome record; both empty where the record tells none."""
    try:
        body = json.loads(record.body)
        return str(body["key"]), str(body["provider_id"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def config_entry(ward: str, protocols: Mapping[str, str], at: Instant, *, started: bool) -> Entry:
    """The ward file (without secrets) and the protocol files as texts, as they are from now on."""
    return _entry(Kind.CONFIG, at, {"ward": ward, "protocols": dict(protocols), "started": started})


def clock_entry(at: Instant, session: str = "") -> Entry:
    """Time passed; or what became of the broker session at that time."""
    return _entry(Kind.CLOCK, at, {"session": session} if session else {})


def dropped_entry(at: Instant, total: int) -> Entry:
    """What the broker says that it has dropped since it started."""
    return _entry(Kind.CLOCK, at, {"dropped": total})


def _entry(kind: Kind, at: Instant, body: Mapping[str, Any]) -> Entry:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Entry(at, kind, "", "", "", text.encode(errors="replace"))  # half a surrogate pair must not stop a command or a reply
