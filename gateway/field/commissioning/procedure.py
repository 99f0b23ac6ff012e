"""The commissioning of one pump as a state machine: evidence and the technician's acts in, the standing of each step out.

Pure: no clock, no line, no gateway. `at` is a clock that never jumps (ms).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.bench import Verdict
from gateway.domain.instants import Instant
from gateway.domain.readings import Decoded
from gateway.domain.words import Condition
from gateway.field.commissioning.evidence import GatewayWord, Line, Plan
from gateway.field.commissioning.judging import (
    JUDGES,
    PATIENCE_MS,
    Judged,
    Scene,
    Watch,
    cylinder,
    note_gateway,
    note_line,
)
from gateway.field.commissioning.steps import TRANSITIONS, Act, Standing, Step
from gateway.field.commissioning.ticks import Ticks

REASON_MAX = 200  # characters of what a technician gives as a reason


class NotNow(Exception):
    """What was asked for does not fit how the step stands; the text says so."""


@dataclass(slots=True)
class StepState:
    """How a step stands, why, and the facts for the record."""

    standing: Standing = Standing.NOT_DONE
    words: str = ""
    facts: Mapping[str, float | int | str] = field(default_factory=dict)


class Procedure:
    """All steps of one commissioning. One step at the most is under way."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.line = Line()
        self.gateway: GatewayWord | None = None
        self.ticks = Ticks(plan.tells.conditions)
        self.steps = {step: StepState() for step in Step}
        self.under_way: Step | None = None
        self._watch, self._watched = Watch(0), Step.POWER

    # ---- the technician ----------------------------------------------------------------------------------------------

    def begin(self, step: Step, at: Instant) -> None:
        """Start a step, or start it again; what was under way is left without a result."""
        if self.under_way not in (None, step):
            self.leave(self.under_way, "another step was begun")
        if step is Step.ALARMS:
            self.ticks.begin()
        word = self.gateway
        self._watch = Watch(
            at,
            heard=word.heard_at if word is not None else "",
            heard_changed_at=at,
            missing=word.missing if word is not None else 0,
        )
        self._watched = self.under_way = step
        self._move(step, Judged(Act.BEGIN, ""))
        self._judge(at, final=False)

    def judge_now(self, at: Instant) -> None:
        """The technician wants an answer from what there is. Raises `NotNow`."""
        if self.under_way is None:
            raise NotNow("no step is under way; begin one first")
        self._judge(at, final=True)

    def leave(self, step: Step | None, reason: str) -> None:
        """The step is not done, and why. Raises `NotNow` for one that has a result, and without a reason."""
        if step is None or (self.steps[step].standing, Act.LEAVE) not in TRANSITIONS:
            raise NotNow("this step has its result; begin it again to change it")
        self._move(step, Judged(Act.LEAVE, _reason(reason)))

    def fail(self, step: Step, reason: str) -> None:
        """The technician saw what the line does not tell. Raises `NotNow`."""
        if (self.steps[step].standing, Act.FAIL) not in TRANSITIONS:
            raise NotNow("only a step that is under way can fail; begin it first")
        self._move(step, Judged(Act.FAIL, _reason(reason)))

    def excuse(self, condition: Condition, reason: str, at: Instant) -> None:
        """This condition cannot be provoked on the bench, and why. Raises `NotNow` for one that was seen."""
        tick = self.ticks.by_condition.get(condition)
        if tick is None or tick.seen_at is not None:
            raise NotNow(f"{condition.replace('-', ' ')} was seen; it needs no excuse")
        tick.excused = _reason(reason)
        self._judge_if(Step.ALARMS, at)

    def collected(self, volume_ml: float) -> None:
        """So much is in the measuring cylinder since the volume step began. Raises `NotNow` before the count has passed."""
        state, first, now = self.steps[Step.VOLUME], self._watch.first, self.line.counted
        if self._watched is not Step.VOLUME or state.standing is not Standing.PASSED or first is None or now is None:
            raise NotNow("first the volume step must pass by the pump's own count; then stop the pump and read the cylinder")
        if now.infused_ml <= first.infused_ml:
            raise NotNow("the pump's counter was set back meanwhile; begin the volume step again")
        counted, judged = state.words.partition("; ")[0], cylinder(first, now, volume_ml)
        facts = {**state.facts, **judged.facts}
        self._move(Step.VOLUME, Judged(Act.BEGIN, ""))
        self._move(Step.VOLUME, Judged(judged.act, f"{counted}; {judged.words}", facts))

    # ---- evidence ------------------------------------------------------------------------------------------------------

    def hear(self, decoded: Decoded, at: Instant) -> None:
        """A message came on the line."""
        self.line.hear(decoded, at)
        if self.under_way is Step.ALARMS:
            self.ticks.note_line(self.line, at)
        if self.under_way is not None:
            note_line(self._watch, self.plan, self.line, at)
            self._judge(at, final=False)

    def told_by_gateway(self, word: GatewayWord) -> None:
        """The gateway was asked, and said this."""
        self.gateway = word
        self.ticks.note_gateway(word)
        if self.under_way is not None:
            note_gateway(self._watch, word, self.plan.cut_ms)
            self._judge(word.at, final=False)

    def pass_time(self, at: Instant) -> None:
        """Time passed: a step that waited for too long is judged by what there is."""
        if self.under_way is not None:
            patience_ms = PATIENCE_MS.get(self.under_way)
            self._judge(at, final=patience_ms is not None and at >= self._watch.began_at + patience_ms)

    def silent_ms(self, at: Instant) -> int:
        """How long the gateway has heard nothing new in the step under way; for the screen."""
        return max(0, at - self._watch.heard_changed_at) if self.under_way is not None else 0

    # ---- the result ------------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """What it comes to now: every step must have passed."""
        standings = [state.standing for state in self.steps.values()]
        if Standing.FAILED in standings:
            return Verdict.FAILED
        return Verdict.PASSED if all(standing is Standing.PASSED for standing in standings) else Verdict.INCOMPLETE

    def _judge_if(self, step: Step, at: Instant) -> None:
        if self.under_way is step:
            self._judge(at, final=False)

    def _judge(self, at: Instant, *, final: bool) -> None:
        step = self.under_way
        if step is None:
            return
        if step is Step.ALARMS:
            judged = self.ticks.judged(asks_gateway=self.plan.asks_gateway, final=final)
        else:
            judged = JUDGES[step](Scene(self.plan, self.line, self.gateway, self._watch, at, final))
        if judged is not None:
            self._move(step, judged)

    def _move(self, step: Step, judged: Judged) -> None:
        state = self.steps[step]
        state.standing = TRANSITIONS[state.standing, judged.act]
        state.words, state.facts = judged.words, judged.facts
        if self.under_way is step and judged.act is not Act.BEGIN:
            self.under_way = None


def _reason(text: str) -> str:
    """One line. Raises `NotNow` for nothing."""
    reason = " ".join(text.split())[:REASON_MAX]
    if not reason:
        raise NotNow("this needs a reason: it stands in the record")
    return reason
