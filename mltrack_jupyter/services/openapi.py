"""The OpenAPI document, generated from the declarations. ``python -m mltrack_jupyter.services.openapi``."""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import msgspec

from mltrack_jupyter.services import Operation
from mltrack_jupyter.services.dispatch import routes

_REFS = "#/components/schemas/{name}"
_ERROR = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}
_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every operation, below the tracking URI."""
    declared = routes()
    types: list[Any] = []
    for route in declared:
        types += [route.operation.request_type, *_answer_types(route.operation)]
    _, components = msgspec.json.schema_components(types, ref_template=_REFS)
    paths: dict[str, Any] = {}
    for route in declared:
        operation = route.operation
        path = re.sub(r":path\}", "}", operation.path)
        for method in operation.methods:
            entry = _entry(route.service, operation, method, components)
            paths.setdefault(path, {})[method.lower()] = entry
    used = {name: schema for name, schema in components.items() if not name.endswith("_request")}
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "mltrack_jupyter", "version": "1", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/mltrack"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**used, "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return {name: _dedented(part) for name, part in whole.items()}


def _dedented(part: Any) -> Any:
    """Return a part of the document with every docstring dedented.

    Some releases of msgspec dedent the docstrings of types and some do not; the document is the same for all.
    """
    if isinstance(part, list):
        return [_dedented(item) for item in part]
    if not isinstance(part, dict):
        return part
    texts = {
        key: inspect.cleandoc(value)
        for key, value in part.items()
        if key == "description" and isinstance(value, str)
    }
    return {key: texts.get(key) or _dedented(value) for key, value in part.items()}


def _answer_types(operation: Operation) -> list[Any]:
    if operation.is_download or operation.returns is type(None):
        return []
    return [operation.item_type] if operation.item_type else [operation.returns]


def _entry(
    service: str, operation: Operation, method: str, components: dict[str, Any]
) -> dict[str, Any]:
    suffix = "" if method == operation.method else f"_{method.lower()}"
    entry: dict[str, Any] = {
        "operationId": f"{service}_{operation.name}{suffix}",
        "summary": operation.doc.split("\n")[0],
        "description": operation.doc,
        "tags": [service],
        "responses": {
            "200": _answer(operation),
            "default": {
                "description": "What was wrong.",
                "content": {"application/json": {"schema": {"$ref": _REFS.format(name="Error")}}},
            },
        },
    }
    schema = _request_schema(operation, components)
    required = schema.get("required", [])
    in_query = method == "GET" or bool(operation.body_param)
    parameters = [
        {
            "name": name,
            "in": "path" if name in operation.path_params else "query",
            "required": name in required,
            "schema": part,
        }
        for name, part in schema["properties"].items()
        if in_query or name in operation.path_params
    ]
    if parameters:
        entry["parameters"] = parameters
    if operation.body_param:
        entry["requestBody"] = {"required": True, "content": _BINARY}
    elif not in_query:
        entry["requestBody"] = {
            "required": bool(required),
            "content": {"application/json": {"schema": schema}},
        }
    return entry


def _request_schema(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = components[operation.request_type.__name__]
    return {key: schema[key] for key in ("type", "properties", "required") if key in schema}


def _answer(operation: Operation) -> dict[str, Any]:
    done = {"description": "Done."}
    # An upload is answered with an empty body, as MLflow does.
    return done if operation.body_param else {**done, "content": _answer_content(operation)}


def _answer_content(operation: Operation) -> dict[str, Any]:
    if operation.is_download:
        return _BINARY
    if operation.returns is type(None):
        schema: dict[str, Any] = {"type": "object"}
    elif operation.item_type is not None:
        (item,), _ = msgspec.json.schema_components([operation.item_type], ref_template=_REFS)
        schema = _object(operation.answer, {"type": "array", "items": item})
        schema["properties"]["next_page_token"] = {"type": "string"}
    else:
        (schema,), _ = msgspec.json.schema_components([operation.returns], ref_template=_REFS)
        if operation.answer:
            schema = _object(operation.answer, schema)
    return {"application/json": {"schema": schema}}


def _object(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, sort_keys=False) + "\n")
