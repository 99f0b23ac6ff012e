"""Gateway health: what comes in, what lags, what is refused, how transports do, whether the watcher is awake."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Number
from grafana_foundation_sdk.builders.statetimeline import Panel as Stripes
from grafana_foundation_sdk.builders.table import Panel as Table

from dashboards.influxql import OF_SITE, curves, rows
from dashboards.parts import GOOD, HIDDEN, board, in_unit, listed, named, newest, notice, number, plotted, striped

NOW = f'FROM "gateway" WHERE {OF_SITE}'
BINS = 'GROUP BY time($__interval), "site" fill(none)'
TRANSPORTS = (
    'SELECT SUM("accepted") AS "accepted", SUM("delivered") AS "delivered", SUM("rejected") AS "rejected", '
    'SUM("temporary") AS "temporary", SUM("unknown") AS "unknown", SUM("no_receipt") AS "no_receipt" '
    f'FROM "transport" WHERE {OF_SITE} GROUP BY "by"'
)
LATENCY = (
    'SELECT COUNT("latency_ms") AS "pages", PERCENTILE("latency_ms", 50) AS "half", PERCENTILE("latency_ms", 95) AS "most", '
    f'MAX("latency_ms") AS "longest" FROM "page" WHERE {OF_SITE} AND "ok" = 1 GROUP BY "by"'
)

# title, fields, unit, what it means; counters are shown as what was added a minute
CURVES = (
    ("Ingest, a minute", ("records",), "short", "Journal records judged: messages, outcomes, clicks."),
    (
        "Lag",
        ("lag_records", "store_lag_records"),
        "short",
        "Records not yet judged, and records whose points the store has not yet.",
    ),
    (
        "Refused, a minute",
        ("refused", "poisoned"),
        "short",
        "Readings that were refused, and lines that the store will never take.",
    ),
    ("Store, lines a minute", ("lines_written",), "short", "Lines that the store took."),
    ("Pages, a minute", ("pages_accepted", "pages_failed"), "short", "Attempts that providers took, and those that failed."),
    ("Pages in hand, and findings", ("pages_waiting", "findings"), "short", "Pages on their way, and what people should know."),
    ("Pumps", ("pumps", "pumps_silent"), "short", "Known, and silent beyond their promise."),
    ("Open incidents", ("incidents_open",), "short", "Taken or not."),
)
COUNTERS = frozenset({"records", "refused", "poisoned", "lines_written", "pages_accepted", "pages_failed"})


def gateway_health() -> Dashboard:
    """For whoever runs it. What pages when the gateway is ill is the watchdog and Prometheus' rules, not this."""
    made = (
        board("Dripwatch: gateway health", "dripwatch-gateway", "The gateway itself.", course="none")
        .with_panel(notice())
        .with_panel(newest())
        .with_panel(_state("ready", "Ready", "It hears, stores, judges and can page."))
        .with_panel(_state("connected", "Broker session", "Without one it is deaf."))
        .with_panel(_number("findings", "Findings", "What people should know; the console's health page has the words."))
        .with_panel(_number("watchdog_s", "Watchdog heard", "Time since then; no data where the ward file names none.", unit="s"))
        .with_panel(_stripes())
    )
    for title, fields, unit, about in CURVES:
        asked = [curves(_statement(field), field.replace("_", " "), name=chr(ord("A") + i)) for i, field in enumerate(fields)]
        made = made.with_panel(plotted(title, *asked, about=about, unit=unit).height(7))
    return made.with_panel(_transports()).with_panel(_latency())


def _statement(field: str) -> str:
    if field in COUNTERS:
        return f'SELECT non_negative_derivative(last("{field}"), 1m) AS "{field}" {NOW} {BINS}'
    return f'SELECT max("{field}") AS "{field}" {NOW} {BINS}'


def _state(field: str, title: str, about: str) -> Number:
    return number(title, rows(f'SELECT last("{field}") AS "{field}" {NOW}'), about=about, shown=field, words=GOOD)


def _number(field: str, title: str, about: str, unit: str = "") -> Number:
    return number(title, rows(f'SELECT last("{field}") AS "{field}" {NOW}'), about=about, shown=field, unit=unit)


def _stripes() -> Stripes:
    asked = curves(f'SELECT "ready", "connected" {NOW} GROUP BY "site"', "$tag_site $col")
    return striped("Ready, and in session with the broker", asked, about="A hole is a gateway that was down.", words=GOOD).height(
        4
    )


def _transports() -> Table:
    return (
        listed(
            "Transports",
            rows(TRANSPORTS),
            about="Attempts. *Taken* is the provider's word, *arrived* a receipt; *no receipt* is one that was promised.",
            columns={
                "Time": HIDDEN,
                "by": named("Transport"),
                "accepted": named("Taken"),
                "delivered": named("Arrived"),
                "rejected": named("Refused"),
                "temporary": named("Failed for now"),
                "unknown": named("Nobody knows"),
                "no_receipt": named("No receipt"),
            },
        )
        .span(12)
        .height(6)
    )


def _latency() -> Table:
    return (
        listed(
            "From the decision to the provider",
            rows(LATENCY),
            about="How long pages took until a provider had them.",
            columns={
                "Time": HIDDEN,
                "by": named("Transport"),
                "pages": named("Pages"),
                "half": in_unit("ms", "Half within"),
                "most": in_unit("ms", "95 % within"),
                "longest": in_unit("ms", "Longest"),
            },
        )
        .span(12)
        .height(6)
    )
