"""One dashboard as a picture: every panel's own statements, asked of a real store, drawn where the dashboard puts it.

Not Grafana: the data are the same, the looks are not.
"""

import textwrap
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from gateway.domain.instants import SECOND_MS, Instant
from tests.previews.values import COLOURS, PLAIN, ZONE, mapping_of, said
from tests.support.grafana import Asked, Curve, View, answer, asked_by
from tests.support.stores import Influxd

WIDTH_INCHES, ROW_INCHES, DPI = 19.2, 0.36, 72
HOLE_MS = 15 * 60_000
ROWS_MAX = 14
COLOURS_MAX = 64  # a third of the bytes, and no difference that anybody sees
mpl.rcParams |= {"font.size": 9, "font.family": "DejaVu Sans"}


class Preview:
    """A dashboard, the store that it asks, and what somebody looks at."""

    def __init__(self, store: Influxd, database: str, view: View, board: dict[str, Any]) -> None:
        self._store, self._database, self._view, self._board = store, database, view, board
        self._marks = [
            (mark["iconColor"], self._ask(Asked("", mark["name"], "annotation", mark["target"]["query"])))
            for mark in board["annotations"].get("list", ())
        ]

    def draw(self, path: Path) -> None:
        """Write the picture."""
        height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in self._board["panels"])
        figure = plt.figure(figsize=(WIDTH_INCHES, height * ROW_INCHES + 0.5), facecolor="#f4f5f5")
        figure.suptitle(self._board["title"], x=0.01, y=0.995, ha="left", va="top", fontsize=14, fontweight="bold")
        top = 1 - 0.4 / (height * ROW_INCHES + 0.5)
        for panel in self._board["panels"]:
            place, pad = panel["gridPos"], 0.004
            box = (
                place["x"] / 24 + pad,
                top * (1 - (place["y"] + place["h"]) / height) + pad,
                place["w"] / 24 - 2 * pad,
                top * place["h"] / height - 2 * pad,
            )
            self._panel(figure, box, panel)
        whole = BytesIO()
        figure.savefig(whole, dpi=DPI)
        plt.close(figure)
        Image.open(whole).convert("RGB").quantize(COLOURS_MAX, dither=Image.Dither.NONE).save(path, optimize=True)

    def _ask(self, asked: Asked) -> list[Curve]:
        return answer(self._store, self._database, asked, self._view)

    def _panel(self, figure: Any, box: tuple[float, float, float, float], panel: dict[str, Any]) -> None:
        frame = figure.add_axes(box)
        frame.set_xticks([])
        frame.set_yticks([])
        for spine in frame.spines.values():
            spine.set_color("#cccccc")
        plotted = panel["type"] in ("timeseries", "state-timeline", "barchart")
        left, below = (0.13, 0.2) if panel["gridPos"]["w"] <= 12 else (0.1, 0.2)
        inside = (box[0] + left * box[2], box[1] + below * box[3], box[2] * (0.98 - left), box[3] * (0.83 - below))
        axes = figure.add_axes(inside) if plotted else frame
        frame.set_title(panel["title"], loc="left", fontsize=9, fontweight="bold", y=1.0, pad=-12, x=0.008, color="#333333")
        drawn = {
            "text": self._text,
            "stat": self._stat,
            "table": self._table,
            "state-timeline": self._stripes,
            "timeseries": self._plot,
            "barchart": self._bars,
        }
        drawn[panel["type"]](axes, panel)

    def _text(self, axes: Axes, panel: dict[str, Any]) -> None:
        words = panel["options"]["content"].replace("**", "").replace("[console](${console}/)", "console").replace("*", "")
        axes.text(0.008, 0.4, textwrap.fill(words, 150), va="center", fontsize=10, color=COLOURS["red"])

    def _stat(self, axes: Axes, panel: dict[str, Any]) -> None:
        rows = [row for asked in asked_by(panel) for curve in self._ask(asked) for row in curve.rows]
        column = panel["options"]["reduceOptions"]["fields"].strip("/^$").replace("Time", "time")
        defaults = panel["fieldConfig"]["defaults"]
        text, colour = "no data", "#888888"
        if rows:
            text, colour = said(rows[-1][column], defaults.get("unit", ""), mapping_of(defaults), self._view.until_at)
        axes.text(0.5, 0.36, text, ha="center", va="center", fontsize=18, fontweight="bold", color=colour)

    def _table(self, axes: Axes, panel: dict[str, Any]) -> None:
        rows = [row for asked in asked_by(panel) for curve in self._ask(asked) for row in curve.rows]
        dress = {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
        columns = [name for name in dress if not any(one["id"] == "custom.hidden" for one in dress[name])]
        heads = [next((one["value"] for one in dress[name] if one["id"] == "displayName"), name) for name in columns]
        shown = rows[: min(ROWS_MAX, panel["gridPos"]["h"] - 2)]
        cells = [[self._cell(row, name, dress[name]) for name in columns] for row in shown]
        widths = [max([len(head), *(len(line[i][0]) for line in cells)]) + 2 for i, head in enumerate(heads)]
        starts = [sum(widths[:i]) / sum(widths) * 0.98 + 0.008 for i in range(len(widths))]
        step = 1 / panel["gridPos"]["h"]
        for start, head in zip(starts, heads, strict=True):
            axes.text(start, 1 - 1.5 * step, head, va="center", fontsize=8, color="#666666")
        for number, line in enumerate(cells):
            for start, (text, colour) in zip(starts, line, strict=True):
                weight = "bold" if colour != PLAIN else "normal"
                axes.text(start, 1 - (2.4 + number * 0.9) * step, text, va="center", fontsize=9, color=colour, fontweight=weight)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)

    def _cell(self, row: dict[str, Any], name: str, properties: list[dict[str, Any]]) -> tuple[str, str]:
        unit = next((one["value"] for one in properties if one["id"] == "unit"), "")
        return said(row.get("time" if name == "Time" else name), unit, mapping_of(properties), self._view.until_at)

    def _stripes(self, axes: Axes, panel: dict[str, Any]) -> None:
        mapping, names = mapping_of(panel["fieldConfig"]["defaults"]), []
        for asked in asked_by(panel):
            for curve in self._ask(asked):
                columns = [key for key in curve.rows[0] if key != "time" and key not in curve.tags]
                for column in columns:
                    rows = [(row["time"], row[column]) for row in curve.rows if row[column] is not None]
                    self._stripe(axes, len(names), rows, mapping)
                    names.append(_named(asked.alias, curve, column))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        self._time(axes)
        patches = [plt.Rectangle((0, 0), 1, 1, color=COLOURS.get(one["color"], one["color"])) for one in mapping.values()]
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(mapping), "fontsize": 8, "frameon": False}
        axes.legend(patches, [one["text"] for one in mapping.values()], **place)

    def _stripe(self, axes: Axes, line: int, rows: list[tuple[Instant, Any]], mapping: dict[str, dict[str, Any]]) -> None:
        for (at, code), (next_at, _) in zip(rows, [*rows[1:], (self._view.until_at, None)], strict=True):
            colour = mapping[str(code)]["color"]
            until = next_at if mapping and len(rows) < 20 else min(next_at, at + HOLE_MS)
            axes.barh(line, _day(until) - _day(at), left=_day(at), height=0.7, color=COLOURS.get(colour, colour), linewidth=0)

    def _plot(self, axes: Axes, panel: dict[str, Any]) -> None:
        bars = panel["fieldConfig"]["defaults"].get("custom", {}).get("drawStyle") == "bars"
        for asked in asked_by(panel):
            for curve in self._ask(asked):
                column = next(key for key in curve.rows[0] if key != "time" and key not in curve.tags)
                points = [(_day(row["time"]), row[column]) for row in curve.rows if row[column] is not None]
                xs, ys = [x for x, _ in points], [y for _, y in points]
                name = _named(asked.alias, curve, column)
                axes.vlines(xs, 0, ys, label=name, color=f"C{len(axes.collections)}", linewidth=1.5) if bars else axes.plot(
                    xs, ys, label=name, linewidth=1.2
                )
        for colour, curves in self._marks:
            for row in (row for curve in curves for row in curve.rows):
                if row.get("until"):
                    axes.axvspan(_day(row["time"]), _day(row["until"]), color=COLOURS[colour], alpha=0.15, linewidth=0)
                else:
                    axes.axvline(_day(row["time"]), color=COLOURS[colour], linestyle="--", linewidth=1)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=4, fontsize=8, frameon=False)
        axes.grid(visible=True, color="#eeeeee")
        axes.set_ylim(bottom=0, top=max(1.0, axes.get_ylim()[1]))
        self._time(axes)

    def _bars(self, axes: Axes, panel: dict[str, Any]) -> None:
        tag = panel["options"]["xField"]
        rows = [row for asked in asked_by(panel) for curve in self._ask(asked) for row in curve.rows]
        axes.barh([row[tag] for row in rows], [row["pages"] for row in rows], color=COLOURS["blue"], height=0.6)
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)

    def _time(self, axes: Axes) -> None:
        axes.set_xlim(_day(self._view.from_at), _day(self._view.until_at))
        axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M", tz=ZONE))
        axes.tick_params(labelsize=8)


def _day(at: Instant) -> float:
    return float(mdates.date2num(datetime.fromtimestamp(at / SECOND_MS, ZONE)))


def _named(alias: str, curve: Curve, column: str) -> str:
    name = alias.replace("$col", column)
    for tag, value in curve.tags.items():
        name = name.replace(f"$tag_{tag}", value)
    return name
