"""How long one ordinary observation takes: decoded, and folded into the monitor with all rules in place."""

import time
import tracemalloc

from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.commands import Enrol
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry
from rules.loader import shipped_text

START_AT = 1_772_409_600_000
PUMPS = 1_000
REPORTS = 20
WARD = """
site: bench
timezone: UTC
transports: {sms: {kind: apprise, url: "json://127.0.0.1:9/{address}"}}
people: {nurse: {contacts: [{sms: "1"}]}}
policies:
  high: {steps: [{page: ["person:nurse"], wait: 5m}], repeat: {from_step: 1, every: 10m}}
  medium: {steps: [{page: ["person:nurse"], wait: 5m}], repeat: {from_step: 1, every: 10m}}
  fallback: ["person:nurse"]
"""


def world(pumps: int, at: Instant = START_AT) -> tuple[Fold, list[SimulatedPump], int]:
    """A fold with that many enrolled pumps that all run from `at` on; the pumps; the next free record number."""
    fold = Fold()
    protocols = {"blinatumomab_home": shipped_text("blinatumomab_home") or ""}
    entries: list[Entry] = [config_entry(WARD, protocols, at, started=True)]
    entries += [clock_entry(at, "up"), clock_entry(at, "drained")]
    homes = []
    for number in range(pumps):
        device = f"p{number}"
        command = Enrol(course=f"C-{number}", pump=device, protocol="blinatumomab_home", bag="7-day")
        entries.append(command_entry("bench", command, at))
        homes.append(SimulatedPump(device, rate_ml_h=0.6, bag_ml=110, started_at=at))
        entries += [message_entry(f"dw/v1/bench/{device}/{out.channel}", out.payload(), at) for out in homes[-1].power_up(at)]
    for seq, entry in enumerate(entries, 1):
        fold.apply(_record(seq, entry))
    return fold, homes, len(entries) + 1


def reports(homes: list[SimulatedPump], rounds: int, seq: int) -> list[Record]:
    """Ordinary reports of all pumps, a minute apart."""
    records = []
    for minute in range(1, rounds + 1):
        at = START_AT + minute * MINUTE_MS
        for pump in homes:
            for out in pump.report(at):
                entry = message_entry(f"dw/v1/bench/{pump.device}/{out.channel}", out.payload(), at)
                records.append(_record(seq + len(records), entry))
    return records


def run() -> dict[str, float]:
    """Microseconds a step (decoding apart), a decode, and the memory of a pump in KiB."""
    fold, homes, seq = world(PUMPS)
    records = reports(homes, REPORTS, seq)
    began = time.perf_counter()
    events = [fold.read(record) for record in records]
    decoded = time.perf_counter()
    for event, record in zip(events, records, strict=True):
        fold.monitor.step(event, record.received_at)
    ended = time.perf_counter()
    return {
        "rule_step_us": (ended - decoded) / len(records) * 1e6,
        "decode_us": (decoded - began) / len(records) * 1e6,
        "pump_memory_kib": _memory_kib(),
    }


def _memory_kib() -> float:
    """KiB a pump with its course, by tracemalloc: the second thousand, so that what is there once is not counted."""
    tracemalloc.start()
    try:
        small = world(1_000)[0]
        before = tracemalloc.get_traced_memory()[0]
        large = world(2_000)[0]
        after = tracemalloc.get_traced_memory()[0]
        del small, large
        return (after - before) / 2_000 / 1024
    finally:
        tracemalloc.stop()


def _record(seq: int, entry: Entry) -> Record:
    return Record(seq, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
