"""What the screen says, as plain text, from the procedure alone: words and signs, never colour alone."""

from gateway.domain.instants import SECOND_MS, Instant
from gateway.field.commissioning.bench import Bench
from gateway.field.commissioning.evidence import NEVER
from gateway.field.commissioning.procedure import Procedure
from gateway.field.commissioning.steps import TITLES, WHAT_TO_DO, Standing, Step
from gateway.field.commissioning.ticks import Tick
from gateway.field.speaking import printable

SIGNS = {Standing.NOT_DONE: "·", Standing.UNDER_WAY: "►", Standing.PASSED: "✓", Standing.FAILED: "✗"}
REFUSALS_SHOWN = 3
STALE_MS = 10 * SECOND_MS


def step_row(procedure: Procedure, step: Step) -> str:
    """`✓ Power         passed`."""
    state = procedure.steps[step]
    return f"{SIGNS[state.standing]} {TITLES[step]:<13} {state.standing.value}"


def tick_row(procedure: Procedure, tick: Tick) -> str:
    """`air in line: ok`."""
    return f"{tick.condition.replace('-', ' ')}: {tick.mark(asks_gateway=procedure.plan.asks_gateway)}"


def step_words(procedure: Procedure, step: Step, at: Instant) -> list[str]:
    """What to do in this step, and what has become of it."""
    state = procedure.steps[step]
    lines = [WHAT_TO_DO[step]]
    if state.words:
        lines.append(f"{state.standing.value.upper()}: {state.words}")
    elif state.standing is Standing.UNDER_WAY:
        lines.append("UNDER WAY. Enter judges it now by what there is.")
        if step is Step.NETWORK:
            lines.append(f"Nothing new at the gateway for {procedure.silent_ms(at) // SECOND_MS} s")
            lines.append(f"of {procedure.plan.cut_ms // SECOND_MS} s.")
    else:
        lines.append("Enter begins it.")
    return lines


def line_words(bench: Bench, at: Instant) -> list[str]:
    """Live values, alarms and refusals."""
    line = bench.procedure.line
    if bench.line_trouble:
        return [f"LINE: {bench.line_trouble}"]
    if line.heard_at == NEVER:
        return [f"LINE: waiting for the pump ({line.frames} messages){_refused(bench.procedure)}"]
    age_s = max(0, at - line.heard_at) // SECOND_MS
    rate = line.set_rate_ml_h if line.set_rate_ml_h is not None else line.rate_ml_h
    told = [
        (line.status.value if line.status else "delivery not told"),
        "" if rate is None else f"{rate:g} mL/h",
        "" if line.counted is None else f"{line.counted.infused_ml:.2f} mL given",
        "" if line.power is None else f"on {line.power.value}",
        "" if line.battery_percent is None else f"{line.battery_percent:.0f} %",
    ]
    stale = f" (OLD: {age_s} s)" if age_s * SECOND_MS >= STALE_MS else ""
    alarms = ", ".join(condition.replace("-", " ") for condition in line.active) or "none"
    return [f"PUMP{stale}: {', '.join(part for part in told if part)}", f"ALARMS: {alarms}{_refused(bench.procedure)}"]


def gateway_words(bench: Bench) -> list[str]:
    """What the gateway says, and the round trips so far, the newest last."""
    word, procedure = bench.procedure.gateway, bench.procedure
    if bench.gateway is None:
        return ["GATEWAY: none; what needs one is not done"]
    if bench.gateway_trouble:
        return [f"GATEWAY: {bench.gateway_trouble}"]
    if word is None or not word.heard_at:
        return ["GATEWAY: has never heard this device"]
    clock = "DOUBTFUL" if word.clock_doubtful else f"{word.clock_offset_ms / SECOND_MS:+.1f} s"
    lines = [f"GATEWAY: heard {word.heard_at[11:19]}Z, clock {clock}, missing {word.missing}"]
    for tick in procedure.ticks.by_condition.values():
        if tick.gateway_ms is not None:
            name = tick.condition.replace("-", " ")
            lines.append(f"saw {name} after {tick.gateway_ms / SECOND_MS:.1f} s and {tick.would_page or '…'}")
    return [printable(text) for text in lines[:1] + lines[1:][-4:]]


def head(bench: Bench) -> str:
    """Which device, how it is listened to, what it would come to."""
    plan = bench.procedure.plan
    course = f" for {plan.course}" if plan.course else ""
    return f"{plan.device}{course} · {plan.adapter} by {bench.live.way} · {bench.procedure.verdict().value}"


def _refused(procedure: Procedure) -> str:
    shown = ", ".join(f"{reason} {count}" for reason, count in procedure.line.refused.most_common(REFUSALS_SHOWN))
    return f" · REFUSED: {shown}" if shown else ""
