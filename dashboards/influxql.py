"""InfluxQL for Grafana: the SDK has no query of that kind, and these few lines are all of it."""

from typing import Any

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

STORE = DataSourceRef(type_val="influxdb", uid="${store}")

OF_SITE = '"site" =~ /^$site$/ AND $timeFilter'
OF_COURSE = '"site" =~ /^$site$/ AND "course" =~ /^$course$/ AND $timeFilter'


class InfluxQuery(Dataquery, Builder[Dataquery]):
    """One InfluxQL statement. `shape` is `table` (rows with tags as columns) or `time_series` (one line for each `alias`)."""

    def __init__(self, statement: str, *, shape: str = "table", alias: str = "", name: str = "A", **more: str | bool) -> None:
        self._body = {"refId": name, "rawQuery": True, "query": statement, "resultFormat": shape, "alias": alias, **more}

    def build(self) -> Dataquery:
        """It is its own builder."""
        return self

    def to_json(self) -> dict[str, Any]:
        """As Grafana's own editor saves it."""
        return {"datasource": STORE, **self._body}


def rows(statement: str, **more: Any) -> InfluxQuery:
    """The answer as a table."""
    return InfluxQuery(statement, **more)


def curves(statement: str, alias: str, *, name: str = "A") -> InfluxQuery:
    """The answer as curves over time; `alias` names each, `$tag_course` and `$col` inside it are Grafana's."""
    return InfluxQuery(statement, shape="time_series", alias=alias, name=name)
