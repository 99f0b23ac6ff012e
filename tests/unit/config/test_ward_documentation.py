"""The ward file's page tells of every key, and its example loads."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.config.load import load_ward
from gateway.config.shape import model_keys
from gateway.config.ward_file import Strict, TransportFile
from gateway.config.ward_models import MODELS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "ward-file.md").read_text()


def heading(place: tuple[str, ...]) -> str:
    """The heading under which a model's keys are explained."""
    match place:
        case ():
            return "The whole file"
        case ("influx", api):
            return f"influx, api {api}"
        case ("transports", "*", kind):
            return f"transports.NAME, kind {kind}"
        case _:
            return ".".join(place).replace("*", "NAME").replace(".#", "[]")


@pytest.mark.parametrize("place", MODELS, ids=heading)
def test_every_key_is_explained_under_its_heading_and_no_other(place):
    """A row for each key of the model, in its order; a key that is gone has no row."""
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    rows = re.findall(r"^\| `([^`]+)` \|", sections[heading(place)], re.MULTILINE)
    assert sorted(rows) == sorted(model_keys(MODELS[place]))


def test_the_table_of_models_has_all_models():
    """A model that is in no table could have keys that nobody explains."""
    bases = {Strict, TransportFile}
    known = set(MODELS.values())
    found = {model for base in (Strict, TransportFile) for model in base.__subclasses__()} - bases
    assert {model for model in found if not model.__module__.endswith(".bridge_file")} - known == set()
    assert all(issubclass(model, BaseModel) for model in known)


def test_the_smallest_ward_of_the_page_loads():
    """What people copy must work."""
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    assert load_ward(example, "docs/ward-file.md", None).ward.site == "haem-ward"
