"""What all dashboards share: their variables, the notice, units, colours, links, and panels in their usual dress.

Twenty-four columns make a wall's width. On a phone Grafana puts every panel below the one before it: what matters stands first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as made
from grafana_foundation_sdk.builders import stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.models import dashboard as shape
from grafana_foundation_sdk.models.common import BigValueGraphMode, LegendDisplayMode
from grafana_foundation_sdk.models.text import TextMode

from dashboards.influxql import OF_SITE, STORE, InfluxQuery, rows

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#808080"
AGO, CLOCK = "dateTimeFromNow", "dateTimeAsIsoNoDateIfToday"
SAID_AGAIN_MS = 15 * 60_000  # a stripe says every 5 min how it stands: a longer silence is shown as a hole

NOTICE = (
    "**Grafana is not the alarm path.** Nothing here pages anybody. The pump's own alarm stays primary, and the "
    "[console](${console}/) is where incidents are taken. What you see is as old as *newest data* says."
)
NOTICE_TITLE = "This is not the alarm path"

# By the code of a delivery, an incident, an alert: the word, and its colour.
DELIVERY = {0: ("delivering", GREEN), 1: ("interrupted", RED), 2: ("unknown", ORANGE), 3: ("not expected", GREY)}
INCIDENT = {0: ("resolved", GREEN), 1: ("acknowledged", BLUE), 2: ("triggered", RED)}
ALERT = {0: ("resolved", GREEN), 1: ("pending", YELLOW), 2: ("firing", RED)}
PRIORITY = {0: ("none", GREY), 1: ("low", BLUE), 2: ("medium", YELLOW), 3: ("high", RED)}
YES = {0: ("no", GREY), 1: ("yes", BLUE)}
GOOD = {0: ("no", RED), 1: ("yes", GREEN)}
BAD = {0: ("no", GREEN), 1: ("yes", RED)}

Words = Mapping[int, tuple[str, str]]


def board(title: str, uid: str, about: str, *, course: str) -> made.Dashboard:
    """An empty dashboard. `course`: `all` courses can be chosen, or `one`, or `none` because it is not about courses."""
    begun = (
        made.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["dripwatch"])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("1m")
        .readonly()
        .tooltip(shape.DashboardCursorSync.CROSSHAIR)
        .link(made.DashboardLink("Console: take incidents here").type(shape.DashboardLinkType.LINK).url("${console}/"))
        .link(
            made.DashboardLink("Dripwatch")
            .type(shape.DashboardLinkType.DASHBOARDS)
            .tags(["dripwatch"])
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
        .with_variable(made.DatasourceVariable("store").label("Store").type("influxdb"))
        .with_variable(_asked("site", "Site", 'SHOW TAG VALUES FROM "gateway" WITH KEY = "site"'))
    )
    if course != "none":
        asked = 'SHOW TAG VALUES FROM "delivery" WITH KEY = "course" WHERE "site" =~ /^$site$/'
        begun = begun.with_variable(_asked("course", "Course", asked, several=course == "all"))
    return begun.with_variable(made.TextBoxVariable("console").label("Console's address").default_value("http://localhost:8080"))


def _asked(name: str, label: str, query: str, *, several: bool = True) -> made.QueryVariable:
    """A variable whose values the store knows. All of them is `.*`, which also matches what concerns no single course."""
    variable = (
        made.QueryVariable(name)
        .label(label)
        .datasource(STORE)
        .query(query)
        .refresh(shape.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(shape.VariableSort.NATURAL_ASC)
    )
    if not several:
        return variable
    everything = shape.VariableOption(selected=True, text=["All"], value=["$__all"])
    return variable.multi(multi=True).include_all(include_all=True).all_value(".*").current(everything)


def notice() -> text.Panel:
    """What Grafana is not."""
    return text.Panel().title(NOTICE_TITLE).content(NOTICE).mode(TextMode.MARKDOWN).span(18).height(3)


def newest() -> stat.Panel:
    """How old the newest data are: the gateway says something every minute."""
    asked = rows(f'SELECT last("ready") AS "ready" FROM "gateway" WHERE {OF_SITE}')
    return number(
        "Newest data", asked, about="When the gateway last said how it is. It does so every minute.", shown="Time", unit=AGO
    )


def number(
    title: str, asked: InfluxQuery, *, about: str, shown: str = "", unit: str = "", words: Words | None = None
) -> stat.Panel:
    """One large number, of the column `shown` where the answer has several."""
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .with_target(asked)
        .datasource(STORE)
        .span(6)
        .height(3)
        .no_value("no data")
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).fields(f"/^{shown}$/" if shown else ""))
    )
    panel = panel.unit(unit) if unit else panel
    return panel.mappings(mappings(words)) if words else panel


def listed(
    title: str, asked: InfluxQuery, *, about: str, columns: Mapping[str, Sequence[shape.DynamicConfigValue]]
) -> table.Panel:
    """A table; `columns` dresses each by the name that the query gives it."""
    panel = table.Panel().title(title).description(about).with_target(asked).datasource(STORE).span(24).height(9)
    for name, dress in columns.items():
        panel = panel.override_by_name(name, list(dress))
    return panel


def striped(title: str, asked: InfluxQuery, *, about: str, words: Words) -> statetimeline.Panel:
    """A stripe for each curve, coloured by its code; it lasts until its next word, and has a hole where none came."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(about)
        .with_target(asked)
        .datasource(STORE)
        .span(24)
        .height(8)
        .mappings(mappings(words))
        .merge_values(merge_values=True)
        .insert_nulls(SAID_AGAIN_MS)
        .legend(_legend())
    )


def plotted(title: str, *asked: InfluxQuery, about: str, unit: str) -> timeseries.Panel:
    """Curves over time."""
    panel = timeseries.Panel().title(title).description(about).datasource(STORE).unit(unit).span(12).height(8).legend(_legend())
    for one in asked:
        panel = panel.with_target(one)
    return panel


def _legend() -> VizLegendOptions:
    return VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(show_legend=True)


def mappings(words: Words) -> list[shape.ValueMapping]:
    """Codes as words in their colours."""
    said = {str(code): shape.ValueMappingResult(text=word, color=colour, index=code) for code, (word, colour) in words.items()}
    return [shape.ValueMap(options=said)]


def coded(words: Words, name: str = "") -> list[shape.DynamicConfigValue]:
    """A column of codes, shown as coloured words."""
    cell = shape.DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    return [*named(name), shape.DynamicConfigValue("mappings", mappings(words)), cell]


def in_unit(unit: str, name: str = "") -> list[shape.DynamicConfigValue]:
    """A column in a unit of Grafana's."""
    return [*named(name), shape.DynamicConfigValue("unit", unit)]


def linked(title: str, path: str, name: str = "") -> list[shape.DynamicConfigValue]:
    """A column whose cells lead to a page of the console."""
    link: dict[str, Any] = {"title": title, "url": "${console}" + path, "targetBlank": True}
    return [*named(name), shape.DynamicConfigValue("links", [link])]


def named(name: str) -> list[shape.DynamicConfigValue]:
    """A column under another heading."""
    return [shape.DynamicConfigValue("displayName", name)] if name else []


HIDDEN = [shape.DynamicConfigValue("custom.hidden", value=True)]
TO_COURSE = linked("Open in the console", "/courses/${__data.fields.course:percentencode}", "Course")
TO_INCIDENT = linked("Take it in the console", "/incidents/${__data.fields.incident:percentencode}", "Incident")
AS_OF = in_unit(AGO, "As of")
