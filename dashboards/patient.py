"""Patient and pump: one course, its pump's numbers, what interrupted it, and its bags."""

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard

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
    YELLOW,
    YES,
    board,
    coded,
    in_unit,
    linked,
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
    'SELECT last("bag_hung_at") AS "bag_hung_at", "bag", "bag_change_at", "bag_expires_at", "bag_empty_early_at", "bag_empty_at", '
    f'"bag_empty_late_at", "battery_empty_at" FROM "course" WHERE {OF_COURSE} GROUP BY "course"'
)
ALERTS = (
    'SELECT "rule", "alarm", "code", "rank", "state", "priority" '
    f'FROM "alert" WHERE {OF_COURSE} AND "code" > 1 ORDER BY time DESC LIMIT 200'
)


def patient() -> Dashboard:
    """The dashboard behind a course's name."""
    return (
        board("Dripwatch: patient and pump", "dripwatch-patient", "One course and its pump.", course="one")
        .annotation(_marked("Alarms of the pump", _ALARMS, YELLOW, text="alarm", tags="priority", until=""))
        .annotation(_marked("Interruptions", _REGIONS, RED, text="cause", tags="", until="until"))
        .with_panel(notice())
        .with_panel(newest())
        .with_panel(number("Delivery", _now("code"), about="Our judgement, said every 5 min.", shown="code", words=DELIVERY))
        .with_panel(_longest())
        .with_panel(number("Last heard", _now("heard_at"), about="When the pump was heard last.", shown="heard_at", unit=AGO))
        .with_panel(number("Bag empty, likely", _now("bag_empty_at"), about="A forecast.", shown="bag_empty_at", unit=AGO))
        .with_panel(_stripes())
        .with_panel(
            plotted(
                "Rate",
                curves(_means("rate_ml_h"), "reported"),
                curves(_means("set_rate_ml_h"), "set", name="B"),
                about="The pump reports the rate that it was told; volume is the better witness.",
                unit="mL/h",
            )
        )
        .with_panel(
            plotted(
                "Volume and weight",
                curves(_means("infused_ml"), "infused, mL"),
                curves(_means("remaining_ml"), "left, mL", name="B"),
                curves(_means("bag_weight_g"), "weight of the bag, g", name="C"),
                about="As the pump counts; the weight from a scale where there is one. A line that stands is drug that does not flow.",
                unit="short",
            )
        )
        .with_panel(plotted("Pressure", curves(_means("pressure_mmhg"), "pressure"), about="In the line.", unit="pressuremmhg"))
        .with_panel(
            plotted(
                "Battery",
                curves(_means("battery_percent"), "charge"),
                curves(_greatest("on_battery", 100), "on battery", name="B"),
                about="Charge; the second curve stands at 100 while the pump runs on its battery.",
                unit="percent",
            )
        )
        .with_panel(_interruptions())
        .with_panel(_bag())
        .with_panel(_hung())
        .with_panel(_alerts())
    )


def _now(field: str) -> InfluxQuery:
    return rows(f'SELECT last("{field}") AS "{field}" FROM "course" WHERE {OF_COURSE}')


def _means(field: str) -> str:
    return f'SELECT mean("{field}") AS "{field}" FROM "pump" WHERE {OF_COURSE} {BINS}'


def _greatest(field: str, times: int) -> str:
    return f'SELECT max("{field}") * {times} AS "{field}" FROM "pump" WHERE {OF_COURSE} {BINS}'


_ALARMS = f'SELECT "began", "alarm", "priority", "text" FROM "pump_alarm" WHERE {OF_COURSE} AND "began" = 1'
_REGIONS = f'SELECT "length_s", "cause", "until" FROM "interruption" WHERE {OF_COURSE} AND "length_s" > 0'


def _marked(name: str, statement: str, colour: str, *, text: str, tags: str, until: str) -> AnnotationQuery:
    """Marks in every plot: a line at an instant, or a region as long as `until` says."""
    asked = rows(statement, name=name)
    asked.add(queryType="tags", fromAnnotations=True, textColumn=text, tagsColumn=tags, titleColumn="", timeEndColumn=until)
    return AnnotationQuery().name(name).datasource(STORE).enable(enable=True).icon_color(colour).target(asked)


def _longest():  # noqa: ANN202  the SDK's own type
    asked = rows(f'SELECT max("interruption_s") AS "interruption_s" FROM "delivery" WHERE {OF_COURSE}')
    return number("Longest interruption", asked, about="In this period, as far as it was inside.", shown="interruption_s", unit="s")


def _stripes():  # noqa: ANN202  the SDK's own type
    panel = striped(
        "Delivery as judged",
        curves(f'SELECT "code" FROM "delivery" WHERE {OF_COURSE} GROUP BY "course"', "judged"),
        about="What we judge, what the pump says of itself, and which alarms stood. They need not agree: that is why all are shown.",
        words=DELIVERY,
    )
    said = curves(f'SELECT "delivering" FROM "pump" WHERE {OF_COURSE} GROUP BY "device"', "pump says: delivering", name="B")
    alarms = curves(f'SELECT "active" FROM "pump_alarm" WHERE {OF_COURSE} GROUP BY "alarm"', "alarm: $tag_alarm", name="C")
    panel = panel.with_target(said).with_target(alarms)
    return panel
