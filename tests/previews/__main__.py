"""Draws what the dashboards show of a simulated ward, from their own statements: `python -m tests.previews`."""

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.previews.drawing import Preview
from tests.support.dashboard_ward import DATABASE, fill, live
from tests.support.grafana import boards
from tests.support.source_tree import ROOT
from tests.support.stores import Influxd

FOLDER = ROOT / "docs/dashboards"
ONE = "P-102"
BYTES_MAX = 150_000


def main() -> int:
    """Live the ward, fill a store, draw."""
    ward = asyncio.run(live())
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Influxd(Path(folder))
        store.start()
        try:
            asyncio.run(fill(store, ward.lines))
            for name, board in boards().items():
                view = replace(ward.view, course=ONE if name == "patient" else ".*")
                path = FOLDER / f"{name}.png"
                Preview(store, DATABASE, view, json.loads(json.dumps(board))).draw(path)
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
                if path.stat().st_size > BYTES_MAX:
                    print(f"{path.name} is larger than {BYTES_MAX} bytes", file=sys.stderr)
                    return 1
        finally:
            store.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
