"""The OpenAPI document as a page for people: every operation with what it takes. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from mltrack_jupyter.services.openapi import document

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>mltrack: operations</title>
<style>
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color-scheme: light dark }
code, summary { font-family: monospace } summary { cursor: pointer } details { margin: .3em 0 }
b { display: inline-block; min-width: 4.5em } td { padding: 0 1.5em 0 0; vertical-align: top }
</style><h1>Operations</h1>
<p>Below the address of this server. The same for programs: <a href="openapi.json">openapi.json</a>.</p>
"""


def page() -> str:
    """Return the page as HTML."""
    return _HEAD + "".join(_entries(document()))


def _entries(found: dict[str, Any]) -> Iterator[str]:
    heading = ""
    for path, methods in found["paths"].items():
        for method, entry in methods.items():
            tag = entry["tags"][0]
            if tag != heading:
                heading = tag
                yield f"<h2>{escape(tag.replace('_', ' '))}</h2>"
            yield _entry(path, method, entry)


def _entry(path: str, method: str, entry: dict[str, Any]) -> str:
    takes = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{'required' if needed else ''}"
        for name, kind, needed in _takes(entry)
    )
    table = f"<table>{takes}</table>" if takes else ""
    return (
        f"<details><summary><b>{method.upper()}</b> {escape(path)}</summary>"
        f"<p>{escape(entry.get('summary', ''))}</p>{table}</details>"
    )


def _takes(entry: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for item in entry.get("parameters", []):
        yield item["name"], _kind(item["schema"]), item.get("required", False)
    body = entry.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = body.get("schema", {})
    for name, kind in schema.get("properties", {}).items():
        yield name, _kind(kind), name in schema.get("required", [])


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(item) for item in schema["anyOf"] if item.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))
