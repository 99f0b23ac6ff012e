"""The API's own description (`/api/openapi.json`): what all endpoints share is said here once, with an example of every body."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from gateway.console.examples import EXAMPLES
from gateway.console.once import CHANGES, HEADER, KEY_MAX
from gateway.console.problems import Problem, documented

_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "the same key, visitor and request give the same answer and have one effect, for 24 hours; another request with the same "
        "key is a 422"
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
}


def describe(api: FastAPI) -> None:
    """Complete the description of `api`, in FastAPI's documented way to extend it."""
    described = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            _complete(described())
        return described()

    api.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    """FastAPI keeps what it has described, so this is done once."""
    schemas = schema["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["Problem"].pop("$defs", {}))
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    for verb, operation in _operations(schema):
        shared = documented(401, 403) | (documented(413, 422, 429) if verb in CHANGES else {})
        for status, answer in shared.items():
            operation["responses"].setdefault(str(status), answer)
        if verb in CHANGES:
            operation.setdefault("parameters", []).append(_KEY)


def _operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(verb, operation) of everything under /api/v1."""
    for path, verbs in schema["paths"].items():
        if path.startswith("/api/v1/"):
            yield from ((verb.upper(), operation) for verb, operation in verbs.items())
