"""The dashboards as files: made from the code, of a shape that Grafana reads, on fields that exist, saying what they are not."""

import builtins
import gzip
import json
import re
from copy import deepcopy

import jsonschema
import pytest
import yaml

from dashboards.build import build
from dashboards.parts import NOTICE
from gateway.field.cli import cli
from gateway.runtime.point_schema import SCHEMA
from tests.support.grafana import FOLDER, asked_by, boards, everything
from tests.support.source_tree import ROOT

PROVISIONING = ROOT / "deploy/grafana/provisioning"
SHAPE = json.loads(gzip.decompress((ROOT / "tests/grafana_schema/dashboard.schema.json.gz").read_bytes()))
QUERY_KEYS = {"datasource", "refId", "rawQuery", "query", "resultFormat", "alias"}
MARK_KEYS = QUERY_KEYS | {"queryType", "fromAnnotations", "titleColumn", "textColumn", "tagsColumn", "timeEndColumn"}


def findings(board: dict) -> list[str]:
    """What Grafana's own types say against a dashboard; an annotation's target is looked at as a query elsewhere."""
    board = deepcopy(board)
    for mark in board["annotations"].get("list", ()):
        mark.pop("target")
    return [f"{list(error.absolute_path)}: {error.message}" for error in jsonschema.Draft7Validator(SHAPE).iter_errors(board)]


def used(statement: str) -> tuple[str, set[str]]:
    """(measurement, names of tags and fields) of one statement; what it names itself by AS is not among them."""
    (measurement,) = set(re.findall(r'FROM "(\w+)"', statement))
    names = re.findall(r'(?<!FROM )(?<!AS )"(\w+)"', statement) + re.findall(r"KEY = \"(\w+)\"", statement)
    return measurement, set(names)


def test_the_files_are_what_the_code_makes():
    """`dripwatch dashboards build` leaves no difference."""
    made = build()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text() == text, f"{name}: dripwatch dashboards build"


@pytest.mark.parametrize("name", boards())
def test_grafana_reads_the_shape(name):
    """The types of Grafana's own package accept every dashboard."""
    assert findings(boards()[name]) == []


def test_the_shape_is_looked_at():
    """A wrong type and an unknown key are found, deep inside too."""
    board = boards()["patient"]
    board["panels"][3]["gridPos"]["w"] = "wide"
    board["panels"][4]["colour"] = "red"
    board["templating"]["list"][1]["refresh"] = "often"
    wrong = {finding.partition("]")[0] for finding in findings(board)}
    assert wrong == {"['panels', 3", "['panels', 4", "['templating', 'list', 1, 'refresh'"}


def test_queries_are_influxql_of_the_chosen_store():
    """Each as Grafana's editor saves it, none in another language, all of the store that the reader chose."""
    for name, board in boards().items():
        targets = [(one, QUERY_KEYS) for panel in board["panels"] for one in panel.get("targets", ())]
        targets += [(mark["target"], MARK_KEYS) for mark in board["annotations"].get("list", ())]
        for target, keys in targets:
            assert target.keys() <= keys, name
            assert target["datasource"] == {"type": "influxdb", "uid": "${store}"}
            assert target["rawQuery"]
            assert target["query"].startswith("SELECT ")


def test_every_name_in_a_statement_is_in_the_schema():
    """Tags and fields that the writer does not know would be empty panels for ever."""
    for asked in everything():
        measurement, names = used(asked.statement)
        known = {*SCHEMA[measurement].tags, *SCHEMA[measurement].fields}
        aliases = set(re.findall(r'AS "(\w+)"', asked.statement))
        assert names <= known | aliases, f"{asked.by}: {names - known - aliases} is not in {measurement}"


def test_every_field_is_shown_somewhere():
    """What is written and looked at by nobody costs disk and belongs out of the schema; no field is an orphan."""
    shown: dict[str, set[str]] = {}
    for asked in everything():
        measurement, names = used(asked.statement)
        shown.setdefault(measurement, set()).update(names)
    orphans = {(name, field) for name, one in SCHEMA.items() for field in one.fields if field not in shown.get(name, ())}
    assert orphans == set()


def test_reading_names_out_of_a_statement():
    """Aliases are no fields, except where the statement reads them too."""
    statement = 'SELECT "a", last("b") AS "c" FROM "pump" WHERE "site" =~ /^$site$/ GROUP BY "device"'
    assert used(statement) == ("pump", {"a", "b", "site", "device"})
    assert used('SHOW TAG VALUES FROM "page" WITH KEY = "by"') == ("page", {"by"})


@pytest.mark.parametrize("name", boards())
def test_it_says_that_it_is_not_the_alarm_path(name):
    """At the very top, on a wall and on a phone, with the age of the data beside it and a way to the console."""
    board = boards()[name]
    first, second = board["panels"][:2]
    assert (first["type"], first["options"]["content"]) == ("text", NOTICE)
    assert NOTICE.startswith("**Grafana is not the alarm path.**")
    assert second["title"] == "Newest data"
    assert "${console}/" in {link.get("url") for link in board["links"]}
    assert {"site", "console", "store"} <= {variable["name"] for variable in board["templating"]["list"]}
    assert ("course" in {variable["name"] for variable in board["templating"]["list"]}) == (name != "gateway-health")


@pytest.mark.parametrize("name", boards())
def test_every_table_of_what_stands_says_of_when(name):
    """A value that is shown as it stands has the time at which it was said beside it; sums and lists of the past need none."""
    for panel in boards()[name]["panels"]:
        dress = (
            {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
            if "fieldConfig" in panel
            else {}
        )
        if panel["type"] == "table" and any("last(" in asked.statement for asked in asked_by(panel)):
            assert {"id": "displayName", "value": "As of"} in dress["Time"], panel["title"]


def test_links_lead_to_pages_of_the_console():
    """Incidents by their key, courses by their name, both escaped."""
    urls = set(re.findall(r'"url": "(\$\{console\}[^"]*)"', "".join(build().values())))
    assert urls == {
        "${console}/",
        "${console}/incidents/${__data.fields.incident:percentencode}",
        "${console}/courses/${__data.fields.course:percentencode}",
    }


@pytest.mark.parametrize("name", boards())
def test_panels_fill_a_wall_and_no_two_overlap(name):
    """24 columns, every panel with a title and a sentence, and the first screen of a wall holds what matters."""
    board = boards()[name]
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        assert panel["title"]
        assert panel["type"] == "text" or panel["description"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_panel_is_explained():
    """docs/dashboards.md has a line for each panel of each dashboard, and for no other."""
    page = (ROOT / "docs/dashboards.md").read_text()
    for name, board in boards().items():
        section = page.split(f"\n## {board['title'].removeprefix('Dripwatch: ').capitalize()}\n")[1].split("\n## ")[0]
        told = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)[1:]
        titles = [panel["title"] for panel in board["panels"] if panel["type"] != "text" and panel["title"] != "Newest data"]
        assert told == titles, name


def test_the_schema_is_documented():
    """docs/time-series.md is made from the schema."""
    page = (ROOT / "docs/time-series.md").read_text()
    for name, one in SCHEMA.items():
        section = page.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
        assert one.when in section
        assert re.findall(r"`(\w+)`", section.split("Tags:")[1].split("\n")[0]) == list(one.tags)
        rows = [tuple(row) for row in re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", section, re.MULTILINE)]
        assert rows == [(field, known.type.value, known.unit, known.means) for field, known in one.fields.items()]


def test_one_store_is_provisioned():
    """Three kinds of InfluxDB, of which Grafana finds one; all under the same name, in InfluxQL, without a secret in the file."""
    folder = PROVISIONING / "datasources"
    assert [path.name for path in sorted(folder.iterdir()) if path.suffix in (".yaml", ".yml")] == ["influxdb-1.yaml"]
    files = sorted(folder.iterdir())
    assert len(files) == 3
    for path in files:
        (source,) = yaml.safe_load(path.read_text())["datasources"]
        assert (source["uid"], source["type"], source["jsonData"]["version"]) == ("dripwatch", "influxdb", "InfluxQL")
        assert all("$STORE_" in secret for secret in source["secureJsonData"].values())


def test_no_contact_point_is_provisioned():
    """Grafana pages nobody, and its file says why."""
    text = (PROVISIONING / "alerting/dripwatch.yaml").read_text()
    assert yaml.safe_load(text) == {"apiVersion": 1}
    assert text.startswith("# Grafana is not the alarm path")


def test_the_dashboards_are_provided():
    """From the folder that the deployment mounts, closed to changes that the next build would undo."""
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards/dripwatch.yaml").read_text())["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)


def test_the_command_writes_them(tmp_path, capsys):
    """Into any folder, each whole; and says what it wrote."""
    with pytest.raises(SystemExit) as ended:
        cli(["dashboards", "build", "--to", str(tmp_path / "new")])
    assert ended.value.code == 0
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == build()
    assert len(capsys.readouterr().out.splitlines()) == len(build())


def test_without_the_library_one_line_says_what_to_install(monkeypatch, capsys, tmp_path):
    """A gateway at work has no grafana-foundation-sdk."""
    real = builtins.__import__

    def absent(name, *args, **more):
        if name == "dashboards.build":
            raise ModuleNotFoundError("No module named 'grafana_foundation_sdk'", name="grafana_foundation_sdk")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(SystemExit) as ended:
        cli(["dashboards", "build", "--to", str(tmp_path)])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install grafana-foundation-sdk==0.0.21" in line


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    """What, where, and the mend."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli(["dashboards", "build", "--to", str(tmp_path / "file" / "below")])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written" in line
    assert "--to" in line
