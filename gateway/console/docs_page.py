"""`/api/docs`: the OpenAPI description as a page of our own, so that nothing is fetched from anywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.console.pages import environment
from gateway.domain.locale import Locale

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to send: its name, its type in a word or two, whether it must be there, and what it means."""

    name: str
    sort: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. `body` says what its body means as a whole, `fields` what its parts are."""

    verb: str
    path: str
    summary: str
    body: str
    fields: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]


@router.get("/api/docs")
async def docs(request: Request) -> HTMLResponse:
    """All endpoints with what they take and what they answer."""
    schema = request.app.openapi()
    operations = [
        _operation(verb, path, told, schema["components"]["schemas"])
        for path, verbs in schema["paths"].items()
        for verb, told in verbs.items()
    ]
    return HTMLResponse(environment(Locale.EN).get_template("docs.html").render(api=schema["info"], operations=operations))


def _operation(verb: str, path: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    parameters = [
        Field(one["name"], f"{one['in']}, {_sort(one['schema'], schemas)}", one["required"], one.get("description", ""))
        for one in told.get("parameters", [])
    ]
    answers = [(status, answer["description"]) for status, answer in told["responses"].items()]
    models = _bodies(told, schemas)
    body = " ".join(" ".join(model.get("description", "").split()) for model in models)
    fields = (*parameters, *(field for model in models for field in _fields(model, schemas)))
    return Operation(verb.upper(), path, told.get("description", ""), body, fields, tuple(answers))


def _bodies(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The JSON body's schema; none where the endpoint takes no body."""
    schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return [schemas[_name(one)] for one in (schema, *schema.get("anyOf", [])) if "$ref" in one]


def _fields(model: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Field]:
    """The keys of a JSON body."""
    needed = model.get("required", [])
    for name, one in model["properties"].items():
        yield Field(name, f"body, {_sort(one, schemas)}", name in needed, _meaning(one))


def _choices(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a value may be, besides nothing at all."""
    return [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]


def _meaning(schema: Mapping[str, Any]) -> str:
    """What a key means: its own words, else those of what it may be."""
    told = [one["description"] for one in (schema, *_choices(schema)) if "description" in one]
    return str(told[0]) if told else ""


def _sort(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """The type in a word: `string`, `number`, `list`, `triggered | acknowledged | resolved`."""
    named = [schemas[_name(one)] if "$ref" in one else one for one in _choices(schema)]
    return " or ".join(_word(one) for one in named)


def _word(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(choice or '""' for choice in schema["enum"])
    word = str(schema.get("format") or schema.get("type", ""))
    return "list" if word == "array" else word


def _name(schema: Mapping[str, Any]) -> str:
    """The name behind a reference."""
    return str(schema["$ref"]).rpartition("/")[2]
