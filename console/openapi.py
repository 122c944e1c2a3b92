"""An OpenAPI 3.1 document made from the types that requests are read into and answers are written from.

OpenAPI 3.1 takes JSON Schema as it is, which is what pydantic gives; nothing is described twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_REF = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One method of one address. Equal to itself only, by which documents are kept."""

    path: str
    summary: str
    description: str
    answer: type[BaseModel] | None
    """``None``: an answer without a body."""
    query: type[BaseModel] | None = None
    method: str = "get"
    body: type[BaseModel] | None = None
    status: int = 200
    """Of the answer when all is well."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that must be sent, and what each is for."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Statuses of ``failure`` beside 400 and 503, and what each means."""


@cache
def document(
    title: str, version: str, operations: tuple[Operation, ...], failure: type[BaseModel]
) -> Mapping[str, Any]:
    """The document, made once. Every operation may answer with ``failure`` under 400 and 503."""
    models: list[Any] = [(each.answer, "serialization") for each in operations if each.answer]
    models += [(each.body, "validation") for each in operations if each.body]
    _, schemas = models_json_schema([*models, (failure, "serialization")], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method] = _described(each, failure)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _described(operation: Operation, failure: type[BaseModel]) -> dict[str, Any]:
    refused = {"400": "The question cannot be answered.", "503": "The books cannot be read at the moment."}
    refused |= operation.refused
    name = re.sub("[{}]", "", operation.path.strip("/")).replace("/", "_")
    return {
        "operationId": name if operation.method == "get" else f"{name}_{operation.method}",
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *_places(operation),
            *(_parameters(operation.query) if operation.query else []),
        ],
        **({"requestBody": _body(operation.body)} if operation.body else {}),
        "responses": {
            str(operation.status): _answer(operation.answer),
            **{status: _response(text, failure) for status, text in refused.items()},
        },
    }


def _places(operation: Operation) -> list[dict[str, Any]]:
    """Parts of the path, and headers."""
    told = [
        {"name": name, "in": "path", "required": True, "description": "", "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    return told + [
        {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in operation.headers.items()
    ]


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(model: type[BaseModel] | None) -> dict[str, Any]:
    return _response(model.__doc__ or "", model) if model else {"description": "Nothing more to say."}


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
