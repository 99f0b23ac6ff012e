"""`/api/docs`: the OpenAPI description as a page of our own, so that nothing is fetched from anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.console.status_page import templates

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
    """One endpoint."""

    verb: str
    path: str
    summary: str
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
    return HTMLResponse(templates.get_template("docs.html").render(api=schema["info"], operations=operations))


def _operation(verb: str, path: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    parameters = [
        Field(one["name"], f"{one['in']}, {_sort(one['schema'], schemas)}", one["required"], one.get("description", ""))
        for one in told.get("parameters", [])
    ]
    answers = [(status, answer["description"]) for status, answer in told["responses"].items()]
    return Operation(verb.upper(), path, told.get("description", ""), (*parameters, *_body(told, schemas)), tuple(answers))


def _body(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Field]:
    """The keys of the JSON body."""
    schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    references = [one["$ref"] for one in (schema, *schema.get("anyOf", [])) if "$ref" in one]
    found = []
    for reference in references:
        model = schemas[reference.rpartition("/")[2]]
        needed = model.get("required", [])
        for name, one in model["properties"].items():
            found.append(Field(name, f"body, {_sort(one, schemas)}", name in needed, one.get("description", "")))
    return found


def _sort(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """The type in a word: `string`, `number`, `triggered | acknowledged | resolved`."""
    named = [schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in schema.get("anyOf", [schema])]
    choices = [one for one in named if one.get("type") != "null"]
    words = [" | ".join(one["enum"]) if "enum" in one else one.get("format") or one.get("type", "") for one in choices]
    return " or ".join(words)
