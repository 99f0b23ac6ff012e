"""A study's report as people read it."""

from datetime import UTC, datetime

from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.scenario.study_report import Column, Report
from gateway.scenario.verdicts import Found, Verdict

SHORTFALLS_SHOWN = 20
REASONS_SHOWN = 12
_WIDE, _NARROW, _COLUMN = 50, 20, 16


def table(report: Report) -> list[str]:
    """The lines of the table."""
    return [
        f"{report.patients} simulated patients, {report.days:g} days each: {report.patient_weeks:g} patient-weeks",
        f"seed {report.seed}, pumps report every {report.report_s:g} s, {report.records} records, digest {report.digest}",
        "",
        _line("", "Dripwatch", "every alarm"),
        *_rows(report.ours, report.theirs),
        "",
        f"bags that ran out before their change: {report.bags_ran_dry} of {report.bags}",
        f"bag-empty interval, a day before the change, covers the truth: {report.bags_covered} of {report.bags_forecast} bags",
        "",
        "true interruptions of 30 min or more, by cause",
        _line("", *(verdict.value for verdict in Verdict), wide=_NARROW),
        *(_line(f"  {cause}", *row.values(), wide=_NARROW) for cause, row in report.by_cause.items()),
        "",
        "pages, by rule (a page may tell of several)",
        *(_line(f"  {rule}", count) for rule, count in report.by_rule.items()),
        "",
        "pages, by reason and rules",
        *(_line(f"  {words}", count) for words, count in list(report.by_reason.items())[:REASONS_SHOWN]),
        "",
        "paged incidents, by what was really wrong at their first page",
        *(_line(f"  {words}", count) for words, count in report.by_truth.items()),
        *_shortfalls(report.shortfalls),
        *(f"{len(report.refused)} commands were refused, first: {words}" for words in report.refused[:1]),
        "",
        *(f"goal {'met' if goal.met else 'NOT met'}: {goal.what} ({goal.measured})" for goal in report.goals),
    ]


def _rows(ours: Column, theirs: Column) -> list[str]:
    rows = (
        ("pages", "pages"),
        ("pages per patient-week", "pages_per_patient_week"),
        ("  of these off hours", "off_hours_share"),
        ("  of these that bring something new", "first_calls"),
        ("messages (one a contact)", "messages"),
        ("endings told besides", "endings"),
        ("texts to caregivers besides", "to_homes"),
        ("true interruptions of 30 min or more", "interruptions"),
        ("  paged in time", "in_time"),
        ("    of these, with an incident already open", "already_open"),
        ("  paged late", "late"),
        ("  over before a page was due, never paged", "over"),
        ("  missed", "missed"),
        ("  over before the pump itself could know", "no_sign"),
        ("true start to first page, median, min", "to_page_median_min"),
        ("true start to first page, 95 %, min", "to_page_p95_min"),
        ("occlusion: sign to first page, median, min", "from_sign_median_min"),
        ("occlusion: sign to first page, 95 %, min", "from_sign_p95_min"),
    )
    return [_line(words, getattr(ours, name), getattr(theirs, name)) for words, name in rows]


def _line(words: str, *values: object, wide: int = _WIDE) -> str:
    shown = ("-" if value is None else f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return f"{words:<{wide}}" + "".join(f"{value:>{_COLUMN}}" for value in shown)


def _shortfalls(found: tuple[Found, ...]) -> list[str]:
    if not found:
        return []
    lines = ["", f"not paged in time: {len(found)}, of which the first {min(len(found), SHORTFALLS_SHOWN)} (times in UTC)"]
    return lines + [_shortfall(item) for item in found[:SHORTFALLS_SHOWN]]


def _shortfall(found: Found) -> str:
    item = found.interruption
    sign = "the pump never said so" if item.first_sign_at is None else f"first sign {_clock(item.first_sign_at)}"
    first = "" if found.first_at is None else f", first page {_clock(found.first_at)}"
    length = f"{item.length_ms / MINUTE_MS:.0f} min"
    return f"  {found.course} {item.cause} from {_clock(item.since)}, {length}, {sign}{first}: {found.verdict}"


def _clock(at: Instant) -> str:
    return datetime.fromtimestamp(at / SECOND_MS, UTC).strftime("%Y-%m-%d %H:%M:%S")
