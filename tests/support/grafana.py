"""What a Grafana would ask the store: every statement of a dashboard, with its variables and macros filled in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.source_tree import ROOT
from tests.support.stores import Influxd

FOLDER = ROOT / "deploy/grafana/dashboards"


@dataclass(frozen=True)
class Asked:
    """One statement: of which dashboard, by which panel, annotation or variable (`by`), under which name there."""

    dashboard: str
    by: str
    name: str
    statement: str
    shape: str = "table"
    alias: str = ""


@dataclass(frozen=True)
class View:
    """What somebody looks at: a stretch of time (ms), and the values of the variables."""

    from_at: int
    until_at: int
    course: str = ".*"
    site: str = ".*"
    interval: str = "1m"

    def fill(self, statement: str) -> str:
        """The statement as it reaches the store."""
        filled = statement.replace("$timeFilter", f"time >= {self.from_at}ms AND time <= {self.until_at}ms")
        filled = filled.replace("$__interval", self.interval).replace("$site", self.site).replace("$course", self.course)
        assert "$" not in filled.replace("$/", ""), f"a macro is left: {filled}"
        return filled


@dataclass(frozen=True)
class Curve:
    """One series of an answer; its rows as dicts with its tags, `time` in ms."""

    name: str
    tags: dict[str, str]
    rows: list[dict[str, Any]]


def boards() -> dict[str, dict[str, Any]]:
    """The committed dashboards, by the name of the file without its ending."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def asked_by(panel: dict[str, Any], dashboard: str = "") -> list[Asked]:
    """The statements of one panel."""
    return [
        Asked(dashboard, panel["title"], one["refId"], one["query"], one["resultFormat"], one["alias"])
        for one in panel.get("targets", ())
    ]


def asked_of(dashboard: str, board: dict[str, Any]) -> Iterator[Asked]:
    """Everything that a dashboard asks the store."""
    for panel in board["panels"]:
        yield from asked_by(panel, dashboard)
    for mark in board["annotations"].get("list", ()):
        yield Asked(dashboard, mark["name"], "annotation", mark["target"]["query"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Asked(dashboard, variable["name"], "variable", variable["query"])


def everything() -> list[Asked]:
    """Every statement of every dashboard."""
    return [asked for name, board in boards().items() for asked in asked_of(name, board)]


def answer(store: Influxd, database: str, asked: Asked, view: View) -> list[Curve]:
    """What the store says; RuntimeError where it refuses the statement."""
    curves = []
    for series in store.query(view.fill(asked.statement), database):
        tags = series.get("tags", {})
        rows = [tags | dict(zip(series["columns"], values, strict=True)) for values in series["values"]]
        curves.append(Curve(series["name"], tags, rows))
    return curves


def rows_of(store: Influxd, database: str, asked: Asked, view: View) -> list[dict[str, Any]]:
    """The same as one table."""
    return [row for curve in answer(store, database, asked, view) for row in curve.rows]
