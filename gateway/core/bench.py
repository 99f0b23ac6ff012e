"""A pump on the bench: its alarms are provoked, so nobody is called for them, until an end that is always set.

Only a pump that serves nobody goes there, and it leaves the bench the moment it gets a course: no patient's pump is ever mute.
"""

import re

from gateway.core.bench_state import COMMISSIONINGS_MAX, Bench, Commissioning, is_on_bench
from gateway.core.context import Context
from gateway.core.done import Done, length, moment, no, yes
from gateway.core.obey_courses import DEVICE_NAME, no_pump_name
from gateway.core.store import PUMPS_MAX, State
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.bench import BenchCommand, Commissioned, EndBench, StartBench
from gateway.domain.instants import HOUR_MS
from gateway.domain.sentences import Name, Sentence, sentence

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


def _refusal(state: State, name: str, now: Context) -> Sentence | None:
    if not DEVICE_NAME.fullmatch(name):
        return no_pump_name(name)
    pump = state.pumps.get(f"{now.ward.site}/{name}")
    if pump is not None and pump.course == SYNTHETIC:
        return sentence("{name} is the gateway's own test pump; it is never commissioned", name=name)
    if pump is None and len(state.pumps) >= PUMPS_MAX:
        return sentence("{n} devices are known already; {name} is not taken up", n=PUMPS_MAX, name=name)
    return None


def _start(state: State, who: str, command: StartBench, now: Context) -> Done:
    known = state.pumps.get(f"{now.ward.site}/{command.pump}")
    if known is not None and known.course:
        return no(
            sentence(
                "pump {pump} serves {course}: give that course another pump before this one goes on the bench",
                pump=known.device,
                course=known.course,
            )
        )
    if not 0 < command.for_ms <= BENCH_MAX_MS:
        return no(sentence("a pump is on the bench for at most {most}; announce it again then", most=length(BENCH_MAX_MS)))
    pump = state.pump(now.ward.site, command.pump)
    pump.bench = Bench(now.at, now.at + command.for_ms, who)
    until = moment(pump.bench.until_at, now)
    said = sentence(
        "pump {pump} is on the bench until {until}: nobody is called for what it shows", pump=pump.device, until=until
    )
    return yes(said, "")


def _end(state: State, command: EndBench, now: Context) -> Done:
    known = state.pumps.get(f"{now.ward.site}/{command.pump}")
    if known is None or not is_on_bench(known.bench, now.at):
        return no(sentence("pump {pump} is not on the bench; nothing was changed", pump=command.pump))
    state.pump(now.ward.site, command.pump).bench = None
    return yes(sentence("pump {pump} is off the bench; whatever it shows counts again", pump=command.pump), "")


def _note(state: State, who: str, command: Commissioned, now: Context) -> Done:
    if not _DIGEST.fullmatch(command.digest):
        return no(sentence("the digest of a commissioning is its document's SHA-256: 64 hexadecimal digits"))
    pump = state.pump(now.ward.site, command.pump)
    made = Commissioning(now.at, who, command.verdict, command.digest)
    pump.commissioned = (*pump.commissioned, made)[-COMMISSIONINGS_MAX:]
    said = sentence(
        "pump {pump}: commissioning {verdict}, document {digest}",
        pump=command.pump,
        verdict=Name(command.verdict.value),
        digest=command.digest[:12],
    )
    return yes(said, "")
