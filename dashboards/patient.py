"""Patient and pump: one course, its pump's numbers, what interrupted it, and its bags."""

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Number
from grafana_foundation_sdk.builders.statetimeline import Panel as Stripes
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Plot

from dashboards.influxql import OF_COURSE, STORE, InfluxQuery, curves, rows
from dashboards.parts import (
    AGO,
    ALERT,
    AS_OF,
    BAD,
    CLOCK,
    DELIVERY,
    HIDDEN,
    PRIORITY,
    RED,
    TO_COURSE,
    YELLOW,
    YES,
    board,
    coded,
    in_unit,
    listed,
    named,
    newest,
    notice,
    number,
    plotted,
    striped,
)

BINS = 'GROUP BY time($__interval), "device" fill(none)'
INTERRUPTIONS = (
    'SELECT "length_s", "until", "cause", "estimated", "open", "course" '
    f'FROM "interruption" WHERE {OF_COURSE} AND "length_s" > 0 ORDER BY time DESC'
)
HUNG = f'SELECT distinct("bag_hung_at") AS "bag_hung_at" FROM "course" WHERE {OF_COURSE}'
BAG = (
    'SELECT last("bag_hung_at") AS "bag_hung_at", "bag", "bag_change_at", "bag_expires_at", '
    '"bag_empty_early_at", "bag_empty_at", '
    f'"bag_empty_late_at", "battery_empty_at" FROM "course" WHERE {OF_COURSE} GROUP BY "course"'
)
ALERTS = (
    'SELECT "rule", "alarm", "code", "rank", "state", "priority" '
    f'FROM "alert" WHERE {OF_COURSE} AND "code" <> 1 ORDER BY time DESC LIMIT 200'
)
ALARMS = f'SELECT "began", "alarm", "priority", "text" FROM "pump_alarm" WHERE {OF_COURSE} AND "began" = 1'
REGIONS = f'SELECT "length_s", "cause", "until" FROM "interruption" WHERE {OF_COURSE} AND "length_s" > 0'


def patient() -> Dashboard:
    """The dashboard behind a course's name."""
    return (
        board("Dripwatch: patient and pump", "dripwatch-patient", "One course and its pump.", course="one")
        .annotation(_marked("Alarms of the pump", ALARMS, YELLOW, textColumn="alarm", tagsColumn="priority"))
        .annotation(_marked("Interruptions", REGIONS, RED, textColumn="cause", timeEndColumn="until"))
        .with_panel(notice())
        .with_panel(newest())
        .with_panel(_delivery())
        .with_panel(_interrupted())
        .with_panel(number("Last heard", _now("heard_at"), about="When the pump was heard last.", shown="heard_at", unit=AGO))
        .with_panel(number("Bag empty, likely", _now("bag_empty_at"), about="A forecast.", shown="bag_empty_at", unit=AGO))
        .with_panel(_judged())
        .with_panel(_said())
        .with_panel(_rate())
        .with_panel(_volume())
        .with_panel(plotted("Pressure", _curve("pressure_mmhg", "pressure"), about="In the line.", unit="pressuremmhg"))
        .with_panel(_battery())
        .with_panel(_bag())
        .with_panel(_hung())
        .with_panel(_interruptions())
        .with_panel(_alerts())
    )


def _now(field: str) -> InfluxQuery:
    return rows(f'SELECT last("{field}") AS "{field}" FROM "course" WHERE {OF_COURSE}')


def _curve(field: str, alias: str, name: str = "A") -> InfluxQuery:
    return curves(f'SELECT mean("{field}") AS "{field}" FROM "pump" WHERE {OF_COURSE} {BINS}', alias, name=name)


def _marked(name: str, statement: str, colour: str, **columns: str) -> AnnotationQuery:
    """Marks in every plot: lines at instants, or regions where a `timeEndColumn` is among the `columns`."""
    asked = rows(statement, queryType="tags", fromAnnotations=True, titleColumn="", **columns)
    return AnnotationQuery().name(name).datasource(STORE).enable(enable=True).icon_color(colour).target(asked)


def _delivery() -> Number:
    asked = rows(f'SELECT last("code") AS "code", "state" FROM "delivery" WHERE {OF_COURSE}')
    return number("Delivery", asked, about="Our judgement: at each change, and every 5 min.", shown="code", words=DELIVERY)


def _interrupted() -> Number:
    asked = rows(f'SELECT last("interruption_s") AS "interruption_s" FROM "delivery" WHERE {OF_COURSE}')
    return number("Interrupted for", asked, about="0 while it is not; said every 5 min.", shown="interruption_s", unit="s")


def _rate() -> Plot:
    about = "The pump reports the rate that it was told; volume is the better witness."
    return plotted("Rate", _curve("rate_ml_h", "reported"), _curve("set_rate_ml_h", "set", "B"), about=about, unit="mL/h")


def _volume() -> Plot:
    counted = (_curve("infused_ml", "infused, mL"), _curve("remaining_ml", "left, mL", "B"))
    weighed = _curve("bag_weight_g", "weight of the bag, g", "C")
    about = "As the pump counts; the weight where a scale hangs. A line that stands is drug that does not flow."
    return plotted("Volume and weight", *counted, weighed, about=about, unit="short")


def _battery() -> Plot:
    on_battery = f'SELECT max("on_battery") * 100 AS "on_battery" FROM "pump" WHERE {OF_COURSE} {BINS}'
    about = "Charge; the second curve stands at 100 while the pump runs on its battery."
    charge = _curve("battery_percent", "charge")
    return plotted("Battery", charge, curves(on_battery, "on battery", name="B"), about=about, unit="percent")


def _judged() -> Stripes:
    asked = curves(f'SELECT "code" FROM "delivery" WHERE {OF_COURSE} GROUP BY "course"', "delivery")
    return striped(
        "Delivery as judged",
        asked,
        about="As it was judged at the time; regions in the plots show when it really was. A hole is a gateway that was down.",
        words=DELIVERY,
    ).height(4)


def _said() -> Stripes:
    said = curves(f'SELECT "delivering" FROM "pump" WHERE {OF_COURSE} GROUP BY "device"', "delivering")
    alarms = curves(f'SELECT "active" FROM "pump_alarm" WHERE {OF_COURSE} GROUP BY "alarm"', "$tag_alarm", name="B")
    about = "What the pump says of itself: whether it delivers, and its alarms. It need not agree with what we judge."
    return striped("What the pump says", said, about=about, words=YES).with_target(alarms).height(6)


def _interruptions() -> Table:
    return listed(
        "Interruptions",
        rows(INTERRUPTIONS),
        about="Each stands at the time at which delivery stopped, which may be an estimate.",
        columns={
            "Time": in_unit(CLOCK, "Since"),
            "length_s": in_unit("s", "Length"),
            "until": in_unit(CLOCK, "Until"),
            "cause": named("Cause"),
            "estimated": coded(YES, "Beginning estimated"),
            "open": coded(BAD, "Goes on"),
            "course": TO_COURSE,
        },
    ).span(12)


def _alerts() -> Table:
    return listed(
        "Alerts",
        rows(ALERTS),
        about="What our rules said, the newest first: firing, risen, resolved.",
        columns={
            "Time": in_unit(CLOCK, "At"),
            "rule": named("Rule"),
            "alarm": named("Alarm of the pump"),
            "code": coded(ALERT, "State"),
            "rank": coded(PRIORITY, "Priority"),
            "state": HIDDEN,
            "priority": HIDDEN,
        },
    ).span(12)


def _bag() -> Table:
    return (
        listed(
            "The bag that hangs, and the battery",
            rows(BAG),
            about="Forecasts; the bag is empty between *earliest* and *latest*.",
            columns={
                "Time": AS_OF,
                "course": TO_COURSE,
                "bag_hung_at": in_unit(CLOCK, "Hung"),
                "bag": named("Bag"),
                "bag_change_at": in_unit(AGO, "Change planned"),
                "bag_expires_at": in_unit(AGO, "Expires"),
                "bag_empty_early_at": in_unit(AGO, "Empty, earliest"),
                "bag_empty_at": in_unit(AGO, "Empty, likely"),
                "bag_empty_late_at": in_unit(AGO, "Empty, latest"),
                "battery_empty_at": in_unit(AGO, "Battery empty"),
            },
        )
        .height(4)
        .span(18)
    )


def _hung() -> Table:
    return (
        listed(
            "Bags of this period",
            rows(HUNG),
            about="When each was hung.",
            columns={"Time": HIDDEN, "bag_hung_at": in_unit(CLOCK, "Hung")},
        )
        .height(4)
        .span(6)
    )
