"""Ward overview: which patient is without the drug, what is open, who has it, what runs out next."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel
from grafana_foundation_sdk.builders.table import Panel as Table

from dashboards.influxql import OF_COURSE, OF_SITE, curves, rows
from dashboards.parts import (
    AGO,
    AS_OF,
    BAD,
    DELIVERY,
    GOOD,
    HIDDEN,
    INCIDENT,
    PRIORITY,
    TO_COURSE,
    TO_INCIDENT,
    board,
    coded,
    in_unit,
    listed,
    named,
    newest,
    notice,
    number,
    striped,
)

OPEN = (
    'SELECT "course", "code", "rank", "cause", "holder", "latency_ms", "policy", "incident", "state", "priority" FROM ('
    'SELECT last("code") AS "code", "rank", "cause", "holder", "latency_ms", "incident", "state", "priority" '
    f'FROM "incident" WHERE {OF_COURSE} GROUP BY "course", "policy") WHERE "code" > 0'
)
STRIPES = f'SELECT "code" FROM "delivery" WHERE {OF_COURSE} GROUP BY "course"'
COURSES = (
    'SELECT last("code") AS "code", "state", "worst_s", "limit_at", "heard_at", "silent", "bag", "bag_empty_early_at", '
    '"bag_empty_at", "bag_empty_late_at", "bag_change_at", "bag_expires_at", "battery_empty_at", "incidents" '
    f'FROM "course" WHERE {OF_COURSE} GROUP BY "course"'
)


def ward_overview() -> Dashboard:
    """The dashboard for a wall: what is wrong now stands above what was."""
    return (
        board("Dripwatch: ward overview", "dripwatch-ward", "Delivery, open incidents, forecasts.", course="all")
        .with_panel(notice())
        .with_panel(newest())
        .with_panel(_now("incidents_open", "Incidents open now", "Of courses and of the site, taken or not."))
        .with_panel(_now("pumps_silent", "Silent pumps", "Pumps that have not been heard within their promise."))
        .with_panel(_now("pumps", "Pumps", "Pumps that the gateway knows."))
        .with_panel(
            number(
                "Gateway ready",
                rows(f'SELECT last("ready") AS "ready" FROM "gateway" WHERE {OF_SITE}'),
                about="It hears, stores, judges and can page. Compare with the age of the newest data.",
                shown="ready",
                words=GOOD,
            )
        )
        .with_panel(_open())
        .with_panel(
            striped(
                "Delivery",
                curves(STRIPES, "$tag_course"),
                about="As it was judged at the time: what was found late begins late. A hole is a gateway that was down.",
                words=DELIVERY,
            )
        )
        .with_panel(_courses())
    )


def _now(field: str, title: str, about: str) -> Panel:
    return number(title, rows(f'SELECT last("{field}") AS "{field}" FROM "gateway" WHERE {OF_SITE}'), about=about, shown=field)


def _open() -> Table:
    return listed(
        "Open incidents",
        rows(OPEN),
        about="Who has what; *triggered* is nobody's. Age and holder are those of *as of*. The key opens it in the console.",
        columns={
            "Time": AS_OF,
            "course": TO_COURSE,
            "code": coded(INCIDENT, "State"),
            "rank": coded(PRIORITY, "Priority"),
            "cause": named("Most urgent alert"),
            "holder": named("Who has it"),
            "latency_ms": in_unit("ms", "Age"),
            "policy": named("Route"),
            "incident": TO_INCIDENT,
            "state": HIDDEN,
            "priority": HIDDEN,
        },
    )


def _courses() -> Table:
    return listed(
        "Courses: what runs out, and when",
        rows(COURSES),
        about="Forecasts are intervals: the bag is empty between *earliest* and *latest*. Said every 5 min, see *as of*.",
        columns={
            "Time": AS_OF,
            "course": TO_COURSE,
            "code": coded(DELIVERY, "Delivery"),
            "worst_s": in_unit("s", "Perhaps without for"),
            "limit_at": in_unit(AGO, "Limit reached"),
            "heard_at": in_unit(AGO, "Last heard"),
            "silent": coded(BAD, "Silent"),
            "bag": named("Bag"),
            "bag_empty_early_at": in_unit(AGO, "Empty, earliest"),
            "bag_empty_at": in_unit(AGO, "Empty, likely"),
            "bag_empty_late_at": in_unit(AGO, "Empty, latest"),
            "bag_change_at": in_unit(AGO, "Change planned"),
            "bag_expires_at": in_unit(AGO, "Expires"),
            "battery_empty_at": in_unit(AGO, "Battery empty"),
            "incidents": named("Open"),
            "state": HIDDEN,
        },
    ).height(12)
