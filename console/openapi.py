"""An OpenAPI 3.1 document made from the types that requests are read into and answers are written from.

OpenAPI 3.1 takes JSON Schema as it is, which is what pydantic gives; nothing is described twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_REF = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET."""

    path: str
    summary: str
    description: str
    answer: type[BaseModel]
    query: type[BaseModel] | None = None


def document(
    title: str, version: str, operations: Iterable[Operation], failure: type[BaseModel]
) -> dict[str, Any]:
    """The document. Every operation may answer with ``failure`` under 400 and 503."""
    told = list(operations)
    answers = [(each.answer, "serialization") for each in told]
    _, schemas = models_json_schema([*answers, (failure, "serialization")], ref_template=_REF)  # type: ignore[list-item]
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": {each.path: {"get": _get(each, failure)} for each in told},
        "components": {"schemas": schemas["$defs"]},
    }


def _get(operation: Operation, failure: type[BaseModel]) -> dict[str, Any]:
    refused = {"400": "The question cannot be answered.", "503": "The books cannot be read at the moment."}
    return {
        "operationId": operation.path.strip("/").replace("/", "_"),
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation.query) if operation.query else [],
        "responses": {
            "200": _response(operation.answer.__doc__ or "", operation.answer),
            **{status: _response(text, failure) for status, text in refused.items()},
        },
    }


def _response(text: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    """Each field as a parameter; a list may be repeated."""
    whole = query.model_json_schema(ref_template="#/$defs/{model}")
    definitions = whole.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in whole.get("required", ()),
            "description": schema.get("description", ""),
            "schema": _inlined({key: value for key, value in schema.items() if key != "description"}, definitions),
        }
        for name, schema in whole["properties"].items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references into the question's own definitions, and without a null to leave out."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions) | rest
    found = {key: _inlined(value, definitions) for key, value in schema.items()}
    some = [each for each in found.get("anyOf", ()) if each != {"type": "null"}]
    if len(some) == 1:
        rest = {key: value for key, value in found.items() if key not in ("anyOf", "default")}
        return some[0] | rest
    return found
