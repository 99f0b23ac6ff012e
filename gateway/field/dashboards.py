"""`dashboards build`: Grafana's dashboards as JSON, from the code in `dashboards/`."""

from pathlib import Path

import click

from gateway.field.speaking import FINE, Wrong

FOLDER = "deploy/grafana/dashboards"
NEEDS = "grafana-foundation-sdk==0.0.21"  # as in pyproject.toml: unpinned, pip takes the schema of Grafana 10.1


@click.group(short_help="Grafana's dashboards, as JSON.")
def dashboards() -> None:
    """Make what Grafana shows. The JSON that comes with Dripwatch needs none of this."""


@dashboards.command()
@click.option(
    "--to", default=FOLDER, show_default=True, type=click.Path(file_okay=False), help="The folder that they are written into."
)
def build(to: str) -> int:
    """Write the dashboards' JSON, for Grafana's provisioning or to import by hand."""
    try:
        from dashboards.build import build as make  # noqa: PLC0415  a gateway at work has no such library
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dashboards", "grafana_foundation_sdk"):
            raise
        raise Wrong(f"dashboards build: {error.name} is missing; pip install {NEEDS}, in a checkout of Dripwatch") from error
    folder = Path(to)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in make().items():
            _write(folder / name, text)
    except OSError as error:
        raise Wrong(f"dashboards build: {folder} cannot be written: {error.strerror or error}; choose another by --to") from error
    return FINE


def _write(path: Path, text: str) -> None:
    """The whole file or none of it: Grafana reads the folder every few seconds."""
    part = path.with_suffix(".json.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    print(path)
