"""What a course's page says of its plan and of its interruptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.console.words import message
from gateway.core.course_sheet import CourseSheet, InterruptionLine
from gateway.core.plan import PlanKind, PlanLine
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.locale import Locale
from gateway.domain.words import OCCLUSIONS

DAYS = 7

PLAN: Mapping[PlanKind, str] = {
    PlanKind.BAG_CHANGE: message("Change the {about} bag"),
    PlanKind.BAG_EXPIRES: message("The {about} bag expires: it must not run any longer"),
    PlanKind.ORDER_READY: message("The {about} bag is ready at the pharmacy"),
    PlanKind.DOSE_STEP: message("Dose step: {about} mcg a day"),
    PlanKind.INFUSION_ENDS: message("The infusion days of this cycle are complete"),
    PlanKind.BREAK_ENDS: message("The break is over: the next cycle may begin"),
    PlanKind.WINDOW_ENDS: message("The planned window ends ({about})"),
}
TELLERS: Mapping[str, str] = {
    "patient": message("patient"),
    "caregiver": message("caregiver"),
    "nurse": message("nurse"),
    "pump": message("pump"),
    "person": message("person"),
    "both": message("pump and person"),
}
SEEN: Mapping[str, str] = {
    "": message("nobody looked"),
    "running": message("running"),
    "standing": message("standing"),
}
ADVICE = (
    message("Open all clamps, straighten the line, watch the pump"),
    message("Plug the pump in, or change its battery"),
    message("A nurse calls again within the hour"),
    message("Come to the hospital now"),
    message("Nothing to do: all is well"),
)
NAMES = (
    message("bag change"),
    message("hospital visit"),
    message("hospital stay"),
    message("eligibility"),
    message("caregiver trained"),
    message("pump and line checked"),
    message("emergency plan given"),
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the printed plan: what it is called, and what is planned for it with its wall time."""

    name: str
    lines: tuple[tuple[str, PlanLine], ...]


def evidence(one: InterruptionLine) -> str:
    """What an interruption that is over rests on."""
    if one.found:
        return message("found afterwards, in the pump's own count or in messages that came late")
    if one.estimated and one.cause in OCCLUSIONS:
        return message("told by the pump; its beginning is estimated, because an occlusion alarm comes late")
    if one.estimated:
        return message("told by the pump; its beginning is estimated, because nothing was heard before")
    return message("told by the pump")


def week_of(sheet: CourseSheet, at: Instant, zone: ZoneInfo, locale: Locale) -> list[Day]:
    """The plan of the coming days, today first; what should have been done before stands in today."""
    today = datetime.fromtimestamp(at / SECOND_MS, zone).date()
    days = [today + timedelta(days=number) for number in range(DAYS)]
    planned = [(datetime.fromtimestamp(line.at / SECOND_MS, zone), line) for line in sheet.plan]
    return [
        Day(_name(day, locale), tuple((f"{wall:%H:%M}", line) for wall, line in planned if max(wall.date(), today) == day))
        for day in days
    ]


def stamp_of(at: Instant, zone: ZoneInfo, locale: Locale) -> str:
    """When a sheet was printed, with its year: paper stays."""
    wall = datetime.fromtimestamp(at / SECOND_MS, zone)
    return f"{_name(wall, locale)} {wall:%Y, %H:%M}"


def _name(day: date, locale: Locale) -> str:
    if locale is Locale.ZH_HANT:
        return f"{day.month}月{day.day}日（{'一二三四五六日'[day.weekday()]}）"  # noqa: RUF001  Chinese brackets
    return f"{day:%a} {day.day} {day:%b}"
