"""Checks the shape of a ward file with pydantic, and says in plain words what pydantic found."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.problems import Report, unknown, unknown_key
from gateway.config.ward_file import WardFile
from gateway.config.ward_models import BY_NAME, MODELS
from rules.yaml_lines import Path

Models = Mapping[tuple[str, ...], type[BaseModel]]
_File = TypeVar("_File", bound=BaseModel)

_MAPPING = "must be a mapping (`key: value` lines)"


def check_shape(raw: Mapping[str, Any], report: Report) -> WardFile | None:
    """The typed ward file, or None after reporting every key that is missing, unknown or of the wrong shape."""
    return check_model(WardFile, MODELS, raw, report)


def check_model(model: type[_File], models: Models, raw: Mapping[str, Any], report: Report) -> _File | None:
    """The same for a file of another kind: `models` says which model judges which mapping of it."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            path = _written_path(found["loc"])
            report.add(path, _in_plain_words(found, path, models))
        return None


def model_keys(model: type[BaseModel]) -> list[str]:
    """A model's keys as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _written_path(loc: tuple[int | str, ...]) -> Path:
    """Pydantic's path without what it adds: the kind of a transport, the api of influx, the mark for a key itself."""
    tag_at = {"transports": 2, "influx": 1}.get(str(loc[0])) if loc else None
    return tuple(step for i, step in enumerate(loc) if i != tag_at and step != "[key]")


def _in_plain_words(found: ErrorDetails, path: Path, models: Models) -> str:
    kind = found["type"]
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), model_keys(_model_at(found["loc"][:-1], models)))
    if kind in _WORDS:
        return _WORDS[kind](found.get("ctx", {}), _kind_of(found["input"]))
    return found["msg"][:1].lower() + found["msg"][1:]


_WORDS: Mapping[str, Callable[[dict[str, Any], str], str]] = {
    "missing": lambda _ctx, _got: "required, but missing",
    "model_type": lambda _ctx, got: f"{_MAPPING}, not {got}",
    "dict_type": lambda _ctx, got: f"{_MAPPING}, not {got}",
    "list_type": lambda _ctx, got: f"must be a list, not {got}",
    "string_type": lambda _ctx, got: f"must be text, not {got}; put it in quotes",
    "int_type": lambda _ctx, got: "must be a whole number" + ("" if got == "a number" else f", not {got}"),
    "float_type": lambda _ctx, got: f"must be a number, not {got}",
    "bool_type": lambda _ctx, got: f"must be true or false, not {got}",
    "too_short": lambda _ctx, _got: "must not be empty",
    "too_long": lambda ctx, _got: f"longer than {ctx['max_length']} characters",
    "greater_than_equal": lambda ctx, _got: f"must be at least {ctx['ge']}",
    "less_than_equal": lambda ctx, _got: f"must be at most {ctx['le']}",
    "literal_error": lambda ctx, _got: f"must be {ctx['expected']}",
    "string_pattern_mismatch": lambda ctx, _got: _charset(ctx["pattern"]),
    "union_tag_invalid": lambda ctx, _got: unknown(_tag(ctx), ctx["tag"], ctx["expected_tags"].replace("'", "").split(", ")),
    "union_tag_not_found": lambda ctx, _got: f"`{_tag(ctx)}` is required, but missing",
    "value_error": lambda ctx, _got: str(ctx["error"]),
}


def _tag(ctx: dict[str, Any]) -> str:
    return str(ctx["discriminator"]).strip("'")


def _charset(pattern: str) -> str:
    letters = "letters" if "A-Z" in pattern else "small letters"
    marks = ", '-', '_' and '.'" if "A-Z" in pattern else " and '-'"
    return f"not a name: use {letters}, digits{marks}, a letter or digit first, at most 63 characters"


def _kind_of(value: object) -> str:
    """What somebody wrote, by kind only: the value may be a secret."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _model_at(loc: tuple[int | str, ...], models: Models) -> type[BaseModel]:
    """The model that judged the mapping at pydantic's path `loc`."""
    place = ["#" if isinstance(step, int) else step for step in loc]
    if len(place) > 1 and place[0] in BY_NAME:
        place[1] = "*"
    return models[tuple(place)]
