"""English pages."""

import re
from datetime import datetime

from gateway.core.wording import Wording
from gateway.domain.words import Condition, Priority, WhyPaged
from rules.durations import say_ms

WEEKDAY_ENOUGH_DAYS = 6

# What may stand behind "settings changed": the name of a setting that pumps have, never what a device puts there of its own.
SETTINGS = frozenset(
    {"alarm volume", "bolus", "clock", "date", "display", "keypad lock", "kvo rate", "language", "lock code", "near end", "power"}
    | {"pressure", "pressure limit", "time", "volume", "volume limit"}
)
_SETTING = re.compile(r"settings changed \((?P<name>.*)\)", re.DOTALL)


def clock(then: datetime, today: datetime) -> str:
    """`13:05` today, `Mon 13:05` within six days, else `Mon 9 Mar 13:05`; with the year where it is another."""
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if is_near(then, today):
        return f"{then:%a %H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"


def is_near(then: datetime, today: datetime) -> bool:
    """Whether the weekday is enough: in a week it would be that of today."""
    return abs(then.timestamp() - today.timestamp()) < WEEKDAY_ENOUGH_DAYS * 86_400


def detail(said: str) -> str:
    """As the finding says it, but for the name of a setting that is none of a pump's usual ones."""
    setting = _SETTING.fullmatch(said)
    return said if setting is None or setting["name"] in SETTINGS else "settings changed"


ENGLISH = Wording(
    priorities={priority: priority.value.upper() for priority in Priority},
    opening="{subject} {priority}{lead}: ",
    leads={
        WhyPaged.STAFFING_GAP: ", NOBODY ON CALL",
        WhyPaged.LEASE_ENDED: ", STILL OPEN, you have it",
        WhyPaged.MILESTONE: ", STILL",
        WhyPaged.SILENCE_ENDED: ", SILENCE OVER, STILL TRUE",
        WhyPaged.RAISED: ", WORSE",
        WhyPaged.NEW_ALERT: ", NEW TROUBLE",
        WhyPaged.ESCALATED: ", PASSED ON TO YOU",
    },
    window_over=", WINDOW OVER, STILL TRUE",
    causes={
        "user": "stopped by hand",
        "clinician": "stopped by a clinician",
        "alarm": "pump alarm",
        "kvo": "keep-vein-open only",
        "powered-off": "powered off",
        "between-doses": "between doses",
        "unspecified": "no reason given",
        "stopped": "no reason given",
        "silence": "pump not heard",
        "unsaid": "pump does not say if it delivers",
        "scale stands": "pump not heard, bag no lighter",
    },
    kinds={condition: condition.replace("-", " ") for condition in Condition},
    joined="{course}: {said}",
    about="about {at}",
    between="; ",
    more=" +{count} more",
    end=".",
    limit_at=" {limit} limit at {at}.",
    limit_perhaps=" {limit} limit may be passed.",
    limit_past=" OVER {limit}: {then}.",
    limit_bare=" OVER {limit}.",
    reply=" Reply {code} to take it.",
    over="{subject} RESOLVED after {lasted}",
    closed="{subject} CLOSED by {who} after {lasted}",
    was=": was {said}",
    stopped=". Stopped for {stopped}, OVER {limit}: {then}",
    over_end=".",
    reminder=(
        "{subject}: nothing is in the diary today. "
        "Please measure the temperature, write the same sentence as every day, and enter both."
    ),
    unreachable=(
        "{site}: {person} can no longer be paged. STOP muted {transport}, the last way to reach them. "
        "Call them, or change who is on call."
    ),
    test="TEST from Dripwatch {site}, {at}: this is only a test of how you are paged. No pump needs you. Nothing to do.",
    answers={
        "taken": "{subject}: yours until {until}{before}. The pump's alarm is cleared at the pump only.",
        "before": " ({who} had it until {until})",
        "over": "{subject}: that one is over already; nothing was changed.",
        "not-understood": "Not understood. Reply with the code of the page to take it.",
        "no-such-code": "No page to you has the code {code}.",
        "none-open": "No page to you is open.",
        "several-open": "{count} pages to you are open: reply with the code of one.",
        "ended-just-now": "A page to you ended just now, one is open: {subject}. Reply {code} to take it.",
        "stopped": "You get no more pages by {transport}, only by {rest}. Reply START to get them again.",
        "stopped-last": (
            "You get no more pages: {transport} was the last way to reach you.{others} Reply START to get them again."
        ),
        "others-told": " {people} is told.",
        "started": "You get pages by {transport} again. Reply STOP to end that.",
        "stopped-already": "You get no pages by {transport}; nothing was changed. START brings them back.",
        "started-already": "You get pages by {transport}; nothing was changed.",
    },
    lasted=say_ms,
    clock=clock,
    detail=detail,
)
