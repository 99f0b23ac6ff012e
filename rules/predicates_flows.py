"""Questions about what has flowed and how fast, what keeps coming back, and what was done to the pump."""

from collections.abc import Mapping
from math import inf

from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.outlook import SettingChange
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import OCCLUSIONS, Priority
from rules.durations import say_ms
from rules.model import Finding
from rules.predicate import Predicate

ROUNDING = 1e-9  # of what decimal fractions lose on their way; far below any pump's step
KEEPS_PERCENT = 5  # an under-delivery alert ends this much above the threshold that began it
RECENT_MS = HOUR_MS
NEVER_MIN = inf  # no interruption is so long

_SAID = {"unlocked": "unlocked", "settings": "settings changed", "time-changed": "clock moved"}


def _rate_mismatch(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    rates = view.rates
    if rates is None:
        return ()
    wanted = rates.prescribed_ml_h
    for told, percent in ((rates.set_ml_h, params["set_percent"]), (rates.current_ml_h, params["current_percent"])):
        if told is not None and abs(told - wanted) > wanted * percent / 100 + ROUNDING:
            detail = f"{told:g} instead of {wanted:g} mL/h"
            return (Finding(since=view.at, evidence_at=view.at, standing=True, detail=detail),)
    return ()


def _under_delivery(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    percent = view.delivered_percent
    if percent is None or percent >= params["medium_percent"] + KEEPS_PERCENT:
        return ()
    priority = None
    if percent < params["high_percent"]:
        priority = Priority.HIGH
    elif percent < params["medium_percent"]:
        priority = Priority.MEDIUM
    return (Finding(since=view.at, evidence_at=view.at, priority=priority, standing=True, detail=f"{percent} %"),)


def _alarm_recurrent(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    times = int(params["times"])
    findings = []
    for condition, starts in view.starts.items():
        recent = [start_at for start_at in starts if start_at >= view.at - RECENT_MS]
        if len(recent) >= times:
            findings.append(
                Finding(
                    since=recent[0],
                    evidence_at=recent[times - 1],
                    kind=condition,
                    family=condition,
                    recheck_at=recent[-times] + RECENT_MS + 1,
                    detail=f"{len(recent)} times",
                )
            )
    return tuple(findings)


def _interruption_found(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    findings = []
    for found in view.found:
        length_ms = found.until - found.since
        least_min = params["cleared_min"] or NEVER_MIN if found.cause in OCCLUSIONS else params["medium_min"]
        if length_ms >= least_min * MINUTE_MS:
            long = length_ms >= params["high_h"] * HOUR_MS
            findings.append(
                Finding(
                    since=found.since,
                    evidence_at=found.noted_at,
                    priority=Priority.HIGH if long else Priority.MEDIUM,
                    detail=say_ms(length_ms),
                )
            )
    return tuple(findings)


def _settings_changed(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    return tuple(
        Finding(since=change.observed_at, evidence_at=change.noted_at, kind=change.kind, detail=_said(change))
        for change in view.settings
        if change.shift_s is None or abs(change.shift_s) > params["clock_min"] * 60
    )


def _said(change: SettingChange) -> str:
    """`unlocked`, `settings changed (bolus)`, `clock moved by 5 min`."""
    said = _SAID.get(change.kind, change.kind)
    if change.shift_s is not None:
        return f"{said} by {say_ms(round(abs(change.shift_s)) * SECOND_MS)}"
    return f"{said} ({change.detail[:16]})" if change.detail else said


FLOWS: Mapping[str, Predicate] = {
    "rate_mismatch": Predicate(
        _rate_mismatch,
        Facet.RATES | Facet.DELIVERY | Facet.BAG,
        {"set_percent": 1, "current_percent": 5},
        "a pump delivers with a set rate more than {set_percent:g} %, or a current rate more than {current_percent:g} %, off the "
        "prescribed rate",
    ),
    "under_delivery": Predicate(
        _under_delivery,
        Facet.VOLUME,
        {"medium_percent": 80, "high_percent": 50},
        "less volume than prescribed was delivered over the last 2 hours that we judged delivering, by the pump's own count or "
        "by a bag scale",
        priorities="medium below {medium_percent:g} % of it, high below {high_percent:g} %",
    ),
    "alarm_recurrent": Predicate(
        _alarm_recurrent,
        Facet.CONDITIONS,
        {"times": 3},
        "the same pump alarm condition has begun {times:g} times or more within 60 minutes",
    ),
    "interruption_found": Predicate(
        _interruption_found,
        Facet.DELIVERY | Facet.VOLUME,
        {"medium_min": 20, "cleared_min": 0, "high_h": 4},
        "a pump that was silent is back and has not delivered for a while that is over by now",
        priorities="medium from {medium_min:g} min without delivery on (an occlusion that was cleared before anybody was told "
        "counts from {cleared_min:g} min on; 0 means never), high from {high_h:g} h on",
    ),
    "settings_changed": Predicate(
        _settings_changed,
        Facet.SETTINGS,
        {"clock_min": 2},
        "a pump is unlocked, its settings other than the rate are changed, or its clock is moved by more than {clock_min:g} min",
    ),
}
