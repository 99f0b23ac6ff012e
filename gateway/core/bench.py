"""A pump on the bench: its alarms are provoked, so nobody is called for them, until an end that is always set.

Only a pump that serves nobody goes there, and it leaves the bench the moment it gets a course: no patient's pump is ever mute.
"""

import re

from gateway.core.bench_state import COMMISSIONINGS_MAX, Bench, Commissioning, is_on_bench
from gateway.core.context import Context
from gateway.core.done import Done, no, yes
from gateway.core.obey_courses import DEVICE_NAME
from gateway.core.store import PUMPS_MAX, State
from gateway.core.synthetic import SYNTHETIC
from gateway.core.texts import clock_time
from gateway.domain.bench import BenchCommand, Commissioned, EndBench, StartBench
from gateway.domain.instants import HOUR_MS
from rules.durations import say_ms

BENCH_MAX_MS = 4 * HOUR_MS

_DIGEST = re.compile(r"[0-9a-f]{64}")


def obey_on_bench(state: State, who: str, command: BenchCommand, now: Context) -> Done:
    """Carry out a technician's command."""
    refused = _refusal(state, command.pump, now)
    if refused:
        return no(refused)
    match command:
        case StartBench():
            return _start(state, who, command, now)
        case EndBench():
            return _end(state, command, now)
        case Commissioned():
            return _note(state, who, command, now)


def _refusal(state: State, name: str, now: Context) -> str:
    if not DEVICE_NAME.fullmatch(name):
        return f"{name!r} cannot be a pump: small letters, digits and hyphens, as in its MQTT topic"
    pump = state.pumps.get(f"{now.ward.site}/{name}")
    if pump is not None and pump.course == SYNTHETIC:
        return f"{name} is the gateway's own test pump; it is never commissioned"
    if pump is None and len(state.pumps) >= PUMPS_MAX:
        return f"{PUMPS_MAX} devices are known already; {name} is not taken up"
    return ""


def _start(state: State, who: str, command: StartBench, now: Context) -> Done:
    known = state.pumps.get(f"{now.ward.site}/{command.pump}")
    if known is not None and known.course:
        return no(f"pump {known.device} serves {known.course}: give that course another pump before this one goes on the bench")
    if not 0 < command.for_ms <= BENCH_MAX_MS:
        return no(f"a pump is on the bench for at most {say_ms(BENCH_MAX_MS)}; announce it again then")
    pump = state.pump(now.ward.site, command.pump)
    pump.bench = Bench(now.at, now.at + command.for_ms, who)
    until = clock_time(pump.bench.until_at, now)
    return yes(f"pump {pump.device} is on the bench until {until}: nobody is called for what it shows", "")


def _end(state: State, command: EndBench, now: Context) -> Done:
    known = state.pumps.get(f"{now.ward.site}/{command.pump}")
    if known is None or not is_on_bench(known.bench, now.at):
        return no(f"pump {command.pump} is not on the bench; nothing was changed")
    state.pump(now.ward.site, command.pump).bench = None
    return yes(f"pump {command.pump} is off the bench; whatever it shows counts again", "")


def _note(state: State, who: str, command: Commissioned, now: Context) -> Done:
    if not _DIGEST.fullmatch(command.digest):
        return no("the digest of a commissioning is its document's SHA-256: 64 hexadecimal digits")
    pump = state.pump(now.ward.site, command.pump)
    made = Commissioning(now.at, who, command.verdict, command.digest)
    pump.commissioned = (*pump.commissioned, made)[-COMMISSIONINGS_MAX:]
    return yes(f"pump {command.pump}: commissioning {command.verdict.value}, document {command.digest[:12]}", "")
