"""Alerting performance: how often people are paged, why, how soon they answer, and what a naive gateway would have done."""

from grafana_foundation_sdk.builders.barchart import Panel as Bars
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Number
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Plot
from grafana_foundation_sdk.models.common import GraphDrawStyle, VizOrientation

from dashboards.influxql import OF_COURSE, STORE, curves, rows
from dashboards.parts import HIDDEN, board, in_unit, listed, named, newest, notice, number, plotted

# A page that says that all is well again asks nobody for anything.
PAGED = f'FROM "page" WHERE {OF_COURSE} AND "outcome" = \'decided\' AND "why" <> \'resolved\''
INCIDENTS = f'FROM "incident" WHERE {OF_COURSE}'
WEEK_S = 7 * 24 * 3_600

RATE = f'SELECT SUM("pages") / SUM("watched_s") * {WEEK_S} AS "rate" FROM "course" WHERE {OF_COURSE}'
NAIVE = f'SELECT SUM("began") AS "alarms" FROM "pump_alarm" WHERE {OF_COURSE}'
CAUSES = f'SELECT COUNT("length_s") AS "times", SUM("length_s") AS "length_s" FROM "interruption" WHERE {OF_COURSE}'

# title, what is selected, its column, what it means
ANSWERS = (
    ("Taken: half within", 'PERCENTILE("acked_ms", 50)', "half", "From the opening of an incident until somebody first had it."),
    (
        "Taken: 95 % within",
        'PERCENTILE("acked_ms", 95)',
        "most",
        "The same for nineteen of twenty; those that nobody took are left out.",
    ),
    ("Over: half within", 'PERCENTILE("resolved_ms", 50)', "half", "From the opening of an incident to its end."),
    ("Over: 95 % within", 'PERCENTILE("resolved_ms", 95)', "most", "The same for nineteen of twenty."),
)
COUNTS = (
    ("Incidents", 'COUNT(DISTINCT("incident"))', "incidents", "Opened or still open in this period."),
    ("Incidents taken", 'COUNT("acked_ms")', "taken", "First taken by somebody in this period."),
    ("Incidents over", 'COUNT("resolved_ms")', "over", "Ended in this period."),
)


def alerting() -> Dashboard:
    """For the meeting that decides about rules: a month at a time."""
    made = board("Dripwatch: alerting performance", "dripwatch-alerting", "Pages, answers, causes.", course="all")
    made = made.time("now-30d", "now").with_panel(notice()).with_panel(newest())
    for panel in (*_rates(), *_counts()):
        made = made.with_panel(panel.span(4))
    for panel in _naive():
        made = made.with_panel(panel)
    return (
        made.with_panel(_over_time())
        .with_panel(_bars("Pages by rule", "rule", "By the first rule that the page announces."))
        .with_panel(_bars("Pages by reason", "why", "Why each went out: opened, unacknowledged, milestone …"))
        .with_panel(_bars("Pages by person", "to", "Who was asked how often."))
        .with_panel(_causes())
    )


def _rates() -> list[Number]:
    a_week = "About courses. The site's own pages are left out, and so is the word that all is well again."
    off = "Share of the pages that went out outside Monday to Friday, 08:00 to 18:00 local time."
    return [
        number("Pages per patient-week", rows(RATE), about=a_week, shown="rate").decimals(1),
        number("Off hours", rows(f'SELECT MEAN("off_hours") * 100 AS "share" {PAGED}'), about=off, shown="share", unit="percent"),
        *(
            number(title, rows(f'SELECT {what} AS "{column}" {INCIDENTS}'), about=about, shown=column, unit="ms")
            for title, what, column, about in ANSWERS
        ),
    ]


def _counts() -> list[Number]:
    return [
        number(title, rows(f'SELECT {what} AS "{column}" {INCIDENTS}'), about=about, shown=column)
        for title, what, column, about in COUNTS
    ]


def _naive() -> list[Number]:
    about = (
        "What a gateway without holds and incidents would have sent: one page for each alarm that a pump raised, to one person."
    )
    sent = "The pages that went out instead, to whomever, repeats included; silent pumps and interruptions without an alarm too."
    return [
        number("A naive gateway: pages", rows(NAIVE), about=about, shown="alarms"),
        number("This one: pages", rows(f'SELECT COUNT("off_hours") AS "pages" {PAGED}'), about=sent, shown="pages"),
    ]


def _over_time() -> Plot:
    asked = f'SELECT COUNT("off_hours") AS "pages" {PAGED} GROUP BY time($__interval), "why" fill(0)'
    about = "Each curve is a reason."
    return plotted("Pages over time", curves(asked, "$tag_why"), about=about, unit="short").draw_style(GraphDrawStyle.BARS)


def _bars(title: str, tag: str, about: str) -> Bars:
    asked = rows(f'SELECT COUNT("off_hours") AS "pages" {PAGED} GROUP BY "{tag}"')
    bars = Bars().title(title).description(about).datasource(STORE).with_target(asked).span(12).height(8)
    return bars.orientation(VizOrientation.HORIZONTAL).x_field(tag).override_by_name("Time", HIDDEN)


def _causes() -> Table:
    return listed(
        "Interruptions by cause",
        rows(f'{CAUSES} AND "length_s" > 0 GROUP BY "cause"'),
        about="What stopped delivery, how often, and for how long together.",
        columns={
            "Time": HIDDEN,
            "cause": named("Cause"),
            "times": named("Times"),
            "length_s": in_unit("s", "Together"),
        },
    )
